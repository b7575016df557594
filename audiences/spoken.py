"""All SQL that asks the consent log whether a member said something themselves. It decides nothing."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils.db import Database

from audiences.times import stamp


class Spoken:
    """What one association's members said in person, and not by a file that was imported."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def last(self, member_id: int, topic: str) -> bool:
        """Does the latest record of this topic come from the member, and not from an import."""
        row = self._db.execute(
            "SELECT import_id IS NULL FROM consent WHERE member_id = ? AND topic = ? ORDER BY id DESC LIMIT 1",
            [member_id, topic],
        ).fetchone()
        return bool(row and row[0])

    def since(self, member_id: int, moment: datetime) -> bool:
        """Did the member say anything of newsletters after this moment."""
        row = self._db.execute(
            "SELECT 1 FROM consent WHERE member_id = ? AND import_id IS NULL AND at > ? AND topic <> 'tracking'"
            " LIMIT 1",
            [member_id, stamp(moment)],
        ).fetchone()
        return row is not None
