"""`comms campaign` and `comms report`: from a definition file to mails, entries and posts, and what came of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from campaigns.models import Campaign
from campaigns.schema import json_schema
from campaigns.series import SeriesRow
from campaigns.store import CampaignRow
from comms.cli.collective import Csv, Html, Pdf, report_on
from comms.cli.findings import require_checked, show_check
from comms.cli.following import follow, show
from comms.cli.output import (
    NO,
    JsonFlag,
    confirm,
    counted,
    open_workspace,
    out,
    print_json,
    progress,
    say,
    show_error,
    stop,
    table,
    who,
)
from comms.cli.plan import show_plan
from comms.cli.posts import posts
from comms.cli.preview import show_preview
from comms.cli.series import act_on_series, schedule_series, show_series
from comms.cli.settle import settle
from comms.cli.waiting import wait_for
from comms.engagement import terminal
from comms.engagement.html import to_html
from comms.engagement.report import CampaignStatus
from comms.engine import checking, preview, proofs, reporting, sending, series
from comms.engine.control import ControlLock
from comms.engine.preflight import Network
from comms.engine.progress import gather
from comms.engine.sending import Prepared
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.preview import chromium

app = typer.Typer(no_args_is_help=True, help="Check, preview, plan, send, schedule and watch campaigns.")
app.command("settle")(settle)
app.command("posts")(posts)

File = Annotated[Path, typer.Argument(help="The campaign's definition file.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="The campaign's id: the `campaign:` line of its definition.")]
Senders = Annotated[
    list[str] | None,
    typer.Option("--association", "-a", metavar="SLUG", help="Send as this association; may be given several times."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]


@app.command()
def schema() -> None:
    """Print the JSON Schema of a definition's front matter, for editors."""
    print_json(json_schema())


