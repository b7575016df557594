"""A rule as a condition for SQLite (3.40 or newer) over the table `member`. Runs nothing.

Three facts of SQLite carry the design. It sorts NULL before numbers before text, so `x < ''` means "is a
number". NOCASE folds A-Z alone and leaves numbers and dates in order, so one index with that collation
serves every kind of comparison. And comparing NULL gives NULL, which `IS NOT TRUE` and WHERE both read as
false; so conditions stay bare, for the index to see, and only `not` wraps them.
(https://www.sqlite.org/datatype3.html sections 4 and 7, https://www.sqlite.org/lang_expr.html)
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import assert_never

from audiences.segments.tree import (
    FIELDS,
    And,
    Compare,
    Everyone,
    HasText,
    Name,
    Node,
    Not,
    OneOf,
    Or,
    Order,
    Part,
    Present,
    Rule,
)
from audiences.segments.values import Day, Number, RelativeDay, Text, day_of, fold

_DAY = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'"
_DAY_AND_TIME = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9]*'"
_FIRST, _LAST = "0", ":"
"""Text that starts with a digit sorts from "0" to before ":", the character after "9"."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A boolean expression to put after WHERE (or AND), and the values of its named parameters."""

    sql: str
    parameters: dict[str, str | int | float]
    """All names start with `segment_`."""


def to_sql(rule: Rule, today: date) -> Condition:
    """The condition that picks from `member` those for whom `rule` holds on the day `today`.

    It may be NULL where the rule is false; WHERE makes no difference between the two.
    """
    writer = _Writer(today)
    sql = writer.node(rule.root).within(_Binding.TIGHT)
    return Condition(sql, writer.parameters)


def index_expression(name: str) -> str:
    """What to index on `member`, in CREATE INDEX, so that rules on `name` need no scan.

    `name` is a field, or an attribute in the form `attribute_name` gives; `ValueError` for any other.
    """
    return f"{_path(name)} COLLATE NOCASE"


def _path(name: str, table: str = "") -> str:
    if name in FIELDS:
        return f"{table}{name}"
    # Names hold nothing but letters, digits and underscores; this keeps a slip elsewhere from becoming SQL.
    if not name.replace("_", "a").isalnum():
        raise ValueError(f"not the name of an attribute: {name!r}")
    return f"json_extract({table}attributes, '$.\"{name}\"')"


def _column(name: Name) -> str:
    return _path(name.key, "member.")


class _Binding(IntEnum):
    """How tightly an expression holds together; a TIGHT one may also be followed by IS."""

    OR = 0
    AND = 1
    TIGHT = 2


@dataclass(frozen=True, slots=True)
class _Sql:
    text: str
    binding: _Binding = _Binding.TIGHT
    depth: int = 1
    """How deeply the expression nests; SQLite refuses more than 1,000 levels."""

    def within(self, binding: int) -> str:
        """The text to put where something at least so tight is wanted."""
        return self.text if self.binding >= binding else f"({self.text})"


