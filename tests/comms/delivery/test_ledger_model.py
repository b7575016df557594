"""Random histories of a ledger that is restored from backups in between: the same promises hold after each step."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from ledger_samples import GIVE_UP_S
from test_ledger_machine import LedgerMachine, fates

from audiences.migrations import AUDIENCES
from comms.db import copy_database, open_database
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.carrying import RunCarrier
from comms.delivery.migrations import DELIVERY

TABLES = ("run", "delivery", "batch", "doubt")
DIED = "the sender died"


class RestoredLedgerMachine(LedgerMachine):
    """As the ledger machine; and now and then everything dies, and the ledger is one from before."""

    def __init__(self) -> None:
        super().__init__()
        self.backups = 0
        self.restores = 0

    @rule()
    def back_up(self) -> None:
        self.backups += 1
        copy_database(self.folder / "a.db", self.folder / f"backup-{self.backups}.db")

    @precondition(lambda self: self.backups)
    @rule(data=st.data(), happens=fates, journal_is_read=st.booleans())
    def restore(self, data: st.DataObject, happens: list[str], *, journal_is_read: bool) -> None:
        """People are carried over whole, as `audiences` does it: here it is about the ledger."""
        for batch, held in list(self.held.items()):
            self._die(batch, held, happens, journal_is_read=journal_is_read)
        self.restores += 1
        before_path = self.folder / f"before-{self.restores}.db"
        copy_database(self.folder / "a.db", before_path)
        self.backups = data.draw(st.integers(1, self.backups))  # those made since are of a history that is over
        self._put_back(self.backups)
        before = open_database(before_path, (AUDIENCES, DELIVERY))
        book = self.book
        with book.db.atomic():
            for run in self.runs:
                RunCarrier(book.db, run, self.now, "can not be read").carry(before)
            book.ledger.hold_claimed("restored", self.now)
        before.close()
        self.final = {}  # what failed or was cancelled since the backup may be tried again
        self.held = {}
        self.copies = Counter({d: number for d, number in self.copies.items() if d in book.rows()})

    def _die(self, batch: str, held: list[int], happens: list[str], *, journal_is_read: bool) -> None:
        """A sender is killed in the middle of a batch; what it had written down is read, or can not be."""
        taken = dict(zip(held, happens, strict=False))
        answered = [d for d, fate in taken.items() if fate == "taken, answered"]
        in_doubt = [d for d, fate in taken.items() if fate == "taken, sender died"]
        self.copies.update([*answered, *in_doubt])
        if journal_is_read:
            receipts = [Receipt(delivery, Outcome.ACCEPTED, 250, "ok") for delivery in answered]
            with self.book.db.atomic():
                doubts = dict.fromkeys(in_doubt, DIED)
                self.book.ledger.settle(batch, receipts, in_doubt=doubts, now=self.now, give_up_s=GIVE_UP_S)

    def _put_back(self, number: int) -> None:
        """The tables of the ledger as they stood in a backup; who was erased since stays so."""
        db = self.book.db
        db.execute("ATTACH ? AS backup", [str(self.folder / f"backup-{number}.db")])
        with db.atomic():
            for table in reversed(TABLES):
                db.execute(f"DELETE FROM main.{table}")
            erased = db.execute(
                "SELECT member_id FROM backup.delivery WHERE member_id NOT IN (SELECT id FROM main.member)"
            ).fetchall()
            db.execute("PRAGMA defer_foreign_keys = ON")
            for table in TABLES:
                db.execute(f"INSERT INTO main.{table} SELECT * FROM backup.{table}")
            for (member,) in erased:
                self.book.ledger.forget(member, self.now)
        db.execute("DETACH backup")
        found = (self.book.ledger.run_by_id(run.id) for run in self.runs)
        known = [run for run in found if run is not None]
        self.runs = [run for run in self.runs if run.id in {each.id for each in known}]


RestoredLedgerMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestRestoredLedger = RestoredLedgerMachine.TestCase
