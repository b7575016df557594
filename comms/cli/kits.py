"""`comms relay kit`: a campaign packed for an association that sends with a tool of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import NO, JsonFlag, counted, open_workspace, print_json, say, stop
from comms.db import storage_errors
from comms.engine import kits
from comms.engine.kits import Kit
from comms.errors import UsageError
from comms.files import write_whole
from comms.kits.tools import TOOLS


def kit(
    campaign: Annotated[
        str, typer.Argument(metavar="FILE|ID", help="A definition file, or the id of a campaign that is offered.")
    ],
    association: Annotated[str, typer.Option("--association", "-a", metavar="SLUG", help="Who is to send it.")],
    tool: Annotated[str, typer.Option(metavar="TOOL", help=f"What they send with: {', '.join(TOOLS)} (any other).")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.zip", help="The kit; overwritten when it is there.")],
    as_json: JsonFlag = False,
) -> None:
    """Pack a campaign for an association with a tool of its own: newsletter, pictures, posts, events, what to do.

    Exit code 1, and no file, when something in the newsletter must be fixed first.
    """
    if out.suffix.lower() != ".zip":
        raise UsageError(f"a kit is a ZIP, and {out} is not called one.", hint=f"--out {out.with_suffix('.zip')}")
    with open_workspace() as workspace:
        sender = workspace.association(association)
        found = kits.find(workspace, campaign, sender)
        made = kits.make_kit(workspace, found, sender, kits.tool_named(tool))
    if made.ok:
        with storage_errors(out):
            write_whole(out, made.data)
    if as_json:
        print_json(_as_data(made, out))
    else:
        _show(made, out, campaign)
    if not made.ok:
        stop(NO)


def _as_data(made: Kit, out: Path) -> dict[str, object]:
    return {
        "kit": str(out) if made.ok else None,
        "ok": made.ok,
        "files": list(made.files) if made.ok else [],
        "gaps": list(made.mail.gaps),
        "problems": [finding.to_json() for finding in made.findings],
    }


def _show(made: Kit, out: Path, name: str) -> None:
    for finding in made.findings:
        place = f"{name}:{finding.line}" if finding.line else name
        say(f"{finding.level}  {escape(place)}: {escape(finding.field)}: {escape(finding.message)}")
        if finding.hint:
            say(f"  {escape(finding.hint)}")
    for name in made.mail.gaps:
        say(f"The tool does not know {escape(repr(name))}, and the text has no fallback: “…” stands there.")
        say(f'  write {{{{ member.{escape(name)} or "..." }}}}')
    if made.ok:
        say(f"{escape(str(out))}: {counted(len(made.files), 'file', 'files')}. Begin with guide.html in it.")
    else:
        say("No kit was made: mend what must be fixed first.")