@dataclass(slots=True)
class _Writer:
    today: date
    parameters: dict[str, str | int | float] = field(default_factory=dict)

    def node(self, node: Node) -> _Sql:
        match node:
            case And(nodes):
                return _join(_Binding.AND, map(self.node, nodes))
            case Or(nodes):
                return _join(_Binding.OR, map(self.node, nodes))
            case Not(inner):
                negated = self.node(inner)
                text = f"{negated.within(_Binding.TIGHT)} IS NOT TRUE"
                return _Sql(text, depth=negated.depth + 1)
            case Everyone():
                return _Sql("TRUE")
            case Present(name):
                return _Sql(f"{_column(name)} <> ''")
            case OneOf():
                return self._one_of(node)
            case Compare():
                return self._compare(node)
            case HasText():
                return self._has_text(node)
            case _:
                assert_never(node)

    def _bind(self, value: str | int | float) -> str:
        name = f"segment_{len(self.parameters) + 1}"
        self.parameters[name] = value
        return f":{name}"

    def _one_of(self, node: OneOf) -> _Sql:
        exact: list[str | int | float] = []
        days = []
        for value in node.values:
            match value:
                case Text(text):
                    exact.append(text)
                    if value.number is not None:
                        exact.append(value.number)
                case Number(number):
                    exact.append(number)
                case Day() | RelativeDay():
                    days.append(self._day_range(node.name, None, day_of(value, self.today)))
                case _:
                    assert_never(value)
        if node.name.is_field:
            # A column declared TEXT would turn a number into text before it compares.
            exact = [value for value in exact if isinstance(value, str)]
        if exact:
            listed = ", ".join(map(self._bind, exact))
            days.append(_Sql(f"{_column(node.name)} COLLATE NOCASE IN ({listed})"))
        return _join(_Binding.OR, days) if days else _Sql("FALSE")

    def _compare(self, node: Compare) -> _Sql:
        if not isinstance(node.value, Number):
            return self._day_range(node.name, node.order, day_of(node.value, self.today))
        column = f"{_column(node.name)} COLLATE NOCASE"
        return _Sql(f"{column} {node.order} {self._bind(node.value.value)} AND {column} < ''", _Binding.AND, 2)

    def _day_range(self, name: Name, order: Order | None, day: date) -> _Sql:
        """Text that starts with a day on the given side of `day`, or with `day` itself when `order` is None."""
        here = day.isoformat()
        # The next text, not the next day: no date lies between 2025-01-31 and 2025-01-32, and 9999 has no end.
        after = f"{here[:8]}{day.day + 1:02}"
        start, end = {
            None: (here, after),
            Order.BELOW: (_FIRST, here),
            Order.AT_MOST: (_FIRST, after),
            Order.ABOVE: (after, _LAST),
            Order.AT_LEAST: (here, _LAST),
        }[order]
        column = _column(name)
        return _Sql(
            f"{column} COLLATE NOCASE >= {self._bind(start)} AND {column} COLLATE NOCASE < {self._bind(end)}"
            f" AND ({column} GLOB {_DAY} OR {column} GLOB {_DAY_AND_TIME})",
            _Binding.AND,
            4,
        )

    def _has_text(self, node: HasText) -> _Sql:
        column = _column(node.name)
        wanted = fold(node.text.value)
        match node.part:
            case Part.ANYWHERE:
                test = f"instr(lower({column}), {self._bind(wanted)}) > 0"
            case Part.START:
                test = f"substr(lower({column}), 1, {len(wanted)}) = {self._bind(wanted)}"
            case Part.END:
                test = f"substr(lower({column}), -{len(wanted)}) = {self._bind(wanted)}"
            case _:
                assert_never(node.part)
        return _Sql(f"{test} AND typeof({column}) IN ('text', 'integer')", _Binding.AND, 3)


def _join(binding: _Binding, parts: Iterable[_Sql]) -> _Sql:
    """`parts` joined by AND or OR, nested as little as can be.

    Pairing the two shallowest first keeps a list of 1,500 conditions within SQLite's limit on depth. Writing
    the deeper of a pair first, and no needless parentheses, keeps the deepest rule within the stack of 100
    that the parser of SQLite before 3.46 has: what stands open to the left of a part takes room there.
    """
    heap = [(part.depth, order, part) for order, part in enumerate(parts)]
    heapq.heapify(heap)
    made = len(heap)
    while len(heap) > 1:
        (shallow, _, second), (deep, _, first) = heapq.heappop(heap), heapq.heappop(heap)
        if shallow == deep:
            first, second = second, first
        text = f"{first.within(binding)} {binding.name} {second.within(binding + 1)}"
        heapq.heappush(heap, (deep + 1, made, _Sql(text, binding, deep + 1)))
        made += 1
    return heap[0][2]
