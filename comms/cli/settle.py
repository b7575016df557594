"""`comms campaign settle`: mails and posts of which nobody knows whether they arrived, and what is to be done."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import JsonFlag, confirm, counted, open_workspace, print_json, say, table, who
from comms.engine import deciding
from comms.engine.deciding import Undecided
from comms.engine.workspace import Workspace
from comms.errors import UsageError

_MOST_LISTED = 50
Id = Annotated[str, typer.Argument(metavar="ID", help="The campaign's id.")]


def settle(
    campaign_id: Id,
    arrived: Annotated[bool, typer.Option("--arrived", help="They are there: count them as sent.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="They are not: send them again, mails under the same Message-ID.")
    ] = False,
    address: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="These mails alone; may be given several times.")
    ] = None,
    post: Annotated[int | None, typer.Option(metavar="NUMBER", help="This post, instead of mails.")] = None,
    url: Annotated[str, typer.Option(metavar="URL", help="With --post --arrived: where it can be seen.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the mails and posts that may have arrived, or say of them what became of them."""
    if arrived and again:
        raise UsageError("--arrived and --again say the opposite.", hint="Choose one of them.")
    if url and not (post is not None and arrived):
        raise UsageError("--url goes with --post and --arrived.")
    with open_workspace() as workspace:
        waiting = deciding.undecided(workspace, campaign_id)
        if not (arrived or again):
            _list(waiting, campaign_id, as_json=as_json)
            return
        if not yes:
            confirm(_question(waiting, address, post, arrived=arrived), as_json=as_json)
        done = _decide(workspace, campaign_id, address, post, arrived=arrived, url=url)
    if as_json:
        print_json({"id": campaign_id, "settled": done, "as": "arrived" if arrived else "again"})
    else:
        say(f"{done} settled." + (" They go out while `comms run` runs." if again and done else ""))


def _decide(
    workspace: Workspace, campaign_id: str, address: list[str] | None, post: int | None, *, arrived: bool, url: str
) -> int:
    if post is None:
        return deciding.decide_mails(workspace, campaign_id, address or (), arrived=arrived, who=who())
    deciding.decide_post(workspace, campaign_id, post, arrived=arrived, url=url, who=who())
    return 1


def _question(waiting: Undecided, address: list[str] | None, post: int | None, *, arrived: bool) -> str:
    if post is not None:
        return f"Count post {post} as published?" if arrived else f"Publish post {post} again?"
    mails = counted(len(address) if address else len(waiting.mails), "mail", "mails")
    return f"Count {mails} as sent?" if arrived else f"Send {mails} again? Some people may get it twice."


def _list(waiting: Undecided, campaign_id: str, *, as_json: bool) -> None:
    if as_json:
        posts = [{"number": p.id, "association": p.association, "network": p.network, "text": p.text,
                  "reason": p.reason, "since": p.updated_at.isoformat()} for p in waiting.posts]  # fmt: skip
        print_json({"id": campaign_id, "mails": [mail.to_json() for mail in waiting.mails], "posts": posts})
        return
    if not (waiting.mails or waiting.posts):
        say("Nothing waits for a decision.")
        return
    if waiting.mails:
        rows = [
            [mail.association, mail.address or "(erased)", f"{mail.since:%Y-%m-%d %H:%M}", mail.cause]
            for mail in waiting.mails[:_MOST_LISTED]
        ]
        table("Mails that may have arrived", ["Association", "Address", "Since (UTC)", "Why"], rows)
        if len(waiting.mails) > _MOST_LISTED:
            say(f"... and {len(waiting.mails) - _MOST_LISTED:,} more; --json lists all.")
    if waiting.posts:
        rows = [[str(p.id), p.association, p.network, p.reason, p.text] for p in waiting.posts]
        table("Posts that may be there: look at the account", ["Number", "Association", "Network", "Why", "Text"], rows)
    say(f"Then: comms campaign settle {escape(campaign_id)} --arrived, or --again; for a post with --post NUMBER.")
