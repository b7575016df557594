"""Two ways to find out what a table hides, which share nothing with each other or with what hides it.

Both know what is published, which cells nobody contributed to, that no count is below nothing, and what one
association contributed, if they are it. `bounds` says what a sum of cells must lie between, by exact arithmetic;
`all_tables` tries every table there is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

from comms.engagement.disclosure import Contribution

Cell = tuple[str, str]
Place = tuple[int, int]


@dataclass
class Knowledge:
    """What an onlooker knows: equations over what he does not."""

    unknown: list[Cell]
    equations: list[tuple[frozenset[Cell], int]]
    """A sum of unknown cells, and what it is."""


def knowledge(
    contributions: Iterable[Contribution],
    rows: list[str],
    columns: list[str],
    told: Mapping[Place, int],
    who: str | None = None,
) -> Knowledge:
    """Of `who`, or of somebody who took no part. His own is taken off all numbers."""
    others: set[Cell] = {(each.row, each.column) for each in contributions if each.who != who}
    own: dict[Cell, int] = defaultdict(int)
    for each in contributions:
        if each.who == who:
            own[each.row, each.column] += each.count
    equations = []
    for (row, column), count in told.items():
        covered = {
            (one, other)
            for one in (rows if row == len(rows) else [rows[row]])
            for other in (columns if column == len(columns) else [columns[column]])
        }
        equations.append((frozenset(covered & others), count - sum(own[cell] for cell in covered)))
    return Knowledge(sorted(others), equations)


def all_tables(known: Knowledge, most: int) -> Iterator[dict[Cell, int]]:
    """Every table of counts up to `most` that agrees with what is known."""

    def go_on(position: int, left: list[int], table: dict[Cell, int]) -> Iterator[dict[Cell, int]]:
        if position == len(known.unknown):
            if not any(left):
                yield dict(table)
            return
        cell = known.unknown[position]
        touched = [at for at, (cells, _) in enumerate(known.equations) if cell in cells]
        later = set(known.unknown[position + 1 :])
        for value in reversed(range(min([most, *(left[at] for at in touched)]) + 1)):
            after = [rest - value if at in touched else rest for at, rest in enumerate(left)]
            if all(not rest or known.equations[at][0] & later for at, rest in enumerate(after)):
                yield from go_on(position + 1, after, {**table, cell: value})

    yield from go_on(0, [count for _, count in known.equations], {})


def bounds(known: Knowledge, group: Iterable[Cell]) -> tuple[int, int | None]:
    """The least and the most that the cells of a group can count together; None for no limit."""
    aim = [Fraction(cell in set(group)) for cell in known.unknown]
    least = _least(known, aim)
    most = _least(known, [-each for each in aim])
    assert least is not None
    assert least.denominator == 1
    return int(least), None if most is None else -int(most)


def _least(known: Knowledge, aim: list[Fraction]) -> Fraction | None:
    """The least of a linear sum under the equations, by the simplex method in fractions; None when there is none."""
    width = len(known.unknown)
    rows = [
        [Fraction(cell in cells) for cell in known.unknown]
        + [Fraction(at == own) for at in range(len(known.equations))]
        + [Fraction(count)]
        for own, (cells, count) in enumerate(known.equations)
    ]
    basis = [width + at for at in range(len(rows))]
    _descend(rows, basis, [Fraction(0)] * width + [Fraction(1)] * len(rows))
    assert all(not row[-1] for row, base in zip(rows, basis, strict=True) if base >= width), "the true table agrees"
    for at in range(len(rows)):
        # What was only there to begin with leaves the basis where it can, and is worth nothing where it can not.
        column = next((column for column in range(width) if rows[at][column]), None)
        if basis[at] >= width and column is not None:
            _pivot(rows, basis, at, column)
    kept = [at for at, base in enumerate(basis) if base < width]
    rows, basis = [rows[at][:width] + rows[at][-1:] for at in kept], [basis[at] for at in kept]
    if not _descend(rows, basis, aim):
        return None
    return sum((aim[base] * row[-1] for row, base in zip(rows, basis, strict=True)), Fraction(0))


def _descend(rows: list[list[Fraction]], basis: list[int], aim: list[Fraction]) -> bool:
    """Pivot until nothing makes the sum less (Bland's rule, so it ends); False when it has no least."""
    while True:
        for column in range(len(aim)):
            gain = aim[column] - sum(aim[base] * row[column] for row, base in zip(rows, basis, strict=True))
            if gain < 0:
                break
        else:
            return True
        ratios = [(row[-1] / row[column], basis[at], at) for at, row in enumerate(rows) if row[column] > 0]
        if not ratios:
            return False
        _pivot(rows, basis, min(ratios)[2], column)


def _pivot(rows: list[list[Fraction]], basis: list[int], at: int, column: int) -> None:
    factor = rows[at][column]
    rows[at] = [value / factor for value in rows[at]]
    for other, row in enumerate(rows):
        if other != at and row[column]:
            scale = row[column]
            rows[other] = [value - scale * pivot for value, pivot in zip(row, rows[at], strict=True)]
    basis[at] = column
