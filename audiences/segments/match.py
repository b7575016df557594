"""Whether a rule holds for one member in hand: the same answer that `sql` gets from the database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeVar, assert_never

from audiences.membership import CURRENT_STATUSES
from audiences.models import Member
from audiences.segments.facts import NOTHING, MemberFacts, has_text, shown
from audiences.segments.resolve import unresolved
from audiences.segments.sampling import in_sample
from audiences.segments.tree import (
    RENEWAL,
    STATUS,
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
    OneOf,
    Or,
    Order,
    Present,
    Rule,
    Sample,
    Segment,
)
from audiences.segments.values import Day, Number, RelativeDay, Text, Value, day_of, fit, fold

_Stored = str | int | float
_Comparable = TypeVar("_Comparable", str, float)
_WITHOUT_GAPS = str.maketrans("", "", " _-")
_DATED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\Z|[T ][0-9])")


def matches(rule: Rule, member: Member, today: date, facts: MemberFacts = NOTHING) -> bool:
    """Whether `rule` holds for `member`, of whom `facts` are kept, on the day `today`.

    Raises `RuleError` for a rule with names that `resolve` has not replaced.
    """
    return _Matcher(member, facts, today).holds(rule.root)


@dataclass(frozen=True, slots=True)
class _Matcher:
    member: Member
    facts: MemberFacts
    today: date

    def holds(self, node: Node) -> bool:
        match node:
            case And(nodes):
                return all(map(self.holds, nodes))
            case Or(nodes):
                return any(map(self.holds, nodes))
            case Not(inner):
                return not self.holds(inner)
            case Segment(_, inner):
                return self.holds(inner)
            case Everyone():
                return True
            case Named():
                raise unresolved(node)
            case InRegion(name, _, texts):
                if texts is None:
                    raise unresolved(node)
                return self.holds(OneOf(name, texts))
            case Present() | OneOf() | Compare() | HasText():
                stored = _stored(node.name, self.member)
                return stored is not None and _fits(node, stored, self.today)
            case Membership(current):
                return self._membership(current=current)
            case Sample(hundredths):
                return in_sample(self.member.id, hundredths)
            case _:
                return shown(node, self.facts, self.today)

    def _membership(self, *, current: bool) -> bool:
        status, renewal = (_stored(Name(key), self.member) for key in (STATUS, RENEWAL))
        over = renewal is not None and _on_side(Compare(Name(RENEWAL), Order.BELOW, RelativeDay()), renewal, self.today)
        holds = isinstance(status, str) and fold(status).translate(_WITHOUT_GAPS) in CURRENT_STATUSES and not over
        return holds if current else not holds and not (status is None and renewal is None)


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
            return not isinstance(stored, float) and has_text(part, fold(str(stored)), fold(text.value))
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
