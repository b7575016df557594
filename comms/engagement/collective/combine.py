"""Several campaigns in one report, such as those of a quarter. Pure.

Made of what was published of each campaign, and of nothing else: so it tells nothing that they do not tell, whatever
is subtracted from it. The price is that sums are "or more" where a campaign hid its part.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from comms.engagement.collective.figures import (
    FIGURES,
    TABLES,
    Cell,
    CollectiveReport,
    CrossTable,
    Figure,
    Source,
)
from comms.rendering.clean import one_line

_NOT_ADDED_UP = ("sectors", "states", "people")
"""The same ones come again in the next campaign."""


def combine(reports: Iterable[CollectiveReport], *, title: str, coalition: str) -> CollectiveReport:
    """One report of several campaigns; those that are of several themselves count as their campaigns.

    People are not added up: see `figures.SEVERAL`. Raises ValueError for no report, and when a campaign comes twice.
    """
    campaigns = sorted(
        (part for report in reports for part in (report.parts or (report,))),
        key=lambda part: (part.closed, part.campaign),
    )
    if not campaigns:
        raise ValueError("there is no closed campaign to report on")
    ids = [part.campaign for part in campaigns]
    if twice := next((each for each in ids if ids.count(each) > 1), None):
        raise ValueError(f"the campaign {twice} is there twice")
    return CollectiveReport(
        campaign="",
        title=one_line(title),
        coalition=one_line(coalition),
        closed=campaigns[-1].closed,
        figures=tuple(_figure(key, [part.figure(key) for part in campaigns]) for key in FIGURES),
        tables=tuple(_table(key, [part.table(key) for part in campaigns]) for key in TABLES),
        parts=tuple(campaigns),
    )


def _figure(key: str, figures: Sequence[Figure]) -> Figure:
    source = _source(figures)
    known = [figure.low for figure in figures if figure.low is not None]
    if not known:
        return Figure(key, None, None, source)
    if key in _NOT_ADDED_UP:
        return Figure(key, max(known), max(known) if len(figures) == 1 else None, source)
    highs = [figure.high for figure in figures]
    return Figure(key, sum(known), sum(high for high in highs if high) if None not in highs else None, source)


def _source(figures: Sequence[Figure]) -> Source | None:
    sources = {figure.source for figure in figures if figure.source is not None}
    return Source.MIXED if len(sources) > 1 else next(iter(sources), None)


def _table(key: str, tables: Sequence[CrossTable]) -> CrossTable:
    """Over all states and sectors that any campaign has."""
    states = tuple(sorted({state for table in tables for state in table.states}))
    sectors = tuple(sorted({sector for table in tables for sector in table.sectors}))
    # None stands for the sums, which are not called by a name that somebody could have.
    found = [
        {
            (state, sector): cell
            for state, row in zip((*table.states, None), table.cells, strict=True)
            for sector, cell in zip((*table.sectors, None), row, strict=True)
        }
        for table in tables
    ]
    return CrossTable(
        key,
        states,
        sectors,
        tuple(
            tuple(
                _sum([each[place] for each in found if (place := (state, sector)) in each])
                for sector in (*sectors, None)
            )
            for state in (*states, None)
        ),
    )


def _sum(cells: Sequence[Cell]) -> Cell:
    known = [cell.count for cell in cells if cell.count is not None]
    return Cell(sum(known) if known else None, any(cell.more for cell in cells))
