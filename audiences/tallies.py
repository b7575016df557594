"""All SQL of the tallies: how many members have each combination of the values that rules look at.

A rule over few different values is counted by asking it of each combination instead of each member. Triggers keep
each tally true, in the transaction of whatever changes a member.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlite_utils.db import Database

from audiences.segments import FIELDS, MOST_COLUMNS, Rule, of_values_alone, to_sql, value_of

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
        sql = f"SELECT coalesce(sum(members), 0) FROM segment_tally WHERE name = :tally AND ({condition.sql})"  # noqa: S608
        return int(self.db.execute(sql, {**condition.parameters, "tally": name}).fetchone()[0])

    def _started(self, name: str) -> bool:
        found = self.db.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?", [f"{name}_added"])
        return found.fetchone() is not None

    def _combinations(self, name: str) -> int:
        return int(self.db.execute("SELECT count(*) FROM segment_tally WHERE name = ?", [name]).fetchone()[0])

    def _few(self, names: Sequence[str]) -> bool:
        found = f"SELECT DISTINCT {', '.join(map(value_of, names))} FROM member LIMIT {MOST_COMBINATIONS + 1}"  # noqa: S608
        count = self.db.execute(f"SELECT count(*) FROM ({found})").fetchone()[0]  # noqa: S608
        return 0 < int(count) <= MOST_COMBINATIONS

    def _start(self, name: str, names: Sequence[str]) -> None:
        known = f"INSERT INTO segment_tally (name, attributes, members, {', '.join(_COLUMNS[: len(names)])})"
        # By the combined text and not by the values: 1 and 1.0 are equal, and not the same to every rule.
        self.db.execute(
            f"{known} SELECT '{name}', {_combined(names)}, count(*), {_values(names)} FROM member GROUP BY 2"  # noqa: S608
        )
        new, old = _combined(names, "new."), _combined(names, "old.")
        added = (
            f"{known} VALUES ('{name}', {new}, 1, {_values(names, 'new.')})"
            " ON CONFLICT (name, attributes) DO UPDATE SET members = members + 1;"
        )
        gone = f"UPDATE segment_tally SET members = members - 1 WHERE name = '{name}' AND attributes = {old};"  # noqa: S608
        columns = ", ".join(sorted({name if name in FIELDS else "attributes" for name in names}))
        for event, body in (
            ("added AFTER INSERT ON member", added),
            ("gone AFTER DELETE ON member", gone),
            (f"changed AFTER UPDATE OF {columns} ON member WHEN {new} IS NOT {old}", gone + added),
        ):
            self.db.execute(f"CREATE TRIGGER {name}_{event} BEGIN {body} END")


def _values(names: Sequence[str], table: str = "") -> str:
    return ", ".join(value_of(name, table) for name in names)


def _combined(names: Sequence[str], table: str = "") -> str:
    """One text for the values of `names`: the same for the same values, and for no others."""
    pairs = ", ".join(f"'{name}', {value_of(name, table)}" for name in names)
    return f"json_object({pairs})"
