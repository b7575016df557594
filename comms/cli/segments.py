"""`comms segments`: say a rule in words, try it out, keep it under a name."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import NO, AssociationOption, JsonFlag, counted, open_workspace, print_json, say, stop, table
from comms.engine import segments

app = typer.Typer(no_args_is_help=True, help="Rules over members.")
_MOST_COLUMNS = 6


@app.command()
def explain(
    rule: Annotated[str, typer.Argument(help="A segment rule.")],
    association: AssociationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Say a rule in words, count it, and show ten members it holds for. Exit code 1 when there are none."""
    with open_workspace() as workspace:
        found = segments.explain_rule(workspace, rule, workspace.association(association).slug)
    if as_json:
        examples = [
            {"address": m.address, "attributes": {name: str(value) for name, value in m.attributes.items()}}
            for m in found.examples
        ]
        print_json({"rule": rule, "words": found.words, "count": found.count, "examples": examples})
    else:
        say(escape(found.words))
        say(counted(found.count, "member", "members"))
        names = sorted(found.rule.names())[:_MOST_COLUMNS]
        values = [
            [m.address or "", *(str(m.attributes.get(name, getattr(m, name, "") or "")) for name in names)]
            for m in found.examples
        ]
        table("", ["address", *names], values)
    if not found.count:
        stop(NO)


@app.command()
def save(
    name: Annotated[str, typer.Argument(help="The name, as in `segment big-libraries`.")],
    rule: Annotated[str, typer.Argument(help="A segment rule, which may name other segments.")],
    association: AssociationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep a rule under a name that other rules can use, in place of the one that had it."""
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        saved = segments.save(workspace, name, rule, slug)
        count = segments.count_members(workspace, f'segment "{saved}"', slug)
    if as_json:
        print_json({"name": saved, "rule": rule, "count": count})
    else:
        say(f"Saved as [bold]{escape(saved)}[/] for {slug}: {counted(count, 'member', 'members')}.")


@app.command("list")
def list_(association: AssociationOption = None, as_json: JsonFlag = False) -> None:
    """List the segments that the association can name: its own, and the host's."""
    with open_workspace() as workspace:
        found = segments.listed(workspace, workspace.association(association).slug)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [[each.name, each.rule, each.problem if each.count is None else f"{each.count:,}"] for each in found]
    table("", ["segment", "rule", "members"], rows, right=(2,))


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The segment's name.")],
    association: AssociationOption = None,
) -> None:
    """Forget a segment. Its members stay; campaigns that name it are told so when they are checked."""
    with open_workspace() as workspace:
        segments.remove(workspace, name, workspace.association(association).slug)
    say(f"Removed {escape(name)}.")
