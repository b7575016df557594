"""All SQL of the tallies: how many members have each combination of the values that rules look at.

A rule over few different values is counted by asking it of each combination instead of each member: of a million
members, `sector in (library, archives)` takes 0.2 ms so, and 12 ms over an index. (`make bench-audiences`)
Triggers keep each tally true, in the transaction of whatever changes a member.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils.db import Database

from audiences.segments import FIELDS, Condition, value_of

MOST_COMBINATIONS = 20_000
"""With more, a tally is hardly faster than the index it stands for, and as large."""


class Tallies:
    """The tallies of one association's members, each under a name without quotes.

    Writing methods expect to run inside `db.atomic()`.
    """

    def __init__(self, db: Database) -> None:
        self.db = db

    def keep(self, name: str, names: Sequence[str]) -> None:
        """Have a tally of the values of these fields and attributes, where there are few enough combinations.

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

    def count(self, name: str, condition: Condition) -> int | None:
        """How many members `condition` holds for, which looks at nothing but the tally's values; None without one."""
        if not self._started(name):
            return None
        # The combinations stand in the members' place: their values are found under the same names.
        fields = ", ".join(f"json_extract(attributes, '$.\"{field}\"') AS {field}" for field in sorted(FIELDS))
        source = f"(SELECT members, attributes, {fields} FROM segment_tally WHERE name = :tally) AS member"  # noqa: S608
        sql = f"SELECT coalesce(sum(member.members), 0) FROM {source} WHERE {condition.sql}"  # noqa: S608 - values bound
        return int(self.db.execute(sql, {**condition.parameters, "tally": name}).fetchone()[0])

    def _started(self, name: str) -> bool:
        found = self.db.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?", [f"{name}_added"])
        return found.fetchone() is not None

    def _combinations(self, name: str) -> int:
        return int(self.db.execute("SELECT count(*) FROM segment_tally WHERE name = ?", [name]).fetchone()[0])

    def _few(self, names: Sequence[str]) -> bool:
        values = ", ".join(value_of(name) for name in names)
        found = f"SELECT DISTINCT {values} FROM member LIMIT {MOST_COMBINATIONS + 1}"  # noqa: S608
        count = self.db.execute(f"SELECT count(*) FROM ({found})").fetchone()[0]  # noqa: S608
        return 0 < int(count) <= MOST_COMBINATIONS

    def _start(self, name: str, names: Sequence[str]) -> None:
        self.db.execute(
            f"INSERT INTO segment_tally SELECT ?, {_combined(names)}, count(*) FROM member GROUP BY 2",  # noqa: S608
            [name],
        )
        new, old = _combined(names, "new."), _combined(names, "old.")
        added = (
            f"INSERT INTO segment_tally (name, attributes, members) VALUES ('{name}', {new}, 1)"  # noqa: S608
            " ON CONFLICT (name, attributes) DO UPDATE SET members = members + 1;"
        )
        gone = f"UPDATE segment_tally SET members = members - 1 WHERE name = '{name}' AND attributes = {old};"  # noqa: S608
        columns = ", ".join(sorted({name if name in FIELDS else "attributes" for name in names}))
        self.db.execute(f"CREATE TRIGGER {name}_added AFTER INSERT ON member BEGIN {added} END")
        self.db.execute(f"CREATE TRIGGER {name}_gone AFTER DELETE ON member BEGIN {gone} END")
        self.db.execute(
            f"CREATE TRIGGER {name}_changed AFTER UPDATE OF {columns} ON member WHEN {new} IS NOT {old}"
            f" BEGIN {gone} {added} END"
        )


_TRIGGERS = ("added", "gone", "changed")


def _combined(names: Sequence[str], table: str = "") -> str:
    """One text for the values of `names`, from which each is read as from a member's attributes."""
    pairs = ", ".join(f"'{name}', {value_of(name, table)}" for name in names)
    return f"json_object({pairs})"
