"""Parts of an SQL condition, and how they are joined so that SQLite takes it. Knows no rules."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum

Bound = str | int | float


class Binding(IntEnum):
    """How tightly an expression holds together; a TIGHT one may also be followed by IS."""

    OR = 0
    AND = 1
    TIGHT = 2


@dataclass(frozen=True, slots=True)
class Sql:
    text: str
    binding: Binding = Binding.TIGHT
    depth: int = 1
    """How deeply the expression nests; SQLite refuses more than 1,000 levels."""

    def within(self, binding: int) -> str:
        """The text to put where something at least so tight is wanted."""
        return self.text if self.binding >= binding else f"({self.text})"


@dataclass(slots=True)
class Parameters:
    """The values of a condition, each under a name of its own."""

    values: dict[str, Bound] = field(default_factory=dict)
    """All names start with `segment_`."""

    def bind(self, value: Bound) -> str:
        """What stands for `value` in the SQL."""
        name = f"segment_{len(self.values) + 1}"
        self.values[name] = value
        return f":{name}"

    def bind_all(self, values: Iterable[Bound]) -> str:
        """A list for IN, without its parentheses."""
        return ", ".join(map(self.bind, values))


def join(binding: Binding, parts: Iterable[Sql]) -> Sql:
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
        heapq.heappush(heap, (deep + 1, made, Sql(text, binding, deep + 1)))
        made += 1
    return heap[0][2]
