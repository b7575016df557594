"""A real ledger with people in it, that the tests of the ledger share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from audiences.migrations import AUDIENCES
from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member, SuppressionScope
from audiences.store import EVERYONE, People
from comms.db import open_database
from comms.delivery.migrations import DELIVERY
from comms.delivery.runs import Run
from comms.delivery.store import Ledger

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
GIVE_UP_S = 48 * 3600.0


class Book:
    """The database of one association: its people and its ledger."""

    def __init__(self, path: Path) -> None:
        self.db = open_database(path, (AUDIENCES, DELIVERY), create=True)
        self.db.execute("PRAGMA synchronous = OFF")  # no power cut is tried here
        self.people = People(self.db, b"a key")
        self.ledger = Ledger(self.db)

    def join(self, address: str) -> int:
        with self.db.atomic():
            number = self.people.next_id()
            self.people.insert([Member(address, {"name": "Ana"}, id=number)], NOW)
        self.consent(number, ConsentState.GRANTED)
        return number

    def consent(self, member: int, state: ConsentState) -> None:
        basis = Basis.EXPRESS if state is ConsentState.GRANTED else None
        with self.db.atomic():
            self.people.record([(member, Consent(ANY_TOPIC, state, NOW, "test", basis))], NOW)

    def suppress(self, address: str) -> None:
        with self.db.atomic():
            self.people.suppress(address, SuppressionScope.ASSOCIATION, "complaint", NOW)

    def erase(self, member: int) -> None:
        with self.db.atomic():
            self.db.execute("DELETE FROM member WHERE id = ?", [member])

    def freeze(self, campaign: str = "spring", *, doubt: str = "resend") -> Run:
        with self.db.atomic():
            return self.ledger.freeze(
                campaign,
                "newsletter",
                topic=None,
                digest="d",
                doubt=doubt,
                segment=EVERYONE,
                excluded={},
                due={None: NOW},
                now=NOW,
            )

    def rows(self) -> dict[int, tuple[str, str | None, int]]:
        """Delivery -> (state, batch, attempts)."""
        found = self.db.execute("SELECT id, state, batch, attempts FROM delivery")
        return {row[0]: (row[1], row[2], row[3]) for row in found}

    def dump(self) -> list[str]:
        """Everything in the ledger, to tell whether anything changed."""
        return [
            repr(row) for t in ("run", "delivery", "batch", "doubt") for row in self.db.execute(f"SELECT * FROM {t}")
        ]
