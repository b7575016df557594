"""`comms relay close | impact` and `comms report --collective`: what associations reached together."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape

from comms.cli.output import JsonFlag, confirm, counted, open_workspace, out, print_json, say, who
from comms.engagement.collective import CollectiveReport, render, write_csv, write_html
from comms.engine import collective
from comms.engine.relaying import closing, correcting
from comms.engine.relaying.closing import Closing
from comms.errors import StateError, UsageError

Campaign = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page with plots.")]
Csv = Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write a table for spreadsheets.")]
Pdf = Annotated[Path | None, typer.Option("--pdf", metavar="FILE", help="Write it as PDF; needs Chromium.")]


def close(
    campaign: Campaign,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Close an offer and freeze what it came to: the campaign's only collective report. Can not be undone."""
    with open_workspace() as workspace:
        plan = closing.plan(workspace, campaign)
        if not as_json:
            _show(plan)
        if dry_run:
            if as_json:
                print_json(plan.to_json())
            return
        if not yes:
            confirm(f"Close {campaign} for good?", as_json=as_json)
        report = closing.close(workspace, campaign, who=who())
    if as_json:
        print_json({**plan.to_json(), "report": report.to_json()})
    else:
        out.print(render(report))


def impact(
    since: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], metavar="DAY", help="First day.")],
    until: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], metavar="DAY", help="Last day.")],
    title: Annotated[str, typer.Option(help="Of the report; the days when left out.")] = "",
    html: Html = None,
    csv: Csv = None,
    pdf: Pdf = None,
    as_json: JsonFlag = False,
) -> None:
    """Report on all campaigns that were closed in some days, such as a quarter, from their frozen reports."""
    if until < since:
        raise UsageError(f"--to {until:%Y-%m-%d} is before --from {since:%Y-%m-%d}.", hint="Change the two.")
    with open_workspace() as workspace:
        zone = ZoneInfo(workspace.association(None).timezone)
        first = datetime.combine(since, time.min, zone)
        after = datetime.combine(until + timedelta(days=1), time.min, zone)
        report = collective.several(workspace, first, after, title or f"{since:%Y-%m-%d} to {until:%Y-%m-%d}")
    tell(report, html=html, csv=csv, pdf=pdf, as_json=as_json)


def report_on(campaign: str, *, html: Path | None, csv: Path | None, pdf: Path | None, as_json: bool) -> None:
    """The frozen report of a campaign. Raises UsageError for one that was not offered, StateError before its close."""
    with open_workspace() as workspace:
        report = collective.find(workspace, campaign)
        if report is None:
            correcting.find(workspace, campaign)
            raise StateError(
                f"{campaign} is not closed, and its collective figures are told only once, then.",
                hint=f"Where it stands: comms relay status {campaign}. To close it: comms relay close {campaign}.",
            )
    tell(report, html=html, csv=csv, pdf=pdf, as_json=as_json)


def tell(report: CollectiveReport, *, html: Path | None, csv: Path | None, pdf: Path | None, as_json: bool) -> None:
    """Write the files that are asked for, and print the report. Raises StorageError, StateError without Chromium."""
    for path, write in ((html, write_html), (csv, write_csv), (pdf, collective.write_pdf)):
        if path is not None:
            write(report, path)
    if as_json:
        print_json(report.to_json())
        return
    out.print(render(report))
    for path in (html, csv, pdf):
        if path is not None:
            say(f"Written: {escape(str(path))}")


def _show(plan: Closing) -> None:
    say(f"[bold]{escape(plan.title)}[/] ({escape(plan.campaign)})")
    say(f"  {counted(len(plan.sent), 'association', 'associations')} sent it from here")
    for words, slugs in (
        ("sent it with tools of their own, and told their figures", plan.told),
        ("never answered, and can not any more", plan.unanswered),
        ("send it with tools of their own, and told no figures", plan.silent),
    ):
        if slugs:
            say(f"  {words}: {escape(', '.join(slugs))}")
    say("  Its collective report is made now, and never changes.")
