"""Which of our mails something is about, and how surely. Reads ledgers and members; records nothing.

Whoever can make us believe a bounce can take a newsletter from its reader. So only what holds a token that we signed,
or comes from a provider that was shown to be one, is sure; a Message-ID is a name that anyone can write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from audiences.addresses import fold_case
from comms.engagement.bounces.models import Bounced
from comms.engagement.bounces.store import BounceStore, SentMail
from comms.engagement.bounces.tracing import Traces, named_delivery
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.links import MemberToken
from comms.verp import Returned

RECENT = timedelta(days=30)
"""How old a mail may be that a provider can only mean, naming sender and recipient."""


class Evidence(StrEnum):
    """By what the delivery was found."""

    TOKEN = "token"  # noqa: S105 - a word
    """A token that we signed: in the return path, or in the unsubscribe link of the mail that was returned."""
    PROVIDER = "provider"
    """A provider that was shown to be one names our Message-ID, or sender and recipient."""
    MESSAGE_ID = "message-id"
    """A Message-ID of ours, and the address that it went to. Both can be guessed."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Found:
    """The mail that something is about, and by what that was found."""

    association: str
    mail: SentMail
    evidence: Evidence


def by_token(workspace: Workspace, traces: Traces) -> Found | None:
    """The mail that a token of ours names: of the return path, else of the unsubscribe link."""
    signer = workspace.links.signer
    returned = signer.returns.find(traces.texts)
    if returned is not None:
        return _mail(workspace, _slug(workspace, returned, ""), returned.delivery, Evidence.TOKEN)
    tokens = (signer.read(link) for link in traces.links)
    token = next((token for token in tokens if isinstance(token, MemberToken)), None)
    return _mail(workspace, token.association, token.number, Evidence.TOKEN) if token else None


def alias(workspace: Workspace, purpose: str, association: str, delivery: int) -> str:
    """An address of ours for mail about a delivery, for one purpose alone. Every door takes it as a return path, for no
    association is called so; nothing that was made for one purpose is taken for another."""
    returns = workspace.links.signer.returns
    return returns.address(workspace.settings.bounces.address, returns.sign(f"{purpose}.{association}", delivery))


def by_alias(workspace: Workspace, purpose: str, texts: Iterable[str]) -> Found | None:
    """The mail that an `alias` for this purpose in these texts is about."""
    returned = workspace.links.signer.returns.find(texts)
    if returned is None:
        return None
    return _mail(workspace, _slug(workspace, returned, f"{purpose}."), returned.delivery, Evidence.TOKEN)


def by_message_id(
    workspace: Workspace, traces: Traces, recipients: Iterable[Bounced], evidence: Evidence
) -> Found | None:
    """The mail of this Message-ID, if one of the recipients is whom it went to.

    Where our mail goes out with signed return paths, what is returned holds a token, and no less is believed.
    """
    if evidence is Evidence.MESSAGE_ID and workspace.settings.bounces.address:
        return None
    named = named_delivery(traces.message_id)
    found = _mail(workspace, named.association, named.delivery, evidence) if named else None
    if named is None or found is None or found.mail.campaign != named.campaign:
        return None
    address = address_of(workspace, found)
    return found if address and named_in(address, recipients) else None


def by_sender(workspace: Workspace, sender: str, bounced: Bounced) -> Found | None:
    """The last mail that the association which writes as `sender` sent to the recipient."""
    since = workspace.now() - RECENT
    for association in workspace.associations():
        if not sender or fold_case(association.sender_address) != fold_case(sender):
            continue
        member = workspace.people(association.slug).find(bounced.recipient)
        store = BounceStore(workspace.association_db(association.slug))
        mail = store.last_mail(member.id, since) if member and member.id is not None else None
        if mail is not None:
            return Found(association.slug, mail, Evidence.PROVIDER)
    return None


def _slug(workspace: Workspace, returned: Returned, before: str) -> str | None:
    mark, slugs = workspace.links.signer.returns.mark, (each.slug for each in workspace.associations())
    return next((slug for slug in slugs if mark(f"{before}{slug}") == returned.mark), None)


def _mail(workspace: Workspace, slug: str | None, delivery: int, evidence: Evidence) -> Found | None:
    if slug is None or delivery >= 1 << 63:  # SQLite's largest
        return None
    try:
        mail = BounceStore(workspace.association_db(slug)).mail(delivery)
    except UsageError:
        return None
    return Found(slug, mail, evidence) if mail else None


def address_of(workspace: Workspace, found: Found) -> str | None:
    """The member's address now; None once the member was erased."""
    member = workspace.people(found.association).get(found.mail.member) if found.mail.member is not None else None
    return member.address if member else None


def named_in(address: str, recipients: Iterable[Bounced]) -> Bounced | None:
    """What is said of this address, as the one that failed or as the one that was written to."""
    key = fold_case(address)
    return next((each for each in recipients if key in (fold_case(each.recipient), fold_case(each.written_to))), None)
