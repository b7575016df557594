"""`comms relay offer | list | status | correct | recall`: the coalition's side of a relay."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from comms.cli.findings import require_offerable
from comms.cli.output import JsonFlag, confirm, counted, open_workspace, out, print_json, say, table, who
from comms.engine.relaying import correcting, offering
from comms.engine.relaying.offering import Invited, OfferPlan

File = Annotated[Path, typer.Argument(help="The campaign's definition file.")]
Campaign = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what it would do.")]


def offer(file: File, dry_run: DryRun = False, yes: Yes = False, as_json: JsonFlag = False) -> None:
    """Offer a campaign to the associations that its `relay:` names; shows first what that comes to."""
    with open_workspace() as workspace:
        plan = offering.plan(workspace, require_offerable(workspace, file, as_json=as_json))
        if not as_json:
            _show_plan(plan)
        if dry_run:
            if as_json:
                print_json(plan.to_json())
            return
        if not yes:
            confirm(f"Offer it to {counted(len(plan.invited), 'association', 'associations')}?", as_json=as_json)
        offering.offer(workspace, plan, who=who())
        found = offering.standings(workspace, plan.campaign.id)
    if as_json:
        print_json({**plan.to_json(), "standings": [each.to_json() for each in found]})
    else:
        say("Offered. The mails go out while `comms run` runs; see: comms relay status " + escape(plan.campaign.id))


def list_(
    association: Annotated[str | None, typer.Option("--association", "-a", metavar="SLUG", help="To this one.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """List what is and was offered, and how many associations take part; or what was offered to one of them."""
    with open_workspace() as workspace:
        if association is not None:
            rows = workspace.relays.relays_of(workspace.association(association).slug)
            found: list[dict[str, Any]] = [
                {"campaign": row.campaign, "state": row.state.value, "since": row.updated_at} for row in rows
            ]
        else:
            found = [
                {
                    "campaign": each.campaign,
                    "title": each.title,
                    "state": each.state,
                    "version": each.version,
                    **offering.tally([row.state for row in workspace.relays.relays(each.campaign)]),
                }
                for each in workspace.relays.offers()
            ]
    if as_json:
        print_json(found)
    elif not found:
        say("Nothing was offered yet. To offer a campaign: comms relay offer FILE")
    else:
        columns = list(found[0])
        table("", columns, [[str(each[name]) for name in columns] for each in found])


def status(campaign: Campaign, as_json: JsonFlag = False) -> None:
    """Where each association stands with an offer."""
    with open_workspace() as workspace:
        found = offering.standings(workspace, campaign)
        offer_row = correcting.find(workspace, campaign)
    tally = offering.tally([each.state for each in found])
    if as_json:
        print_json({"campaign": campaign, "state": offer_row.state, "version": offer_row.version, **tally,
                    "associations": [each.to_json() for each in found]})  # fmt: skip
        return
    say(f"[bold]{escape(offer_row.title)}[/] ({escape(campaign)}), version {offer_row.version}, {offer_row.state}")
    say(", ".join(f"{number} {name}" for name, number in tally.items()))
    rows = [
        [
            each.name,
            each.state.value.replace("_", " "),
            f"{each.since:%Y-%m-%d %H:%M}",
            f"{each.figures_at:%Y-%m-%d}" if each.figures_at else "",
            each.reason,
        ]
        for each in found
    ]
    table("", ["Association", "State", "Since (UTC)", "Figures told", "Why"], rows)


def correct(
    file: File,
    note: Annotated[str, typer.Option(help="What was corrected, in words for those who relay it.")],
    minor: Annotated[
        bool, typer.Option("--minor", help="Spelling or the like: who accepted and changed nothing is not asked again.")
    ] = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Correct what was offered: reaches whatever is not sent, asks again where words were put in or agreed to."""
    with open_workspace() as workspace:
        require_offerable(workspace, file, as_json=as_json)
        plan = correcting.plan(workspace, file, note=note, minor=minor)
        if not as_json:
            for line in plan.change.lines:
                say(f"  {escape(line)}")
            table("", ["Association", "State", "What it means"],
                  [[each.association, each.state.value, _MEANS[each.what]] for each in plan.reached])  # fmt: skip
        if not dry_run:
            if not yes:
                confirm("Make this correction?", as_json=as_json)
            correcting.correct(workspace, plan, who=who())
    if as_json:
        print_json({**plan.to_json(), "done": not dry_run})
    elif not dry_run:
        say("Corrected.")


def recall(
    campaign: Campaign,
    reason: Annotated[str, typer.Option(help="Why, in words that readers of the page may see.")],
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Take an offer back: stops what is not sent, marks what is published as withdrawn. Can not be undone."""
    with open_workspace() as workspace:
        found = offering.standings(workspace, campaign)
        if not yes:
            confirm(f"Recall {campaign} from {counted(len(found), 'association', 'associations')}?", as_json=as_json)
        reached = correcting.recall(workspace, campaign, reason, who=who())
    if as_json:
        print_json({"campaign": campaign, "associations": [each.to_json() for each in reached]})
    else:
        had_sent = sum(each.what == "sent" for each in reached)
        say(f"Recalled. {counted(had_sent, 'association', 'associations')} had sent it.")


_MEANS = {
    "updates": "has it at once",
    "asks": "is asked again",
    "sent": "has sent it; may correct what is published",
}


def _show_plan(plan: OfferPlan) -> None:
    part = plan.campaign.relay
    assert part is not None
    say(f"[bold]{escape(plan.campaign.title)}[/] ({escape(plan.campaign.id)})")
    for words, day in (
        ("answers until", part.respond_by),
        ("goes out from", part.not_before),
        ("until", part.not_after),
    ):
        if day:
            say(f"  {words} {day}")
    table("", ["Association", "Members", "Seats", "Notes"], [_row(each) for each in plan.invited], right=(1, 2))
    out.print()


def _row(each: Invited) -> list[str]:
    notes = [
        *(["sends with a tool of its own"] if each.own_tool else []),
        *(["accepts by its own rule"] if each.by_rule else []),
        *(f"same day: {name}" for name in each.clashes),
    ]
    count = f"{each.audience:,}" if each.audience is not None else "-" if each.own_tool else "under 10"
    return [each.name, count, str(each.seats), "; ".join((*notes, *each.faults))]
