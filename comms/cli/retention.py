"""`comms retention`: let what was kept long enough go, or say what would."""

from __future__ import annotations

from typing import Annotated

import typer

from comms.cli.output import JsonFlag, open_workspace, print_json, progress, say, table
from comms.engine import retention as engine

_MEANINGS = {
    "events": "openings, clicks and unsubscriptions that lose their name",
    "polls": "polls that close, so that nobody can tell who answered what",
    "activity": "last opened and clicked, of members",
    "deliveries": "answers of mail servers",
    "imports": "members as they were before an import",
    "sign_ups": "sign-ups whose link has expired",
    "request_addresses": "IP addresses in the consent log",
    "members": "members who opted out of everything, erased",
}


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go; change nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Let everything go that was kept as long as `retention` in comms.toml says. `comms run` does it once a day."""
    with open_workspace() as workspace, progress("forgetting") as update:
        found = engine.survey(workspace) if dry_run else engine.forget(workspace, update)
    if as_json:
        print_json({**found.to_json(), "dry_run": dry_run})
        return
    rows = [
        [slug, _MEANINGS[kind], f"{number:,}"] for slug, kinds in found.rows.items() for kind, number in kinds.items()
    ]
    if not rows:
        say("Nothing is older than the settings allow.")
        return
    table("Would go" if dry_run else "Gone", ["association", "what", "number"], rows, right=(2,))
