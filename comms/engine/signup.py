"""Sign-up with double opt-in: somebody types in an address, and only a link mailed to it makes a consent of that.

    request, invite --> waiting --confirm--> confirmed
                           |---72 hours--> expired

Nothing that is answered to a request says whether the address is known, suppressed, or asked for too often.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

import structlog

from audiences.addresses import normalise_address
from audiences.choices import Choices
from audiences.consent import may_return
from audiences.errors import AddressError
from audiences.models import ANY_TOPIC, Association, Basis, Consent, ConsentState, Member, SuppressionScope, Topic
from audiences.signups import SignUp, SignUps
from audiences.store import People
from comms.db import storage_errors
from comms.engine import languages, letters, welcome
from comms.engine.languages import Wishes
from comms.engine.signup_words import WORDING_VERSION, confirmation, topic_wording
from comms.engine.subscription import mask
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.language.words import Words, marked
from comms.rendering.errors import UnsendableAddress
from comms.rendering.mime import addr_spec

log = structlog.get_logger(__name__)

VALID = timedelta(hours=72)
"""How long a link confirms."""
MOST_OF_ADDRESS, ADDRESS_SPAN = 3, timedelta(days=1)
"""Links to one address that wait to be followed."""
MOST_OF_NETWORK, NETWORK_SPAN = 20, timedelta(hours=1)
"""Requests from one IP address, or of one IPv6 network of a subscriber (/64)."""
MOST_WAITING = 5_000
"""Links of one association that wait to be followed."""
FORM = f"sign-up form, wording {WORDING_VERSION}"
INVITATION = f"invitation by the association, wording {WORDING_VERSION}"
TEMPLATE = "confirm"
_TOKEN = re.compile(r"(?P<association>[a-z0-9-]{1,64})\.[A-Za-z0-9_-]{43}", re.ASCII)


class Stage(StrEnum):
    """How far a sign-up is."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    """Just now, by this very request."""
    USED = "used"
    """Before; a link is good for one time."""
    EXPIRED = "expired"
    """Or nothing is known of it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A topic that anyone may sign up for, with the wording that they agree to."""

    slug: str
    title: str
    wording: str


@dataclass(frozen=True, slots=True)
class Form:
    """What the sign-up page of an association asks."""

    association: Association
    topics: tuple[Offer, ...]
    languages: Mapping[str, str]
    """Tag -> name."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the page behind a mailed link shows."""

    stage: Stage
    association: str
    """The association's name."""
    slug: str
    address: str
    """Masked; empty when nothing is known of the link."""
    wordings: tuple[str, ...]
    wishes: Wishes
    """The languages that the mail was written by: its page speaks as it did."""


# --- asking -----------------------------------------------------------------------------------


def form(workspace: Workspace, association: str, words: Words | None = None) -> Form | None:
    """The sign-up page of an association in `words`, else the association's own; None where there is none: no such
    association, or no public topic."""
    owner = next((each for each in workspace.associations() if each.slug == association), None)
    if owner is None:
        return None
    words = words or workspace.catalogues.words(owner.language)
    topics = _offers(owner, workspace.people(owner.slug).topics(), words)
    return Form(owner, topics, languages.offered(workspace, owner)) if topics else None


def request(
    workspace: Workspace, association: str, address: str, topics: Collection[str], language: str | None, ip: str | None
) -> None:
    """Mail a link to the address that confirms the sign-up; above the limits, or to a blocked address, silently none.

    `topics` are slugs, of which those that are not public are left out of account; `ip` is the visitor's address.
    What is agreed to is worded, and the letter written, in `language` if it is one that is offered.
    Raises audiences.errors.AddressError for what is no address, UsageError when no topic or association is left.
    """
    reason = _enter(workspace, association, address, topics, language, ip, FORM)
    if reason:
        log.warning("no confirmation was mailed", association=association, reason=reason)


