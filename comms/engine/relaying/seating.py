"""Who speaks for an association, what it decided once and for all, and the links by which its seats answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from audiences.addresses import normalise_address
from audiences.attributes import clean_text
from audiences.errors import AddressError
from campaigns.models import Campaign
from campaigns.relays import RelayRow, RelayRule, Seat
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.links import SeatToken

MOST_SEATS = 5
"""Speakers of one association: a president and up to four chosen people, as the field's own leadership list has it."""
VALID = timedelta(days=60)
"""How long a link holds where the offer names no day."""
AFTER = timedelta(days=14)
"""How long it holds after the last day that the offer names, so that what was sent can be looked at; and at least."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """Whom a link stands for, and what they are asked."""

    relay: RelayRow
    seat: Seat


def seats(workspace: Workspace, slug: str) -> list[Seat]:
    """Raises UsageError for an association that the workspace does not have."""
    return workspace.relays.seats(workspace.association(slug).slug)


def add(workspace: Workspace, slug: str, name: str, address: str) -> Seat:
    """Give somebody a seat. Raises UsageError for what is no address, an address that has one, and a sixth seat."""
    taken = seats(workspace, slug)
    try:
        address, name = normalise_address(address), clean_text(name)
    except AddressError as error:
        raise UsageError(f"{error}.") from error
    if not name:
        raise UsageError("a seat needs the name of who has it.", hint='--name "Luis Ortega"')
    if any(seat.address.lower() == address.lower() for seat in taken):
        raise UsageError(f"{address} speaks for {slug} already.")
    if len(taken) >= MOST_SEATS:
        raise UsageError(
            f"{slug} has {MOST_SEATS} seats, and no more are to be had.", hint="Take one away: comms relay unseat."
        )
    store = workspace.relays
    with store.db.atomic():
        number = store.add_seat(slug, name, address, workspace.now())
    seat = store.seat(number)
    assert seat is not None
    return seat


def find(workspace: Workspace, slug: str, address: str) -> Seat:
    """Raises UsageError when nobody with this address speaks for the association."""
    known = seats(workspace, slug)
    for seat in known:
        if seat.address.lower() == address.strip().lower():
            return seat
    names = ", ".join(seat.address for seat in known)
    hint = f"Seats are: {names}." if known else "It has no seat: comms relay seat."
    raise UsageError(f"nobody with the address {address!r} speaks for {slug}.", hint=hint)


def remove(workspace: Workspace, slug: str, address: str) -> Seat:
    """Take a seat away; its links are worthless from now on. Raises UsageError."""
    seat, store = find(workspace, slug, address), workspace.relays
    with store.db.atomic():
        store.remove_seat(seat.id, workspace.now())
    return seat


def renew(workspace: Workspace, slug: str, address: str) -> Seat:
    """Make all links that were mailed to a seat worthless; the next mail has a new one. Raises UsageError."""
    seat, store = find(workspace, slug, address), workspace.relays
    with store.db.atomic():
        store.renew_seat(seat.id)
    return seat


def rule(workspace: Workspace, slug: str) -> RelayRule:
    """Raises UsageError for an association that the workspace does not have."""
    return workspace.relays.rule(workspace.association(slug).slug)


def decide(workspace: Workspace, decided: RelayRule) -> RelayRule:
    """Note what an association decided once and for all. Raises UsageError when it can not be kept."""
    taken = seats(workspace, decided.association)
    if decided.two_seats and len(taken) < 2:
        raise UsageError(
            f"two seats are to accept, and {decided.association} has {len(taken)}.",
            hint="Give another person a seat first: comms relay seat.",
        )
    store = workspace.relays
    with store.db.atomic():
        store.save_rule(decided)
    return decided


# --- links ------------------------------------------------------------------------------------


def link(workspace: Workspace, row: RelayRow, seat: Seat, campaign: Campaign) -> str:
    """The address of the page where a seat answers; whoever has it may answer for the seat."""
    # Who asks for a new link after the last day gets one that is not over before it arrives.
    expires = int(max(_last_moment(row, campaign), workspace.now() + AFTER).timestamp())
    return workspace.links.relay(SeatToken(row.association, row.id, seat.id, seat.serial, expires))


def sitting(workspace: Workspace, token: str) -> Sitting | None:
    """Whom a link stands for; None for one that was changed, has expired, or whose seat was taken away or renewed."""
    signed = workspace.links.signer.read_seat(token)
    if signed is None or workspace.now().timestamp() > signed.expires:
        return None
    row, seat = workspace.relays.relay_by_id(signed.number), workspace.relays.seat(signed.seat)
    if row is None or seat is None or seat.serial != signed.serial:
        return None
    if not seat.association == row.association == signed.association:
        return None
    return Sitting(row, seat)


def lapsed(workspace: Workspace, token: str) -> Sitting | None:
    """Whom a link stood for that holds no more but was ours: they may have a new one. None for anything else."""
    signed = workspace.links.signer.read_seat(token)
    row = workspace.relays.relay_by_id(signed.number) if signed else None
    seat = workspace.relays.seat(signed.seat) if signed else None
    if row is None or seat is None or seat.association != row.association:
        return None
    return Sitting(row, seat)


def unseated(workspace: Workspace, token: str) -> bool:
    """Is the link ours, and the seat that it was mailed to taken away."""
    signed = workspace.links.signer.read_seat(token)
    return signed is not None and workspace.relays.seat(signed.seat) is None


def _last_moment(row: RelayRow, campaign: Campaign) -> datetime:
    part = campaign.relay
    days = [day for day in (part.respond_by, part.not_after) if day] if part else []
    if not days:
        return row.offered_at + VALID
    return max(datetime.combine(max(days), time.max, UTC) + AFTER, row.offered_at + AFTER)
