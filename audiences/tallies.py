"""All SQL of the tallies: how many members have each combination of the values that rules look at.

A rule over few different values is counted by asking it of each combination instead of each member. Triggers keep
each tally true, in the transaction of whatever changes a member.
"""

# ruff: noqa: S608 - made of names that `value_of` and `index_expression` check; values are bound

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from sqlite_utils.db import Database

from audiences.segments import FIELDS, MOST_COLUMNS, Rule, index_expression, of_values_alone, to_sql, value_of

MOST_COMBINATIONS = 50_000
"""With more, a tally is hardly faster than the index it stands for, and as large."""
_COLUMNS = tuple(f"value_{number}" for number in range(1, MOST_COLUMNS + 1))
_TRIGGERS = ("added", "gone", "changed")


class Tallies:
    """The tallies of one association's members, each under a name without quotes.

    Writing methods expect to run inside `db.atomic()`. `names` are fields and attributes, at most four.
    """

    def __init__(self, db: Database) -> None:
        self.db = db

    def keep(self, name: str, names: Sequence[str]) -> None:
        """Have a tally of the values of `names`, where there are few enough combinations.

        Reads every member when there is none yet, which an index on the names makes faster.
        """
        if self._started(name):
            # Renewals move on, members move house: what nobody has any more is no combination.
            self.db.execute("DELETE FROM segment_tally WHERE name = ? AND members = 0", [name])
            if self._combinations(name) > MOST_COMBINATIONS:
                self.drop(name)
        elif self._few(names):
            self._start(name, names)

    def drop(self, name: str) -> None:
        """Have no tally under this name."""
        for event in _TRIGGERS:
            self.db.execute(f"DROP TRIGGER IF EXISTS {name}_{event}")
        self.db.execute("DELETE FROM segment_tally WHERE name = ?", [name])

    def count(self, name: str, names: Sequence[str], rule: Rule, today: date) -> int | None:
        """How many members `rule` holds for, which looks at `names`; None when the tally can not tell."""
        if not of_values_alone(rule) or not self._started(name):
            return None
        condition = to_sql(rule, today, values=dict(zip(names, _COLUMNS, strict=False)))
        sql = f"SELECT coalesce(sum(members), 0) FROM segment_tally WHERE name = :tally AND ({condition.sql})"
        return int(self.db.execute(sql, {**condition.parameters, "tally": name}).fetchone()[0])

    def _started(self, name: str) -> bool:
        found = self.db.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?", [f"{name}_added"])
        return found.fetchone() is not None

    def _combinations(self, name: str) -> int:
        return int(self.db.execute("SELECT count(*) FROM segment_tally WHERE name = ?", [name]).fetchone()[0])

    def _few(self, names: Sequence[str]) -> bool:
        found = f"SELECT 1 FROM member GROUP BY {_indexed(names)} LIMIT {MOST_COMBINATIONS + 1}"
        count = self.db.execute(f"SELECT count(*) FROM ({found})").fetchone()[0]
        return 0 < int(count) <= MOST_COMBINATIONS

    def _start(self, name: str, names: Sequence[str]) -> None:
        known = f"INSERT INTO segment_tally (name, attributes, members, {', '.join(_COLUMNS[: len(names)])})"
        # In the order of the index it takes a twentieth of the time, but puts WA and wa together, and 1 and 1.0.
        text, order = f"{_combined(names, index_expression)} COLLATE BINARY", _indexed(names)
        alike = f"SELECT 1 FROM member GROUP BY {order} HAVING min({text}) <> max({text}) LIMIT 1"
        grouped = text if self.db.execute(alike).fetchone() else order
        self.db.execute(f"{known} SELECT '{name}', min({text}), count(*), {order} FROM member GROUP BY {grouped}")
        new, old = _combined(names, _new), _combined(names, _old)
        added = (
            f"{known} VALUES ('{name}', {new}, 1, {', '.join(map(_new, names))})"
            " ON CONFLICT (name, attributes) DO UPDATE SET members = members + 1;"
        )
        gone = f"UPDATE segment_tally SET members = members - 1 WHERE name = '{name}' AND attributes = {old};"
        columns = ", ".join(sorted({each if each in FIELDS else "attributes" for each in names}))
        for event, body in (
            ("added AFTER INSERT ON member", added),
            ("gone AFTER DELETE ON member", gone),
            (f"changed AFTER UPDATE OF {columns} ON member WHEN {new} IS NOT {old}", gone + added),
        ):
            self.db.execute(f"CREATE TRIGGER {name}_{event} BEGIN {body} END")


def _indexed(names: Sequence[str]) -> str:
    return ", ".join(map(index_expression, names))


def _combined(names: Sequence[str], value: Callable[[str], str]) -> str:
    """One text for the values of `names`: the same for the same values, and for no others."""
    pairs = ", ".join(f"'{name}', {value(name)}" for name in names)
    return f"json_object({pairs})"


def _new(name: str) -> str:
    return value_of(name, "new.")


def _old(name: str) -> str:
    return value_of(name, "old.")
