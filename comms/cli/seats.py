"""`comms relay seat | seats | unseat | link | rule`: who speaks for an association, and what it decided for good."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Annotated

import typer
from rich.markup import escape

from campaigns.relays import Seat
from comms.cli.output import JsonFlag, open_workspace, print_json, say, table
from comms.engine.relaying import answering, making, seating

Slug = Annotated[str, typer.Argument(metavar="ASSOCIATION", help="Short name of the association.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="E-mail address of who has the seat.")]


def seat(
    association: Slug,
    address: Address,
    name: Annotated[str, typer.Option(help="Name of the person.")],
    as_json: JsonFlag = False,
) -> None:
    """Let somebody answer offers for an association, by links that are mailed to them. Five can, at most."""
    with open_workspace() as workspace:
        added = seating.add(workspace, association, name, address)
    if as_json:
        print_json(_seat(added))
    else:
        say(f"{escape(added.name)} speaks for {escape(association)} now.")


def seats(association: Slug, as_json: JsonFlag = False) -> None:
    """List who speaks for an association, and what it decided for good."""
    with open_workspace() as workspace:
        found, decided = seating.seats(workspace, association), seating.rule(workspace, association)
    if as_json:
        print_json({**asdict(decided), "seats": [_seat(each) for each in found]})
        return
    table("", ["Name", "Address"], [[each.name, each.address] for each in found])
    if decided.two_seats:
        say("Two of them must accept.")
    if decided.accepts:
        say(f"Accepts without asking: {escape(', '.join(decided.accepts))}")
    if decided.own_tool:
        say("It sends with a tool of its own.")


def unseat(
    association: Slug,
    address: Address,
    renew: Annotated[
        bool, typer.Option("--renew", help="Keep the seat, and end its links: the next mail brings a new one.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Take a seat away. Its links end at once."""
    with open_workspace() as workspace:
        done = (seating.renew if renew else seating.remove)(workspace, association, address)
    if as_json:
        print_json({**_seat(done), "removed": not renew})
    else:
        say(f"The links of {escape(done.name)} have ended." if renew else f"{escape(done.name)} has no seat any more.")


def link(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")],
    association: Annotated[str, typer.Option("--association", "-a", metavar="SLUG", help="Of which association.")],
    address: Annotated[str, typer.Option("--seat", metavar="ADDRESS", help="Whose link.")],
    as_json: JsonFlag = False,
) -> None:
    """Print the link by which a seat answers an offer, to hand it on by other ways than mail."""
    with open_workspace() as workspace:
        row = answering.find(workspace, campaign, association)
        url = seating.link(
            workspace, row, seating.find(workspace, association, address), making.current(workspace, campaign)
        )
    if as_json:
        print_json({"url": url})
    else:
        say(escape(url))


def rule(
    association: Slug,
    two_seats: Annotated[
        bool | None, typer.Option("--two-seats/--one-seat", help="Must two different people accept.")
    ] = None,
    accept_topic: Annotated[
        list[str] | None,
        typer.Option(metavar="TOPIC", help="Accept offers about this without asking; may be given several times."),
    ] = None,
    ask: Annotated[bool, typer.Option("--ask", help="Accept nothing without asking.")] = False,
    own_tool: Annotated[
        bool | None,
        typer.Option("--own-tool/--from-here", help="It sends what it accepts with a tool of its own, or from here."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """What an association decided once and for all. Silence never sends anything that it has not named here."""
    with open_workspace() as workspace:
        before = seating.rule(workspace, association)
        accepts = () if ask else before.accepts if accept_topic is None else tuple(accept_topic)
        wanted = replace(
            before,
            two_seats=before.two_seats if two_seats is None else two_seats,
            accepts=accepts,
            own_tool=before.own_tool if own_tool is None else own_tool,
        )
        decided = seating.decide(workspace, wanted)
    if as_json:
        print_json(asdict(decided))
        return
    say("Two people must accept." if decided.two_seats else "One person can accept.")
    say(f"Accepted without asking: {escape(', '.join(decided.accepts)) or 'nothing'}")
    if decided.own_tool:
        say("It sends with a tool of its own: nothing goes out from here, and the page of an offer takes its figures.")


def _seat(seat: Seat) -> dict[str, str]:
    return {"association": seat.association, "name": seat.name, "address": seat.address}
