"""All SQL of letters: mails to one person about one thing, as opposed to newsletters.

    queued --take--> sending --settle--> sent | failed | queued (again)
    queued, sent, failed --its time is over--> deleted

A letter that may or may not have arrived is sent again: two of them harm nobody. Writing methods expect to run
inside `db.atomic()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from comms.db import Database
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.retry import LONGEST_S, wait_s

MOST_ATTEMPTS = 5
"""A letter that no server takes is given up after so many tries."""


@dataclass(frozen=True, slots=True)
class LetterRow:
    """One letter. Times are Unix seconds."""

    id: int
    template: str
    address: str
    content: bytes | None
    """What it says, sealed; None once nothing more is to be done."""
    state: str
    attempts: int
    task: str | None
    """Names the try that is under way."""
    handed_at: float | None
    created_at: int
    expires_at: int
    reply: str | None
    """What the mail server last said."""


_COLUMNS = "id, template, address, content, state, attempts, task, handed_at, created_at, expires_at, reply"


class Letterbox:
    """The letters of one association."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def add(self, template: str, address: str, content: bytes, *, now: datetime, expires_at: datetime) -> int:
        """Queue a letter; it is not sent any more after `expires_at`. Returns its id."""
        cursor = self.db.execute(
            "INSERT INTO letter (template, address, content, state, created_at, expires_at)"
            " VALUES (?, ?, ?, 'queued', ?, ?)",
            [template, address, content, int(now.timestamp()), int(expires_at.timestamp())],
        )
        return int(cursor.lastrowid or 0)

    def due(self, now: datetime, most: int) -> list[LetterRow]:
        """Letters that may go now, at most so many, those that wait longest first."""
        moment = int(now.timestamp())
        return self._letters(
            "state = 'queued' AND next_at <= ? AND expires_at > ? ORDER BY next_at, id LIMIT ?", [moment, moment, most]
        )

    def count_since(self, template: str, since: datetime) -> int:
        """How many letters of a template were queued from a moment on."""
        sql = "SELECT count(*) FROM letter WHERE template = ? AND created_at >= ?"
        return int(self.db.execute(sql, [template, int(since.timestamp())]).fetchone()[0])

    def count_open(self, now: datetime) -> int:
        """How many are still to be sent."""
        sql = "SELECT count(*) FROM letter WHERE state IN ('queued', 'sending') AND expires_at > ?"
        return int(self.db.execute(sql, [int(now.timestamp())]).fetchone()[0])

    def under_way(self) -> list[LetterRow]:
        """Letters that were handed to a sender."""
        return self._letters("state = 'sending' ORDER BY id", [])

    def of_address(self, address: str) -> list[LetterRow]:
        """Every letter to an address that is still kept, oldest first."""
        return self._letters("address = ? ORDER BY id", [address])

    def take(self, letter: int, task: str, now: datetime) -> bool:
        """Say, before any sender can know of it, that a letter is under way as `task`."""
        cursor = self.db.execute(
            "UPDATE letter SET state = 'sending', task = ?, handed_at = ? WHERE id = ? AND state = 'queued'",
            [task, now.timestamp(), letter],
        )
        return bool(cursor.rowcount)

    def give_back(self, task: str) -> bool:
        """Queue a letter again that no sender ever began: that was no try."""
        cursor = self.db.execute(
            "UPDATE letter SET state = 'queued', task = NULL WHERE task = ? AND state = 'sending'", [task]
        )
        return bool(cursor.rowcount)

    def settle(self, task: str, receipt: Receipt, now: datetime) -> str | None:
        """Take over what became of a try; returns the letter's state, None when the task is settled already."""
        row = self.db.execute("SELECT id, attempts FROM letter WHERE task = ? AND state = 'sending'", [task]).fetchone()
        if row is None:
            return None
        letter, attempts = row[0], row[1] + 1
        if receipt.outcome is Outcome.ACCEPTED:
            state = "sent"
        elif receipt.outcome is Outcome.REJECTED or attempts >= MOST_ATTEMPTS:
            state = "failed"
        else:
            state = "queued"
        wait = wait_s(attempts, item=letter, reached=bool(receipt.code))
        self.db.execute(
            "UPDATE letter SET state = :state, attempts = :attempts, task = NULL, next_at = :next_at, reply = :reply,"
            " content = CASE :state WHEN 'queued' THEN content END WHERE id = :id",
            {
                "state": state,
                "attempts": attempts,
                "next_at": int(now.timestamp()) + wait,
                "reply": f"{receipt.code or ''} {receipt.text}".strip()[:500],
                "id": letter,
            },
        )
        return state

    def bring_forward(self, now: datetime) -> int:
        """Make due what waits for longer than we ever wait: the clock was wrong then. Returns how many."""
        moment = int(now.timestamp())
        cursor = self.db.execute(
            "UPDATE letter SET next_at = ? WHERE state = 'queued' AND next_at > ?", [moment, moment + LONGEST_S]
        )
        return int(cursor.rowcount)

    def fail(self, letter: int, reason: str) -> None:
        """Give up a letter that can not be written."""
        self.db.execute(
            "UPDATE letter SET state = 'failed', reply = ?, content = NULL WHERE id = ? AND state = 'queued'",
            [reason[:500], letter],
        )

    def has_expired(self, now: datetime) -> bool:
        """Is there anything for `expire` to do."""
        query = "SELECT 1 FROM letter WHERE expires_at <= ? AND state <> 'sending' LIMIT 1"
        return self.db.execute(query, [int(now.timestamp())]).fetchone() is not None

    def expire(self, now: datetime) -> int:
        """Delete letters whose time is over."""
        cursor = self.db.execute(
            "DELETE FROM letter WHERE expires_at <= ? AND state <> 'sending'", [int(now.timestamp())]
        )
        return int(cursor.rowcount)

    def addresses(self) -> set[str]:
        """Every address that a letter which is still kept goes to."""
        return {row[0] for row in self.db.execute("SELECT DISTINCT address FROM letter")}

    def forget(self, address: str) -> int:
        """Delete every letter to an address."""
        return int(self.db.execute("DELETE FROM letter WHERE address = ?", [address]).rowcount)

    def _letters(self, where: str, values: list[Any]) -> list[LetterRow]:
        rows = self.db.execute(f"SELECT {_COLUMNS} FROM letter WHERE {where}", values)  # noqa: S608 - built here
        return [LetterRow(*row) for row in rows.fetchall()]
