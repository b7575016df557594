"""What a person sees of their subscription by the link in their mail: what they get, and what they may choose.

Looks, and changes nothing; `preferences.py` does what they choose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType

from dateutil.relativedelta import relativedelta

from audiences.choices import Choices
from audiences.consent import Standing, Wishes
from audiences.models import (
    TRACKING,
    ConsentState,
    Frequency,
    Member,
    Topic,
)
from audiences.private_feeds import PrivateFeeds
from audiences.store import People
from comms.engine import languages, tokens
from comms.engine.tokens import Holder
from comms.engine.workspace import Workspace
from comms.language.words import Words

PAUSES = (1, 3, 6)
"""Months for which a pause can be asked by one click."""


@dataclass(frozen=True, slots=True)
class TopicChoice:
    """One newsletter that can be kept. `wording` is what the person agrees to by keeping it."""

    slug: str
    title: str
    wording: str
    agreed: bool
    frequency: Frequency = Frequency.EACH
    """How often, at most, the person gets it."""


@dataclass(frozen=True, slots=True)
class SubscriptionView:
    """What a person's subscription page shows."""

    association: str
    """The association's name."""
    slug: str = ""
    address: str = ""
    """Masked: the page may be open on any screen, or forwarded. Empty when nothing is held of the person."""
    topics: tuple[TopicChoice, ...] = ()
    stopped: bool = True
    """No newsletter of this association goes to the person."""
    blocked: bool = False
    """The address is suppressed (it bounced or complained), whatever the person chooses."""
    tracking: bool = False
    tracking_wording: str = ""
    languages: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Tag -> name of the languages to choose from."""
    language: str = ""
    """The one the person has; empty when they never said."""
    paused_until: date | None = None
    """The first day of newsletters after a pause that holds now."""
    pauses: Mapping[int, date] = field(default_factory=lambda: MappingProxyType({}))
    """Months -> the first day of newsletters after a pause that begins today."""
    tomorrow: date = date.max
    """The first day until which a pause can last."""
    coalition: str = ""
    """Name of the host, whose campaigns the associations relay; empty where nobody relays."""
    open: bool = False
    """Anyone may sign up, and whoever does gets around what blocks the address now."""
    relays_stopped: bool = False
    """The person gets nothing that is relayed, from whichever association."""
    relayed: bool = False
    """The newsletter was itself relayed: one click stops all that is, and nothing else."""
    preferred: bool = False
    """The person wants what is relayed from this association, rather than from another."""
    feed_made: date | None = None
    """When the person's own feed was made; None when they have none."""
    erased: bool = False
    """The association holds nothing of this person any more."""


def newsletter_of(workspace: Workspace, token: str) -> str | None:
    """Name of the association whose newsletter an edition's token stands for; None for any other token.

    Such a token says nothing about who reads, so nobody can be unsubscribed with it.
    """
    copy = tokens.read(workspace, token)
    return copy.association.name if copy is not None and copy.delivery is None else None


def page(workspace: Workspace, token: str, words: Words | None = None) -> SubscriptionView | None:
    """What the holder of a token gets from this association, in `words`, else the holder's own. Changes nothing."""
    holder = tokens.holder(workspace, token)
    if holder is None:
        return None
    association, now = holder.association, workspace.now()
    people = workspace.people(association.slug)
    member = people.get(holder.member) if holder.member is not None else None
    if member is None or member.id is None:
        return SubscriptionView(association.name, erased=True)
    standing = people.standings({member.id: member.address})[member.id]
    wishes = Choices(people.db).wishes(member.id)
    topics = people.topics()
    words = words or words_of(workspace, token)
    feed_made = PrivateFeeds(people.db).made_at(member.id)
    return SubscriptionView(
        association=association.name,
        slug=association.slug,
        address=mask(member.address or ""),
        topics=tuple(_choice(topic, association.name, standing, wishes, words) for topic in offered(topics, standing)),
        stopped=not standing.agrees_to(None),
        blocked=standing.suppressed,
        tracking=standing.states.get(TRACKING) is ConsentState.GRANTED,
        tracking_wording=tracking_wording(words, association.name),
        languages=MappingProxyType(languages.offered(workspace, association, member.language)),
        language=member.language or "",
        paused_until=wishes.paused_until if wishes.pauses(now) else None,
        pauses=MappingProxyType({months: months_after(now.date(), months) for months in PAUSES}),
        tomorrow=now.date() + timedelta(days=1),
        coalition=_coalition(workspace),
        open=any(topic.public for topic in topics),
        relays_stopped=_stopped_relays(workspace, people, member),
        relayed=is_relayed(workspace, holder),
        preferred=bool(member.address)
        and workspace.relays.choice(people.hash_of(member.address or "")) == association.slug,
        feed_made=feed_made.date() if feed_made else None,
    )


def mask(address: str) -> str:
    """Enough of an address for its owner to know it by: `d***@example.org`."""
    local, at, domain = address.rpartition("@")
    return f"{local[:1]}***{at}{domain}" if at else ""


def keep_wording(words: Words, topic: Topic, association: str) -> str:
    """What a person agrees to who keeps a topic."""
    return words.gettext("Keep sending me %(title)s from %(association)s.", title=topic.title, association=association)


def tracking_wording(words: Words, association: str) -> str:
    """What a person agrees to who may be known by name."""
    return words.gettext(
        "%(association)s may record under my name which of its newsletters I open and which links in them I follow. "
        "I can take this back at any time.",
        association=association,
    )


# --- parts ------------------------------------------------------------------------------------


def words_of(workspace: Workspace, token: str) -> Words:
    return languages.words(workspace, languages.wishes(workspace, token))


def offered(topics: Iterable[Topic], standing: Standing) -> list[Topic]:
    """The topics that a person may choose from: public ones, and those that they get or once got."""
    return [t for t in topics if t.public or t.slug in standing.states or standing.agrees_to(t.slug)]


def _choice(topic: Topic, association: str, standing: Standing, wishes: Wishes, words: Words) -> TopicChoice:
    pace = wishes.paces.get(topic.slug)
    return TopicChoice(
        topic.slug,
        topic.title,
        keep_wording(words, topic, association),
        standing.agrees_to(topic.slug),
        pace.frequency if pace else topic.frequency,
    )


def months_after(today: date, months: int) -> date:
    return today + relativedelta(months=months)


def _coalition(workspace: Workspace) -> str:
    host, *others = workspace.associations()
    return host.name if others else ""


def is_relayed(workspace: Workspace, holder: Holder) -> bool:
    """Does the link stand in a newsletter that an association relayed."""
    row = workspace.host.campaign(holder.copy.run.campaign) if holder.copy else None
    return row is not None and bool(row.relay_of)


def _stopped_relays(workspace: Workspace, people: People, member: Member) -> bool:
    if member.address is None:
        return False
    host = workspace.people(workspace.association(None).slug)
    return any(each.suppressed_for_relays([member.address]) for each in (host, people))
