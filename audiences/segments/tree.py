"""The checked tree of a rule: frozen data that `sql`, `match` and `words` each read in their own way.

A new kind of condition is one dataclass here, one line in `Node`, and one case in each of those three.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from audiences.segments.values import AnyDay, Number, Text, Value

FIELDS = frozenset({"address", "language", "timezone"})
"""Names that every member has a place for; any other name is an attribute."""


@dataclass(frozen=True, slots=True)
class Name:
    """A field or attribute as a rule mentions it. Two mentions are equal wherever they stand."""

    key: str
    """As `audiences.models.attribute_name` gives it."""
    column: int = field(default=1, compare=False)

    @property
    def is_field(self) -> bool:
        return self.key in FIELDS


class Order(StrEnum):
    BELOW = "<"
    AT_MOST = "<="
    ABOVE = ">"
    AT_LEAST = ">="


class Part(StrEnum):
    """Where in a value a text is looked for."""

    ANYWHERE = "contains"
    START = "starts with"
    END = "ends with"


@dataclass(frozen=True, slots=True)
class Everyone:
    """True of every member."""


@dataclass(frozen=True, slots=True)
class Present:
    """True of members whose value is neither absent nor the empty text."""

    name: Name


@dataclass(frozen=True, slots=True)
class OneOf:
    """True where the value equals one of `values` (at least one): `=` and `in`."""

    name: Name
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """True where the value is a number (or a date) on the given side of `value`."""

    name: Name
    order: Order
    value: Number | AnyDay


@dataclass(frozen=True, slots=True)
class HasText:
    """True where the value holds `text` at the given place."""

    name: Name
    part: Part
    text: Text


@dataclass(frozen=True, slots=True)
class Not:
    node: Node


@dataclass(frozen=True, slots=True)
class And:
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    nodes: tuple[Node, ...]


Leaf = Everyone | Present | OneOf | Compare | HasText
Node = Leaf | Not | And | Or


@dataclass(frozen=True, slots=True)
class Rule:
    """A checked rule; `parse` makes it."""

    source: str
    """The text it was read from, verbatim."""
    root: Node

    def mentions(self) -> Iterator[Name]:
        """Every mention of a field or attribute, in the order of the text."""
        return _mentions(self.root)

    def names(self) -> frozenset[str]:
        """The fields and attributes the rule looks at."""
        return frozenset(name.key for name in self.mentions())


def _mentions(node: Node) -> Iterator[Name]:
    match node:
        case And(nodes) | Or(nodes):
            for part in nodes:
                yield from _mentions(part)
        case Not(inner):
            yield from _mentions(inner)
        case Everyone():
            pass
        case Present() | OneOf() | Compare() | HasText():
            yield node.name
