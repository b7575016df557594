"""A collective report for the terminal, as something that rich can print. Text from outside can not steer it."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from comms.engagement.collective.figures import CollectiveReport, CrossTable, PollFigures
from comms.engagement.terminal import add_row, bar, plain_table
from comms.rendering.clean import one_line


def render(report: CollectiveReport) -> RenderableType:
    """The whole report; tables of which nothing is told but the sum are left out."""
    sections: list[RenderableType] = [_head(report), _figures(report)]
    sections += [_cross(report, table) for table in report.tables if table.tells_parts]
    sections += [
        _poll(part.title if report.parts else "", poll) for part in (report, *report.parts) for poll in part.polls
    ]
    if report.parts:
        sections.append(_campaigns(report))
    return Group(*(part for section in sections for part in (section, Text())))


def _head(report: CollectiveReport) -> Text:
    text = Text()
    text.append(f"{one_line(report.title)}\n", style="bold")
    text.append(f"{one_line(report.coalition)}, {report.closed_words}\n")
    text.append("Hidden: of too few people or associations, or would give others away.", style="dim")
    return text


def _figures(report: CollectiveReport) -> Table:
    table = plain_table("Together", ("Figure", "Number", "Counted", "What it counts"), numbers=(1,))
    for figure in report.figures:
        name, meaning = report.words(figure.key)
        add_row(table, name, figure.told, figure.source.value if figure.source else "", meaning)
    return table


def _cross(report: CollectiveReport, cross: CrossTable) -> Table:
    columns = ("State", *cross.sectors, "Together")
    table = plain_table(f"{report.words(cross.key)[0]} by state and sector", columns, numbers=range(1, len(columns)))
    for state, row in cross.told_states:
        add_row(table, state, *(cell.told for cell in row))
    others, together = cross.other_states
    if others:
        add_row(table, f"{others} others", *("" for _ in cross.sectors), together.told)
    add_row(table, "Together", *(cell.told for cell in cross.cells[-1]))
    return table


def _poll(campaign: str, poll: PollFigures) -> Table:
    title = f"Poll: {poll.question}" + (f" ({campaign})" if campaign else "")
    table = plain_table(one_line(title), ("Answer", "Number", ""), numbers=(1,))
    most = max((cell.count or 0 for _, cell in poll.answers), default=0)
    for text, cell in poll.answers:
        add_row(table, text, cell.told, Text(bar(cell.count or 0, most), style="blue"))
    add_row(table, "Together", poll.total.told, "")
    return table


def _campaigns(report: CollectiveReport) -> Table:
    keys = ("sent", "copies", "people", "clicks", "replies")
    columns = ("Campaign", "Closed", *(report.parts[0].words(key)[0] for key in keys))
    table = plain_table("By campaign", columns, numbers=range(2, len(columns)))
    for part in report.parts:
        add_row(table, part.title, f"{part.closed:%Y-%m-%d}", *(part.figure(key).told for key in keys))
    return table
