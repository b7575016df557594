"""Which numbers of a table of counts may be published, so that no published ones can be turned back into people. Pure.

What is kept from everyone, also from an association that knows its own numbers and who else took part:

1. A published number counts `SMALLEST` people or more, and still does without any one of its associations; there are
   `FEWEST_ASSOCIATIONS` or more of them.
2. A hidden number can not be known closer than to within `SMALLEST`, nor be shown to be under `SMALLEST`, whatever is
   added and subtracted.

No group of people is then shown to be under `SMALLEST`: it has at least one part that may be that large by itself, and
no part is below nothing. docs/design/0033-collective-figures.md has the reasons, and what this does not promise.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from comms.engagement.intervals import Intervals, Place

SMALLEST = 10
FEWEST_ASSOCIATIONS = 3


@dataclass(frozen=True, slots=True)
class Contribution:
    """What an association adds to one cell. One that took part and has nobody to count there adds 0."""

    who: str
    row: str
    column: str
    count: int
    """0 or more."""


class Table:
    """Contributions in a grid, with the sums of each row and column, and of all."""

    def __init__(self, contributions: Iterable[Contribution], rows: Sequence[str], columns: Sequence[str]) -> None:
        self.corner: Place = (len(rows), len(columns))
        self.counts: Counter[Place] = Counter()
        """Of each place to which somebody contributed; others are empty, and known to be."""
        self.parts: dict[Place, Counter[str]] = defaultdict(Counter)
        """Place -> association -> its part of the number there."""
        of_row, of_column = ({name: at for at, name in enumerate(names)} for names in (rows, columns))
        for each in contributions:
            own = of_row[each.row], of_column[each.column]
            for place in product((own[0], self.corner[0]), (own[1], self.corner[1])):
                self.counts[place] += each.count
                self.parts[place][each.who] += each.count

    def is_small(self, place: Place) -> bool:
        """Must the number there be hidden for its own sake?"""
        parts = self.parts[place]
        return len(parts) < FEWEST_ASSOCIATIONS or self.counts[place] - max(parts.values()) < SMALLEST


def published(
    contributions: Iterable[Contribution], rows: Sequence[str], columns: Sequence[str]
) -> Mapping[Place, int]:
    """The numbers that may be told, by place; the sums are in the row and the column after the last.

    Which others are hidden so that small ones can not be found by subtraction does not depend on their values, as
    that would tell of them; those of fewest associations go first, then sums, and the sum of all last.
    """
    table = Table(contributions, rows, columns)
    hidden = {place for place in table.counts if table.is_small(place)}
    safe: set[tuple[str, Place]] = set()
    while (also := _next_to_hide(table, hidden, safe)) is not None:
        hidden.add(also)
    return {place: count for place, count in sorted(table.counts.items()) if place not in hidden}


def _next_to_hide(table: Table, hidden: set[Place], safe: set[tuple[str, Place]]) -> Place | None:
    """A published number that helps to find a hidden one; None when none does.

    Takes into `safe` who can not find which number: the more is hidden, the less is found, so that stays.
    """
    if len(hidden) == len(table.counts):
        return None
    for who in sorted(table.parts[table.corner]):
        own = {place: table.parts[place][who] for place in hidden if set(table.parts[place]) != {who}}
        intervals = Intervals({place: table.counts[place] - part for place, part in own.items()}, table.corner)
        for place in sorted(own):
            if (who, place) in safe:
                continue
            up = intervals.up(place, SMALLEST)
            # As a count falls by no more than it is, what spans so much may also be so much.
            if up.far + intervals.down(place, SMALLEST - up.far).far < SMALLEST:
                return min(_across(table, hidden, up.reached), key=lambda at: _cost(table, at))
            safe.add((who, place))
    return None


def _across(table: Table, hidden: set[Place], reached: frozenset[int]) -> Iterator[Place]:
    """Published numbers that stand between what can be reached and the rest: hiding one lets the hidden one go on."""
    for row, column in table.counts:
        if (row, column) not in hidden and (row in reached) != (~column in reached):
            yield row, column


def _cost(table: Table, place: Place) -> tuple[int, int, Place]:
    sums = (place[0] == table.corner[0]) + (place[1] == table.corner[1])
    return sums, len(table.parts[place]), place
