"""`comms association welcome`: show the letter to who has just signed up, and switch it on or off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from audiences.models import Member
from comms.cli.output import JsonFlag, open_workspace, print_json, say
from comms.engine import letters, welcome
from comms.files import write_whole

_READER = "reader@example.org"


def show(
    slug: Annotated[str, typer.Argument(help="Which association.")],
    on: Annotated[bool | None, typer.Option("--on/--off", help="Send it, or send none.")] = None,
    language: Annotated[
        str | None, typer.Option(metavar="TAG", help="As somebody reads it who speaks this language, such as es.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="DIR", help="Write welcome.html and welcome.txt there.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the letter that goes to who has just signed up. The association's own words for it are in
    letters/SLUG/welcome.md in the workspace, and in welcome.es.md and so on for other languages."""
    with open_workspace() as workspace:
        owner = workspace.association(slug)
        if on is not None:
            owner = workspace.change_association(replace(owner, welcome=on))
        # Its link leads nowhere: nobody with this number has this address.
        member = Member(_READER, language=language, id=1)
        titles = [topic.title for topic in workspace.people(slug).topics() if topic.public]
        content = welcome.content_for(workspace, owner, member, titles)
        rendered = letters.render(workspace, owner, welcome.TEMPLATE, content)
    if out is not None:
        for kind, text in (("html", rendered.html), ("txt", rendered.text)):
            write_whole(out / f"{welcome.TEMPLATE}.{kind}", text.encode())
    if as_json:
        print_json({
            "association": slug, "sent": owner.welcome, "language": content.language, "subject": rendered.subject,
            "text": rendered.text,
        })  # fmt: skip
        return
    say(f"{slug} sends this to who has just signed up:" if owner.welcome else f"{slug} sends no welcome. It would be:")
    say(f"\n{escape(rendered.subject)}\n\n{escape(rendered.text)}")
