"""What readers do with the links in their mail: click, open, read online, stop, choose again.

Decides what may be recorded, and records it; makes no page. Whatever carries no token of ours gets None.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from audiences.consent import Origin, Standing, is_news, refusal
from audiences.models import ANY_TOPIC, TRACKING, Association, Basis, Consent, ConsentState, Topic
from audiences.store import People
from comms.channels.markup import absolute_url
from comms.db import storage_errors
from comms.delivery.store import Run
from comms.engine.editions import public_url
from comms.engine.sending import read_back
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.events import EventKind
from comms.links import EditionToken, MemberToken
from comms.rendering.context import association_data, campaign_data
from comms.rendering.edition import Edition
from comms.rendering.render import Renderer

log = structlog.get_logger(__name__)

ONE_CLICK = "one-click unsubscribe"
PAGE = "unsubscribe page"
KEEP_WORDING = "Keep sending me {title} from {association}."
TRACKING_WORDING = (
    "{association} may record under my name which of its newsletters I open and which links in them I follow. "
    "I can take this back at any time."
)


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """One newsletter that can be kept. `wording` is what the person agrees to by keeping it."""

    slug: str
    wording: str
    agreed: bool


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """What a person's subscription page shows."""

    association: str
    """The association's name."""
    address: str = ""
    """Masked: the page may be open on any screen, or forwarded. Empty when nothing is held of the person."""
    topics: tuple[TopicChoice, ...] = ()
    stopped: bool = True
    """No newsletter of this association goes to the person."""
    blocked: bool = False
    """The address is suppressed (it bounced or complained), whatever the person chooses."""
    tracking: bool = False
    tracking_wording: str = ""
    erased: bool = False
    """The association holds nothing of this person any more."""


@dataclass(frozen=True, slots=True)
class _Letter:
    """What a token stands for: one run, and for a member's token the delivery in it."""

    association: Association
    run: Run
    delivery: int | None = None
    member: int | None = None


# --- clicks, opens, views ---------------------------------------------------------------------


def click(workspace: Workspace, token: str, index: int, *, record: bool = True) -> str | None:
    """Where link `index` of the newsletter leads; None for a token or index that is not ours.

    The destination comes from the stored edition alone. The click is counted (unless `record` is false), with
    a name only where the member agrees to be tracked now: who withdrew is not known by links sent before.
    """
    letter = _read(workspace, token)
    edition = _edition(workspace, letter) if letter else None
    if letter is None or edition is None or not 0 <= index < len(edition.links):
        return None
    if record:
        known = letter.delivery if _is_tracked(workspace, letter) else None
        _note(workspace, letter, EventKind.CLICKED, delivery=known, link=index)
    return absolute_url(edition.links[index], "")


def opened(workspace: Workspace, token: str) -> None:
    """Record an open by name, of a member who agrees to be tracked now; else nothing at all."""
    letter = _read(workspace, token)
    if letter is not None and _is_tracked(workspace, letter):
        _note(workspace, letter, EventKind.OPENED, delivery=letter.delivery)


def view_online(workspace: Workspace, token: str, *, record: bool = True) -> str | None:
    """The newsletter as a page for everyone, whoever's token it is: no member's data, no link with a name.

    Counted without name, unless `record` is false. Raises RenderError for an edition that can not be rendered.
    """
    letter = _read(workspace, token)
    edition = _edition(workspace, letter) if letter else None
    if letter is None or edition is None:
        return None
    if record:
        _note(workspace, letter, EventKind.VIEWED)
    row = workspace.host.campaign(letter.run.campaign)
    assert row is not None, "an edition belongs to a campaign"
    campaign = read_back(row)
    links = workspace.links.for_public(EditionToken(letter.association.slug, letter.run.id))
    context = {
        "association": association_data(letter.association),
        "campaign": campaign_data(campaign),
        "links": links,
        "url": public_url(workspace, campaign, letter.association) if campaign.feed else links["view"],
    }
    return Renderer(edition).render_public(context).html


# --- subscriptions ----------------------------------------------------------------------------


def newsletter_of(workspace: Workspace, token: str) -> str | None:
    """Name of the association whose newsletter an edition's token stands for; None for any other token.

    Such a token says nothing about who reads, so nobody can be unsubscribed with it.
    """
    letter = _read(workspace, token)
    return letter.association.name if letter is not None and letter.delivery is None else None


def subscription_page(workspace: Workspace, token: str) -> SubscriptionView | None:
    """What the holder of a member's token gets from this association. Changes nothing."""
    letter = _read(workspace, token)
    if letter is None or letter.delivery is None:
        return None
    name = letter.association.name
    people = workspace.people(letter.association.slug)
    member = people.get(letter.member) if letter.member is not None else None
    if member is None or member.id is None:
        return SubscriptionView(name, erased=True)
    standing = people.standings({member.id: member.address})[member.id]
    return SubscriptionView(
        association=name,
        address=mask(member.address or ""),
        topics=tuple(
            TopicChoice(topic.slug, keep_wording(topic, name), standing.agrees_to(topic.slug))
            for topic in people.topics()
        ),
        stopped=not standing.agrees_to(None),
        blocked=standing.suppressed,
        tracking=standing.states.get(TRACKING) is ConsentState.GRANTED,
        tracking_wording=TRACKING_WORDING.format(association=name),
    )


