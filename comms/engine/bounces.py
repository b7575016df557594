"""Takes returned mail in: finds the delivery that it is about, records what became of it, suppresses the address
where the policy says so. Reads no folder and no network; `intake.py` brings it what the doors kept.

What is not shown to be about a mail of ours (`matching.py`) does nobody any harm.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

import structlog

from audiences.models import SuppressionScope
from audiences.spoken import Spoken
from comms.db import storage_errors
from comms.engagement.bounces import policy
from comms.engagement.bounces.addresses import ADDRESS
from comms.engagement.bounces.classify import classify
from comms.engagement.bounces.models import BounceClass, Bounced, Kind, Verdict
from comms.engagement.bounces.policy import Rules, Weight
from comms.engagement.bounces.reading import read_bounce
from comms.engagement.bounces.store import BounceStore, PastBounce, Refusal
from comms.engagement.bounces.tracing import traces_in
from comms.engagement.bounces.webhooks.base import Reported
from comms.engine import preferences, sending
from comms.engine.matching import Evidence, Found, address_of, by_message_id, by_sender, by_token, named_in
from comms.engine.workspace import Workspace
from comms.events import EventKind
from comms.links import MemberToken

log = structlog.get_logger(__name__)

UNSUBSCRIBE_MAIL = "unsubscribed by mail"
BOUNCED, COMPLAINED = "bounced", "complained"


class Effect(StrEnum):
    """What was done about it."""

    SUPPRESSED = "suppressed"
    UNSUBSCRIBED = "unsubscribed"
    RECORDED = "recorded"
    """It is noted with the delivery; the address goes on being written to."""
    KNOWN = "known"
    """It was noted before."""
    IGNORED = "ignored"
    """It says nothing that counts: an automatic answer, a delay, an ordinary mail."""
    UNMATCHED = "unmatched"
    """It can not be shown to be about a mail of ours, and nobody is the worse for it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a returned message said, of whom, and what was done. `delivery` is an id in the association's ledger."""

    effect: Effect
    kind: Kind
    recipient: str = ""
    status: str = ""
    reason: str = ""
    evidence: Evidence = Evidence.NONE
    association: str | None = None
    campaign: str | None = None
    delivery: int | None = None
    suppressed: str | None = None
    """Why the address is not written to any more."""

    @property
    def of_class(self) -> BounceClass:
        return self.kind.of_class

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "class": self.of_class.value}


class _DryRun(Exception):  # noqa: N818 - not an error: it takes the transaction back
    pass


def accept(
    workspace: Workspace, data: bytes, envelope_recipient: str | None = None, *, dry_run: bool = False
) -> Accepted:
    """Take in a message that came back; the same message again changes nothing.

    Evidence in its order: the token of the return path, first in the `envelope_recipient`; the token of an
    unsubscribe link; the Message-ID. Raises StorageError when the association's database can not be written now.
    """
    verdict = read_bounce(data)
    traces = traces_in(data, first=(envelope_recipient or "", *verdict.sent_to), message_id=verdict.message_id)
    found = by_token(workspace, traces) or by_message_id(workspace, traces, verdict.recipients, Evidence.MESSAGE_ID)
    return _take(workspace, verdict, found, dry_run=dry_run)


def accept_report(workspace: Workspace, reported: Reported, *, dry_run: bool = False) -> Accepted:
    """Take in what a provider reports that was shown to be one. Raises StorageError as `accept` does."""
    bounced = reported.bounced
    verdict = Verdict(bounced.kind, (bounced,), bounced.status, bounced.reason, reported.message_id)
    traces = traces_in(reported.about, message_id=reported.message_id)
    found = (
        by_token(workspace, traces)
        or by_message_id(workspace, traces, (bounced,), Evidence.PROVIDER)
        or by_sender(workspace, reported.sender, bounced)
    )
    return _take(workspace, verdict, found, dry_run=dry_run)


