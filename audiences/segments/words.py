"""A rule in plain English, so that someone who writes no programs can check it. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from audiences.segments.tree import (
    And,
    Compare,
    Everyone,
    HasText,
    Leaf,
    Node,
    Not,
    OneOf,
    Or,
    Order,
    Part,
    Present,
    Rule,
)
from audiences.segments.values import AnyDay, Day, Number, RelativeDay, Text, Value, day_of

_NUMBER_SIDE = {
    Order.BELOW: "below",
    Order.AT_MOST: "of at most",
    Order.ABOVE: "above",
    Order.AT_LEAST: "of at least",
}
_DAY_SIDE = {
    Order.BELOW: "before",
    Order.AT_MOST: "on or before",
    Order.ABOVE: "after",
    Order.AT_LEAST: "on or after",
}
_ON_ONE_LINE = str.maketrans("\t\r\n", "   ")
_VERB = {
    Part.ANYWHERE: ("contains", "does not contain"),
    Part.START: ("starts with", "does not start with"),
    Part.END: ("ends with", "does not end with"),
}


def explain(rule: Rule, today: date | None = None) -> str:
    """`rule` in words: one sentence, or a heading and a bulleted list when conditions stand inside others.

    With `today`, days counted from today are shown as dates too. Says of every negation that it holds for
    members without a value.
    """
    return _Speaker(today).rule(_simple(rule.root))


def _simple(node: Node) -> Node:
    """`node` without `not not`, and without lists of conditions inside lists of the same kind."""
    match node:
        case Not(Not(inner)):
            return _simple(inner)
        case Not(inner):
            simple = _simple(inner)
            return simple.node if isinstance(simple, Not) else Not(simple)
        case And(nodes):
            return And(tuple(part for n in map(_simple, nodes) for part in (n.nodes if isinstance(n, And) else [n])))
        case Or(nodes):
            return Or(tuple(part for n in map(_simple, nodes) for part in (n.nodes if isinstance(n, Or) else [n])))
        case _:
            return node


class _Speaker:
    def __init__(self, today: date | None) -> None:
        self._today = today

    def rule(self, node: Node) -> str:
        match node:
            case Everyone():
                return "All members."
            case Not(Everyone()):
                return "No member."
            case And(nodes) if all(map(_has_name, nodes)):
                return f"Members {', and '.join(f'whose {self._line(part)}' for part in nodes)}."
            case Or(nodes) if all(map(_has_name, nodes)):
                return f"Members {', or '.join(f'whose {self._line(part)}' for part in nodes)}."
            case _ if _has_name(node):
                return f"Members whose {self._line(node)}."
            case _:
                heading, *lines = self._lines(node)
                return "\n".join([f"Members for whom {heading}", *lines])

    def _lines(self, node: Node) -> list[str]:
        """A line for `node`, and bulleted lines for what stands inside it."""
        match node:
            case And(nodes):
                return ["all of this is true:", *self._bullets(nodes)]
            case Or(nodes):
                return ["at least one of these is true:", *self._bullets(nodes)]
            case Not(And(nodes)):
                return ["at least one of these is not true:", *self._bullets(nodes)]
            case Not(Or(nodes)):
                return ["none of these is true:", *self._bullets(nodes)]
            case _:
                return [self._line(node)]

    def _bullets(self, nodes: Sequence[Node]) -> list[str]:
        bullets = []
        for node in nodes:
            first, *rest = self._lines(node)
            bullets += [f"- {first}", *(f"  {line}" for line in rest)]
        return bullets

    def _line(self, node: Node) -> str:
        match node:
            case Not(Everyone()):
                return "never (this holds for no member)"
            case Not(Present(name)):
                return f"{name.key} is missing"
            case Not(Present() | OneOf() | Compare() | HasText() as leaf):
                notes = [*_notes(leaf), f"those without {leaf.name.key} count too"]
                return f"{self._leaf(leaf, negated=True)} ({'; '.join(notes)})"
            case Everyone() | Present() | OneOf() | Compare() | HasText():
                return " ".join([self._leaf(node, negated=False), *(f"({note})" for note in _notes(node))])
            case _:
                raise AssertionError("conditions that hold others are listed, not put in a line")

    def _leaf(self, leaf: Leaf, *, negated: bool) -> str:
        verb = "is not" if negated else "is"
        match leaf:
            case Everyone():
                return "always (this holds for every member)"
            case Present(name):
                return f"{name.key} has a value"
            case OneOf(name, values):
                return f"{name.key} {verb} {_listed([self._value(value) for value in values])}"
            case Compare(name, order, value):
                if isinstance(value, Number):
                    return f"{name.key} {verb} a number {_NUMBER_SIDE[order]} {value.value}"
                return f"{name.key} {verb} a date {_DAY_SIDE[order]} {self._day(value)}"
            case HasText(name, part, text):
                return f"{name.key} {_VERB[part][negated]} {_quoted(text)}"
            case _:
                assert_never(leaf)

    def _value(self, value: Value) -> str:
        match value:
            case Text():
                return _quoted(value) if value.number is None else f"{_quoted(value)} as text or number"
            case Number(number):
                return f"the number {number}"
            case Day() | RelativeDay():
                return f"the day {self._day(value)}"
            case _:
                assert_never(value)

    def _day(self, value: AnyDay) -> str:
        match value:
            case Day(day):
                return day.isoformat()
            case RelativeDay(amount, unit):
                plural = "" if abs(amount) == 1 else "s"
                direction = "before" if amount < 0 else "after"
                words = f"{abs(amount)} {unit}{plural} {direction} today" if amount else "today"
                return words if self._today is None else f"{day_of(value, self._today)} ({words})"
            case _:
                assert_never(value)


def _has_name(node: Node) -> bool:
    """Whether `node` can follow the word "whose"."""
    inner = node.node if isinstance(node, Not) else node
    return isinstance(inner, Present | OneOf | Compare | HasText)


def _quoted(text: Text) -> str:
    """`text` on one line; tabs and line ends are the only control characters a rule can hold."""
    return f'"{text.value.translate(_ON_ONE_LINE)}"'


def _listed(items: Sequence[str]) -> str:
    *most, last = items
    return f"{', '.join(most)} or {last}" if most else last


def _notes(leaf: Leaf) -> list[str]:
    """What is said of letter case, where it makes a difference: some text holds a letter of A-Z."""
    match leaf:
        case OneOf(_, values):
            texts = [value.value for value in values if isinstance(value, Text)]
        case HasText(_, _, text):
            texts = [text.value]
        case _:
            texts = []
    return ["any case"] if any(c.isascii() and c.isalpha() for text in texts for c in text) else []
