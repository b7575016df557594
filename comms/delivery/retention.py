"""All SQL by which the ledger forgets: what mail servers said of addresses, and whose an old newsletter was.

Counts stay as they are. It decides nothing: its caller knows what is old.
"""

from __future__ import annotations

import re
from datetime import datetime

from audiences.times import stamp
from comms.db import Database
from comms.events import FINAL

_OLD_RUNS = "done_at < ? AND replies_cleared_to IS NOT -1"
_ALL_CLEARED = -1
# Anything with an @ in it that a server's answer can hold; the brackets around it stay.
_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")
_FINAL = ", ".join(f"'{state.value}'" for state in sorted(FINAL))


class OldDeliveries:
    """The deliveries of one association."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def count(self, before: datetime) -> int:
        """Deliveries of newsletters that were through before, of which a server's answer is still kept."""
        return int(
            self._db.execute(
                "SELECT count(*) FROM delivery JOIN run ON run.id = run_id"  # noqa: S608 - constants
                f" WHERE {_OLD_RUNS} AND delivery.id > coalesce(replies_cleared_to, 0)"
                " AND (reply IS NOT NULL OR reason LIKE '%@%')",
                [stamp(before)],
            ).fetchone()[0]
        )

    def forget(self, before: datetime, limit: int) -> int:
        """Clear one slice of answers; 0 once none is left. Expects to run inside `db.atomic()`.

        Why a newsletter failed stays, without the addresses in it: reports count by it.
        """
        row = self._db.execute(
            f"SELECT id, replies_cleared_to FROM run WHERE {_OLD_RUNS} LIMIT 1",  # noqa: S608
            [stamp(before)],
        ).fetchone()
        if row is None:
            return 0
        run, cleared_to = row
        if cleared_to is None:
            first = self._db.execute("SELECT min(id) FROM delivery WHERE run_id = ?", [run]).fetchone()[0]
            cleared_to = (first or 1) - 1
        # In the order of ids, in which a run's rows lie together: no slice reads what another has read.
        rows = self._db.execute(
            "SELECT id, reason FROM delivery WHERE +run_id = ? AND id > ? ORDER BY id LIMIT ?",
            [run, cleared_to, limit],
        ).fetchall()
        self._db.conn.executemany(
            "UPDATE delivery SET reply = NULL, reason = ? WHERE id = ?",
            [(None if reason is None else _ADDRESS.sub("an address", reason), delivery) for delivery, reason in rows],
        )
        reached = rows[-1][0] if len(rows) == limit else _ALL_CLEARED
        self._db.execute("UPDATE run SET replies_cleared_to = ? WHERE id = ?", [reached, run])
        return max(len(rows), 1)

    def let_go(self, member_id: int) -> int:
        """Let a member's past newsletters count for nobody; those under way stay the member's. Returns how many.

        The links to stop that are in them go on working, for whoever holds the mailbox (`heir`).
        """
        past = f"FROM delivery WHERE member_id = ? AND state IN ({_FINAL})"
        self._db.execute(
            f"INSERT OR REPLACE INTO heir (delivery_id, member_id) SELECT id, member_id {past}",
            [member_id],
        )
        cursor = self._db.execute(
            f"UPDATE delivery SET member_id = NULL, reply = NULL WHERE id IN (SELECT id {past})",  # noqa: S608
            [member_id],
        )
        return int(cursor.rowcount)

    def heir(self, delivery: int) -> int | None:
        """Who holds the mailbox of a newsletter that was let go; None for every other."""
        row = self._db.execute("SELECT member_id FROM heir WHERE delivery_id = ?", [delivery]).fetchone()
        return int(row[0]) if row else None