@app.command()
def check(
    file: File,
    association: Senders = None,
    online: Annotated[
        bool, typer.Option("--online", help="Also ask the sites that links lead to, and the DNS about the sender.")
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit code 1 for what should be fixed, too, not only for what must.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """List all problems of a definition with their lines. Exit code 1 when something must be fixed."""
    with open_workspace() as workspace:
        network = Network.of_this_machine() if online else None
        result = checking.check(workspace, file, tuple(association or ()), judge=True, network=network)
    show_check(result, as_json=as_json)
    if not (result.perfect if strict else result.ok):
        stop(NO)


@app.command("preview")
def preview_(
    file: File,
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for the files.")],
    address: Annotated[
        str | None,
        typer.Option("--as", metavar="ADDRESS", help="As this member sees it; else the first one."),
    ] = None,
    association: Annotated[
        list[str] | None,
        typer.Option("--association", "-a", metavar="SLUG", help="As sent by; with --matrix several times."),
    ] = None,
    worst_cases: Annotated[
        bool, typer.Option("--worst-cases", help="Also for invented readers for whom mails break first.")
    ] = False,
    language: Annotated[
        str | None, typer.Option("--language", metavar="TAG", help="In this language of the campaign, like es.")
    ] = None,
    matrix: Annotated[
        bool, typer.Option("--matrix", help="Every association that it is offered to, in every language.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Write what would be sent, and index.html, which shows it; with pictures where Chromium is installed.

    One reader: message.eml, message.html, message.txt, entry.xml, post-NETWORK.txt. Exit code 1 when a reader who is
    shown would get no mail.
    """
    wishes = preview.Wishes(address, tuple(association or ()), worst_cases, matrix, language)
    with open_workspace() as workspace:
        campaign = require_checked(workspace, file, wishes.associations, as_json=as_json)
        if matrix and campaign.relay:
            every = tuple(each.slug for each in proofs.senders(workspace, campaign, wishes.associations))
            require_checked(workspace, file, every, as_json=as_json)
        with progress("Looking at the mails") as update:
            made = preview.show(workspace, file, out_folder, wishes, browser=chromium.find(), progress=update)
    if as_json:
        print_json(made.to_json())
    else:
        show_preview(made)
    if not made.ok:
        stop(NO)


@app.command()
def plan(file: File, association: Senders = None, as_json: JsonFlag = False) -> None:
    """Say who would get what, per association and channel, and why others would not. Changes nothing."""
    with open_workspace() as workspace:
        campaign = require_checked(workspace, file, tuple(association or ()), as_json=as_json)
        if _repeats(campaign):
            prepared = series.prepare(workspace, campaign, tuple(association or ())).first
        else:
            scheduled = campaign.schedule is not None
            prepared = sending.prepare(workspace, campaign, tuple(association or ()), scheduled=scheduled)
    if as_json:
        print_json(prepared.plan.to_json())
    else:
        show_plan(prepared)
    if prepared.plan.empty:
        stop(NO)


@app.command()
def send(
    file: File,
    association: Senders = None,
    wait: Annotated[bool, typer.Option("--wait", help="Stay until every delivery is final.")] = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Send now: shows the plan, asks, and goes. Run again after a crash, it goes on where it was."""
    with open_workspace() as workspace:
        campaign = require_checked(workspace, file, tuple(association or ()), as_json=as_json)
        row = sending.under_way(workspace, campaign, tuple(association or ()))
        if row is None:
            prepared = sending.prepare(workspace, campaign, tuple(association or ()))
            if prepared.plan.empty:
                _nothing(prepared, as_json=as_json)
            if prepared.plan.audience:
                sending.check_mail_server(workspace)
            if not yes:
                _show_for_consent(prepared, as_json=as_json)
                confirm(f"Send {_counted(prepared)} now?", as_json=as_json)
            row = sending.approve(workspace, prepared, who=who())
            sending.start(workspace, row)
        elif not as_json:
            say(f"{campaign.id} is being sent already; going on with it.")
        if wait:
            wait_for(workspace, row.id)
        _show_status(workspace, row.id, as_json=as_json)
        if not wait and not as_json:
            _say_who_sends(workspace)


@app.command()
def schedule(file: File, association: Senders = None, yes: Yes = False, as_json: JsonFlag = False) -> None:
    """Approve a campaign for the time in its definition, or for each time if it repeats; `comms run` then sends it."""
    with open_workspace() as workspace:
        campaign = require_checked(workspace, file, tuple(association or ()), as_json=as_json)
        if _repeats(campaign):
            schedule_series(workspace, campaign, tuple(association or ()), yes=yes, as_json=as_json)
        else:
            prepared = sending.prepare(workspace, campaign, tuple(association or ()), scheduled=True)
            if not yes:
                _show_for_consent(prepared, as_json=as_json)
                confirm(f"Approve {prepared.campaign.id} for {prepared.due_at:%Y-%m-%d %H:%M} UTC?", as_json=as_json)
            _show_status(workspace, sending.approve(workspace, prepared, who=who()).id, as_json=as_json)
        if not as_json:
            _say_who_sends(workspace)


@app.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List the campaigns that repeat, then those that were sent or scheduled, newest last."""
    with open_workspace() as workspace:
        rows: list[CampaignRow | SeriesRow] = [*series.every(workspace), *workspace.host.campaigns()]
    if as_json:
        print_json([{"id": r.id, "title": r.title, "state": r.state, "due_at": r.due_at, "created_at": r.created_at}
                    for r in rows])  # fmt: skip
        return
    if not rows:
        say("No campaign was sent or scheduled yet.")
    times = [f"{row.due_at or row.created_at:%Y-%m-%d %H:%M}" for row in rows]
    table("", ["id", "title", "state", "when (UTC)"],
          [[row.id, row.title, row.state, at] for row, at in zip(rows, times, strict=True)])  # fmt: skip


@app.command()
def status(
    campaign_id: Id,
    follow_it: Annotated[bool, typer.Option("--follow", help="Stay until it is over, and show how it goes.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say where a campaign stands; with `--follow --json` one document a line, every second."""
    with open_workspace() as workspace:
        row = series.find(workspace, campaign_id)
        if row is not None and not follow_it:
            show_series(workspace, row, as_json=as_json)
            return
        if follow_it:
            follow(workspace, campaign_id, as_json=as_json)
            if as_json:
                return
        data = gather(workspace, campaign_id)
        if as_json:
            print_json(data.to_json())
            return
        _say_status(data.status)
        show(data, workspace.now())


@app.command()
def pause(campaign_id: Id, as_json: JsonFlag = False) -> None:
    """Hand out no further batch; what senders hold still goes out. Of one that repeats: make no occurrence."""
    _act("pause", campaign_id, as_json=as_json)


@app.command()
def resume(campaign_id: Id, as_json: JsonFlag = False) -> None:
    """Go on where it was paused; one that repeats, with its next occurrence."""
    _act("resume", campaign_id, as_json=as_json)


@app.command()
def cancel(campaign_id: Id, yes: Yes = False, as_json: JsonFlag = False) -> None:
    """End a campaign: what is not sent yet is never sent. Can not be undone. Of one that repeats, what is under way
    goes on."""
    if not yes:
        confirm(f"Cancel {campaign_id} for good?", as_json=as_json)
    _act("cancel", campaign_id, as_json=as_json)


def report(
    campaign_id: Id,
    together: Annotated[
        bool,
        typer.Option("--collective", help="What all associations reached together, frozen when the offer was closed."),
    ] = False,
    html: Html = None,
    csv: Csv = None,
    pdf: Pdf = None,
    as_json: JsonFlag = False,
) -> None:
    """Report what became of a campaign: deliveries, clicks, posts, and each case in doubt by name."""
    if together:
        report_on(campaign_id, html=html, csv=csv, pdf=pdf, as_json=as_json)
        return
    if csv is not None or pdf is not None:
        raise UsageError("--csv and --pdf go with --collective.", hint="Of one sending there is a page: --html FILE.")
    with open_workspace() as workspace:
        data = reporting.report(workspace, campaign_id)
    if html is not None:
        html.write_text(to_html(data), encoding="utf-8")
    if as_json:
        print_json(data.to_json())
        return
    out.print(terminal.render(data))
    if html is not None:
        say(f"Page: {escape(str(html))}")


def _repeats(campaign: Campaign) -> bool:
    return campaign.schedule is not None and bool(campaign.schedule.repeat)


def _show_status(workspace: Workspace, campaign_id: str, *, as_json: bool) -> None:
    data = reporting.status(workspace, campaign_id)
    if as_json:
        print_json(data.to_json())
    else:
        _say_status(data)


def _say_status(data: CampaignStatus) -> None:
    counts = ", ".join(f"{number:,} {state}" for state, number in data.deliveries.items() if number)
    say(f"{data.id}: {data.state}; audience {data.audience:,}{f': {counts}' if counts else ''}")
    if data.reason:
        say(f"  held: {escape(data.reason)}. Send it now: comms campaign resume {data.id}; or drop it: cancel")


def _counted(prepared: Prepared) -> str:
    plan = prepared.plan
    newsletters = counted(plan.audience, "newsletter", "newsletters")
    entries = counted(len(plan.feeds), "feed entry", "feed entries")
    return f"{newsletters}, {entries} and {counted(len(plan.posts), 'post', 'posts')}"


def _act(action: str, campaign_id: str, *, as_json: bool) -> None:
    with open_workspace() as workspace:
        row = series.find(workspace, campaign_id)
        if row is not None:
            act_on_series(workspace, row, action, as_json=as_json)
            return
        {"pause": sending.pause, "resume": sending.resume, "cancel": sending.cancel}[action](
            workspace, campaign_id, who=who()
        )
        _show_status(workspace, campaign_id, as_json=as_json)


def _show_for_consent(prepared: Prepared, *, as_json: bool) -> None:
    """The plan that a person says yes to; with `--json` nobody is there to read it."""
    if not as_json:
        show_plan(prepared)


def _nothing(prepared: Prepared, *, as_json: bool) -> None:
    if as_json:
        print_json({**prepared.plan.to_json(), "error": "nobody would get anything"})
    else:
        show_plan(prepared)
        show_error("nobody would get anything, so nothing was sent.", "", as_json=False)
    stop(NO)


def _say_who_sends(workspace: Workspace) -> None:
    if not ControlLock(workspace.folder).is_held():
        say("Nothing is running in this workspace yet: start `comms run`, or use `send --wait`.")
