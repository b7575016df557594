"""`comms relay figures | secret`: what associations sent with tools of their own, and how those tools tell it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from campaigns.figures import FIELDS, ToldFigures
from comms.cli.output import NO, JsonFlag, confirm, counted, open_workspace, print_json, say, stop, table, who
from comms.engine.relaying import correcting, posted, telling
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.kits import figure_files
from comms.kits.figure_files import ASSOCIATION, Problem

Slug = Annotated[str, typer.Argument(metavar="ASSOCIATION", help="Short name of the association.")]
Whose = Annotated[str | None, typer.Option("--association", "-a", metavar="SLUG", help="Whose figures.")]
_MOST_SHOWN = 50


def figures(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")],
    association: Annotated[
        str | None, typer.Option("--association", "-a", metavar="SLUG", help="Whose figures.")
    ] = None,
    copies: Annotated[int | None, typer.Option(metavar="N", help="Mails that its tool sent.")] = None,
    people: Annotated[
        int | None, typer.Option(metavar="N", help="Different people who got one; as many as copies when left out.")
    ] = None,
    clicks: Annotated[int, typer.Option(metavar="N", help="Clicks on links that its tool counted.")] = 0,
    replies: Annotated[int, typer.Option(metavar="N", help="Answers that people wrote.")] = 0,
    file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Of many associations: a table with the columns "
            "association, copies, people, clicks, replies. All rows are taken down, or none.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be taken down, and do nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Take down what associations sent with tools of their own; later figures replace earlier ones until the close."""
    if file is not None:
        if association is not None or copies is not None or people is not None or clicks or replies:
            raise UsageError("--file has all figures in it.", hint="Leave out --association and the numbers.")
        _of_file(campaign, file, dry_run=dry_run, as_json=as_json)
        return
    if association is None or copies is None:
        raise UsageError("whose figures, and how many copies?", hint="--association SLUG --copies N, or --file FILE.")
    told = ToldFigures(copies, copies if people is None else people, clicks, replies)
    with open_workspace() as workspace:
        if dry_run:
            telling.check(workspace, campaign, association, told)
        else:
            telling.tell(workspace, campaign, association, told, who=who())
    if as_json:
        print_json({"campaign": campaign, "dry_run": dry_run, **_row(association, told)})
    else:
        would = "Would be taken" if dry_run else "Taken"
        say(f"{would} down for {escape(association)}, as self-reported: {told.copies:,} copies.")


def secret(
    association: Slug,
    renew: Annotated[bool, typer.Option("--renew", help="Make a new one; the old one is worthless at once.")] = False,
    revoke: Annotated[bool, typer.Option("--revoke", help="Take it away: nothing is taken from its tool.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Give an association a secret with which its tool signs the figures that it posts. It is shown once."""
    if renew and revoke:
        raise UsageError("--renew and --revoke are two things.", hint="Choose one.")
    with open_workspace() as workspace:
        known = posted.secret_of(workspace, association)
        if known is not None and (renew or revoke) and not yes:
            confirm(f"End the secret that {association} has?", as_json=as_json)
        url = posted.address(workspace, association)
        if revoke:
            posted.revoke(workspace, association, who=who())
        given = posted.give(workspace, association, who=who()) if renew or (known is None and not revoke) else None
    if as_json:
        since = known.made_at.isoformat() if known and not given and not revoke else None
        shown = given.secret if given else None
        print_json({"association": association, "url": url, "secret": shown, "revoked": revoke, "since": since})
    elif given is not None:
        say(f"The tool of {escape(association)} posts to {escape(url)}")
        say(f"and signs with this secret, which is shown only now: [bold]{escape(given.secret)}[/]")
    elif revoke:
        say(f"Nothing is taken from the tool of {escape(association)} any more.")
    elif known is not None:
        say(f"{escape(association)} has a secret since {known.made_at:%Y-%m-%d}; it can not be shown again.")
        say(f"For a new one: comms relay secret {escape(association)} --renew")


def _of_file(campaign: str, file: Path, *, dry_run: bool, as_json: bool) -> None:
    sheet = figure_files.read_file(file)
    with open_workspace() as workspace:
        correcting.find(workspace, campaign)
        problems = [*sheet.problems, *_obstacles(workspace, campaign, sheet)]
        known = telling.replaced(workspace, campaign)
        if not problems and not dry_run:
            told = {row.association: row.figures for row in sheet.rows}
            telling.tell_all(workspace, campaign, told, who=who(), how="from a file")
    done = not problems and not dry_run
    if as_json:
        rows = [{**_row(row.association, row.figures), "replaces": row.association in known} for row in sheet.rows]
        ordered = [each.to_json() for each in sorted(problems, key=lambda each: each.line)]
        print_json({"campaign": campaign, "done": done, "rows": rows, "problems": ordered})
    elif problems:
        _show_problems(file, problems)
    else:
        shown = [
            [row.association, *(f"{getattr(row.figures, name):,}" for name in FIELDS),
             "replaces what was told" if row.association in known else ""]
            for row in sheet.rows
        ]  # fmt: skip
        table("", ["Association", *(name.title() for name in FIELDS), ""], shown, right=(1, 2, 3, 4))
        would = "Taken down" if done else "Would be taken down"
        say(f"{would}, as self-reported: {counted(len(sheet.rows), 'association', 'associations')}.")
    if problems:
        stop(NO)


def _obstacles(workspace: Workspace, campaign: str, sheet: figure_files.Sheet) -> list[Problem]:
    """What stands in the way of rows that are right by themselves."""
    said = ((row, telling.obstacle(workspace, campaign, row.association, row.figures)) for row in sheet.rows)
    return [Problem(row.line, ASSOCIATION, message.rstrip(".")) for row, message in said if message]


def _show_problems(file: Path, problems: list[Problem]) -> None:
    for each in sorted(problems, key=lambda each: each.line)[:_MOST_SHOWN]:
        field = f" {each.field}:" if each.field else ""
        say(f"{escape(str(file))}:{each.line}:{escape(field)} {escape(each.message)}")
    if len(problems) > _MOST_SHOWN:
        say(f"... and {len(problems) - _MOST_SHOWN:,} more; --json has all")
    say("Nothing was taken down.")


def _row(association: str, told: ToldFigures) -> Mapping[str, Any]:
    return {"association": association, "self_reported": True, **{name: getattr(told, name) for name in FIELDS}}
