"""`comms relay keys`: what the feeds of offers are signed with."""

from __future__ import annotations

from typing import Annotated

import typer

from comms.cli.output import JsonFlag, confirm, open_workspace, print_json, say, who
from comms.engine import offer_feeds


def keys(
    rotate: Annotated[bool, typer.Option("--rotate", help="Sign with a new key from now on.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the keys that feeds of offers are signed with, or make a new one. Old ones vouch for those after them."""
    with open_workspace() as workspace:
        if rotate:
            if not yes:
                confirm("Sign with a new key from now on? There is no way back to the old one.", as_json=as_json)
            offer_feeds.rotate_keys(workspace, who=who())
        known = [key.public for key in offer_feeds.keys(workspace)]
        site = workspace.settings.site.url
    if as_json:
        signing = known[-1].name
        print_json([{"name": key.name, "key": key.raw.hex(), "signs": key.name == signing} for key in known])
        return
    for key in known:
        say(f"{key.name} {'signs' if key is known[-1] else 'signed before'}")
    say(f"Published at {site}/relay/keys.json")
