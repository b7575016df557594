"""A rule as a condition for SQLite (3.40 or newer) over the table `member`. Runs nothing.

Three facts of SQLite carry the design. It sorts NULL before numbers before text, so `x < ''` means "is a
number". NOCASE folds A-Z alone and leaves numbers and dates in order, so one index with that collation
serves every kind of comparison. And comparing NULL gives NULL, which `IS NOT TRUE` and WHERE both read as
false; so conditions stay bare, and only `not` wraps them.
(https://www.sqlite.org/datatype3.html sections 4 and 7, https://www.sqlite.org/lang_expr.html)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import assert_never

from audiences.membership import CURRENT_STATUSES
from audiences.segments.expressions import Binding, Bound, Parameters, Sql, join
from audiences.segments.leading import Leading, among_values, beginning_with
from audiences.segments.resolve import unresolved
from audiences.segments.sampling import sample_sql, threshold
from audiences.segments.search import Search, flattened, search
from audiences.segments.tables import kept, text_test
from audiences.segments.tree import (
    FIELDS,
    RENEWAL,
    STATUS,
    Activity,
    And,
    Compare,
    Everyone,
    HasText,
    InRegion,
    Membership,
    Name,
    Named,
    Node,
    Not,
    OfValue,
    OneOf,
    Or,
    Order,
    Part,
    Present,
    Rule,
    Sample,
    Segment,
)
from audiences.segments.values import Day, Number, RelativeDay, Text, Value, day_of

_DAY = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'"
_DAY_AND_TIME = "'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ][0-9]*'"
_FEW_DAYS = 2_000
"""Different ones that are stepped through even where other conditions leave few members to look at."""
_FIRST, _LAST = "0", ":"
"""Text that starts with a digit sorts from "0" to before ":", the character after "9"."""

LATEST = frozenset(f"{activity}_at" for activity in Activity)
"""The columns of `member` that say when a member last did something, by name."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A boolean expression to put after WHERE (or AND), and the values of its named parameters."""

    sql: str
    parameters: dict[str, Bound]
    """All names start with `segment_`."""


def to_sql(
    rule: Rule, today: date, leading: Leading = MappingProxyType({}), values: Mapping[str, str] = MappingProxyType({})
) -> Condition:
    """The condition that picks from `member` those for whom `rule` holds on the day `today`.

    `leading` says what indexes there are to search by: it makes a rule faster, and never changes its answer.
    `values` says which columns hold the values of which names, where that is not a member's own row.

    It may be NULL where the rule is false; WHERE makes no difference between the two. Beside `member` it reads
    `subscription`, `tag` and `activity`. Raises `RuleError` for a rule with names that `resolve` has not replaced.
    """
    writer = _Writer(today, search(rule), leading, values)
    sql = writer.node(rule.root, required=True).within(Binding.TIGHT)
    return Condition(sql, writer.parameters.values)


def index_expression(name: str) -> str:
    """What to index on `member`, in CREATE INDEX, so that rules on `name` need no scan.

    `name` is a field, `opened_at` or `clicked_at` (the columns, not attributes of that name), or an attribute in
    the form `attribute_name` gives; `ValueError` for any other.
    """
    return name if name in LATEST else f"{value_of(name)} COLLATE NOCASE"


def value_of(name: str, table: str = "") -> str:
    """The value of a field or attribute of `table` (with its dot); `ValueError` for what is the name of neither."""
    if name in FIELDS:
        return f"{table}{name}"
    # Names hold nothing but letters, digits and underscores; this keeps a slip elsewhere from becoming SQL.
    if not name.replace("_", "a").isalnum():
        raise ValueError(f"not the name of an attribute: {name!r}")
    return f"json_extract({table}attributes, '$.\"{name}\"')"


def _other(name: Name) -> str:
    """The value of a name in a second look at the table."""
    return f"{value_of(name.key, 'other.')} COLLATE NOCASE"


