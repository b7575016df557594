"""A ledger that was restored learns what went out since the backup; what can not be known is held, and named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from ledger_samples import GIVE_UP_S, NOW, Book

from comms.db import copy_database
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.carrying import Carried, RunCarrier
from comms.delivery.runs import Run

PAGE = 4096
NAMES = ("ana", "ben", "cem", "dee")


class Scene:
    """Four people and a run, of which a backup was made; then the ledger goes on."""

    def __init__(self, folder: Path, names: Sequence[str] = NAMES) -> None:
        self.before = Book(folder / "before.db")
        for name in names:
            self.before.join(f"{name}@example.org")
        self.run: Run = self.before.freeze()
        self.folder = folder
        self.after: Book | None = None

    def back_up(self) -> None:
        copy_database(self.folder / "before.db", self.folder / "after.db")
        self.after = Book(self.folder / "after.db")

    def claim(self, batch: str, size: int) -> list[int]:
        with self.before.db.atomic():
            claim = self.before.ledger.claim(self.run, batch, size, NOW)
        return [each.delivery for each in claim.recipients]

    def settle(self, batch: str, outcomes: Mapping[int, Outcome]) -> None:
        receipts = [Receipt(delivery, outcome, 0, "the line was cut") for delivery, outcome in outcomes.items()]
        with self.before.db.atomic():
            assert self.before.ledger.settle(batch, receipts, in_doubt={}, now=NOW, give_up_s=GIVE_UP_S)

    def damage_a_leaf(self, table: str) -> None:
        """Spoil the first leaf of a table (https://www.sqlite.org/fileformat2.html, section 1.6)."""
        (root,) = self.before.db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", [table]).fetchone()
        self.before.db.close()
        path = self.folder / "before.db"
        data = bytearray(path.read_bytes())
        page = data[(root - 1) * PAGE : root * PAGE]
        assert page[0] == 5, "the table has only one page"
        cell = int.from_bytes(page[12:14])
        leaf = int.from_bytes(page[cell : cell + 4])
        data[(leaf - 1) * PAGE] = 0xA5
        path.write_bytes(data)
        self.before = Book(path)

    def carry(self, *, readable: bool = True) -> Carried:
        assert self.after is not None
        with self.after.db.atomic():
            carrier = RunCarrier(self.after.db, self.run, NOW, "it can not be read")
            return carrier.carry(self.before.db if readable else None)

    def states(self) -> list[str]:
        assert self.after is not None
        return [state for state, _, _ in self.after.rows().values()]

    def doubts(self) -> list[tuple[int, str, str]]:
        assert self.after is not None
        return [(case.delivery, case.cause, case.resolution) for case in self.after.ledger.doubts(self.run.id)]

    def close(self) -> None:
        self.before.db.close()
        if self.after is not None:
            self.after.db.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


def test_what_was_sent_since_counts_as_sent_and_the_rest_still_goes_out(scene: Scene) -> None:
    scene.back_up()
    ana, ben = scene.claim("b", 2)
    scene.settle("b", {ana: Outcome.ACCEPTED, ben: Outcome.ACCEPTED})
    assert scene.carry() == Carried(sent=2, held=0)
    assert scene.states() == ["sent", "sent", "ready", "ready"]
    assert scene.doubts() == []


def test_a_case_in_doubt_that_the_backup_does_not_know_is_carried_over_once(scene: Scene) -> None:
    """Else a second copy would be nobody's to explain."""
    scene.back_up()
    (ana,) = scene.claim("b", 1)
    scene.settle("b", {ana: Outcome.UNKNOWN})
    scene.carry()
    scene.carry()
    assert scene.doubts() == [(ana, "the line was cut", "resent")]
    assert scene.states() == ["ready"] * 4


def test_what_senders_held_at_the_backup_and_gave_back_since_goes_out(scene: Scene) -> None:
    scene.claim("b", 2)
    scene.back_up()
    scene.settle("b", {})
    assert scene.carry() == Carried(sent=0, held=0)
    assert scene.states() == ["ready"] * 4


def test_what_is_claimed_in_both_is_held_and_named(scene: Scene) -> None:
    scene.back_up()
    (ana,) = scene.claim("b", 1)
    assert scene.carry() == Carried(sent=0, held=1)
    assert scene.states() == ["uncertain", "ready", "ready", "ready"]
    assert scene.doubts() == [(ana, "it can not be read", "held")]


def test_what_is_sent_in_the_backup_stays_so(scene: Scene) -> None:
    (ana,) = scene.claim("b", 1)
    scene.settle("b", {ana: Outcome.ACCEPTED})
    scene.back_up()
    assert scene.carry(readable=False) == Carried(sent=0, held=3)
    assert scene.states() == ["sent", "uncertain", "uncertain", "uncertain"]
    assert len(scene.doubts()) == 3


def test_a_ledger_that_does_not_know_the_run_proves_nothing(scene: Scene) -> None:
    scene.back_up()
    with scene.before.db.atomic():
        scene.before.db.execute("UPDATE run SET frozen_at = '2026-01-01T00:00:00+00:00'")
    assert scene.carry() == Carried(sent=0, held=4)


def test_of_a_damaged_ledger_what_can_be_read_is_carried_over_and_the_rest_is_held(tmp_path: Path) -> None:
    scene = Scene(tmp_path, [f"p{number}" for number in range(400)])
    scene.back_up()
    scene.settle("b", dict.fromkeys(scene.claim("b", 400), Outcome.ACCEPTED))
    scene.damage_a_leaf("delivery")
    carried = scene.carry()
    assert carried.sent > 0
    assert carried.held > 0
    assert carried.sent + carried.held == 400
    assert Counter(scene.states()) == {"sent": carried.sent, "uncertain": carried.held}
    assert {cause for _, cause, _ in scene.doubts()} == {"it can not be read"}
    scene.close()
