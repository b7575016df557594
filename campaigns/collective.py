"""All SQL of what campaigns reached together, in the host's database. A campaign's first report stays its only one."""

from __future__ import annotations

from datetime import datetime

from sqlite_utils.db import Database

from campaigns.times import stamp


class FrozenReports:
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, campaign: str) -> str | None:
        """The campaign's report as it was kept; None while there is none."""
        row = self._db.execute("SELECT report FROM collective WHERE campaign = ?", [campaign]).fetchone()
        return str(row[0]) if row else None

    def keep(self, campaign: str, closed: datetime, report: str) -> None:
        """Keep the campaign's report for good. sqlite3.IntegrityError when there is one."""
        self._db.execute(
            "INSERT INTO collective (campaign, closed_at, report) VALUES (?, ?, ?)", [campaign, stamp(closed), report]
        )

    def closed(self, since: datetime, until: datetime) -> list[str]:
        """Reports of campaigns closed from `since` on and before `until`, first closed first."""
        rows = self._db.execute(
            "SELECT report FROM collective WHERE closed_at >= ? AND closed_at < ? ORDER BY closed_at, campaign",
            [stamp(since), stamp(until)],
        )
        return [str(row[0]) for row in rows]
