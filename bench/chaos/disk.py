"""The disk fills up: before a campaign is approved, and at any moment while it goes out."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from bench.chaos.bed import Bed, Fault, Tried, at_count, finish, small_disk
from bench.chaos.place import Place

MEGABYTES = 40
PEOPLE = 1000
FULL_S = 4.0


@contextlib.contextmanager
def _full(disk: Path) -> Iterator[None]:
    """Not a block is left for the time of the block."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(65_536))
    with ballast.open("ab", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))
    try:
        yield
    finally:
        ballast.unlink()


def _before_approval(bed: Bed) -> Tried:
    """It can not be approved, in words; then it can, and nobody gets two."""
    tries, complaints = 3, []
    with small_disk(bed.folder / "disk", MEGABYTES) as disk, bed.place(200, folder=disk / "place") as place:
        for _ in range(tries):
            definition = str(place.write_campaign())
            with _full(disk):
                done = place.try_comms("campaign", "send", definition, "--yes")
            if done.returncode == 0 or "Traceback" in done.stderr:
                complaints.append(f"approved on a full disk: {done.returncode}, {done.stderr[-300:]}")
            place.comms("campaign", "send", definition, "--yes")
        place.start()
        verdict = finish(place)
    return Tried(tries, replace(verdict, complaints=[*complaints, *verdict.complaints]))


def _while_sending(bed: Bed) -> Tried:
    """Full for some seconds: as the first batch is claimed, in the middle, and as the last one is settled."""
    tries = 8
    with small_disk(bed.folder / "disk", MEGABYTES) as disk, bed.place(PEOPLE, folder=disk / "place") as place:
        place.mailbox.take_time(0.01)
        place.start()
        for number in range(tries):
            moments = [1, PEOPLE - 1, bed.chance.randrange(PEOPLE)]
            place.send()
            at_count(place, number * PEOPLE + moments[number % len(moments)])
            with _full(disk):
                _hold(place)
            bed.tell(f"{number + 1} times full")
        verdict = finish(place)
    return Tried(tries, verdict)


def _hold(place: Place) -> None:
    deadline = time.monotonic() + FULL_S
    while time.monotonic() < deadline:
        place.keep()
        time.sleep(0.1)


def _at_once(bed: Bed) -> Tried:
    """Full and empty again within a moment, many times: a write here and there fails, and others do not."""
    tries = 60
    with small_disk(bed.folder / "disk", MEGABYTES) as disk, bed.place(PEOPLE, folder=disk / "place") as place:
        place.mailbox.take_time(0.02)
        place.send()
        place.start()
        at_count(place, 1)
        for _ in range(tries):
            with _full(disk):
                time.sleep(bed.chance.uniform(0, 0.1))
            time.sleep(bed.chance.uniform(0, 0.2))
            place.keep()
        verdict = finish(place)
    return Tried(tries, verdict)


FAULTS = [
    Fault("disk full at the approval", _before_approval),
    Fault("disk full while it goes out", _while_sending),
    Fault("disk full for moments", _at_once),
]
