"""All SQL of figures that associations tell of what they sent with tools of their own. Checks none of them."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime

from sqlite_utils.db import Database

from campaigns.store import stamp


@dataclass(frozen=True, slots=True)
class ToldFigures:
    """What an association says that became of a campaign; nobody here counted it."""

    copies: int
    """Mails that its tool sent."""
    people: int
    """Different people who got at least one."""
    clicks: int = 0
    replies: int = 0


class ToldStore:
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, campaign: str) -> dict[str, ToldFigures]:
        """Association -> what it told of the campaign last."""
        rows = self._db.execute(
            "SELECT association, copies, people, clicks, replies FROM told WHERE campaign = ? ORDER BY association",
            [campaign],
        )
        return {slug: ToldFigures(*figures) for slug, *figures in rows}

    def keep(self, campaign: str, association: str, figures: ToldFigures, who: str, now: datetime) -> None:
        """In place of what it told before."""
        self._db.execute(
            "INSERT OR REPLACE INTO told (campaign, association, copies, people, clicks, replies, who, at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [campaign, association, *astuple(figures), who, stamp(now)],
        )
