"""All SQL of figures that associations tell, and of the secrets that their tools sign them with. Decides nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from sqlite_utils.db import Database

from campaigns.figures import ToldFigures
from campaigns.times import stamp


@dataclass(frozen=True, slots=True)
class ToldRow:
    """What an association told of a campaign last."""

    figures: ToldFigures
    who: str
    at: datetime
    signed_at: int = 0
    """When the last figures were signed that its tool posted, in seconds since 1970; 0 when none were."""
    signature: str = ""
    """Theirs, by which they are known when they come again."""


@dataclass(frozen=True, slots=True)
class Secret:
    """With which an association's tool signs figures."""

    association: str
    sealed: bytes
    """Under the workspace key."""
    made_at: datetime
    hour: int
    """The last hour in which figures came, counted since 1970."""
    calls: int
    """How many came in it."""


class ToldStore:
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, campaign: str) -> dict[str, ToldRow]:
        """Association -> what it told of the campaign last."""
        rows = self._db.execute(
            "SELECT association, copies, people, clicks, replies, answers, who, at, signed_at, signature FROM told"
            " WHERE campaign = ? ORDER BY association",
            [campaign],
        )
        return {
            slug: ToldRow(
                ToldFigures(copies, people, clicks, replies, _answers(answers)),
                who,
                datetime.fromisoformat(at),
                signed_at,
                signature,
            )
            for slug, copies, people, clicks, replies, answers, who, at, signed_at, signature in rows
        }

    def keep(self, campaign: str, association: str, row: ToldRow) -> None:
        """In place of what it told before."""
        told = row.figures
        answers = json.dumps([[*key, count] for key, count in told.answers.items()]) if told.answers else ""
        self._db.execute(
            "INSERT OR REPLACE INTO told (campaign, association, copies, people, clicks, replies, answers, who, at,"
            " signed_at, signature) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                campaign, association, told.copies, told.people, told.clicks, told.replies, answers, row.who,
                stamp(row.at), row.signed_at, row.signature,
            ],
        )  # fmt: skip

    # --- secrets ------------------------------------------------------------------------------

    def secret(self, association: str) -> Secret | None:
        sql = "SELECT association, sealed, made_at, hour, calls FROM figures_secret WHERE association = ?"
        row = self._db.execute(sql, [association]).fetchone()
        return Secret(row[0], bytes(row[1]), datetime.fromisoformat(row[2]), row[3], row[4]) if row else None

    def save_secret(self, association: str, sealed: bytes, now: datetime) -> None:
        """Insert, or replace the one before."""
        self._db.execute(
            "INSERT OR REPLACE INTO figures_secret (association, sealed, made_at) VALUES (?, ?, ?)",
            [association, sealed, stamp(now)],
        )

    def remove_secret(self, association: str) -> None:
        self._db.execute("DELETE FROM figures_secret WHERE association = ?", [association])

    def count_call(self, association: str, hour: int) -> None:
        """Figures came within this hour."""
        self._db.execute(
            "UPDATE figures_secret SET calls = iif(hour = :hour, calls, 0) + 1, hour = :hour"
            " WHERE association = :association",
            {"hour": hour, "association": association},
        )


def _answers(text: str) -> MappingProxyType[tuple[str, str], int]:
    return MappingProxyType({(question, answer): count for question, answer, count in json.loads(text or "[]")})
