"""All SQL of the feeds of others and their items, in the host's database. When to ask for one, others decide."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from campaigns.times import stamp


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A feed of somebody else's, and where its reading stands."""

    id: int
    name: str
    url: str
    title: str
    etag: str
    last_modified: str
    next_at: datetime | None
    """It is not asked for before; None: at once."""
    asked_at: datetime | None
    read_at: datetime | None
    """When it was last asked for with success."""
    came_at: datetime | None
    """When its items last came: at other times they had not changed."""
    failures: int
    fault: str
    gone: bool
    added_at: datetime


@dataclass(frozen=True, slots=True)
class ItemRow:
    """An item of a source, as it was last read."""

    source: str
    """Name of its source."""
    identity: str
    title: str
    url: str
    summary: str
    image: str
    appeared_at: datetime
    """When it came out: its own date, but never after it was first seen here."""
    first_seen_at: datetime
    edited_at: datetime | None
    """When it was last seen to have changed; None when it never did."""


_SOURCE = (
    "id, name, url, title, etag, last_modified, next_at, asked_at, read_at, came_at, failures, fault, gone, added_at"
)
_ITEM = "identity, title, url, summary, image, appeared_at, first_seen_at, edited_at"


class Sources:
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # --- sources ------------------------------------------------------------------------------

    def all(self) -> list[SourceRow]:
        """Every source by name."""
        return [_source(row) for row in self._db.execute(f"SELECT {_SOURCE} FROM source ORDER BY name")]  # noqa: S608

    def find(self, name_or_url: str) -> SourceRow | None:
        """One by its name or its address."""
        sql = f"SELECT {_SOURCE} FROM source WHERE name = :key OR url = :key"  # noqa: S608
        row = self._db.execute(sql, {"key": name_or_url}).fetchone()
        return _source(row) if row else None

    def add(self, name: str, url: str, title: str, now: datetime) -> None:
        """Raises sqlite3.IntegrityError when name or address are there already."""
        self._db.execute(
            "INSERT INTO source (name, url, title, added_at) VALUES (?, ?, ?, ?)", [name, url, title, stamp(now)]
        )

    def remove(self, source_id: int) -> None:
        """Forget a source and its items."""
        self._db.execute("DELETE FROM source WHERE id = ?", [source_id])

    def claim(self, source_id: int, now: datetime, until: datetime) -> bool:
        """Take the right to ask for it now, which nobody else then has before `until`; False when it is not due."""
        cursor = self._db.execute(
            "UPDATE source SET asked_at = :now, next_at = :until"
            " WHERE id = :id AND NOT gone AND (next_at IS NULL OR next_at <= :now)",
            {"id": source_id, "now": stamp(now), "until": stamp(until)},
        )
        return cursor.rowcount == 1

    def save(self, source: SourceRow) -> None:
        """Write down how its reading stands. An address that another source has by now is left as it was."""
        self._db.execute(
            "UPDATE source SET url = CASE WHEN EXISTS (SELECT 1 FROM source AS other WHERE other.url = :url"
            " AND other.id <> :id) THEN url ELSE :url END, title = :title, etag = :etag,"
            " last_modified = :last_modified, next_at = :next_at, read_at = :read_at, came_at = :came_at,"
            " failures = :failures, fault = :fault, gone = :gone WHERE id = :id",
            {
                "id": source.id,
                "url": source.url,
                "title": source.title,
                "etag": source.etag,
                "last_modified": source.last_modified,
                "next_at": _text(source.next_at),
                "read_at": _text(source.read_at),
                "came_at": _text(source.came_at),
                "failures": source.failures,
                "fault": source.fault,
                "gone": int(source.gone),
            },
        )

    # --- items --------------------------------------------------------------------------------

    def take(self, source_id: int, items: Iterable[ItemRow], now: datetime) -> tuple[int, int]:
        """Keep the items of a feed that just came: (how many are new, how many were edited)."""
        news = edits = 0
        for item in items:
            values = {
                "source": source_id,
                "identity": item.identity,
                "title": item.title,
                "url": item.url,
                "summary": item.summary,
                "image": item.image,
                "appeared": stamp(item.appeared_at),
                "now": stamp(now),
            }
            told = "(title, url, summary, image) IS NOT (:title, :url, :summary, :image)"
            sql = f"SELECT {told} FROM item WHERE source_id = :source AND identity = :identity"  # noqa: S608 - constants
            known = self._db.execute(sql, values).fetchone()
            if known is None:
                news += 1
                self._db.execute(
                    "INSERT INTO item (source_id, identity, title, url, summary, image, appeared_at, first_seen_at,"
                    " seen_at) VALUES (:source, :identity, :title, :url, :summary, :image, :appeared, :now, :now)",
                    values,
                )
                continue
            edits += known[0]
            self._db.execute(
                f"UPDATE item SET edited_at = CASE WHEN {told} THEN :now ELSE edited_at END, title = :title,"  # noqa: S608
                " url = :url, summary = :summary, image = :image, seen_at = :now"
                " WHERE source_id = :source AND identity = :identity",
                values,
            )
        return news, edits

    def items(
        self, source: SourceRow, *, since: datetime | None = None, seen_since: datetime | None = None, limit: int = 100
    ) -> list[ItemRow]:
        """Items of a source that came out after `since`, first seen at `seen_since` or later; the latest first."""
        rows = self._db.execute(
            f"SELECT {_ITEM} FROM item WHERE source_id = :source AND appeared_at > :since"  # noqa: S608
            " AND first_seen_at >= :seen"
            " ORDER BY appeared_at DESC, id LIMIT :limit",
            {"source": source.id, "since": _text(since) or "", "seen": _text(seen_since) or "", "limit": limit},
        )
        return [_item(source.name, row) for row in rows]

    def count_items(self) -> dict[int, int]:
        """Source -> how many items of it are kept."""
        return dict(self._db.execute("SELECT source_id, count(*) FROM item GROUP BY 1").fetchall())

    def forget(self, source_id: int, before: datetime) -> None:
        """Let items go that were first seen before, and stood in the feed no more when it last came."""
        # What a feed still holds stays: forgotten, it would be news at the next reading.
        self._db.execute(
            "DELETE FROM item WHERE source_id = :id AND first_seen_at < :before"
            " AND seen_at < (SELECT came_at FROM source WHERE id = :id)",
            {"id": source_id, "before": stamp(before)},
        )


def _text(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _source(row: Sequence[Any]) -> SourceRow:
    values = dict(zip(_SOURCE.split(", "), row, strict=True))
    for name in ("next_at", "asked_at", "read_at", "came_at", "added_at"):
        values[name] = _moment(values[name])
    return SourceRow(**{**values, "gone": bool(values["gone"])})


def _item(source: str, row: Sequence[Any]) -> ItemRow:
    values = dict(zip(_ITEM.split(", "), row, strict=True))
    for name in ("appeared_at", "first_seen_at", "edited_at"):
        values[name] = _moment(values[name])
    return ItemRow(source=source, **values)
