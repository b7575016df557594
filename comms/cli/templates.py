"""`comms template`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import NO, AssociationOption, JsonFlag, open_workspace, print_json, say, stop, table
from comms.engine import preview
from comms.rendering.slots import TemplateSlot

app = typer.Typer(no_args_is_help=True, help="Newsletter templates: ours and those in the workspace.")

Template = Annotated[str, typer.Argument(metavar="NAME|FILE", help="A template's name, or its file.")]


@app.command("list")
def list_(as_json: JsonFlag = False) -> None:
    """List the templates that a campaign can name, and the values (slots) that each takes."""
    with open_workspace() as workspace:
        found = workspace.templates.list()
    if as_json:
        print_json(
            [
                {
                    "name": info.name,
                    "description": info.description,
                    "slots": [asdict(slot) for slot in info.slots],
                    "file": str(info.path),
                }
                for info in found
            ]
        )
    else:
        rows = [[info.name, info.description, "\n".join(map(_words, info.slots))] for info in found]
        table("", ["name", "description", "slots"], rows)


def _words(slot: TemplateSlot) -> str:
    return f"{slot.name}: {slot.type}{', optional' if slot.optional else ''}"


@app.command()
def lint(template: Template, as_json: JsonFlag = False) -> None:
    """List what is wrong with a template, with line numbers. Exit code 1 when there is something."""
    with open_workspace() as workspace:
        library, name = preview.library_for(workspace, template)
        problems = library.lint(name)
    if as_json:
        print_json([{"line": p.line, "message": p.message, "hint": p.hint} for p in problems])
    else:
        for problem in problems:
            say(f"{escape(template)}:{problem.line}: {escape(problem.message)}")
            if problem.hint:
                say(f"    {escape(problem.hint)}")
        if not problems:
            say("No problems found.")
    if problems:
        stop(NO)


@app.command("compile")
def compile_(template: Template, association: AssociationOption = None) -> None:
    """Print the HTML that a template makes of a sample campaign."""
    with open_workspace() as workspace:
        typer.echo(preview.sample_html(workspace, template, workspace.association(association)))
