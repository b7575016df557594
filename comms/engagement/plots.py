"""Figures as inline SVG: data in, text of an `<svg>` out. Positions are percentages, so that text keeps its size.

No plot stands alone: the page that shows one shows its numbers in a table too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from comms.rendering.clean import one_line

_SMALLEST = 0.006
"""Share of the width below which a part of a bar could not be seen any more."""
_WIDEST = 86.0
"""Per cent of the width that the longest bar takes; its number stands beside it."""
_ROW, _BAR = 42, 14
_CHART, _AXIS = 140, 22
_LABEL = 40
"""Characters of a label that fit into the narrowest screen."""
_HOURS, _DAYS = timedelta(hours=72), timedelta(days=92)


@dataclass(frozen=True, slots=True)
class Timeline:
    """Counts per equal stretch of time, without gaps. `unit` is `hour`, `day` or `week`."""

    unit: str
    points: tuple[tuple[datetime, int], ...]


def stacked_bar(name: str, title: str, parts: Mapping[str, int], *, height: int = 36) -> Markup:
    """One bar made of `parts` (CSS class -> count) in order. `name` is unique in the page."""
    whole = sum(parts.values())
    shown = {kind: max(count / whole, _SMALLEST) for kind, count in parts.items() if count}
    total = sum(shown.values())
    pieces, x = [], 0.0
    for kind, width in shown.items():
        percent = 100 * width / total
        pieces.append(
            Markup('<rect class="part {}" x="{:.3f}%" y="0" width="{:.3f}%" height="{}"/>').format(
                kind, x, percent, height
            )
        )
        x += percent
    if not pieces:
        pieces.append(Markup('<rect class="part none" x="0" y="0" width="100%" height="{}"/>').format(height))
    told = ", ".join(f"{count:,} {kind}" for kind, count in parts.items() if count) or "nothing yet"
    return svg(name, title, told, height, pieces)


def bars(name: str, title: str, rows: Sequence[tuple[str, int]]) -> Markup:
    """A horizontal bar per row (label, count), in the order given."""
    most = max((count for _, count in rows), default=0) or 1
    pieces = []
    for position, (label, count) in enumerate(rows):
        top, width = position * _ROW, _WIDEST * count / most
        pieces.append(
            Markup(
                '<text x="0" y="{}">{}</text><rect class="bar" x="0" y="{}" width="{:.3f}%" height="{}"/>'
                '<text class="number" x="{:.3f}%" dx="6" y="{}">{:,}</text>'
            ).format(top + 14, shortened(label), top + 20, width, _BAR, width, top + 32, count)
        )
    told = "; ".join(f"{shortened(label)}: {count:,}" for label, count in rows)
    return svg(name, title, told or "nothing yet", max(len(rows), 1) * _ROW, pieces)


def columns(name: str, title: str, timeline: Timeline) -> Markup:
    """A column per stretch of time, with the first, the last and the highest marked."""
    points = timeline.points
    if not points:
        return svg(name, title, "nothing yet", _CHART, [])
    most = max(count for _, count in points) or 1
    step = 100 / len(points)
    pieces = []
    for position, (_, count) in enumerate(points):
        height = _CHART * count / most
        pieces.append(
            Markup('<rect class="bar" x="{:.3f}%" y="{:.1f}" width="{:.3f}%" height="{:.1f}"/>').format(
                position * step, _AXIS + _CHART - height, step * 0.86, height
            )
        )
    bottom = _AXIS + _CHART
    first, last = (moment_label(points[end][0], timeline.unit) for end in (0, -1))
    peak, highest = max(points, key=lambda point: point[1])
    pieces.append(
        Markup(
            '<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"/><text x="0" y="14">{1:,} at most in one {2}</text>'
            '<text x="0" y="{3}">{4}</text>'
        ).format(bottom, highest, timeline.unit, bottom + 17, first)
    )
    if len(points) > 1:
        pieces.append(Markup('<text x="100%" y="{}" text-anchor="end">{}</text>').format(bottom + 17, last))
    told = (
        f"{sum(count for _, count in points):,} from {first} to {last}; most, {highest:,}, in the {timeline.unit} of"
        f" {moment_label(peak, timeline.unit)}"
    )
    return svg(name, title, told, bottom + _AXIS, pieces)


def timeline(hours: Sequence[tuple[str, int]]) -> Timeline:
    """Counts per hour (`2027-02-01T09`, UTC) as a timeline in hours, days or weeks, whichever can be read."""
    if not hours:
        return Timeline("hour", ())
    counted = {datetime.fromisoformat(f"{hour}:00+00:00"): count for hour, count in hours}
    first, last = min(counted), max(counted)
    if last - first < _HOURS:
        unit, step = "hour", timedelta(hours=1)
    elif last - first < _DAYS:
        unit, step = "day", timedelta(days=1)
    else:
        unit, step = "week", timedelta(weeks=1)
    start = first if unit == "hour" else first.replace(hour=0)
    totals = [0] * ((last - start) // step + 1)
    for moment, count in counted.items():
        totals[(moment - start) // step] += count
    return Timeline(unit, tuple((start + position * step, total) for position, total in enumerate(totals)))


def moment_label(moment: datetime, unit: str) -> str:
    """A stretch of time by its beginning: `1 Feb 2027, 09:00`, or the day alone."""
    day = f"{moment.day} {moment:%b %Y}"
    return f"{day}, {moment:%H}:00" if unit == "hour" else day


def shortened(text: str) -> str:
    """The text on one line, as much as fits; of a web address without what all have in common."""
    line = one_line(text).removeprefix("https://").removeprefix("http://").removeprefix("www.")
    return line if len(line) <= _LABEL else f"{line[: _LABEL - 1]}…"


def svg(name: str, title: str, description: str, height: int, pieces: Sequence[Markup]) -> Markup:
    """The figure made of `pieces`, with words for who can not see it. `name` is unique in the page."""
    return Markup(
        '<svg role="img" width="100%" height="{0}" aria-labelledby="{1}-title {1}-desc">'
        '<title id="{1}-title">{2}</title><desc id="{1}-desc">{3}</desc>{4}</svg>'
    ).format(height, name, one_line(title), description, Markup("").join(pieces))
