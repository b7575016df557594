"""`comms members invite`: ask one person to sign up."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import AssociationOption, JsonFlag, open_workspace, print_json, say, who
from comms.engine import signup


def invite(
    address: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    association: AssociationOption = None,
    topic: Annotated[
        list[str] | None,
        typer.Option("--topic", metavar="SLUG", help="What to ask for; all public topics if left out."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Mail one person a link to sign up with, as when they asked on the telephone. Only they can say yes.

    It goes out as soon as `comms run` runs, and works for three days.
    """
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        signup.invite(workspace, slug, address, topic or (), who=who())
    if as_json:
        print_json({"association": slug, "address": address, "invited": True})
    else:
        say(f"{escape(address)} gets a link from {slug}, and is signed up once they follow it.")
