"""All SQL of a succession that `store.py` has no use for. It decides nothing; `succession.py` does."""

from __future__ import annotations

from sqlite_utils.db import Database


class Handover:
    """What is taken from one member or given to another. Expects to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def forget_doings(self, member_id: int) -> None:
        """What the member did with newsletters, how often and when they wanted them, and the feed they read them in."""
        for statement in (
            "DELETE FROM activity WHERE member_id = ?",
            "UPDATE member SET opened_at = NULL, clicked_at = NULL, paused_until = NULL WHERE id = ?",
            "UPDATE pace SET frequency = NULL WHERE member_id = ?",
            "DELETE FROM private_feed WHERE member_id = ?",
        ):
            self._db.execute(statement, [member_id])

    def forget_snapshots(self, member_id: int) -> None:
        """What imports remember of the member: undoing one must not bring the predecessor's name back."""
        self._db.execute("DELETE FROM import_change WHERE member_id = ?", [member_id])

    def pass_on(self, member_id: int, successor_id: int) -> None:
        """Give the tags of a member, and the ids by which other systems know the membership, to another."""
        self._db.execute(
            "INSERT OR IGNORE INTO tag (tag, member_id) SELECT tag, ? FROM tag WHERE member_id = ?",
            [successor_id, member_id],
        )
        self._db.execute("DELETE FROM tag WHERE member_id = ?", [member_id])
        self._db.execute("UPDATE external SET member_id = ? WHERE member_id = ?", [successor_id, member_id])
