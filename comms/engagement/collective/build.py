"""What each association did with a campaign -> the report that everyone may read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from types import MappingProxyType

from comms.engagement.collective.figures import TABLES, Cell, CollectiveReport, CrossTable, Figure, PollFigures, Source
from comms.engagement.disclosure import FEWEST_ASSOCIATIONS, SMALLEST, Contribution, published
from comms.engagement.intervals import Place
from comms.rendering.clean import one_line

NOT_STATED = "not stated"
_LONGEST_NAME = 60
"""Characters of a sector, a state or an answer; what is longer is cut."""
_COARSE = 100
"""Bounds are rounded to this, for the longest list is the list of one association."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of the campaign with one association, when it was closed.

    Raises ValueError for numbers below nothing, for bounds the wrong way round, and for what one can not have
    without having sent.
    """

    slug: str
    name: str
    sector: str
    state: str
    """US state (`ME`, or `US-ME` as in ISO 3166-2) or any other region."""
    offered: bool = True
    accepted: bool = False
    sent: bool = False
    copies: int = 0
    people_low: int = 0
    people_high: int = 0
    """Different people of its own list, at least and at most."""
    clicks: int = 0
    """Of people, not of programs."""
    replies: int = 0
    already_reached: int = 0
    """Members who were left out, for another association had reached them."""
    answers: Mapping[tuple[str, str], int] = field(default_factory=lambda: MappingProxyType({}))
    """(question, answer) -> how many gave it."""
    measured: bool = True
    """Counted by this engine; else told by the association."""

    def __post_init__(self) -> None:
        counts = {name: getattr(self, name) for name in _COUNTS} | {repr(key): n for key, n in self.answers.items()}
        for name, count in counts.items():
            if count < 0:
                raise ValueError(f"{self.name}: {name} is {count}, and can not be below 0")
            if count and not self.sent:
                raise ValueError(f"{self.name}: {name} is {count}, but it did not send the campaign")
        if self.people_low > self.people_high:
            raise ValueError(f"{self.name}: {self.people_low} people at least are more than {self.people_high} at most")


_COUNTS = ("copies", "people_low", "people_high", "clicks", "replies", "already_reached")


def build(
    rows: Iterable[Carried],
    *,
    campaign: str,
    title: str,
    coalition: str,
    closed: datetime,
    people: int | None = None,
) -> CollectiveReport:
    """The report of one campaign. Same rows, in any order, same report.

    Build it once, when the campaign is closed, and keep it: two reports of different moments could be subtracted.
    `people` are the different people reached through the associations that were measured, where one engine
    could match their lists. Raises ValueError when an association comes twice.
    """
    asked = sorted((row for row in rows if row.offered), key=lambda row: row.slug)
    for one, other in pairwise(asked):
        if one.slug == other.slug:
            raise ValueError(f"{one.name} ({one.slug}) is there twice")
    senders = [row for row in asked if row.sent]
    source = _source(senders)
    tables = tuple(_table(key, asked, senders) for key in TABLES)
    figures = [
        Figure("offered", len(asked), len(asked), Source.MEASURED),
        _number("accepted", sum(row.accepted for row in asked), Source.MEASURED),
        _number("sent", len(senders), source),
        _number("sectors", len({_name(row.sector) for row in senders}), source),
        _number("states", len({_state(row) for row in senders}), source),
        _figure("copies", tables[0].total, source),
        _people(senders, people, source),
        _figure("spared", _alone([(row.slug, row.already_reached) for row in senders]), source),
        _figure("clicks", tables[1].total, source),
        _figure("replies", tables[2].total, source),
    ]
    return CollectiveReport(
        campaign, one_line(title), one_line(coalition), closed.replace(microsecond=0), tuple(figures), tables,
        tuple(_polls(senders)),
    )  # fmt: skip


def _number(key: str, count: int, source: Source | None) -> Figure:
    """Of associations, which are no people: what they do with a campaign can be read in public."""
    return Figure(key, count, count, source)


def _figure(key: str, cell: Cell, source: Source | None) -> Figure:
    return Figure(key, cell.count, cell.count, source)


def _source(rows: Sequence[Carried]) -> Source | None:
    kinds = {row.measured for row in rows}
    if len(kinds) == 2:
        return Source.MIXED
    return None if not kinds else Source.MEASURED if kinds.pop() else Source.SELF_REPORTED


def _name(text: str) -> str:
    return one_line(text)[:_LONGEST_NAME] or NOT_STATED


def _state(row: Carried) -> str:
    return _name(row.state).removeprefix("US-")


def _table(key: str, asked: Sequence[Carried], senders: Sequence[Carried]) -> CrossTable:
    """With every state and sector that was asked, so that who did not send can not be told from it."""
    states = tuple(sorted({_state(row) for row in asked}))
    sectors = tuple(sorted({_name(row.sector) for row in asked}))
    parts = [Contribution(row.slug, _state(row), _name(row.sector), getattr(row, key)) for row in senders]
    told = published(parts, states, sectors)
    there = {(states.index(_state(row)), sectors.index(_name(row.sector))) for row in asked}
    return CrossTable(
        key,
        states,
        sectors,
        tuple(
            tuple(
                _cell(told, (row, column), row == len(states) or column == len(sectors) or (row, column) in there)
                for column in range(len(sectors) + 1)
            )
            for row in range(len(states) + 1)
        ),
    )


def _cell(told: Mapping[Place, int], place: Place, is_there: bool = True) -> Cell:
    """Nothing is to be told where no association was asked; everything else that is not told is hidden, 0 too."""
    return Cell(told[place]) if place in told else Cell(None, more=is_there)


def _alone(parts: Sequence[tuple[str, int]]) -> Cell:
    """A number that stands in no table, from each association's part of it."""
    return _cell(published([Contribution(slug, "", "", count) for slug, count in parts], [""], [""]), (1, 1))


def _people(senders: Sequence[Carried], people: int | None, source: Source | None) -> Figure:
    """Rounded, as the exact number would tell how few got a second copy, or how long the longest list is."""
    outside = [row for row in senders if not row.measured or people is None]
    matched = people or 0
    most = matched + sum(row.people_high for row in outside)
    if len(senders) < FEWEST_ASSOCIATIONS or most - max(row.people_high for row in senders) < SMALLEST:
        return Figure("people", None, None, source)
    if not outside:
        low = matched // SMALLEST * SMALLEST
        return Figure("people", low, low, source)
    least = max(matched, *(row.people_low for row in outside))
    return Figure("people", least // _COARSE * _COARSE, -(-most // _COARSE) * _COARSE, source)


def _polls(senders: Sequence[Carried]) -> Iterable[PollFigures]:
    """Questions and answers in the order in which they come; an answer that is not there was given by nobody."""
    questions: dict[str, dict[str, None]] = {}
    for row in senders:
        for question, answer in row.answers:
            questions.setdefault(question, {})[answer] = None
    for question, answers in questions.items():
        texts = list(answers)
        parts = [
            Contribution(row.slug, text, "", row.answers.get((question, text), 0)) for row in senders for text in texts
        ]
        told = published(parts, texts, [""])
        shown = tuple((one_line(text), _cell(told, (at, 1))) for at, text in enumerate(texts))
        yield PollFigures(one_line(question), shown, _cell(told, (len(texts), 1)))
