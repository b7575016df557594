"""All SQL that reads entries: for feeds and their archive pages, for lists by year, and for searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlite_utils.db import Database

from campaigns.searching import MARK_END, MARK_START
from campaigns.store import ENTRY, EntryRow, entry_of
from campaigns.times import stamp

_COLUMNS = ", ".join(f"entry.{name}" for name in ENTRY.split(", "))
_SNIPPET_WORDS = 24
_WEIGHTS = "8.0, 4.0, 1.0"
"""What a word counts in the title, the summary and the text."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which entries of an association: all, or those of a topic, in a language, or with one of some tags."""

    kind: Literal["all", "topic", "language", "tag"] = "all"
    values: tuple[str, ...] = ()
    """One topic or one language; tags that are spelt differently and mean the same."""


@dataclass(frozen=True, slots=True)
class Found:
    """An entry that a search found. `MARK_START` and `MARK_END` stand around words in its title and in `snippet`."""

    row: EntryRow
    title: str
    snippet: str


class Entries:
    """Reads `host.db`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def revision(self) -> int:
        """A number that is another one after every change of an entry or an association."""
        return int(self._db.execute("SELECT number FROM revision").fetchone()[0])

    # --- feeds --------------------------------------------------------------------------------

    def count(self, association: str, choice: Choice) -> int:
        """How many there are, withdrawn ones too."""
        where, values = _chosen(association, choice)
        return int(self._db.execute(f"SELECT count(*) FROM entry WHERE {where}", values).fetchone()[0])  # noqa: S608

    def newest(self, association: str, choice: Choice, *, limit: int, edited: int) -> list[EntryRow]:
        """The entries that came last, and of the older ones those that were corrected or withdrawn last."""
        where, values = _chosen(association, choice)
        rows = self._rows(f"{where} ORDER BY id DESC LIMIT :limit", {**values, "limit": limit})
        if len(rows) < limit:
            return rows
        return rows + self._rows(
            f"{where} AND id <= (SELECT id FROM entry WHERE {where} ORDER BY id DESC LIMIT 1 OFFSET :limit)"  # noqa: S608
            " AND max(updated, coalesce(withdrawn, updated)) > published"
            " ORDER BY max(updated, coalesce(withdrawn, updated)) DESC, id DESC LIMIT :edited",
            {**values, "limit": limit, "edited": edited},
        )

    def stretch(self, association: str, choice: Choice, number: int, size: int) -> list[EntryRow]:
        """The entries number `(number - 1) * size + 1` to `number * size` since the first one ever."""
        where, values = _chosen(association, choice)
        return self._rows(
            f"{where} ORDER BY id LIMIT :size OFFSET :skipped",
            {**values, "size": size, "skipped": (number - 1) * size},
        )

    def lately(
        self, association: str, choice: Choice, *, since: datetime | None, besides: str, limit: int
    ) -> list[EntryRow]:
        """Entries that can be read and were published at `since` or later, the latest first, without those of the
        campaign or series `besides`."""
        where, values = _chosen(association, choice)
        return self._rows(
            f"{where} AND withdrawn IS NULL AND published >= :since AND campaign <> :besides"  # noqa: S608
            " AND campaign NOT IN (SELECT id FROM campaign WHERE series = :besides)"
            " ORDER BY published DESC, id DESC LIMIT :limit",
            {**values, "since": stamp(since) if since else "", "besides": besides, "limit": limit},
        )

    def topics(self, association: str) -> list[str]:
        """Topics of which the association has entries."""
        return self._column("SELECT DISTINCT topic FROM entry WHERE association = ? AND topic <> '' ORDER BY 1",
                            association)  # fmt: skip

    def languages(self, association: str) -> list[str]:
        """Languages in which the association has entries."""
        return self._column("SELECT DISTINCT language FROM entry WHERE association = ? ORDER BY 1", association)

    def tags(self, association: str) -> list[str]:
        """Every tag of the association's entries, as it is written."""
        return self._column(
            "SELECT DISTINCT each.value FROM entry, json_each(entry.tags) AS each WHERE association = ? ORDER BY 1",
            association,
        )

    # --- the archive --------------------------------------------------------------------------

    def years(self, association: str) -> dict[str, int]:
        """Year -> how many entries can be read, the newest year first."""
        rows = self._db.execute(
            "SELECT substr(published, 1, 4), count(*) FROM entry WHERE association = ? AND withdrawn IS NULL"
            " GROUP BY 1 ORDER BY 1 DESC",
            [association],
        )
        return {str(year): int(number) for year, number in rows}

    def of_year(self, association: str, year: str, *, limit: int, offset: int) -> list[EntryRow]:
        """The entries of a year, of all when it is empty, that can be read, the newest first."""
        return self._rows(
            "association = :association AND withdrawn IS NULL AND (:year = '' OR substr(published, 1, 4) = :year)"
            " ORDER BY published DESC, id DESC LIMIT :limit OFFSET :offset",
            {"association": association, "year": year, "limit": limit, "offset": offset},
        )

    def search(self, association: str, query: str, year: str, *, limit: int, offset: int) -> list[Found]:
        """What matches `query`, written by `searching.query_of`, the best first; ties by age."""
        rows = self._db.execute(
            f"SELECT {_COLUMNS},"  # noqa: S608 - constants
            " highlight(entry_text, 0, :start, :end),"
            f" snippet(entry_text, 2, :start, :end, '…', {_SNIPPET_WORDS})"
            f" FROM entry_text JOIN entry ON entry.id = entry_text.rowid WHERE {_MATCHING}"
            f" ORDER BY bm25(entry_text, {_WEIGHTS}), published DESC, entry.id DESC LIMIT :limit OFFSET :offset",
            {
                **_matching(association, query, year),
                "start": MARK_START,
                "end": MARK_END,
                "limit": limit,
                "offset": offset,
            },
        )
        return [Found(entry_of(row[:-2]), row[-2], row[-1]) for row in rows]

    def hits(self, association: str, query: str, year: str) -> int:
        """How many match."""
        sql = f"SELECT count(*) FROM entry_text JOIN entry ON entry.id = entry_text.rowid WHERE {_MATCHING}"  # noqa: S608
        return int(self._db.execute(sql, _matching(association, query, year)).fetchone()[0])

    def _rows(self, rest: str, values: dict[str, Any]) -> list[EntryRow]:
        rows = self._db.execute(f"SELECT {ENTRY} FROM entry WHERE {rest}", values)  # noqa: S608 - constants
        return [entry_of(row) for row in rows]

    def _column(self, sql: str, association: str) -> list[str]:
        return [str(row[0]) for row in self._db.execute(sql, [association])]


_MATCHING = (
    "entry_text MATCH :query AND association = :association AND withdrawn IS NULL"
    " AND (:year = '' OR substr(published, 1, 4) = :year)"
)


def _matching(association: str, query: str, year: str) -> dict[str, str]:
    return {"association": association, "query": query, "year": year}


def _chosen(association: str, choice: Choice) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"association": association, **_named(choice.values)}
    names = ", ".join(f":{name}" for name in _named(choice.values))
    match choice.kind:
        case "all":
            return "association = :association", values
        case "topic" | "language":
            return f"association = :association AND {choice.kind} IN ({names})", values
        case "tag":
            tagged = f"EXISTS (SELECT 1 FROM json_each(entry.tags) WHERE json_each.value IN ({names}))"  # noqa: S608
            return f"association = :association AND {tagged}", values


def _named(values: Sequence[str]) -> dict[str, str]:
    return {f"value_{number}": value for number, value in enumerate(values)}
