"""What a person may choose by the link in their mail: stop, keep some, less often, a pause, a language, tracking.

Decides what may be recorded, and records it; makes no page. Whatever carries no member's token gets None.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from audiences.choices import Choices
from audiences.consent import Origin, Standing, is_news, refusal
from audiences.models import (
    ANY_TOPIC,
    TRACKING,
    Basis,
    Consent,
    ConsentState,
    Frequency,
    Member,
    SuppressionScope,
)
from audiences.spoken import Spoken
from audiences.store import People
from comms.db import storage_errors
from comms.engine import languages, subscription, tokens
from comms.engine.subscription import SubscriptionView
from comms.engine.tokens import Holder
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.events import EventKind
from comms.language.words import Words, marked

ONE_CLICK = "one-click unsubscribe"
PAGE = "unsubscribe page"
PREFERENCES = "asked for on the preference page"


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
        if subscription.is_relayed(workspace, reader.holder):
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
    seen = words or subscription.words_of(workspace, token)

    def choose(reader: _Reader) -> None:
        states = reader.standing.states
        source, name = reader.evidence(PAGE), reader.holder.association.name
        known = {topic.slug: topic for topic in subscription.offered(reader.people.topics(), reader.standing)}
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
                        t.slug,
                        ConsentState.GRANTED,
                        reader.now,
                        source,
                        Basis.EXPRESS,
                        subscription.keep_wording(seen, t, name),
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
    seen = words or subscription.words_of(workspace, token)

    def track(reader: _Reader) -> None:
        source, now = reader.evidence(PAGE), reader.now
        wording = subscription.tracking_wording(seen, reader.holder.association.name)
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
    if months not in subscription.PAUSES:
        raise UsageError(marked("this pause is not offered."), hint=marked("Choose one of the list, or a day."))
    return pause(workspace, token, subscription.months_after(workspace.now().date(), months))


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
    return subscription.page(workspace, token, words)


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
