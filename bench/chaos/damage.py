"""A byte of a database is damaged: it is named, restored from the backup, and nobody is written to twice."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from bench.chaos.bed import Bed, Fault, Tried, at_count, finish
from bench.chaos.place import Place

PEOPLE = 4000
BEFORE, AFTER = 20, 40
"""Messages before each backup, and at least so many after it."""
PAGE = 4096
PAGE_KINDS = (2, 5, 10, 13)
"""First byte of a page of a tree (https://www.sqlite.org/fileformat2.html, section 1.6)."""
AWHILE_S = 4.0


def _restored(choose: Callable[[Place], Path] | None) -> Callable[[Bed], Tried]:
    """The backup is made in the middle of a campaign, and more goes out after it; None: nothing is damaged."""

    def run(bed: Bed) -> Tried:
        tries, complaints = 3, []
        with bed.place(PEOPLE) as place:
            place.mailbox.take_time(0.5)
            place.send()
            place.start()
            for number in range(tries):
                at_count(place, place.mailbox.count() + BEFORE)
                backup = place.folder.with_name(f"{place.folder.name}-{number}.tar.gz")
                place.comms("backup", str(backup))
                at_count(place, place.mailbox.count() + AFTER)
                place.kill_all()
                if choose is not None:
                    complaints += _damage(place, choose(place), bed.chance)
                place.comms("restore", str(backup))
                place.comms("campaign", "resume", place.campaigns[0])
                place.start()
            place.mailbox.take_time(0)
            verdict = finish(place)
        return Tried(tries, replace(verdict, complaints=[*complaints, *verdict.complaints]))

    return run


def _damage(place: Place, database: Path, chance: random.Random) -> list[str]:
    """Damage one byte that says what a page is, and let comms run on it for a while."""
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(database.read_bytes())
    pages = [at for at in range(PAGE, len(data), PAGE) if data[at] in PAGE_KINDS]
    data[chance.choice(pages)] = 0xA5
    database.write_bytes(data)
    named = place.try_comms("doctor")
    place.start()
    time.sleep(AWHILE_S)
    place.kill_all()
    return [] if named.returncode == 1 and database.name in named.stdout else [f"doctor does not name {database.name}"]


FAULTS = [
    Fault("a backup restored while it goes out", _restored(None)),
    Fault("a byte of the ledger damaged", _restored(lambda place: place.database)),
    Fault("a byte of the host's database damaged", _restored(lambda place: place.folder / "host.db")),
]