def accept_refusal(workspace: Workspace, association: str, refusal: Refusal, *, unusual: bool = False) -> Accepted:
    """Take in that a mail server refused a recipient while we were talking to it, or until we gave up.

    `unusual`: it refused so many that it may be wrong itself (`policy.is_unusual`).

    It is no event: the delivery says `failed` already. What no server said, as when a mail could not be written, says
    nothing of the address. Raises StorageError as `accept` does.
    """
    reply = refusal.reply.removeprefix("given up: ")
    given_up = reply != refusal.reply
    mail, code = refusal.mail, reply[:3]
    if not (code.isascii() and code.isdigit() and code[0] in "45"):
        weight, kind = Weight.NOTHING, Kind.OTHER
    else:
        kind = classify(reply, temporary=given_up)
        weight = policy.weigh_refusal(kind, given_up=given_up, unusual=unusual)
    about = Bounced("", kind, "", reply)
    store = BounceStore(workspace.association_db(association))
    with storage_errors(workspace.association_path(association)), store.db.atomic():
        store.looked_at(mail.delivery)
        if weight is Weight.NOTHING:
            return Accepted(Effect.IGNORED, kind, association=association, delivery=mail.delivery)
        found = Found(association, mail, Evidence.TOKEN)
        return _record(workspace, found, BOUNCED, about, weight, is_event=False)


@dataclass(frozen=True, slots=True)
class Overview:
    """What came back to an association within a time: how many of each kind, and the newest, newest first."""

    counts: dict[Kind, int]
    newest: list[PastBounce]

    def to_json(self) -> dict[str, Any]:
        counts = {kind.value: number for kind, number in self.counts.items()}
        return {"counts": counts, "newest": [asdict(past) for past in self.newest]}


def overview(workspace: Workspace, association: str, within: timedelta, most: int) -> Overview:
    """What came back lately. Raises UsageError for an association that the workspace does not have."""
    store, since = BounceStore(workspace.association_db(association)), workspace.now() - within
    return Overview(store.counts(since), store.past(since, most))


def _about(verdict: Verdict, address: str | None) -> tuple[Bounced, bool]:
    """What is said of the mail, and whether it is said of the address that it went to, or of none at all.

    A report of another address is about one to which the mail was forwarded: the member's own may have others behind
    it that work.
    """
    said = named_in(address, verdict.recipients) if address else None
    if said is not None:
        return said, True
    if not verdict.recipients:
        return Bounced("", verdict.kind, verdict.status, verdict.reason), True
    failed = (each for each in verdict.recipients if each.of_class in (BounceClass.HARD, BounceClass.SOFT))
    return next(failed, verdict.recipients[0]), False


# --- what is done -----------------------------------------------------------------------------


def _take(workspace: Workspace, verdict: Verdict, found: Found | None, *, dry_run: bool) -> Accepted:
    about, named = _about(verdict, address_of(workspace, found) if found else None)
    kind = about.kind
    if kind.of_class in (BounceClass.AUTO_REPLY, BounceClass.NONE) or kind in (Kind.DELAYED, Kind.AUTH_REPORT):
        effect = Effect.IGNORED
    elif found is None:
        effect = Effect.UNMATCHED
    elif kind is Kind.UNSUBSCRIBE:
        effect = _unsubscribe(workspace, found, dry_run=dry_run)
    else:
        what = COMPLAINED if kind is Kind.COMPLAINT else BOUNCED
        sure = found.evidence is not Evidence.MESSAGE_ID and (named or what is COMPLAINED)
        return _write(workspace, found, what, about, policy.weigh(kind, sure=sure), dry_run=dry_run)
    return _told(effect, about, found)


def _told(effect: Effect, about: Bounced, found: Found | None) -> Accepted:
    accepted = Accepted(effect, about.kind, about.recipient, about.status, about.reason)
    if found is None:
        return accepted
    return replace(
        accepted,
        evidence=found.evidence,
        association=found.association,
        campaign=found.mail.campaign,
        delivery=found.mail.delivery,
    )


