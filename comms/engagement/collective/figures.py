"""A collective report as frozen data and as JSON. Counts nothing and draws nothing.

Whatever stands in here may be read by everyone: it holds no association, and no number that was not let through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

FORMAT = 1
"""Of `to_json`. A frozen report is kept as JSON for years; a later program reads it by this number."""


class Source(StrEnum):
    """Who counted."""

    MEASURED = "measured"
    SELF_REPORTED = "self-reported"
    MIXED = "mixed"

    @property
    def words(self) -> str:
        return _SOURCE_WORDS[self]


_SOURCE_WORDS: Mapping[Source, str] = {
    Source.MEASURED: "counted by the coalition's own system",
    Source.SELF_REPORTED: "told by the associations, who sent with tools of their own",
    Source.MIXED: "in part counted by the coalition's own system, in part told by associations",
}

FIGURES: Mapping[str, tuple[str, str]] = {
    "offered": ("Associations offered", "associations that were asked to pass the campaign on to their members"),
    "accepted": ("Associations that accepted", "of these, the ones that said yes"),
    "sent": ("Associations that sent", "of these, the ones whose members got it"),
    "sectors": ("Sectors", "sectors in which at least one association sent"),
    "states": ("States", "states or regions in which at least one association sent"),
    "copies": ("Copies", "newsletters that mail servers took, all associations together"),
    "people": ("People reached", "different people who got at least one copy, rounded down to tens"),
    "spared": (
        "Second copies spared",
        "times somebody on two lists or more got the campaign from one association only",
    ),
    "clicks": ("Clicks", "clicks on links, without those that were seen to come from programs"),
    "replies": ("Replies", "answers that people wrote, without automatic ones"),
}
"""Key -> its name and its definition, in the order in which figures are told."""

PEOPLE_WITHIN_BOUNDS = (
    "people who got at least one copy. Where associations send with tools of their own nobody can see who is on two "
    "lists, so it lies between the longest list and the sum of all, both rounded outwards to hundreds"
)
"""The definition where people could not be counted once each."""

SEVERAL: Mapping[str, tuple[str, str]] = {
    "offered": ("Offers made", "an association that was offered two campaigns counts twice"),
    "accepted": ("Offers accepted", "an association that accepted two campaigns counts twice"),
    "sent": ("Offers carried out", "an association that sent two campaigns counts twice"),
    "sectors": ("Sectors", "sectors of the campaign that came to most"),
    "states": ("States", "states or regions of the campaign that came to most"),
    "people": (
        "People reached",
        "by the campaign that reached most. People are not added up: most of them got several campaigns, and no list "
        "is kept of who got which, so the sum would count them again each time",
    ),
}
"""What is told differently, or has to be, of several campaigns together."""

TABLES = ("copies", "clicks", "replies")
"""Figures that are also told by state and sector."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of the report: exact, within bounds, a least, or hidden."""

    key: str
    low: int | None
    """None: hidden, for it is of too few people or associations, or would give others away."""
    high: int | None
    """The same as `low` where it is exact; None: it may be more."""
    source: Source | None = None
    """None where nobody counted anything, as nobody sent."""

    @property
    def told(self) -> str:
        """`1,234`, `1,200 to 1,900`, `up to 100`, `1,200 or more`, `hidden`."""
        if self.low is None:
            return "hidden"
        if self.high is None:
            return f"{self.low:,} or more"
        if self.low == self.high:
            return f"{self.low:,}"
        return f"{self.low:,} to {self.high:,}" if self.low else f"up to {self.high:,}"


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a table."""

    count: int | None
    """None: nothing is told."""
    more: bool = False
    """There is, or may be, something that is not told."""

    @property
    def told(self) -> str:
        """`1,234`; `1,234 or more`; `hidden`; nothing where there is nothing to tell."""
        if self.count is None:
            return "hidden" if self.more else ""
        return f"{self.count:,} or more" if self.more else f"{self.count:,}"


@dataclass(frozen=True, slots=True)
class CrossTable:
    """A figure by state and sector. `cells` has a row per state and one of sums, each with a cell per sector and
    one of sums."""

    key: str
    states: tuple[str, ...]
    sectors: tuple[str, ...]
    cells: tuple[tuple[Cell, ...], ...]

    @property
    def total(self) -> Cell:
        return self.cells[-1][-1]

    @property
    def by_sector(self) -> tuple[tuple[str, Cell], ...]:
        return tuple(zip(self.sectors, self.cells[-1], strict=False))

    @property
    def by_state(self) -> tuple[tuple[str, Cell], ...]:
        return tuple((state, row[-1]) for state, row in zip(self.states, self.cells, strict=False))

    @property
    def told_states(self) -> tuple[tuple[str, tuple[Cell, ...]], ...]:
        """States with their cells, where any is told."""
        rows = zip(self.states, self.cells, strict=False)
        return tuple((state, row) for state, row in rows if any(cell.count is not None for cell in row))

    @property
    def told_names(self) -> frozenset[str]:
        return frozenset(state for state, _ in self.told_states)

    @property
    def tells_parts(self) -> bool:
        """Is anything told but the sum of all?"""
        return sum(cell.count is not None for row in self.cells for cell in row) > (self.total.count is not None)

    @property
    def other_states(self) -> tuple[int, Cell]:
        """How many states have no number of their own, and what they have together."""
        told = [cell for _, cell in self.by_state if cell.count is not None]
        others = sum(cell.count is None and cell.more for _, cell in self.by_state)
        if not others or self.total.count is None or any(cell.more for cell in (self.total, *told)):
            return others, Cell(None, more=others > 0)
        # Nothing is left where nobody sent in any of them, and that is not to look like a number of people.
        left = self.total.count - sum(cell.count or 0 for cell in told)
        return others, Cell(left or None, more=not left)


@dataclass(frozen=True, slots=True)
class PollFigures:
    """A poll that came with the campaign: each answer, and how many gave it."""

    question: str
    answers: tuple[tuple[str, Cell], ...]
    total: Cell


@dataclass(frozen=True, slots=True)
class CollectiveReport:
    """What associations reached together with one campaign, or with several (`parts`), when they were closed."""

    campaign: str
    """Its id; empty for several."""
    title: str
    coalition: str
    closed: datetime
    """Aware; of several campaigns the last one's. Nothing that comes in later is counted."""
    figures: tuple[Figure, ...]
    tables: tuple[CrossTable, ...]
    polls: tuple[PollFigures, ...] = ()
    parts: tuple[CollectiveReport, ...] = ()
    """The reports of the campaigns of which this is the sum, first closed first; empty for one campaign."""

    def figure(self, key: str) -> Figure:
        return next(figure for figure in self.figures if figure.key == key)

    def table(self, key: str) -> CrossTable:
        return next(table for table in self.tables if table.key == key)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Those that its figures have."""
        return tuple(source for source in Source if any(figure.source is source for figure in self.figures))

    @property
    def closed_words(self) -> str:
        """`closed on 15 March 2027, 17:00 UTC`."""
        day = f"{self.closed.day} {self.closed:%B %Y, %H:%M} {self.closed.tzname()}"
        return f"campaigns closed until {day}" if self.parts else f"closed on {day}"

    def words(self, key: str) -> tuple[str, str]:
        """Name and definition of a figure."""
        if self.parts and key in SEVERAL:
            return SEVERAL[key]
        name, definition = FIGURES[key]
        people = self.figure("people")
        return name, PEOPLE_WITHIN_BOUNDS if key == "people" and people.low != people.high else definition

    @property
    def smallest_cell(self) -> int | None:
        """The least number of people that is told anywhere; None where none is."""
        cells = [cell.count for table in self.tables for row in table.cells for cell in row]
        cells += [cell.count for poll in self.polls for cell in (poll.total, *(cell for _, cell in poll.answers))]
        cells += [figure.high for figure in (self.figure("people"), self.figure("spared"))]
        cells += [part.smallest_cell for part in self.parts]
        return min((cell for cell in cells if cell is not None), default=None)

    def to_json(self) -> dict[str, Any]:
        """Plain data with stable keys. In `cells`, `count` is null where nothing is told."""
        return {
            "format": FORMAT,
            "campaign": self.campaign,
            "title": self.title,
            "coalition": self.coalition,
            "closed": self.closed.isoformat(timespec="seconds"),
            "smallest_cell": self.smallest_cell,
            "figures": [
                {**asdict(figure), "name": self.words(figure.key)[0], "definition": self.words(figure.key)[1]}
                for figure in self.figures
            ],
            "tables": [
                {
                    "key": table.key,
                    "states": list(table.states),
                    "sectors": list(table.sectors),
                    "cells": [[asdict(cell) for cell in row] for row in table.cells],
                }
                for table in self.tables
            ],
            "polls": [
                {
                    "question": poll.question,
                    "answers": [{"text": text, **asdict(cell)} for text, cell in poll.answers],
                    "total": asdict(poll.total),
                }
                for poll in self.polls
            ],
            "parts": [part.to_json() for part in self.parts],
        }

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> CollectiveReport:
        """What `to_json` gave, to the second. Raises KeyError, TypeError or ValueError for anything else."""
        if plain["format"] != FORMAT:
            raise ValueError(f"a report of format {plain['format']}; this program knows {FORMAT}")
        return cls(
            campaign=plain["campaign"],
            title=plain["title"],
            coalition=plain["coalition"],
            closed=datetime.fromisoformat(plain["closed"]),
            figures=tuple(
                Figure(each["key"], each["low"], each["high"], Source(each["source"]) if each["source"] else None)
                for each in plain["figures"]
            ),
            tables=tuple(
                CrossTable(
                    each["key"],
                    tuple(each["states"]),
                    tuple(each["sectors"]),
                    tuple(tuple(Cell(**cell) for cell in row) for row in each["cells"]),
                )
                for each in plain["tables"]
            ),
            polls=tuple(_polls(plain["polls"])),
            parts=tuple(map(cls.from_json, plain["parts"])),
        )


def _polls(plain: list[dict[str, Any]]) -> Iterator[PollFigures]:
    for poll in plain:
        answers = tuple((answer["text"], Cell(answer["count"], answer["more"])) for answer in poll["answers"])
        yield PollFigures(poll["question"], answers, Cell(**poll["total"]))
