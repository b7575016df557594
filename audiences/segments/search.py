"""Which conditions of a rule an index can be searched by. Knows the tree alone, no SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from audiences.segments.tree import (
    STATUS,
    And,
    Compare,
    Engaged,
    InRegion,
    Membership,
    Node,
    OneOf,
    Rule,
    Segment,
)
from audiences.segments.values import Number, Text


@dataclass(frozen=True, slots=True)
class Search:
    """Names of fields, attributes and columns, in the order of the text, by what the rule requires of each."""

    exact: tuple[str, ...]
    """One of some values."""
    of_few: tuple[str, ...]
    """A value that passes a test, of so few different ones that they can be searched for one by one."""
    ranges: tuple[str, ...]
    """A number on some side, once for each such condition; or days, once whatever their number."""

    def __bool__(self) -> bool:
        """Could the rule be searched for at all."""
        return bool(self.exact or self.of_few or self.ranges)


def search(rule: Rule) -> Search:
    """What an index could be searched by to find whom `rule` holds for."""
    exact: list[str] = []
    of_few: list[str] = []
    ranges: list[str] = []
    for node in flattened([rule.root]):
        match node:
            case InRegion(name):
                exact.append(name.key)
            case Membership():
                of_few.append(STATUS)
            case OneOf(name, values) if all(isinstance(value, Text | Number) for value in values):
                exact.append(name.key)
            case Compare(name, _, Number()):
                ranges.append(name.key)
            case OneOf(name) | Compare(name):
                if name.key not in ranges:
                    ranges.append(name.key)
            case Engaged(activity, (), since) if since is not None:
                ranges.append(f"{activity}_at")
            case _:
                pass
    return Search(tuple(exact), tuple(of_few), tuple(ranges))


def flattened(nodes: Iterable[Node]) -> Iterator[Node]:
    """Conditions that must all hold for all of `nodes` to hold."""
    for node in nodes:
        match node:
            case And(inner):
                yield from flattened(inner)
            case Segment(_, inner):
                yield from flattened([inner])
            case _:
                yield node
