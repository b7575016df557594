"""All SQL of campaigns that repeat, in the host's database. It decides nothing; `comms.engine.series` does."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from campaigns.times import stamp


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A campaign that repeats: what was approved, where it stands, and its next occurrence."""

    id: str
    title: str
    definition: str
    state: str
    senders: tuple[str, ...]
    """Slugs of the associations that send it."""
    wall_next: datetime | None
    """The next occurrence by the clock on the wall, without zone; None when none is to come."""
    due_at: datetime | None
    """The moment of the next occurrence."""
    reason: str
    """Why the occurrence that is due could not be made yet; empty when it could."""
    created_at: datetime


_SERIES = "id, title, definition, state, senders, wall_next, due_at, reason, created_at"


class SeriesStore:
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, series_id: str) -> SeriesRow | None:
        row = self._db.execute(f"SELECT {_SERIES} FROM series WHERE id = ?", [series_id]).fetchone()  # noqa: S608
        return _series(row) if row else None

    def all(self, states: Sequence[str] | None = None) -> list[SeriesRow]:
        """Series in one of `states` (in any, when None), oldest first."""
        where = "" if states is None else f" WHERE state IN ({','.join('?' * len(states))})"
        sql = f"SELECT {_SERIES} FROM series{where} ORDER BY created_at, id"  # noqa: S608
        return [_series(row) for row in self._db.execute(sql, list(states or ()))]

    def save(self, series: SeriesRow, now: datetime) -> None:
        """Insert, or replace all but when it was made."""
        self._db.execute(
            f"INSERT INTO series ({_SERIES}, updated_at)"  # noqa: S608
            " VALUES (:id, :title, :definition, :state, :senders, :wall_next, :due_at, :reason, :created_at, :now)"
            " ON CONFLICT (id) DO UPDATE SET title = :title, definition = :definition, state = :state,"
            " senders = :senders, wall_next = :wall_next, due_at = :due_at, reason = :reason, updated_at = :now",
            {
                "id": series.id,
                "title": series.title,
                "definition": series.definition,
                "state": series.state,
                "senders": json.dumps(list(series.senders)),
                "wall_next": series.wall_next.isoformat() if series.wall_next else None,
                "due_at": stamp(series.due_at) if series.due_at else None,
                "reason": series.reason,
                "created_at": stamp(series.created_at),
                "now": stamp(now),
            },
        )

    def occurrences(self, series_id: str) -> list[tuple[str, datetime]]:
        """The campaigns that were made of a series, oldest first: (id, wall-clock time)."""
        rows = self._db.execute("SELECT id, wall FROM campaign WHERE series = ? ORDER BY wall", [series_id])
        return [(row[0], datetime.fromisoformat(row[1])) for row in rows]

    def shown(self, series_id: str) -> list[tuple[datetime, str]]:
        """Of each occurrence, oldest first: when it was made, and the items of feeds it showed (`gathering.kept`)."""
        sql = "SELECT created_at, gathered FROM campaign WHERE series = ? ORDER BY wall"
        return [(datetime.fromisoformat(row[0]), row[1]) for row in self._db.execute(sql, [series_id])]


def _series(row: Sequence[Any]) -> SeriesRow:
    values = dict(zip(_SERIES.split(", "), row, strict=True))
    values["senders"] = tuple(json.loads(values["senders"]))
    for name in ("wall_next", "due_at"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    values["created_at"] = datetime.fromisoformat(values["created_at"])
    return SeriesRow(**values)
