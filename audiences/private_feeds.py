"""All SQL of the feeds that single members have. It decides nothing; `comms.engine.private_feeds` does."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils.db import Database

from audiences.times import stamp


class PrivateFeeds:
    """The private feeds of one association's members, one for each at most, known by the keyed hash of their token.

    Writing methods expect to run inside `db.atomic()`.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def made_at(self, member_id: int) -> datetime | None:
        """When the feed that the member has now was made; None when they have none."""
        row = self._db.execute("SELECT made_at FROM private_feed WHERE member_id = ?", [member_id]).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def member_of(self, token_hash: bytes) -> int | None:
        """Id of the member whose feed it is; None for a token that never was, or is no more."""
        row = self._db.execute("SELECT member_id FROM private_feed WHERE token_hash = ?", [token_hash]).fetchone()
        return int(row[0]) if row else None

    def put(self, member_id: int, token_hash: bytes, now: datetime) -> None:
        """Give the member a feed instead of the one they may have had, which ends."""
        self._db.execute(
            "INSERT INTO private_feed (member_id, token_hash, made_at) VALUES (?, ?, ?) ON CONFLICT (member_id)"
            " DO UPDATE SET token_hash = excluded.token_hash, made_at = excluded.made_at",
            [member_id, token_hash, stamp(now)],
        )

    def end(self, member_id: int) -> bool:
        """End the member's feed; False when they had none."""
        return bool(self._db.execute("DELETE FROM private_feed WHERE member_id = ?", [member_id]).rowcount)
