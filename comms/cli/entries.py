"""`comms feed correct` and `withdraw`: what can still be done about an entry that is published."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import NO, JsonFlag, confirm, counted, open_workspace, print_json, say, stop, who
from comms.engine import corrections
from comms.engine.corrections import Change

Id = Annotated[str, typer.Argument(metavar="ID", help="The campaign's id.")]
Everyone = Annotated[
    str | None,
    typer.Option("--association", "-a", metavar="SLUG", help="This association's entry alone; all when left out."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")]
_WORDS = {"title": "the title", "summary": "the summary", "content": "the text", "enclosure": "picture or attachment"}


def correct(
    campaign_id: Id,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The campaign's file, corrected.")],
    note: Annotated[str, typer.Option(metavar="TEXT", help="What was corrected, for readers.")],
    association: Everyone = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Correct a published entry: same address and first date, new words, and a line that names the correction."""
    with open_workspace() as workspace:
        changes = corrections.correction(workspace, campaign_id, file, note=note, association=association)
        if not changes:
            _nothing(campaign_id, as_json=as_json)
        if not as_json:
            for change in changes:
                words = ", ".join(_WORDS[name] for name in change.fields)
                say(f"{escape(change.after.association)}: {words} of “{escape(change.after.title)}”")
        if not dry_run:
            if not yes:
                confirm(f"Correct {_entries(changes)}?", as_json=as_json)
            corrections.apply(workspace, changes, who=who())
    _report(campaign_id, changes, "corrected", dry_run=dry_run, as_json=as_json)


def withdraw(
    campaign_id: Id,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for readers: the page says it.")],
    association: Everyone = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Take a published entry out of feeds and searches. Its page says that it was withdrawn, and why."""
    with open_workspace() as workspace:
        changes = corrections.withdrawal(workspace, campaign_id, reason=reason, association=association)
        if not dry_run:
            if not yes:
                confirm(f"Withdraw {_entries(changes)}? This can not be taken back.", as_json=as_json)
            corrections.apply(workspace, changes, who=who())
    _report(campaign_id, changes, "withdrawn", dry_run=dry_run, as_json=as_json)


def _entries(changes: list[Change]) -> str:
    return counted(len(changes), "entry", "entries")


def _nothing(campaign_id: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": campaign_id, "entries": []})
    else:
        say("The entries say this already. Nothing was changed.")
    stop(NO)


def _report(campaign_id: str, changes: list[Change], done: str, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json({"id": campaign_id, "dry_run": dry_run, "entries": [change.to_json() for change in changes]})
    elif dry_run:
        say(f"{_entries(changes)} would be {done}. Nothing was changed.")
    else:
        say(f"{_entries(changes)} {done}. Mails and posts that went out stay as they are.")