@dataclass(slots=True)
class _Writer:
    """Writes conditions; those with `required` must all hold for the rule to hold.

    SQLite reads the value of an expression from an index, and not from the row, everywhere but in a comparison
    that it could search by and does not. So a comparison is written for searching only where one index could be
    searched by it: for certain values, and for the first name with a range. (Seen in SQLite 3.53.)
    """

    today: date
    search: Search
    leading: Leading
    values: Mapping[str, str]
    parameters: Parameters = field(default_factory=Parameters)

    def node(self, node: Node, *, required: bool = False) -> Sql:
        match node:
            case And(nodes):
                return self._all_of(nodes, required=required)
            case Or(nodes):
                return join(Binding.OR, map(self.node, nodes))
            case Not(inner):
                negated = self.node(inner)
                return Sql(f"{negated.within(Binding.TIGHT)} IS NOT TRUE", depth=negated.depth + 1)
            case Segment(_, inner):
                return self.node(inner, required=required)
            case Everyone():
                return Sql("TRUE")
            case Named():
                raise unresolved(node)
            case Membership(current):
                return self._membership(current=current)
            case Sample(hundredths):
                return Sql(sample_sql(self.parameters.bind(threshold(hundredths))), Binding.AND, 4)
            case Present() | OneOf() | InRegion() | Compare() | HasText():
                return self._of_value(node, required=required)
            case _:
                return kept(node, self.parameters, self.today, each=bool(self.search))

    def _all_of(self, nodes: Sequence[Node], *, required: bool) -> Sql:
        """All of `nodes`. Days on both sides of one name become one stretch, which is searched as one."""
        parts = []
        days: dict[Name, tuple[str, str]] = {}
        for node in flattened(nodes):
            if isinstance(node, Compare) and not isinstance(node.value, Number):
                start, end = _stretch(node.order, day_of(node.value, self.today))
                known_start, known_end = days.get(node.name, (start, end))
                days[node.name] = max(start, known_start), min(end, known_end)
            else:
                parts.append(self.node(node, required=required))
        parts += [self._day_range(name, *stretch, required=required) for name, stretch in days.items()]
        return join(Binding.AND, parts)

    def _of_value(self, node: OfValue, *, required: bool) -> Sql:
        match node:
            case Present(name):
                return Sql(f"{self._unsearched(name)} <> ''", depth=2)
            case OneOf(name, values):
                return self._one_of(name, values, required=required)
            case InRegion(name, _, texts):
                if texts is None:
                    raise unresolved(node)
                return self._one_of(name, texts, required=required)
            case Compare(name, order, value):
                if isinstance(value, Number):
                    return self._number_range(name, order, value.value, required=required)
                return self._day_range(name, *_stretch(order, day_of(value, self.today)), required=required)
            case HasText(name, part, text):
                if self.leading.get(name.key):
                    # After a range, an index is searched by nothing more.
                    column = self._column(name) if required and not self.search.ranges else self._unsearched(name)
                    return among_values(column, _other(name), lambda value: self._has_text(value, part, text))
                if part is Part.START and name.key in self.leading:
                    return beginning_with(_other(name), text.value, self.parameters)
                return Sql(self._has_text(self._column(name), part, text), Binding.AND, 3)
            case _:
                assert_never(node)

    def _has_text(self, column: str, part: Part, text: Text) -> str:
        return f"{text_test(column, part, text, self.parameters)} AND typeof({column}) IN ('text', 'integer')"

    def _one_of(self, name: Name, values: Sequence[Value], *, required: bool) -> Sql:
        exact: list[Bound] = []
        days: list[date] = []
        for value in values:
            match value:
                case Text(text):
                    exact.append(text)
                    if value.number is not None:
                        exact.append(value.number)
                case Number(number):
                    exact.append(number)
                case Day() | RelativeDay():
                    days.append(day_of(value, self.today))
                case _:
                    assert_never(value)
        if name.is_field:
            # A column declared TEXT would turn a number into text before it compares.
            exact = [value for value in exact if isinstance(value, str)]
        # A range is joined to other values by OR, and then SQLite searches by none of them.
        alone = required and len(days) + bool(exact) == 1
        parts = [self._day_range(name, *_stretch(None, day), required=alone) for day in days]
        if exact:
            column = self._column(name) if alone else self._unsearched(name)
            parts.append(Sql(f"{column} IN ({self.parameters.bind_all(exact)})", depth=2))
        return join(Binding.OR, parts) if parts else Sql("FALSE")

    def _number_range(self, name: Name, order: Order, number: float, *, required: bool) -> Sql:
        if name.is_field:
            return Sql("FALSE")
        column, limit = self._range_columns(name, required=required)
        test = f"{column} {order} {self.parameters.bind(number)}"
        if order in (Order.BELOW, Order.AT_MOST):
            return Sql(test, depth=2)
        return Sql(f"{test} AND {limit} < ''", Binding.AND, 3)

    def _day_range(self, name: Name, start: str, end: str, *, required: bool) -> Sql:
        """Text that names a day, from `start` to before `end`."""
        column, limit = self._range_columns(name, required=required)
        low, high = self.parameters.bind(start), self.parameters.bind(end)
        different = self.leading.get(name.key, 0)
        if 0 < different <= _FEW_DAYS or (different and not self.search.exact):
            return among_values(column, _other(name), _is_day, first=low, after=high)
        from_start = f"{limit if start == _FIRST else column} >= {low}"
        to_end = f"{limit if end == _LAST else column} < {high}"
        return Sql(f"{from_start} AND {to_end} AND ({_is_day(self._column(name))})", Binding.AND, 4)

    def _range_columns(self, name: Name, *, required: bool) -> tuple[str, str]:
        """The column as a range on it is written, and as the limit that keeps other kinds of values out.

        Of two ranges on one name each has one side, so their limits are not for searching.
        """
        searched = required and self.search.ranges[:1] == (name.key,)
        alone = searched and self.search.ranges.count(name.key) == 1
        return (self._column(name) if searched else self._unsearched(name)), (
            self._column(name) if alone else self._unsearched(name)
        )

    def _column(self, name: Name) -> str:
        value = self.values.get(name.key) or value_of(name.key, "member.")
        return f"{value} COLLATE NOCASE"

    def _unsearched(self, name: Name) -> str:
        """The same to SQLite, but that it looks for no index to search by it."""
        return self._column(name) if name.is_field else f"+({self._column(name)})"

    def _membership(self, *, current: bool) -> Sql:
        status = Name(STATUS)
        if self.leading.get(STATUS):
            named = among_values(self._column(status), _other(status), _is_current)
        else:
            named = Sql(_is_current(self._column(status)), depth=6)
        over = Not(Compare(Name(RENEWAL), Order.BELOW, RelativeDay()))
        holds = join(Binding.AND, [named, self.node(over)])
        if current:
            return holds
        known = self.node(Or((Present(status), Present(Name(RENEWAL)))))
        return join(Binding.AND, [known, Sql(f"({holds.text}) IS NOT TRUE", depth=holds.depth + 1)])


def _stretch(order: Order | None, day: date) -> tuple[str, str]:
    """From which text to before which text the days lie on the given side of `day`, or `day` itself for None."""
    here = day.isoformat()
    # The next text, not the next day: no date lies between 2025-01-31 and 2025-01-32, and 9999 has no end.
    after = f"{here[:8]}{day.day + 1:02}"
    return {
        None: (here, after),
        Order.BELOW: (_FIRST, here),
        Order.AT_MOST: (_FIRST, after),
        Order.ABOVE: (after, _LAST),
        Order.AT_LEAST: (here, _LAST),
    }[order]


def _is_day(column: str) -> str:
    return f"{column} GLOB {_DAY} OR {column} GLOB {_DAY_AND_TIME}"


def _is_current(column: str) -> str:
    words = ", ".join(f"'{word}'" for word in sorted(CURRENT_STATUSES))
    return f"replace(replace(replace(lower({column}), ' ', ''), '_', ''), '-', '') IN ({words})"