def invite(workspace: Workspace, association: str, address: str, topics: Collection[str] = (), *, who: str) -> None:
    """Mail the same link because staff asks for it: consent is still only the person's own act.

    All public topics when none are named. Raises AddressError and UsageError as `request` does, StateError when no
    mail may go to the address, or too many wait to be answered.
    """
    public = {topic.slug for topic in workspace.people(association).topics() if topic.public}
    if unknown := sorted(set(topics) - public):
        hint = f"It has: {', '.join(sorted(public)) or 'none'}."
        raise UsageError(f"{association} has no public topic {unknown[0]!r}.", hint=hint)
    reason = _enter(workspace, association, address, topics or None, None, None, INVITATION)
    if reason:
        raise StateError(f"no invitation was sent: {reason}.", hint="See: comms members show")
    host = workspace.host
    with storage_errors(workspace.host_path), host.db.atomic():
        host.note(who, "invited a person", None, association, workspace.now())  # whom, only the association knows


def _enter(
    workspace: Workspace,
    association: str,
    address: str,
    topics: Collection[str] | None,
    language: str | None,
    ip: str | None,
    source: str,
) -> str:
    """Keep a sign-up and queue its letter. Returns why none is mailed, else nothing.

    A blocked address is kept all the same, only without a letter: what takes another time tells something.
    """
    owner, people, now = workspace.association(association), workspace.people(association), workspace.now()
    normal = mailbox(address)
    chosen = language if language in languages.offered(workspace, owner) else None
    words = workspace.catalogues.words(chosen, owner.language)
    offers = [offer for offer in _offers(owner, people.topics(), words) if topics is None or offer.slug in topics]
    if not offers:
        raise UsageError(marked("no newsletter was chosen."), hint=marked("Choose at least one."))
    signup = SignUp(
        address=normal,
        topics={offer.slug: offer.wording for offer in offers},
        source=source,
        requested_at=now,
        expires_at=now + VALID,
        language=chosen,
        request_address=ip,
        request_network=network_of(ip),
    )
    token = f"{owner.slug}.{secrets.token_urlsafe(32)}"
    signups = SignUps(people.db)
    with storage_errors(workspace.association_path(owner.slug)), people.db.atomic():
        if reason := _above_limit(signups, signup, now):
            return reason
        signups.add(signup, _hash(workspace, token))
        if _is_blocked(people, normal):
            return "the address is blocked"
        content = confirmation(
            words,
            owner.name,
            [offer.wording for offer in offers],
            url=f"{workspace.settings.site.url}/s/{token}",
            expires_at=signup.expires_at,
            invited=source == INVITATION,
        )
        letters.post(workspace, owner.slug, TEMPLATE, normal, content, expires_at=signup.expires_at)
    return ""


def mailbox(address: str) -> str:
    """The address in one form. Raises AddressError, also for one that mail can not carry: its link would never come."""
    normal = normalise_address(address)
    try:
        addr_spec(normal)
    except UnsendableAddress as error:
        raise AddressError(error.message) from error
    return normal


