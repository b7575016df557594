"""All SQL of what readers answered. It never learns who they are.

Each run has a secret of its own, under which a delivery becomes a voter that nobody can trace back without it. Once
the secret is gone the poll is closed, and what was answered belongs to nobody.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime

from audiences.times import stamp
from comms.db import Database

_SECRET_BYTES = 32
_VOTER_BYTES = 16
_OLD = (
    "secret <> x'' AND EXISTS (SELECT 1 FROM run WHERE run.id = ballot.run_id"
    " AND run.frozen_at < ? AND run.done_at IS NOT NULL)"
)


class Ballots:
    """The answers to the polls of one association's newsletters. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def choice(self, run: int, poll: int, delivery: int) -> int | None:
        """What was answered last from a delivery; None for nothing yet, and once the poll is closed."""
        secret = self._secret(run)
        if not secret:
            return None
        row = self._db.execute(
            "SELECT choice FROM answer WHERE run_id = ? AND poll = ? AND voter = ?",
            [run, poll, _voter(secret, delivery)],
        ).fetchone()
        return int(row[0]) if row else None

    def is_closed(self, run: int) -> bool:
        return self._secret(run) == b""

    def answer(self, run: int, poll: int, delivery: int, choice: int) -> bool:
        """Keep an answer in place of the delivery's last one; False when the poll is closed."""
        self._db.execute(
            "INSERT OR IGNORE INTO ballot (run_id, secret) VALUES (?, ?)", [run, secrets.token_bytes(_SECRET_BYTES)]
        )
        secret = self._secret(run)
        if not secret:
            return False
        self._db.execute(
            "INSERT INTO answer (run_id, poll, voter, choice) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (run_id, poll, voter) DO UPDATE SET choice = excluded.choice",
            [run, poll, _voter(secret, delivery), choice],
        )
        return True

    def counts(self, run: int) -> Mapping[tuple[int, int], int]:
        """(poll, choice) -> how many gave this answer last."""
        rows = self._db.execute("SELECT poll, choice, count(*) FROM answer WHERE run_id = ? GROUP BY 1, 2", [run])
        return {(poll, choice): count for poll, choice, count in rows}

    def count_old(self, before: datetime) -> int:
        """Newsletters sent out before, of which voters could still be told apart."""
        return int(self._db.execute(f"SELECT count(*) FROM ballot WHERE {_OLD}", [stamp(before)]).fetchone()[0])  # noqa: S608

    def close(self, before: datetime, limit: int) -> int:
        """Close the polls of some of these; 0 once none is left open."""
        cursor = self._db.execute(
            f"UPDATE ballot SET secret = x'' WHERE run_id IN (SELECT run_id FROM ballot WHERE {_OLD} LIMIT ?)",  # noqa: S608
            [stamp(before), limit],
        )
        return int(cursor.rowcount)

    def _secret(self, run: int) -> bytes | None:
        """Empty once the poll is closed; None before the first answer."""
        row = self._db.execute("SELECT secret FROM ballot WHERE run_id = ?", [run]).fetchone()
        return bytes(row[0]) if row else None


def _voter(secret: bytes, delivery: int) -> bytes:
    return hmac.digest(secret, str(delivery).encode(), hashlib.sha256)[:_VOTER_BYTES]
