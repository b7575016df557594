"""A report for the terminal, as something that rich can print. Text from outside can not steer the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from audiences.consent import Exclusion
from comms.engagement.report import (
    FIGURES,
    SMALLEST_BASE,
    STATE_MEANINGS,
    STATES,
    DoubtCase,
    PollReport,
    RelayedReport,
    ReportData,
)
from comms.engagement.words import percent, post_words, resolution_words, skip_words
from comms.events import DeliveryState
from comms.rendering.clean import one_line

_BAR_CELLS = 20
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STYLES = {
    DeliveryState.SENT: "green",
    DeliveryState.FAILED: "red",
    DeliveryState.UNCERTAIN: "magenta",
    DeliveryState.DEFERRED: "yellow",
}
_MOST_LINKS = 15


def render(data: ReportData) -> RenderableType:
    """The whole report; sections about which there is nothing to tell are left out."""
    sections: list[RenderableType] = [_head(data), _deliveries(data), _engagement(data)]
    if data.links:
        sections.append(_links(data))
    sections.extend(map(_poll, data.polls))
    if data.languages:
        sections.append(_languages(data))
    if len(data.associations) > 1:
        sections.append(_associations(data))
    reasons = _reasons(data)
    if reasons.row_count:
        sections.append(reasons)
    if data.entries or data.posts:
        sections.append(_published(data))
    if data.relayed:
        sections.append(_relayed(data.relayed))
    if data.in_doubt:
        sections.append(_in_doubt(data.in_doubt))
    spaced = [part for section in sections for part in (section, Text())]
    return Group(*spaced[:-1])


def bar(value: int, most: int) -> str:
    """A bar of at most twenty cells, in eighths of a cell; whatever is not nothing can be seen."""
    if not value or not most:
        return ""
    eighths = max(1, round(value * _BAR_CELLS * 8 / most))
    return _EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _head(data: ReportData) -> Text:
    sent = data.status.deliveries["sent"]
    text = Text()
    text.append(f"{one_line(data.title)}\n", style="bold")
    text.append(f"{one_line(data.status.id)}, {data.status.state}, as of {data.at:%Y-%m-%d %H:%M %Z}\n")
    text.append(f"{sent:,} of {data.status.audience:,} planned newsletters were taken by the mail servers")
    if data.status.audience >= SMALLEST_BASE:
        text.append(f" ({percent(sent, data.status.audience)})")
    text.append(".")
    return text


def _deliveries(data: ReportData) -> Table:
    table = plain_table("Deliveries", ("State", "Number", "Share", "", "What it counts"), numbers=(1, 2))
    for state in STATES:
        count = data.status.deliveries[state.value]
        if count or state is DeliveryState.SENT:
            add_row(
                table,
                state.value,
                f"{count:,}",
                percent(count, data.status.audience),
                Text(bar(count, data.status.audience), style=_STYLES.get(state, "blue")),
                STATE_MEANINGS[state],
            )
    return table


def _engagement(data: ReportData) -> Table:
    done = data.engagement
    table = plain_table("Readers", ("Figure", "Number", "What it counts"), numbers=(1,))
    add_row(table, "clicks", f"{done.clicked:,}", FIGURES["clicked"])
    of_tracked = f" of {done.trackable:,}" if done.trackable else ""
    add_row(table, "clickers by name", f"{done.clickers:,}{of_tracked}", FIGURES["clickers"])
    add_row(table, "openers by name", f"{done.opened:,}{of_tracked}", FIGURES["opened"])
    add_row(table, "unsubscribed", f"{done.unsubscribed:,}", FIGURES["unsubscribed"])
    add_row(table, "read online", f"{done.views:,}", FIGURES["views"])
    if done.replied:
        add_row(table, "answered", f"{done.replied:,}", FIGURES["replied"])
    if done.bounced:
        add_row(table, "came back", f"{done.bounced:,}", FIGURES["bounced"])
    if done.complained:
        add_row(table, "called spam", f"{done.complained:,}", FIGURES["complained"])
    return table


def _relayed(relayed: RelayedReport) -> RenderableType:
    title = f"Relayed from {one_line(relayed.coalition)}"
    if relayed.closed is None:
        return Text(f"{title}: what all associations reached together is told when the campaign is closed.")
    table = plain_table(title, ("All associations together", "Number"), numbers=(1,))
    for name, number in relayed.figures:
        add_row(table, name, number)
    if relayed.already_reached is not None:
        add_row(table, "Your members already reached by another association", relayed.already_reached_words)
    return table


def _links(data: ReportData) -> Table:
    table = plain_table("Links", ("Link", "Clicks", "By name", ""), numbers=(1, 2))
    most = data.links[0].clicks
    for link in data.links[:_MOST_LINKS]:
        add_row(table, link.url, f"{link.clicks:,}", f"{link.people:,}", Text(bar(link.clicks, most), style="blue"))
    if len(data.links) > _MOST_LINKS:
        add_row(table, f"and {len(data.links) - _MOST_LINKS} more", "", "", "")
    return table


def _poll(poll: PollReport) -> Table:
    table = plain_table(f"Poll: {one_line(poll.question)}", ("Answer", "Number", "Share", ""), numbers=(1, 2))
    most = max(answer.count for answer in poll.answers)
    for answer in poll.answers:
        share = percent(answer.count, poll.count)
        add_row(table, answer.text, f"{answer.count:,}", share, Text(bar(answer.count, most), style="blue"))
    return table


def _languages(data: ReportData) -> Table:
    table = plain_table("By language", ("Language", "Planned", "Sent", "Failed", "Open", "Clicks"), numbers=range(1, 6))
    for part in data.languages:
        count = part.deliveries
        waiting = count["ready"] + count["claimed"] + count["deferred"]
        figures = (part.audience, count["sent"], count["failed"], waiting, part.clicked)
        add_row(table, part.name, *(f"{figure:,}" for figure in figures))
    return table


def _associations(data: ReportData) -> Table:
    names = ("Association", "Planned", "Sent", "Failed", "Open", "Clicks", "Unsubscribed")
    table = plain_table("By association", names, numbers=range(1, 7))
    for part in data.associations:
        count = part.deliveries
        add_row(
            table,
            part.name,
            f"{part.audience:,}",
            f"{count['sent']:,}",
            f"{count['failed']:,}",
            f"{count['ready'] + count['claimed'] + count['deferred']:,}",
            f"{part.engagement.clicked:,}",
            f"{part.engagement.unsubscribed:,}",
        )
    return table


def _reasons(data: ReportData) -> Table:
    table = plain_table("Not reached", ("Association", "Number", "Why"), numbers=(1,))
    for part in data.associations:
        for reason, count in sorted(part.excluded.items()):
            add_row(table, part.name, f"{count:,}", f"not in the audience: {Exclusion(reason).words}")
        for reason, count in part.skips.items():
            add_row(table, part.name, f"{count:,}", f"left out at the last moment: {skip_words(reason)}")
        for reason, count in part.failures.items():
            add_row(table, part.name, f"{count:,}", f"failed: {reason or 'no reason was recorded'}")
    return table


def _published(data: ReportData) -> Table:
    table = plain_table("Feeds and posts", ("Association", "Where", "State", "Readers", "Address or reason"))
    for entry in data.entries:
        add_row(table, entry.association, "feed", "published", "", entry.url)
    for post in data.posts:
        where = " ".join(filter(None, (post.url, post.reason)))
        add_row(table, post.association, post.network, post.state, post_words(post), where)
    return table


def _in_doubt(cases: Sequence[DoubtCase]) -> Table:
    table = plain_table(
        "In doubt: these may have arrived, or arrived twice", ("Association", "Address", "When (UTC)", "Why", "Then")
    )
    for case in cases:
        address = case.address or "(erased)"
        add_row(
            table,
            case.association,
            address,
            case.at[:16].replace("T", " "),
            case.cause,
            resolution_words(case.resolution),
        )
    return table


def plain_table(title: str, columns: Iterable[str], *, numbers: Iterable[int] = ()) -> Table:
    """A table without lines; `numbers` are the columns to align right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    right = set(numbers)
    for position, name in enumerate(columns):
        table.add_column(name, justify="right" if position in right else "left", overflow="fold", header_style="dim")
    return table


def add_row(table: Table, *cells: str | Text) -> None:
    """Cells as text, never as rich's markup, and without control characters."""
    table.add_row(*(cell if isinstance(cell, Text) else Text(one_line(cell)) for cell in cells))
