"""All SQL of the rules that an association keeps under a name."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils.db import Database

from audiences.times import stamp


class SavedSegments:
    """Name (as `segments.segment_name` gives it) -> rule. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def find(self, name: str) -> str | None:
        """The text of the rule; None when there is none of this name."""
        row = self.db.execute("SELECT rule FROM segment WHERE name = ?", [name]).fetchone()
        return str(row[0]) if row else None

    def all(self) -> dict[str, str]:
        return dict(self.db.execute("SELECT name, rule FROM segment ORDER BY name").fetchall())

    def save(self, name: str, rule: str, now: datetime) -> None:
        """Keep the rule, in place of the one that had the name before."""
        self.db.execute(
            "INSERT OR REPLACE INTO segment (name, rule, at) VALUES (?, ?, ?)",
            [name, rule, stamp(now)],
        )

    def remove(self, name: str) -> bool:
        """Forget the rule; False when there was none."""
        return self.db.execute("DELETE FROM segment WHERE name = ?", [name]).rowcount > 0
