"""What a person may ask of an association: everything held of them, as a file, and to be forgotten."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from audiences.addresses import normalise_address
from audiences.exporting.store import Export
from audiences.private_feeds import PrivateFeeds
from audiences.signups import SignUp, SignUps
from comms.db import Database, fold_log, storage_errors
from comms.delivery.letterbox import Letterbox, LetterRow
from comms.engagement.bounces.store import BounceStore
from comms.engine.audience import MemberView, show_member
from comms.engine.workspace import Workspace

ERASED = "erased at the person's wish"


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What was erased. It names nobody, so that it can be kept: the person has the address, we have the time."""

    association: str
    at: datetime
    members: int
    consent_records: int
    deliveries_anonymised: int
    """Newsletters that now count for nobody."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "at": self.at.isoformat()}


def export_member(workspace: Workspace, address: str, association: str) -> dict[str, Any] | None:
    """Everything the association holds of the person, machine-readable (GDPR article 20); None when nothing.

    Of who only asked to become a member, that is the sign-ups. Raises audiences.errors.AddressError for what is no
    address.
    """
    normal = normalise_address(address)
    view = show_member(workspace, normal, association)
    people, ledger = workspace.people(association), workspace.ledger(association)
    visits = {
        "sign_ups": [_sign_up(each) for each in SignUps(ledger.db).of_address(normal)],
        "letters": [_letter(each) for each in Letterbox(ledger.db).of_address(normal)],
    }
    if view is None and not any(visits.values()):
        return None
    held = {
        "association": association,
        "at": workspace.now().isoformat(),
        "address": normal,
        "suppressions": {scope.value: reason for scope, reason in people.suppressions_of(normal)},
        **visits,
    }
    return held | _of_member(workspace, association, view) if view else held


def _of_member(workspace: Workspace, association: str, view: MemberView) -> dict[str, Any]:
    assert view.member.id is not None, "it comes from the database"
    people, ledger, events = workspace.people(association), workspace.ledger(association), workspace.events(association)
    feed_made = PrivateFeeds(people.db).made_at(view.member.id)
    (listed,) = Export(people).listed({view.member.id: view.member})
    return {
        **view.to_json(),
        "tags": list(listed.tags),
        "external_ids": list(listed.external_ids),
        "private_feed": {"made_at": feed_made.isoformat()} if feed_made else None,
        "newsletters": [
            {**delivery, "events": events.of_delivery(delivery["id"])} for delivery in ledger.of_member(view.member.id)
        ],
        "returned": [asdict(past) for past in BounceStore(ledger.db).of_member(view.member.id)],
    }


def _sign_up(signup: SignUp) -> dict[str, Any]:
    return {
        "at": signup.requested_at.isoformat(),
        "topics": sorted(signup.topics),
        "source": signup.source,
        "request_address": signup.request_address,
        "confirmed_at": signup.confirmed_at.isoformat() if signup.confirmed_at else None,
    }


def _letter(letter: LetterRow) -> dict[str, Any]:
    return {
        "at": datetime.fromtimestamp(letter.created_at, UTC).isoformat(),
        "about": letter.template,
        "state": letter.state,
        "reply": letter.reply,
    }


def erase_member(workspace: Workspace, address: str, association: str) -> ErasureReceipt | None:
    """Forget the person: rows gone, counts kept, the address never written to again (as a keyed hash).

    None when the association does not know the address; it is suppressed all the same, for an old file or backup
    may still hold it. Raises audiences.errors.AddressError for what is no address.
    """
    people, ledger, now = workspace.people(association), workspace.ledger(association), workspace.now()
    normal = normalise_address(address)
    with storage_errors(workspace.association_path(association)), people.db.atomic():
        member = people.find(normal)
        people.note_erased(normal, ERASED, now)
        forget_visitor(ledger.db, normal)
        receipt = None
        if member is not None and member.id is not None:
            records = len(people.consent_log(member.id))
            receipt = ErasureReceipt(association, now, 1, records, ledger.forget(member.id, now))
            people.remove(member.id)
    fold_log(people.db)
    return receipt


def forget_visitor(db: Database, address: str) -> None:
    """Delete what is kept of who asks to become a member: sign-ups, and the letters with their links."""
    SignUps(db).forget(address)
    Letterbox(db).forget(address)
