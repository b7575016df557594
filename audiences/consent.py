"""Which changes of consent are allowed. Pure: no clock, no database.

The log is append-only; what a member agrees to now is derived from it (`Standing.after`).
The rule that matters most: **consent never improves by import**. Whoever once said no, bounced or
complained stays out whatever a later file says; only the person can come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from audiences.models import ANY_TOPIC, TRACKING, Consent, ConsentState, Member


class Exclusion(StrEnum):
    """Why a member of the segment gets no newsletter all the same."""

    NO_ADDRESS = "no_address"
    SUPPRESSED = "suppressed"
    WITHDRAWN = "withdrawn"
    """The person opted out."""
    NO_CONSENT = "no_consent"
    """The person never agreed to this topic."""

    @property
    def words(self) -> str:
        """The reason as people read it in plans and reports."""
        return _WORDS[self]


_WORDS = {
    Exclusion.NO_ADDRESS: "no e-mail address",
    Exclusion.SUPPRESSED: "address bounced, complained or was erased",
    Exclusion.WITHDRAWN: "unsubscribed",
    Exclusion.NO_CONSENT: "never agreed to this newsletter",
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
        return any(state is ConsentState.WITHDRAWN for topic, state in self.states.items() if topic != TRACKING)


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
    return standing.after(change).states != standing.states


def exclusion(member: Member, standing: Standing, topic: str | None) -> Exclusion | None:
    """Why no newsletter of `topic` may go to the member; None when one may. `store.exclusion_sql` says the same."""
    if member.address is None:
        return Exclusion.NO_ADDRESS
    if standing.suppressed:
        return Exclusion.SUPPRESSED
    if standing.agrees_to(topic):
        return None
    return Exclusion.WITHDRAWN if standing.withdrew else Exclusion.NO_CONSENT