def network_of(ip: str | None) -> str | None:
    """What requests are counted by: an IPv4 address, or the /64 that an IPv6 subscriber has to themselves.

    None for an unknown address, and for this machine itself: a server in front of ours that does not say for whom
    it asks must not use up everybody's share.
    """
    try:
        address = ip_address(ip or "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return None if address.is_loopback else str(ip_network((int(address) >> 64 << 64, 64)))
        address = address.ipv4_mapped
    return None if address.is_loopback else str(address)


def _above_limit(signups: SignUps, signup: SignUp, now: datetime) -> str:
    if signups.waiting_for(signup.address, now - ADDRESS_SPAN) >= MOST_OF_ADDRESS:
        return f"{MOST_OF_ADDRESS} links wait in this mailbox already"
    network = signup.request_network
    if network is not None and signups.asked_from(network, now - NETWORK_SPAN) >= MOST_OF_NETWORK:
        return f"{MOST_OF_NETWORK} requests came from one place within an hour"
    return f"{MOST_WAITING:,} links wait to be followed" if signups.waiting(now) >= MOST_WAITING else ""


def _is_blocked(people: People, address: str) -> bool:
    """Is the address suppressed in a way that not even its owner can end."""
    return any(
        not may_return(scope, reason)
        for scope, reason in people.suppressions_of(address)
        if scope is not SuppressionScope.RELAYS
    )


def _offers(owner: Association, topics: Collection[Topic], words: Words) -> tuple[Offer, ...]:
    return tuple(
        Offer(topic.slug, topic.title, topic_wording(words, topic.title, owner.name))
        for topic in topics
        if topic.public
    )


# --- confirming -------------------------------------------------------------------------------


def look(workspace: Workspace, token: str) -> Confirmation | None:
    """What a mailed link stands for; None when it can not be ours. Changes nothing: scanners follow every link.

    A link that nothing is known of any more, or that was never ours, counts as one that has expired.
    """
    owner = _owner(workspace, token)
    if owner is None:
        return None
    found = SignUps(workspace.association_db(owner.slug)).find(_hash(workspace, token))
    return _confirmation(owner, found, _stage(found, workspace.now()))


def confirm(workspace: Workspace, token: str, ip: str | None) -> Confirmation | None:
    """Record the consent that a mailed link confirms, once, and queue the welcome; None as `look`.

    Makes a member of who is none yet. Ends what kept the person out so far: withdrawals of these topics, a pause,
    and the suppressions that `may_return` names. Nothing changes for a link that was used or has expired.
    """
    owner = _owner(workspace, token)
    if owner is None:
        return None
    people, now = workspace.people(owner.slug), workspace.now()
    with storage_errors(workspace.association_path(owner.slug)), people.db.atomic():
        found = SignUps(people.db).find(_hash(workspace, token))
        stage = _stage(found, now)
        if stage is Stage.WAITING and found is not None and found.id is not None:
            SignUps(people.db).use(found.id, now)
            member = _admit(people, found, ip, now)
            titles = {topic.slug: topic.title for topic in people.topics()}
            welcome.post(workspace, owner, member, [titles.get(slug, slug) for slug in found.topics])
            stage = Stage.CONFIRMED
    return _confirmation(owner, found, stage)


def _admit(people: People, signup: SignUp, ip: str | None, now: datetime) -> Member:
    returns = [scope for scope, reason in people.suppressions_of(signup.address) if may_return(scope, reason)]
    for scope in returns:
        people.lift(signup.address, scope)
    member = people.find(signup.address)
    if member is None:
        member = Member(signup.address, language=signup.language, id=people.next_id())
        people.insert([member], now)
    elif signup.language:
        people.update([replace(member, language=signup.language)], now)
    assert member.id is not None, "it comes from the database, or was numbered"
    Choices(people.db).pause(member.id, None)
    evidence = f"link in the mail of {signup.requested_at:%Y-%m-%dT%H:%MZ}"
    changes = [
        Consent(
            topic, ConsentState.GRANTED, now, signup.source, Basis.EXPRESS, wording,
            signup.request_address or ip, evidence,
        )
        for topic, wording in signup.topics.items()
    ]  # fmt: skip
    standing = people.standings({member.id: member.address})[member.id]
    if returns and standing.agrees_to(None):
        # What the address was sent before it was shut out does not come back with what was asked for now.
        end = Consent(ANY_TOPIC, ConsentState.WITHDRAWN, now, f"{signup.source}: asked for nothing else")
        changes.insert(0, end)
    people.record([(member.id, change) for change in changes], now)
    return replace(member, language=signup.language or member.language)


def _owner(workspace: Workspace, token: str) -> Association | None:
    match = _TOKEN.fullmatch(token)
    return next((a for a in workspace.associations() if a.slug == match["association"]), None) if match else None


def _stage(signup: SignUp | None, now: datetime) -> Stage:
    if signup is None or (signup.confirmed_at is None and signup.expires_at <= now):
        return Stage.EXPIRED
    return Stage.WAITING if signup.confirmed_at is None else Stage.USED


def _confirmation(owner: Association, signup: SignUp | None, stage: Stage) -> Confirmation:
    address, topics = (mask(signup.address), signup.topics) if signup else ("", {})
    if signup is None:
        return Confirmation(stage, owner.name, owner.slug, address, (), Wishes(last=(owner.language,)))
    wished = Wishes(tuple(filter(None, (signup.language, owner.language))))
    return Confirmation(stage, owner.name, owner.slug, address, tuple(topics.values()), wished)


def _hash(workspace: Workspace, token: str) -> bytes:
    return hmac.digest(workspace.key.derive("signup"), token.encode(), hashlib.sha256)
