"""Which changes of consent are allowed. Pure: no clock, no database.

The log is append-only; what a member agrees to now is derived from it (`Standing.after`).
The rule that matters most: **consent never improves by import**. Whoever once said no, bounced or
complained stays out whatever a later file says; only the person can come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from audiences.models import ANY_TOPIC, TRACKING, Consent, ConsentState, Frequency, Member, SuppressionScope

BLOCKLISTED = "blocklisted"
"""Why an address is suppressed that the association, or the tool it used before, shut out."""
GAPS = MappingProxyType({Frequency.DAILY: timedelta(hours=20), Frequency.WEEKLY: timedelta(days=6, hours=12)})
"""Shortest time between two newsletters of a topic. Less than a day and a week, so that a newsletter which goes
out at the same hour every time, give or take, is not left out every other time."""


class Exclusion(StrEnum):
    """Why a member of the segment gets no newsletter all the same."""

    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"
    """The person opted out."""
    NO_CONSENT = "no_consent"
    """The person never agreed to this topic."""
    PAUSED = "paused"
    """The person asked for no newsletter before a date."""
    TOO_OFTEN = "too_often"
    """The person has had a newsletter of this topic as recently as they, or the topic, want no other."""
    NOTHING_NEW = "nothing_new"
    """The campaign is a digest by topics, and has nothing new of any that the person follows."""
    HEARD_ENOUGH = "heard_enough"
    """The person was sent as many newsletters lately, of whatever topics, as the association sends to one member."""
    NOT_RELAYED = "not_relayed"
    """The person wants nothing that is relayed, or gets this very campaign from another association. Which of the two
    is written down nowhere: that somebody is a member elsewhere is nobody's business."""

    @property
    def words(self) -> str:
        """The reason as people read it in plans and reports."""
        return _WORDS[self]


_WORDS = {
    Exclusion.NO_ADDRESS: "no e-mail address",
    Exclusion.SUPPRESSED: "address bounced, complained or was erased",
    Exclusion.WITHDRAWN: "unsubscribed",
    Exclusion.NO_CONSENT: "never agreed to this newsletter",
    Exclusion.PAUSED: "asked for a pause",
    Exclusion.TOO_OFTEN: "asked for fewer mails",
    Exclusion.NOT_RELAYED: "wants nothing relayed, or has this from another association",
    Exclusion.NOTHING_NEW: "nothing new in the topics they follow",
    Exclusion.HEARD_ENOUGH: "heard enough: got as many newsletters lately as one member gets",
}


class Origin(StrEnum):
    """Who changes a consent."""

    PERSON = "person"
    """The member: a link in a mail, a form, a confirmed opt-in."""
    IMPORT = "import"
    """A file, which may be older than what we know."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What one member agrees to now: topic (or `ANY_TOPIC`, `TRACKING`) -> state."""

    states: Mapping[str, ConsentState] = field(default_factory=lambda: MappingProxyType({}))
    suppressed: bool = False

    def after(self, change: Consent) -> Standing:
        """The standing once `change` is recorded.

        Withdrawing `ANY_TOPIC` withdraws every topic there is; a topic granted later stands again by itself.
        """
        states = dict(self.states)
        if change.topic == ANY_TOPIC and change.state is ConsentState.WITHDRAWN:
            states = {topic: state if topic == TRACKING else ConsentState.WITHDRAWN for topic, state in states.items()}
        states[change.topic] = change.state
        return Standing(MappingProxyType(states), self.suppressed)

    def agrees_to(self, topic: str | None) -> bool:
        """May a newsletter of this topic go to the member; of any topic at all when None."""
        if self.suppressed:
            return False
        if topic is None:
            return any(state is ConsentState.GRANTED for name, state in self.states.items() if name != TRACKING)
        own = self.states.get(topic)
        if own is None:
            return self.states.get(ANY_TOPIC) is ConsentState.GRANTED
        return own is ConsentState.GRANTED

    @property
    def withdrew(self) -> bool:
        """Did the member ever say no to newsletters, as far as it still stands."""
        return ConsentState.WITHDRAWN in self.states.values() and any(
            state is ConsentState.WITHDRAWN for topic, state in self.states.items() if topic != TRACKING
        )


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a member gets a topic, and when they last did."""

    frequency: Frequency
    """The member's own choice, else the topic's."""
    sent_at: datetime | None = None
    """When a mail server last took a newsletter of the topic for the member; None where nobody keeps count."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How often, and from when on, a member wants what they agreed to."""

    paused_until: date | None = None
    """No newsletter before this day (UTC)."""
    paces: Mapping[str, Pace] = field(default_factory=lambda: MappingProxyType({}))

    def pauses(self, now: datetime) -> bool:
        """Does the member's pause still hold; it ends by itself."""
        return self.paused_until is not None and now.date() < self.paused_until

    def had_enough(self, topic: str | None, now: datetime) -> bool:
        """Would a newsletter of `topic` come sooner after the last than the member wants."""
        pace = self.paces.get(topic) if topic is not None else None
        if pace is None or pace.sent_at is None or pace.frequency not in GAPS:
            return False
        return now - pace.sent_at < GAPS[pace.frequency]


def may_return(scope: SuppressionScope, reason: str) -> bool:
    """Does a suppression end when the person follows a link that was mailed to the address.

    Who does so shows that the mailbox works (a bounce is over), that it is theirs, and that they want the
    newsletters (a complaint, an erasure: both were their own act). What the association decided is not theirs to
    take back, nor does a link of one association speak for all.
    """
    return scope is SuppressionScope.ASSOCIATION and reason != BLOCKLISTED


def refusal(standing: Standing, change: Consent, origin: Origin) -> str | None:
    """Why `change` may not be recorded; None when it may (or changes nothing).

    A withdrawal is always allowed. A grant by import is allowed only where the person never said no.
    """
    if change.state is ConsentState.WITHDRAWN or origin is Origin.PERSON:
        return None
    if standing.states.get(change.topic) is change.state:
        return None
    if standing.suppressed:
        return "the address is suppressed"
    if change.topic == TRACKING:
        said_no = standing.states.get(TRACKING) is ConsentState.WITHDRAWN
    else:
        said_no = standing.withdrew
    return "the person opted out before; only the person can come back" if said_no else None


def is_news(standing: Standing, change: Consent) -> bool:
    """Does `change` say anything that the standing does not say already."""
    if standing.states.get(change.topic) is not change.state:
        return True
    if change.topic != ANY_TOPIC or change.state is ConsentState.GRANTED:
        return False
    return any(state is ConsentState.GRANTED for name, state in standing.states.items() if name != TRACKING)


def exclusion(member: Member, standing: Standing, topic: str | None, wishes: Wishes, now: datetime) -> Exclusion | None:
    """Why no newsletter of `topic` may go to the member; None when one may. `store.exclusion_sql` says the same."""
    if member.address is None:
        return Exclusion.NO_ADDRESS
    if standing.suppressed:
        return Exclusion.SUPPRESSED
    if not standing.agrees_to(topic):
        return Exclusion.WITHDRAWN if standing.withdrew else Exclusion.NO_CONSENT
    if wishes.pauses(now):
        return Exclusion.PAUSED
    return Exclusion.TOO_OFTEN if wishes.had_enough(topic, now) else None
