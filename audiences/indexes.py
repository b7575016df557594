"""All SQL of the indexes that segments use: made when a rule needs one, dropped when none has for a while.

Every list has other attributes, so no index on them can be foreseen; and each one slows every import a little.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime, timedelta

from sqlite_utils.db import Database

from audiences.segments import LATEST, Rule, index_expression, wanted_index
from audiences.stepping import each_value
from audiences.tallies import Tallies

MANY_MEMBERS = 20_000
"""Fewer are read through faster than anybody notices."""
MOST_INDEXES = 32
FEW_VALUES = 20_000
"""Different ones of an attribute, up to which it is faster to test each value than each member."""
UNUSED_DAYS = 60


class SegmentIndexes:
    """The indexes of one association's members, and the tallies beside them.

    Writing methods expect to run inside `db.atomic()`.
    """

    def __init__(self, db: Database) -> None:
        self.db = db
        self._tallies = Tallies(db)

    def lacking(self, names: tuple[str, ...]) -> bool:
        """Would an index on these names help, and is there none yet."""
        if not names or self._find(names) is not None:
            return False
        newest = self.db.execute("SELECT max(id) FROM member").fetchone()[0]
        return newest is not None and newest >= MANY_MEMBERS

    def make(self, names: tuple[str, ...], now: datetime) -> None:
        """Index the members by these names, in place of the index that was used longest ago when there are many."""
        kept = self.db.execute("SELECT name FROM segment_index ORDER BY used_at DESC").fetchall()
        for (name,) in kept[MOST_INDEXES - 1 :]:
            self._drop(name)
        columns = ", ".join(index_expression(name) for name in names)
        self.db.execute(f"CREATE INDEX IF NOT EXISTS {_index(names)} ON member({columns})")
        self.db.execute(
            "INSERT OR REPLACE INTO segment_index (name, columns, few, used_at) VALUES (?, ?, ?, ?)",
            [_index(names), json.dumps(names), self._few_values(names[0]), now.date().isoformat()],
        )
        self._tally(names)

    def count(self, rule: Rule, today: date) -> int | None:
        """How many members `rule` holds for, where a tally of what it looks at can tell."""
        names = wanted_index(rule)
        return self._tallies.count(_index(names), names, rule, today) if names else None

    def leading(self) -> dict[str, int]:
        """Names that an index begins with -> how many different values it has there; for `segments.to_sql`."""
        rows = self.db.execute("SELECT columns, few FROM segment_index").fetchall()
        return {json.loads(columns)[0]: few for columns, few in rows}

    def note_use(self, names: tuple[str, ...], now: datetime) -> None:
        """Remember that a rule used the index on these names, if there is one; to the day, so it is seldom a write."""
        if self._find(names) not in (None, now.date().isoformat()):
            # Whether the values are still few is looked at anew: lists grow.
            self.db.execute(
                "UPDATE segment_index SET few = ?, used_at = ? WHERE name = ?",
                [self._few_values(names[0]), now.date().isoformat(), _index(names)],
            )
            self._tally(names)

    def used_today(self, names: tuple[str, ...], now: datetime) -> bool:
        """Is the use of the index on these names written down for today, or is there none to write down."""
        return self._find(names) in (None, now.date().isoformat())

    def drop_unused(self, now: datetime) -> int:
        """Drop what no rule used for `UNUSED_DAYS`. Returns how many indexes that were."""
        limit = (now - timedelta(days=UNUSED_DAYS)).date().isoformat()
        unused = self.db.execute("SELECT name FROM segment_index WHERE used_at < ?", [limit]).fetchall()
        for (name,) in unused:
            self._drop(name)
        return len(unused)

    def _few_values(self, name: str) -> int:
        """The number of different values of what an index begins with, stepped through; 0 when there are too many."""
        values = each_value(index_expression(name), "member", most=FEW_VALUES + 1)
        found = self.db.execute(f"{values} SELECT count(value) FROM each").fetchone()[0]  # noqa: S608
        return int(found) if found <= FEW_VALUES else 0

    def _find(self, names: tuple[str, ...]) -> str | None:
        """The day on which the index on these names was used last; None when there is none."""
        row = self.db.execute("SELECT used_at FROM segment_index WHERE name = ?", [_index(names)]).fetchone()
        return str(row[0]) if row else None

    def _tally(self, names: tuple[str, ...]) -> None:
        # What members did last is a time to the second: as many of them as members.
        if not LATEST.intersection(names):
            self._tallies.keep(_index(names), names)

    def _drop(self, name: str) -> None:
        self._tallies.drop(name)
        self.db.execute(f"DROP INDEX IF EXISTS {name}")
        self.db.execute("DELETE FROM segment_index WHERE name = ?", [name])


def _index(names: tuple[str, ...]) -> str:
    """A name for the index that depends on what it indexes, and holds nothing that needs quotes."""
    return f"segment_{hashlib.blake2b(json.dumps(names).encode(), digest_size=8).hexdigest()}"
