"""A collective report as one HTML page that needs no file, no script and no connection. Made to be printed."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from comms.engagement import plots
from comms.engagement.collective.figures import CollectiveReport, CrossTable, PollFigures
from comms.engagement.disclosure import FEWEST_ASSOCIATIONS, SMALLEST
from comms.engagement.html import ENVIRONMENT
from comms.engagement.tilemap import off_the_map, tilemap
from comms.engagement.words import percent
from comms.files import save

_LARGE = ("people", "copies", "clicks", "replies")
"""Figures that stand at the top, in this order."""
_LINES = ("sent", "copies", "people", "clicks", "replies")
"""Figures of each campaign, where there are several."""


def to_html(report: CollectiveReport) -> str:
    """The page; every text in it is data. Same report, same page."""
    copies = report.table("copies")
    polls = [(part.title, poll) for part in (report, *report.parts) for poll in part.polls]
    return ENVIRONMENT.get_template("collective.html").render(
        report=report,
        large=[report.figure(key) for key in _LARGE],
        lines=_LINES,
        map=_map(copies),
        elsewhere=off_the_map(copies.states),
        sectors=_sectors(copies),
        unsure=any(cell.more and cell.count is not None for _, cell in copies.by_state),
        polls=[(title, poll, _poll(position, poll)) for position, (title, poll) in enumerate(polls)],
        told=[table for table in report.tables if table.tells_parts],
        untold=[report.words(table.key)[0].lower() for table in report.tables if not table.tells_parts],
        percent=percent,
        smallest=SMALLEST,
        fewest=FEWEST_ASSOCIATIONS,
    )


def write_html(report: CollectiveReport, path: Path) -> None:
    """The page as a file in UTF-8. Raises StorageError."""
    save(path, to_html(report).encode("utf-8", "replace"))


def _map(copies: CrossTable) -> Markup:
    """Empty where the map has none of the states, or no number stands for one."""
    states = {state: cell.count for state, cell in copies.by_state}
    if len(off_the_map(copies.states)) == len(copies.states) or not any(states.values()):
        return Markup("")
    return tilemap("map", "Copies by state", states)


def _sectors(copies: CrossTable) -> Markup:
    rows = [
        (f"{sector} (or more)" if cell.more else sector, cell.count) for sector, cell in copies.by_sector if cell.count
    ]
    return (
        plots.bars("sectors", "Copies by sector", sorted(rows, key=lambda row: -row[1]))
        if len(rows) > 1
        else Markup("")
    )


def _poll(position: int, poll: PollFigures) -> Markup:
    rows = [(text, cell.count) for text, cell in poll.answers if cell.count is not None]
    return plots.bars(f"poll-{position}", poll.question, rows) if rows else Markup("")