def unsubscribe(workspace: Workspace, token: str, *, source: str = ONE_CLICK) -> SubscriptionView | None:
    """Stop every newsletter of the association to the token's member; doing it again changes nothing.

    Holds before the next message is claimed. Returns the page as it is then.
    """

    def wanted(letter: _Letter, people: People, standing: Standing, now: datetime) -> Iterable[Consent]:
        return [Consent(ANY_TOPIC, ConsentState.WITHDRAWN, now, _evidence(source, letter))]

    return _change(workspace, token, wanted)


def choose_topics(workspace: Workspace, token: str, topics: Collection[str]) -> SubscriptionView | None:
    """Keep exactly these topics (slugs; unknown ones are left out of account) and stop all others."""

    def wanted(letter: _Letter, people: People, standing: Standing, now: datetime) -> Iterable[Consent]:
        source, name = _evidence(PAGE, letter), letter.association.name
        known = {topic.slug: topic for topic in people.topics()}
        if standing.states.get(ANY_TOPIC) is ConsentState.GRANTED:
            # "Everything" becomes a list of its own: a topic added later is not on it.
            yield Consent(ANY_TOPIC, ConsentState.WITHDRAWN, now, source)
        for slug in sorted(set(standing.states) - {ANY_TOPIC, TRACKING} - set(topics)):
            yield Consent(slug, ConsentState.WITHDRAWN, now, source)
        for slug in sorted(known.keys() & set(topics)):
            yield Consent(slug, ConsentState.GRANTED, now, source, Basis.EXPRESS, keep_wording(known[slug], name))

    return _change(workspace, token, wanted)


def set_tracking(workspace: Workspace, token: str, *, agree: bool) -> SubscriptionView | None:
    """Record that the member agrees to be tracked by name, or takes it back."""

    def wanted(letter: _Letter, people: People, standing: Standing, now: datetime) -> Iterable[Consent]:
        source = _evidence(PAGE, letter)
        wording = TRACKING_WORDING.format(association=letter.association.name)
        if agree:
            return [Consent(TRACKING, ConsentState.GRANTED, now, source, Basis.EXPRESS, wording)]
        return [Consent(TRACKING, ConsentState.WITHDRAWN, now, source)]

    return _change(workspace, token, wanted)


def mask(address: str) -> str:
    """Enough of an address for its owner to know it by: `d***@example.org`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***{at}{domain}" if at else ""


def keep_wording(topic: Topic, association: str) -> str:
    """What a person agrees to who keeps a topic."""
    return KEEP_WORDING.format(title=topic.title, association=association)


_Wanted = Callable[[_Letter, People, Standing, datetime], Iterable[Consent]]


def _change(workspace: Workspace, token: str, wanted: _Wanted) -> SubscriptionView | None:
    """Record, in one transaction, those of the wanted changes that say something new."""
    letter = _read(workspace, token)
    if letter is None or letter.delivery is None:
        return None
    slug, now = letter.association.slug, workspace.now()
    people = workspace.people(slug)
    with storage_errors(workspace.association_path(slug)), people.db.atomic():
        member = people.get(letter.member) if letter.member is not None else None
        if member is not None and member.id is not None:
            before = people.standings({member.id: member.address})[member.id]
            after, changes = before, []
            for change in wanted(letter, people, before, now):
                # What an import says, the person may say too: an undone import then takes nothing of it back.
                news = is_news(after, change) or not people.decided_in_person(member.id, change.topic)
                if news and refusal(after, change, Origin.PERSON) is None:
                    changes.append((member.id, change))
                    after = after.after(change)
            people.record(changes, now)
            if before.agrees_to(None) and not after.agrees_to(None):
                # By name, tracked or not: stopping is the person's own act on this very newsletter.
                workspace.events(slug).add(letter.run.id, EventKind.UNSUBSCRIBED, now, delivery=letter.delivery)
    return subscription_page(workspace, token)


def _evidence(source: str, letter: _Letter) -> str:
    return f"{source}, campaign {letter.run.campaign}"


# --- reading tokens ---------------------------------------------------------------------------


def _read(workspace: Workspace, token: str) -> _Letter | None:
    """What the token stands for; None when it is not ours, or stands for nothing that exists."""
    read = workspace.links.signer.read(token)
    if read is None:
        return None
    try:
        association = workspace.association(read.association)
    except UsageError:
        return None
    ledger = workspace.ledger(association.slug)
    if isinstance(read, MemberToken):
        recipient = ledger.recipient(read.number)
        run = ledger.run_by_id(recipient[0]) if recipient else None
        return _Letter(association, run, read.number, recipient[1]) if recipient and run else None
    run = ledger.run_by_id(read.number)
    return _Letter(association, run) if run else None


def _edition(workspace: Workspace, letter: _Letter) -> Edition | None:
    body = workspace.host.edition(letter.run.campaign, letter.association.slug, letter.run.channel)
    return Edition.from_json(body.decode()) if body is not None else None


def _is_tracked(workspace: Workspace, letter: _Letter) -> bool:
    """Does the letter's member agree to be tracked at this moment; no, when there is none."""
    if letter.member is None:
        return False
    standing = workspace.people(letter.association.slug).standings({letter.member: None})[letter.member]
    return standing.states.get(TRACKING) is ConsentState.GRANTED


def _note(
    workspace: Workspace, letter: _Letter, kind: EventKind, *, delivery: int | None = None, link: int | None = None
) -> None:
    events = workspace.events(letter.association.slug)
    lost = events.note(letter.run.id, kind, workspace.now(), delivery=delivery, link=link)
    if lost:
        log.warning("event not counted", kind=kind.value, run=letter.run.id, reason=lost)
