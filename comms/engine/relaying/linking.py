"""Mails the people who speak for an association their links, when one of them asks. Shows no link to anybody."""

from __future__ import annotations

from datetime import timedelta

from campaigns.relays import RelayRow, Seat
from comms.db import storage_errors
from comms.delivery.letterbox import Letterbox
from comms.engine.relaying import letters, seating
from comms.engine.relaying.seating import Sitting
from comms.engine.workspace import Workspace
from comms.errors import UsageError

PAUSE = timedelta(minutes=10)
"""So long nobody gets another link: whoever finds an old one can not fill a mailbox with it."""


def again(workspace: Workspace, sitting: Sitting) -> bool:
    """Mail a seat a new link to its own address; False, and nothing mailed, when it got one just now."""
    return _mail(workspace, sitting.relay, sitting.seat, asked_by=sitting.seat)


def pass_on(workspace: Workspace, row: RelayRow, seat: Seat, other: int) -> bool:
    """Mail another seat of the association its own link, and note who asked for it; False, and nothing mailed, when it
    got one just now. Raises UsageError for what is no other seat of the association."""
    colleague = next((each for each in colleagues(workspace, seat) if each.id == other), None)
    if colleague is None:
        raise UsageError(f"there is no such seat of {seat.association}.", hint="Choose one of its seats.")
    if not _mail(workspace, row, colleague, asked_by=seat):
        return False
    store = workspace.relays
    with storage_errors(workspace.host_path), store.db.atomic():
        store.add_step(row.id, seat.name, "passed on", colleague.name, workspace.now())
    return True


def colleagues(workspace: Workspace, seat: Seat) -> list[Seat]:
    """The other seats of the same association, by name."""
    return [each for each in seating.seats(workspace, seat.association) if each.id != seat.id]


def _mail(workspace: Workspace, row: RelayRow, seat: Seat, *, asked_by: Seat) -> bool:
    host = workspace.association(None).slug
    db, since = workspace.association_db(host), (workspace.now() - PAUSE).timestamp()
    with storage_errors(workspace.association_path(host)), db.atomic():
        sent = Letterbox(db).of_address(seat.address)
        if any(each.template == letters.LINK and each.created_at > since for each in sent):
            return False
        letters.link_again(workspace, row, seat, asked_by=asked_by)
    return True
