"""`comms relay`: joins the commands of relays, which stand in modules of their own."""

from __future__ import annotations

import typer

from comms.cli.lazily import group_of

COMMANDS = {
    "offer": "offers:offer",
    "list": "offers:list_",
    "status": "offers:status",
    "correct": "offers:correct",
    "recall": "offers:recall",
    "close": "collective:close",
    "figures": "figures:figures",
    "impact": "collective:impact",
    "show": "answers:show",
    "adapt": "answers:adapt",
    "accept": "answers:accept",
    "decline": "answers:decline",
    "publish": "answers:publish",
    "seat": "seats:seat",
    "seats": "seats:seats",
    "unseat": "seats:unseat",
    "link": "seats:link",
    "rule": "seats:rule",
    "kit": "kits:kit",
    "secret": "figures:secret",
    "tokenise": "tokens:tokenise",
    "deal": "tokens:deal",
    "match": "tokens:match",
    "keys": "relay_keys:keys",
    "follow": "follows:follow",
    "unfollow": "follows:unfollow",
    "peer": "follows:peer",
    "peers": "follows:peers",
    "unpeer": "follows:unpeer",
}
"""Where each command is, below `comms.cli`, in the order of `comms relay --help`."""

app = typer.Typer(
    cls=group_of(COMMANDS),
    no_args_is_help=True,
    help="Campaigns for other associations to send: offers, answers, corrections, recalls, kits, other engines.",
)


@app.callback()
def _relay() -> None:
    pass
