"""What a token in a mail's link stands for. Records nothing, and makes no page."""

from __future__ import annotations

from dataclasses import dataclass

from audiences.models import Association
from comms.delivery.retention import OldDeliveries
from comms.delivery.store import Run
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.links import MemberToken


@dataclass(frozen=True, slots=True)
class Copy:
    """One run, and for a member's token the delivery in it: the copy that one member got."""

    association: Association
    run: Run
    delivery: int | None = None
    member: int | None = None
    """None for an edition's token, and once the member was erased."""
    heir: int | None = None
    """Who has the mailbox since its post-holder handed over: chooses with the copy, and is not known by its links."""

    @property
    def holder(self) -> int | None:
        """Who may choose with the copy."""
        return self.heir if self.member is None else self.member


def read(workspace: Workspace, token: str) -> Copy | None:
    """What the token stands for; None when it is not ours, or stands for nothing that exists."""
    signed = workspace.links.signer.read(token)
    if signed is None:
        return None
    try:
        association = workspace.association(signed.association)
    except UsageError:
        return None
    ledger = workspace.ledger(association.slug)
    if isinstance(signed, MemberToken):
        recipient = ledger.recipient(signed.number)
        run = ledger.run_by_id(recipient[0]) if recipient else None
        heir = OldDeliveries(ledger.db).heir(signed.number)
        return Copy(association, run, signed.number, recipient[1], heir) if recipient and run else None
    run = ledger.run_by_id(signed.number)
    return Copy(association, run) if run else None
