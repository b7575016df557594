"""`comms relay follow | unfollow | peer | peers | unpeer`: relays between engines, from both of their sides."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import NO, JsonFlag, confirm, open_workspace, print_json, say, stop, table, who
from comms.engine.following import feeds, telling
from comms.engine.following.asking import answering_key
from comms.engine.following.feeds import Found, Reading
from comms.engine.relaying import peers as registered
from comms.kits.signing import PublicKey

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Slug = Annotated[str, typer.Argument(metavar="ASSOCIATION", help="Short name of the association.")]


def follow(
    url: Annotated[
        str, typer.Argument(metavar="[URL]", help="A feed of offers, https://.../relay/SLUG/feed.json.")
    ] = "",
    association: Annotated[
        str | None, typer.Option("--as", metavar="SLUG", help="Whom it is offered to here; the host when left out.")
    ] = None,
    key: Annotated[
        str, typer.Option(metavar="FINGERPRINT", help="The key that it must have, by the name that they told you.")
    ] = "",
    name: Annotated[str, typer.Option(help="Short name here, with which ids of its offers begin.")] = "",
    pass_on: Annotated[
        bool, typer.Option("--pass-on", help="Offer it to all other associations of this workspace, too.")
    ] = False,
    now: Annotated[
        bool, typer.Option("--now", help="Ask all that are followed now, and tell them what is new.")
    ] = False,
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Take offers from another engine, and answer it. Without an address: what is followed, and how that stands."""
    with open_workspace() as workspace:
        told = []
        if url:
            found = feeds.look(workspace, url, key=key)
            if not as_json:
                _show(found)
            if not (yes or found.confirmed):
                confirm("Is this the key that they told you?", as_json=as_json)
            slug = workspace.association(association).slug
            feeds.follow(workspace, found, slug, name=name, passes_on=pass_on, who=who())
        if now or url:
            readings = feeds.read(workspace, at_once=True)
            told = telling.tell(workspace, at_once=True)
        else:
            readings = feeds.standing(workspace)
        # Telling may have changed how offers stand.
        shown = feeds.standing(workspace)
        keys = {each.follow.url: answering_key(workspace, each.follow.url).public for each in shown}
    failed = any(each.follow.fault for each in readings)
    if as_json:
        print_json([{**each.to_json(), "answers_with": keys[each.follow.url].raw.hex()} for each in shown])
    else:
        _list(shown, keys)
        for each in told:
            if each.refusal:
                say(f"Not told of {escape(each.campaign)} yet: {escape(each.refusal)} It is tried again.")
    if failed:
        stop(NO)


def unfollow(name: Annotated[str, typer.Argument(help="Its short name here.")], as_json: JsonFlag = False) -> None:
    """Take no more offers from an engine, and tell it nothing. What was taken stays as it is."""
    with open_workspace() as workspace:
        row = feeds.unfollow(workspace, name, who=who())
    if as_json:
        print_json({"name": row.name, "url": row.url, "followed": False})
    else:
        say(f"{escape(row.author)} is followed no more.")


def peer(
    association: Slug,
    key: Annotated[
        str, typer.Option(help="The key that its engine answers with; `comms relay follow` shows it there.")
    ],
    yes: Yes = False,
    as_json: JsonFlag = False,
) -> None:
    """Take an association's answers from an engine of its own; then it can not answer here any more."""
    with open_workspace() as workspace:
        workspace.association(association)
        if not yes and not as_json:
            say(f"Whoever has this key answers for {escape(association)}, which can not answer here any more.")
        if not yes:
            confirm("Take its answers?", as_json=as_json)
        added = registered.register(workspace, association, key, who=who())
        site = workspace.settings.site.url
    url = f"{site}/relay/{added.association}/feed.json"
    if as_json:
        print_json({"association": added.association, "key": added.key, "feed": url})
    else:
        say(f"{escape(association)} answers from its own engine now, which follows {escape(url)}")


def peers(as_json: JsonFlag = False) -> None:
    """List the associations that answer from an engine of their own."""
    with open_workspace() as workspace:
        found = registered.peers(workspace)
    if as_json:
        print_json([{"association": each.association, "key": each.key, "added_at": each.added_at} for each in found])
        return
    rows = [[each.association, PublicKey(bytes.fromhex(each.key)).name, f"{each.added_at:%Y-%m-%d}"] for each in found]
    table("", ["Association", "Key", "Since"], rows)


def unpeer(association: Slug, as_json: JsonFlag = False) -> None:
    """Take no answers from an association's own engine any more; it can answer here again."""
    with open_workspace() as workspace:
        registered.unregister(workspace, association, who=who())
    if as_json:
        print_json({"association": association, "peer": False})
    else:
        say(f"{escape(association)} answers here again.")


def _show(found: Found) -> None:
    say(f"[bold]{escape(found.author)}[/] offers to {escape(found.remote)}, and signs with the key {found.key.name}")
    if not found.confirmed:
        say("Ask them for the name of their key (`comms relay keys`), by telephone say, and compare.")


def _list(readings: list[Reading], keys: dict[str, PublicKey]) -> None:
    if not readings:
        say("No other engine is followed. To follow one: comms relay follow URL --as SLUG")
    for each in readings:
        row = each.follow
        at = f"read {row.read_at:%Y-%m-%d %H:%M} UTC" if row.read_at else "not read yet"
        say(f"[bold]{escape(row.author)}[/] ({escape(row.name)}), for {escape(row.association)}, {at}")
        say(f"  {escape(row.url)}")
        if row.fault:
            say(f"  [red]It can not be read:[/] {escape(row.fault)}; it is tried again.")
        say(f"  They take your answers once they have this: comms relay peer {escape(row.remote)} --key")
        say(f"    {keys[row.url].raw.hex()}")
        for offer in each.offers:
            state = f"version {offer.version}" if offer.version else "not taken"
            told = "told" if offer.taken and offer.answer else "to be told"
            say(f"  {escape(offer.campaign)}: {state}, {told}{': ' + escape(offer.fault) if offer.fault else ''}")