def _unsubscribe(workspace: Workspace, found: Found, *, dry_run: bool) -> Effect:
    """Follow the wish in a mail; one without a token of ours could be anybody's."""
    if found.evidence is Evidence.MESSAGE_ID:
        return Effect.UNMATCHED
    if not dry_run:
        token = workspace.links.signer.sign(MemberToken(found.association, found.mail.delivery))
        preferences.unsubscribe(workspace, token, source=UNSUBSCRIBE_MAIL)
    return Effect.UNSUBSCRIBED


def _write(workspace: Workspace, found: Found, what: str, about: Bounced, weight: Weight, *, dry_run: bool) -> Accepted:
    db = workspace.association_db(found.association)
    try:
        with storage_errors(workspace.association_path(found.association)), db.atomic():
            accepted = _record(workspace, found, what, about, weight, is_event=True)
            if dry_run:
                raise _DryRun
            if accepted.suppressed == policy.COMPLAINT:
                _stop_relays(workspace, found)
    except _DryRun:
        return accepted
    log.info("mail came back", association=found.association, kind=about.kind.value, effect=accepted.effect.value)
    return accepted


def _record(
    workspace: Workspace, found: Found, what: str, about: Bounced, weight: Weight, *, is_event: bool
) -> Accepted:
    """Note it with the delivery, and suppress the address where that is due; in one transaction of the caller's."""
    store, now = BounceStore(workspace.association_db(found.association)), workspace.now()
    reason = ADDRESS.sub("an address", about.reason)  # it is kept when the member is erased
    noted = store.record(found.mail, what, about.kind, weight, now, status=about.status, reason=reason)
    if noted is None:
        return _told(Effect.KNOWN, about, found)
    if noted and is_event:
        kind = EventKind.COMPLAINED if what == COMPLAINED else EventKind.BOUNCED
        workspace.events(found.association).add(found.mail.run, kind, now, delivery=found.mail.delivery)
    why, address = _why_suppress(workspace, found, weight), address_of(workspace, found)
    if why is None or address is None:
        return _told(Effect.RECORDED, about, found)
    workspace.people(found.association).suppress(address, SuppressionScope.ASSOCIATION, why, now)
    store.note_suppressed(found.mail.delivery, what, why)
    return replace(_told(Effect.SUPPRESSED, about, found), suppressed=why)


def _why_suppress(workspace: Workspace, found: Found, weight: Weight) -> str | None:
    member, now = found.mail.member, workspace.now()
    if member is None or weight is Weight.NOTHING:
        return None
    store, settings = BounceStore(workspace.association_db(found.association)), workspace.settings.bounces
    spoken = Spoken(store.db)
    if weight is not Weight.COMPLAINT and spoken.since(member, found.mail.sent_at or now):
        return None  # whoever followed a link in a mail of ours since has a mailbox that works
    rules = Rules(settings.soft_count, settings.soft_days, settings.soft_spread_days)
    since = now - timedelta(days=rules.days)
    return policy.decide(
        weight,
        [at for at in store.strikes(member) if not spoken.since(member, at)],
        arrived_at=store.arrived_at(member, since, now - policy.SETTLED_AFTER),
        rules=rules,
        now=now,
    )


def _stop_relays(workspace: Workspace, found: Found) -> None:
    """Who calls a relayed mail spam gets nothing that is relayed, from whichever association."""
    host, address = workspace.association(None), address_of(workspace, found)
    row = workspace.host.campaign(found.mail.campaign)
    if row is None or address is None:
        return
    if (sending.read_back(row).association or host.slug) == found.association:
        return  # its own, and no relay
    people = workspace.people(host.slug)
    with storage_errors(workspace.association_path(host.slug)), people.db.atomic():
        people.suppress(address, SuppressionScope.RELAYS, policy.COMPLAINT, workspace.now())
