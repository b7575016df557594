"""A report as one HTML page that needs nothing else: no file, no script, no connection."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from audiences.consent import Exclusion
from comms.engagement import plots
from comms.engagement.report import FIGURES, SMALLEST_BASE, STATE_MEANINGS, STATES, ReportData, share
from comms.engagement.words import percent, post_words, resolution_words, skip_words
from comms.rendering.clean import clean

_MOST_BARS = 12


def _printable(value: Any) -> Any:
    if type(value) is int:
        return f"{value:,}"
    # Exactly str: Markup was cleaned when it was made.
    return clean(value) if type(value) is str else value


ENVIRONMENT = Environment(
    loader=PackageLoader("comms.engagement"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_printable,
    trim_blocks=True,
    lstrip_blocks=True,
)
"""Templates of reports: whole numbers are grouped, and every text is data."""
ENVIRONMENT.filters |= {
    "exclusion": lambda reason: Exclusion(reason).words,
    "resolution": resolution_words,
    "skip": skip_words,
}


def to_html(data: ReportData) -> str:
    """The page; every text of a person, association or server in it is data. Same data, same page."""
    timeline = plots.timeline(data.clicks_by_hour)
    most_clicked = [(link.url, link.clicks) for link in data.links[:_MOST_BARS] if link.clicks]
    figures = {
        "deliveries": plots.stacked_bar("deliveries", "Deliveries by state", _shown(data.status.deliveries)),
        "links": plots.bars("links", "Clicks per link", most_clicked) if most_clicked else "",
        "time": plots.columns("time", f"Clicks per {timeline.unit}", timeline) if timeline.points else "",
        "polls": [
            plots.bars(f"poll-{position}", poll.question, [(answer.text, answer.count) for answer in poll.answers])
            for position, poll in enumerate(data.polls)
        ],
        "associations": [
            plots.stacked_bar(f"part-{position}", f"Deliveries of {part.name}", _shown(part.deliveries), height=16)
            for position, part in enumerate(data.associations)
        ],
    }
    times = [(plots.moment_label(moment, timeline.unit), count) for moment, count in timeline.points if count]
    return ENVIRONMENT.get_template("report.html").render(
        data=data,
        states=STATES,
        meanings=STATE_MEANINGS,
        meaning=FIGURES,
        figures=figures,
        times=times,
        unit=timeline.unit,
        percent=percent,
        post_words=post_words,
        share=share,
        smallest=SMALLEST_BASE,
        at=f"{data.at.day} {data.at:%B %Y, %H:%M} {data.at.tzname()}",
        bars=len(most_clicked),
    )


def _shown(deliveries: Any) -> dict[str, int]:
    return {state.value: deliveries[state.value] for state in STATES}
