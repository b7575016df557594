"""Whether a rule holds for one member in hand: the same answer that `sql` gets from the database."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import TypeVar, assert_never

from audiences.models import Member
from audiences.segments.tree import (
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
from audiences.segments.values import Day, Number, RelativeDay, Text, Value, day_of, fit, fold

_Stored = str | int | float
_Comparable = TypeVar("_Comparable", str, float)
_DATED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\Z|[T ][0-9])")


def matches(rule: Rule, member: Member, today: date) -> bool:
    """Whether `rule` holds for `member` on the day `today`."""
    return _holds(rule.root, member, today)


def _holds(node: Node, member: Member, today: date) -> bool:
    match node:
        case And(nodes):
            return all(_holds(part, member, today) for part in nodes)
        case Or(nodes):
            return any(_holds(part, member, today) for part in nodes)
        case Not(inner):
            return not _holds(inner, member, today)
        case Everyone():
            return True
        case Present() | OneOf() | Compare() | HasText():
            stored = _stored(node.name, member)
            return stored is not None and _fits(node, stored, today)
        case _:
            assert_never(node)


def _stored(name: Name, member: Member) -> _Stored | None:
    """The value as the database keeps it: numbers beyond 64 bits as doubles, the empty text as none."""
    value = getattr(member, name.key) if name.is_field else member.attributes.get(name.key)
    match value:
        case None | "":
            return None
        case Decimal():
            return float(value)
        case int():
            return fit(value)
        case _:
            return str(value)


def _fits(node: Present | OneOf | Compare | HasText, stored: _Stored, today: date) -> bool:
    match node:
        case Present():
            return True
        case OneOf(_, values):
            return any(_equals(value, stored, today) for value in values)
        case Compare():
            return _on_side(node, stored, today)
        case HasText(_, part, text):
            return not isinstance(stored, float) and _has(part, fold(str(stored)), fold(text.value))
        case _:
            assert_never(node)


def _equals(value: Value, stored: _Stored, today: date) -> bool:
    match value:
        case Text(text):
            return fold(text) == fold(stored) if isinstance(stored, str) else value.number == stored
        case Number(number):
            return not isinstance(stored, str) and number == stored
        case Day() | RelativeDay():
            return _day(stored) == day_of(value, today).isoformat()
        case _:
            assert_never(value)


def _on_side(node: Compare, stored: _Stored, today: date) -> bool:
    if isinstance(node.value, Number):
        return not isinstance(stored, str) and _ordered(node.order, stored, node.value.value)
    day = _day(stored)
    return day is not None and _ordered(node.order, day, day_of(node.value, today).isoformat())


def _day(stored: _Stored) -> str | None:
    """The day that stored text names, as its first ten characters; None for other text and numbers."""
    dated = _DATED.match(stored) if isinstance(stored, str) else None
    return dated[1] if dated else None


def _ordered(order: Order, left: _Comparable, right: _Comparable) -> bool:
    match order:
        case Order.BELOW:
            return left < right
        case Order.AT_MOST:
            return left <= right
        case Order.ABOVE:
            return left > right
        case Order.AT_LEAST:
            return left >= right
        case _:
            assert_never(order)


def _has(part: Part, text: str, wanted: str) -> bool:
    match part:
        case Part.ANYWHERE:
            return wanted in text
        case Part.START:
            return text.startswith(wanted)
        case Part.END:
            return text.endswith(wanted)
        case _:
            assert_never(part)
