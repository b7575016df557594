"""What a person may choose by the link in their mail: stop, keep some, less often, a pause, a language, tracking.

Decides what may be recorded, and records it; makes no page. Whatever carries no member's token gets None.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType

from dateutil.relativedelta import relativedelta

from audiences.choices import Choices
from audiences.consent import Origin, Standing, Wishes, is_news, refusal
from audiences.models import (
    ANY_TOPIC,
    TRACKING,
    Basis,
    Consent,
    ConsentState,
    Frequency,
    Member,
    SuppressionScope,
    Topic,
)
from audiences.private_feeds import PrivateFeeds
from audiences.spoken import Spoken
from audiences.store import People
from comms.db import storage_errors
from comms.engine import languages, tokens
from comms.engine.tokens import Holder
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.events import EventKind
from comms.language.words import Words, marked

ONE_CLICK = "one-click unsubscribe"
PAGE = "unsubscribe page"
PREFERENCES = "asked for on the preference page"
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


# --- looking ----------------------------------------------------------------------------------


def newsletter_of(workspace: Workspace, token: str) -> str | None:
    """Name of the association whose newsletter an edition's token stands for; None for any other token.

    Such a token says nothing about who reads, so nobody can be unsubscribed with it.
    """
    copy = tokens.read(workspace, token)
    return copy.association.name if copy is not None and copy.delivery is None else None


def subscription_page(workspace: Workspace, token: str, words: Words | None = None) -> SubscriptionView | None:
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
    words = words or _words(workspace, token)
    feed_made = PrivateFeeds(people.db).made_at(member.id)
    return SubscriptionView(
        association=association.name,
        slug=association.slug,
        address=mask(member.address or ""),
        topics=tuple(_choice(topic, association.name, standing, wishes, words) for topic in _offered(topics, standing)),
        stopped=not standing.agrees_to(None),
        blocked=standing.suppressed,
        tracking=standing.states.get(TRACKING) is ConsentState.GRANTED,
        tracking_wording=tracking_wording(words, association.name),
        languages=MappingProxyType(languages.offered(workspace, association, member.language)),
        language=member.language or "",
        paused_until=wishes.paused_until if wishes.pauses(now) else None,
        pauses=MappingProxyType({months: _after(now.date(), months) for months in PAUSES}),
        tomorrow=now.date() + timedelta(days=1),
        coalition=_coalition(workspace),
        open=any(topic.public for topic in topics),
        relays_stopped=_stopped_relays(workspace, people, member),
        relayed=_is_relayed(workspace, holder),
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


# --- yes and no -------------------------------------------------------------------------------


def unsubscribe(
    workspace: Workspace,
    token: str,
    *,
    source: str = ONE_CLICK,
    at: datetime | None = None,
    words: Words | None = None,
) -> SubscriptionView | None:
    """Stop every newsletter of the association to the token's member; doing it again changes nothing.

    Of a newsletter that was relayed it stops whatever is relayed, from everyone: who left one association alone would
    get the next one from another, and think that nobody listens. The rest of the association's mail stays.

    Holds before the next message is claimed. Returns the page as it is then. A wish of an earlier moment `at` gives
    way to whatever the person said since.
    """

    def stop(reader: _Reader) -> None:
        if _is_relayed(workspace, reader.holder):
            _stop_relays(reader, source)
        elif at is None or not reader.spoken.since(reader.id, at):
            when = at or reader.now
            reader.record([Consent(ANY_TOPIC, ConsentState.WITHDRAWN, when, reader.evidence(source))])

    return _do(workspace, token, stop, words)


def stop_all(
    workspace: Workspace, token: str, *, source: str = PAGE, words: Words | None = None
) -> SubscriptionView | None:
    """Stop every newsletter of the association, relayed or its own."""
    withdrawn = ConsentState.WITHDRAWN

    def stop(reader: _Reader) -> None:
        reader.record([Consent(ANY_TOPIC, withdrawn, reader.now, reader.evidence(source))])

    return _do(workspace, token, stop, words)


def choose_topics(
    workspace: Workspace,
    token: str,
    topics: Collection[str],
    frequencies: Mapping[str, Frequency] = MappingProxyType({}),
    *,
    words: Words | None = None,
) -> SubscriptionView | None:
    """Keep exactly these topics (slugs; those not offered are left out of account) and stop all others.

    `frequencies` says how often each is wanted at most; a topic that it does not name stays as it is. `words` are
    those of the page that the person saw; the holder's own when left out.
    """
    seen = words or _words(workspace, token)

    def choose(reader: _Reader) -> None:
        states = reader.standing.states
        source, name = reader.evidence(PAGE), reader.holder.association.name
        known = {topic.slug: topic for topic in _offered(reader.people.topics(), reader.standing)}
        for slug in known.keys() & frequencies.keys():
            # The topic's own frequency is no choice: who has it goes along when the association changes it.
            chosen = frequencies[slug] if frequencies[slug] is not known[slug].frequency else None
            Choices(reader.people.db).choose_frequency(reader.id, slug, chosen)
        stopped = sorted(set(states) - {ANY_TOPIC, TRACKING} - set(topics))
        if states.get(ANY_TOPIC) is ConsentState.GRANTED:
            # "Everything" becomes a list of its own: a topic added later is not on it.
            stopped.insert(0, ANY_TOPIC)
        kept = [known[slug] for slug in sorted(known.keys() & set(topics))]
        reader.record(
            [
                *(Consent(slug, ConsentState.WITHDRAWN, reader.now, source) for slug in stopped),
                *(
                    Consent(
                        t.slug, ConsentState.GRANTED, reader.now, source, Basis.EXPRESS, keep_wording(seen, t, name)
                    )
                    for t in kept
                ),
            ]
        )

    return _do(workspace, token, choose, seen)


def set_tracking(
    workspace: Workspace, token: str, *, agree: bool, words: Words | None = None
) -> SubscriptionView | None:
    """Record that the member agrees to be tracked by name, or takes it back; `words` as `choose_topics`."""
    seen = words or _words(workspace, token)

    def track(reader: _Reader) -> None:
        source, now = reader.evidence(PAGE), reader.now
        wording = tracking_wording(seen, reader.holder.association.name)
        if agree:
            reader.record([Consent(TRACKING, ConsentState.GRANTED, now, source, Basis.EXPRESS, wording)])
        else:
            reader.record([Consent(TRACKING, ConsentState.WITHDRAWN, now, source)])

    return _do(workspace, token, track, seen)


# --- how often, when, in which language, from whom --------------------------------------------


def set_language(workspace: Workspace, token: str, language: str) -> SubscriptionView | None:
    """Note which language the member reads best. Raises UsageError for one that is not offered."""

    def choose(reader: _Reader) -> None:
        if language not in languages.offered(workspace, reader.holder.association, reader.member.language):
            raise UsageError(marked("this language is not offered."), hint=marked("Choose one of the list."))
        reader.people.update([replace(reader.member, language=language)], reader.now)

    return _do(workspace, token, choose)


def pause(workspace: Workspace, token: str, until: date | None) -> SubscriptionView | None:
    """Send the member nothing before `until`; it goes on by itself then. None ends a pause.

    Raises UsageError for a day that is not in the future.
    """
    if until is not None and until <= workspace.now().date():
        raise UsageError(marked("a pause can not end today or before."), hint=marked("Choose a later day."))
    return _do(workspace, token, lambda reader: Choices(reader.people.db).pause(reader.id, until))


def pause_months(workspace: Workspace, token: str, months: int) -> SubscriptionView | None:
    """`pause` for so many months from today. Raises UsageError for a number that is not offered."""
    if months not in PAUSES:
        raise UsageError(marked("this pause is not offered."), hint=marked("Choose one of the list, or a day."))
    return pause(workspace, token, _after(workspace.now().date(), months))


def set_relays(workspace: Workspace, token: str, *, stop: bool) -> SubscriptionView | None:
    """Send the person nothing that is relayed, whichever association would send it; or let it come again.

    Kept in the host's database as a keyed hash: it holds for every association of this workspace, and tells none of
    them, nor the host, whose address it is.
    """
    host = workspace.people(workspace.association(None).slug)

    def choose(reader: _Reader) -> None:
        if reader.member.address is None:
            return
        if reader.people.db is not host.db:
            # What an import once said to this association counts no more either.
            reader.people.lift(reader.member.address, SuppressionScope.RELAYS)
        if stop:
            _stop_relays(reader, PREFERENCES)
            return
        with host.db.atomic():
            host.lift(reader.member.address, SuppressionScope.RELAYS)

    return _do(workspace, token, choose)


def prefer(workspace: Workspace, token: str, *, this: bool) -> SubscriptionView | None:
    """Note that the person wants what is relayed from this association rather than from another; or from whichever.

    The page names no other association: who has the mail, by being forwarded it, must not learn of memberships.
    """

    def choose(reader: _Reader) -> None:
        if reader.member.address is None:
            return
        store, digest = workspace.relays, reader.people.hash_of(reader.member.address)
        slug = reader.holder.association.slug
        with store.db.atomic():
            if this:
                store.choose(digest, slug)
            elif store.choice(digest) == slug:
                store.choose(digest, None)

    return _do(workspace, token, choose)


# --- parts ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reader:
    """Whom a member's token stands for, while a transaction on their association's database is open."""

    workspace: Workspace
    holder: Holder
    people: People
    member: Member
    id: int
    standing: Standing
    now: datetime

    @property
    def spoken(self) -> Spoken:
        return Spoken(self.people.db)

    def evidence(self, source: str) -> str:
        copy = self.holder.copy
        return f"{source}, campaign {copy.run.campaign}" if copy else f"{source}, link in a letter"

    def record(self, wanted: Iterable[Consent]) -> None:
        """Record those of the wanted changes that say something new."""
        after, changes = self.standing, []
        for change in wanted:
            # What an import says, the person may say too: an undone import then takes nothing of it back.
            news = is_news(after, change) or not self.spoken.last(self.id, change.topic)
            if news and refusal(after, change, Origin.PERSON) is None:
                changes.append((self.id, change))
                after = after.after(change)
        self.people.record(changes, self.now)
        copy = self.holder.copy
        if copy is not None and self.standing.agrees_to(None) and not after.agrees_to(None):
            # By name, tracked or not: stopping is the person's own act on this very newsletter.
            events = self.workspace.events(copy.association.slug)
            events.add(copy.run.id, EventKind.UNSUBSCRIBED, self.now, delivery=copy.delivery)


def _do(
    workspace: Workspace, token: str, deed: Callable[[_Reader], None], words: Words | None = None
) -> SubscriptionView | None:
    """Do something for the member whom a token stands for, in one transaction; nothing for one who was erased."""
    holder = tokens.holder(workspace, token)
    if holder is None:
        return None
    slug = holder.association.slug
    people = workspace.people(slug)
    with storage_errors(workspace.association_path(slug)), people.db.atomic():
        member = people.get(holder.member) if holder.member is not None else None
        if member is not None and member.id is not None:
            standing = people.standings({member.id: member.address})[member.id]
            deed(_Reader(workspace, holder, people, member, member.id, standing, workspace.now()))
    return subscription_page(workspace, token, words)


def _words(workspace: Workspace, token: str) -> Words:
    return languages.words(workspace, languages.wishes(workspace, token))


def _offered(topics: Iterable[Topic], standing: Standing) -> list[Topic]:
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


def _after(today: date, months: int) -> date:
    return today + relativedelta(months=months)


def _coalition(workspace: Workspace) -> str:
    host, *others = workspace.associations()
    return host.name if others else ""


def _is_relayed(workspace: Workspace, holder: Holder) -> bool:
    """Does the link stand in a newsletter that an association relayed."""
    row = workspace.host.campaign(holder.copy.run.campaign) if holder.copy else None
    return row is not None and bool(row.relay_of)


def _stop_relays(reader: _Reader, source: str) -> None:
    """Send the person nothing that is relayed, whoever would."""
    if reader.member.address is None:
        return
    host = reader.workspace.people(reader.workspace.association(None).slug)
    copy = reader.holder.copy
    if copy is not None and not host.suppressed_for_relays([reader.member.address]):
        events = reader.workspace.events(copy.association.slug)
        events.add(copy.run.id, EventKind.UNSUBSCRIBED, reader.now, delivery=copy.delivery)
    with host.db.atomic():
        host.suppress(reader.member.address, SuppressionScope.RELAYS, source, reader.now)


def _stopped_relays(workspace: Workspace, people: People, member: Member) -> bool:
    if member.address is None:
        return False
    host = workspace.people(workspace.association(None).slug)
    return any(each.suppressed_for_relays([member.address]) for each in (host, people))
