"""What a person may ask of an association: everything held of them, as a file, and to be forgotten."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from audiences.addresses import normalise_address
from audiences.models import SuppressionScope
from audiences.signups import SignUp, SignUps
from comms.db import fold_log, storage_errors
from comms.delivery.letterbox import Letterbox
from comms.engine.audience import show_member
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

    Raises audiences.errors.AddressError for what is no address.
    """
    view = show_member(workspace, address, association)
    if view is None or view.member.id is None:
        return None
    ledger, events = workspace.ledger(association), workspace.events(association)
    deliveries = [
        {**delivery, "events": events.of_delivery(delivery["id"])} for delivery in ledger.of_member(view.member.id)
    ]
    return {
        "association": association,
        "at": workspace.now().isoformat(),
        **view.to_json(),
        "tags": sorted(workspace.people(association).tags([view.member.id])[view.member.id]),
        "newsletters": deliveries,
        "sign_ups": [_sign_up(each) for each in SignUps(ledger.db).of_address(view.member.address or "")],
    }


def _sign_up(signup: SignUp) -> dict[str, Any]:
    return {
        "at": signup.requested_at.isoformat(),
        "topics": sorted(signup.topics),
        "source": signup.source,
        "request_address": signup.request_address,
        "confirmed_at": signup.confirmed_at.isoformat() if signup.confirmed_at else None,
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
        people.suppress(normal, SuppressionScope.ASSOCIATION, ERASED, now)
        SignUps(people.db).forget(normal)
        Letterbox(ledger.db).forget(normal)
        if member is None or member.id is None:
            return None
        records = len(people.consent_log(member.id))
        anonymised = ledger.forget(member.id, now)
        people.remove(member.id)
    fold_log(people.db)
    return ErasureReceipt(association, now, 1, records, anonymised)
