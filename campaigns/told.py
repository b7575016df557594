"""Figures that associations tell of what they sent with tools of their own: what can not be, and all SQL of them."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime

from sqlite_utils.db import Database

from campaigns.times import stamp

MOST_COPIES = 20_000_000
"""More than any coalition has members: a number that slipped."""
MOST_CLICKS_EACH = 100
"""Clicks for each copy. More come from programs that follow links, which tools do not always leave out."""


@dataclass(frozen=True, slots=True)
class ToldFigures:
    """What an association says that became of a campaign; nobody here counted it."""

    copies: int
    """Mails that its tool sent."""
    people: int
    """Different people who got at least one."""
    clicks: int = 0
    replies: int = 0


def problem(figures: ToldFigures) -> str:
    """Why these numbers can not be; empty when they can."""
    for name in ("copies", "people", "clicks", "replies"):
        if getattr(figures, name) < 0:
            return f"{name} are below 0"
    if not figures.copies:
        return "nothing was sent"
    if figures.copies > MOST_COPIES:
        return f"more than {MOST_COPIES:,} copies"
    if not 0 < figures.people <= figures.copies:
        return f"{figures.copies:,} copies reach from 1 to {figures.copies:,} people, not {figures.people:,}"
    if figures.replies > figures.people:
        return f"{figures.replies:,} replies of {figures.people:,} people"
    if figures.clicks > figures.copies * MOST_CLICKS_EACH:
        return f"{figures.clicks:,} clicks in {figures.copies:,} copies"
    return ""


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
