"""Campaigns that repeat, on the command line: what is approved, and where a series stands."""

from __future__ import annotations

from rich.markup import escape

from campaigns.models import Campaign
from campaigns.series import SeriesRow
from comms.cli.output import confirm, print_json, say, who
from comms.cli.plan import show_coming, show_plan
from comms.engine import reporting, series
from comms.engine.workspace import Workspace


def schedule_series(
    workspace: Workspace, campaign: Campaign, senders: tuple[str, ...], *, yes: bool, as_json: bool
) -> None:
    """Show the next occurrences and the plan of the first, ask, and approve the series."""
    forecast = series.prepare(workspace, campaign, senders)
    if not yes:
        if not as_json:
            show_plan(forecast.first)
        confirm(f"Approve {campaign.id}, to go out again and again?", as_json=as_json)
    show_series(workspace, series.approve(workspace, forecast, who=who()), as_json=as_json)


def act_on_series(workspace: Workspace, row: SeriesRow, action: str, *, as_json: bool) -> None:
    """Pause, resume or cancel it, and say where it stands then."""
    {"pause": series.pause, "resume": series.resume, "cancel": series.cancel}[action](workspace, row.id, who=who())
    now = series.find(workspace, row.id)
    assert now is not None, "series are never deleted"
    show_series(workspace, now, as_json=as_json)
    under_way = [each.id for each in series.under_way(workspace, row.id)]
    if under_way and action != "resume" and not as_json:
        say(f"What is under way goes on: {', '.join(under_way)}. To stop that, too: comms campaign {action} ID")


def show_series(workspace: Workspace, row: SeriesRow, *, as_json: bool) -> None:
    """Its state, its next occurrences, and those that were."""
    data = reporting.series_status(workspace, row)
    if as_json:
        print_json(data.to_json())
        return
    say(f"{data.id}: {data.state} ({escape(data.repeat)})")
    if data.reason:
        say(f"  the occurrence that is due can not be made, and is tried again: {escape(data.reason)}")
    show_coming(data.coming)
    for each in data.occurrences:
        counts = ", ".join(f"{number:,} {state}" for state, number in each.deliveries.items() if number)
        say(f"  {each.id}: {each.state}; audience {each.audience:,}{f': {counts}' if counts else ''}")
    for text in data.skipped:
        say(f"  left out: {escape(text)}")
