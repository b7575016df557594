"""What a token in a mail's link stands for. Records nothing, and makes no page."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from audiences.models import Association
from comms.delivery.retention import OldDeliveries
from comms.delivery.runs import Run
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.links import MemberToken, PersonToken


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


@dataclass(frozen=True, slots=True)
class Holder:
    """Who may choose with a token: by the copy of a newsletter, or by a letter to this person alone."""

    association: Association
    member: int | None
    """None once the member was erased."""
    copy: Copy | None = None
    """None for a letter."""


def read(workspace: Workspace, token: str) -> Copy | None:
    """The newsletter that the token stands in; None when it is not ours, or stands for nothing that exists."""
    signed = workspace.links.signer.read(token)
    if signed is None or isinstance(signed, PersonToken):
        return None
    association = _association(workspace, signed.association)
    if association is None:
        return None
    ledger = workspace.ledger(association.slug)
    if isinstance(signed, MemberToken):
        recipient = ledger.recipient(signed.number)
        run = ledger.run_by_id(recipient[0]) if recipient else None
        heir = OldDeliveries(ledger.db).heir(signed.number)
        return Copy(association, run, signed.number, recipient[1], heir) if recipient and run else None
    run = ledger.run_by_id(signed.number)
    return Copy(association, run) if run else None


def holder(workspace: Workspace, token: str) -> Holder | None:
    """Who may choose with the token; None for what is not ours, and for an edition's token, which everybody has.

    A letter's token holds as long as the person has the address that the letter went to.
    """
    signed = workspace.links.signer.read(token)
    if isinstance(signed, PersonToken):
        association = _association(workspace, signed.association)
        member = workspace.people(association.slug).get(signed.number) if association else None
        if association is None or member is None or member.address is None:
            return None
        mark = workspace.links.signer.mark(member.address)
        return Holder(association, signed.number) if hmac.compare_digest(mark, signed.mark) else None
    copy = read(workspace, token)
    return Holder(copy.association, copy.holder, copy) if copy is not None and copy.delivery is not None else None


def for_person(workspace: Workspace, association: str, member: int, address: str) -> str:
    """The address of the page where a member chooses, for a letter to their own mailbox."""
    links = workspace.links
    return links.preferences(PersonToken(association, member, links.signer.mark(address)))


def _association(workspace: Workspace, slug: str) -> Association | None:
    try:
        return workspace.association(slug)
    except UsageError:
        return None
