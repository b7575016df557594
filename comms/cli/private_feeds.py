"""`comms members feed`: the feed that one member has for themselves alone."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import NO, AssociationOption, JsonFlag, confirm, open_workspace, print_json, say, stop, who
from comms.engine import private_feeds
from comms.errors import UsageError


def feed(
    address: Annotated[str, typer.Argument(help="The member's e-mail address.")],
    association: AssociationOption = None,
    new: Annotated[
        bool, typer.Option("--new", help="Make one and print its addresses, this once; the one before ends.")
    ] = False,
    end: Annotated[bool, typer.Option("--end", help="End it; its address then leads to nothing.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Has a member a feed of their own: exit code 1 when not. Make or end it at the member's wish.

    Members do it themselves on the page behind the link at the foot of their newsletters.
    """
    if new and end:
        raise UsageError("--new and --end can not both be meant.", hint="Give one of them.")
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        made = private_feeds.made_at(workspace, slug, address)
        if (new or end) and made is not None and not yes:
            confirm(f"End the feed that {address} has had since {made:%Y-%m-%d}?", as_json=as_json)
        urls = private_feeds.make_for(workspace, slug, address, who=who()) if new else None
        if end and made is not None:
            private_feeds.end_for(workspace, slug, address, who=who())
        now_made = private_feeds.made_at(workspace, slug, address)
    there = now_made is not None
    if as_json:
        shown = {"rss": urls.rss, "atom": urls.atom, "json": urls.json} if urls else None
        since = now_made.isoformat() if now_made else None
        print_json({"address": address, "feed": there, "made_at": since, "urls": shown})
    elif urls:
        say("Hand one of these to the member alone. They are shown this once:")
        for url in (urls.rss, urls.atom, urls.json):
            say(f"  {escape(url)}")
    elif end:
        say("The feed is ended." if made else f"{escape(address)} had no feed.")
    elif now_made:
        say(f"{escape(address)} has had a feed of their own since {now_made:%Y-%m-%d}.")
    else:
        say(f"{escape(address)} has no feed. Make one with: comms members feed {escape(address)} --new")
    if (end and made is None) or not (there or end):
        stop(NO)
