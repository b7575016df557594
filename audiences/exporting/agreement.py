"""What a member agrees to, as a list can say it to another system: never more than it is. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from audiences.consent import Standing
from audiences.exporting.store import Listed
from audiences.models import ANY_TOPIC, TRACKING, Basis, Consent, ConsentState

_STRENGTH = tuple(Basis)


@dataclass(frozen=True, slots=True)
class Agreement:
    """Consent to newsletters on one line."""

    everything: bool = False
    """All newsletters of the association, those to come included."""
    topics: tuple[str, ...] = ()
    """The topics agreed to, where it is not everything."""
    withdrawn: tuple[str, ...] = ()
    """The topics refused, where something is agreed to."""
    opted_out: bool = False
    """The member said no, and nothing is left that they agree to."""
    proof: Consent | None = None
    """The weakest of the records by which we may write."""

    @property
    def agrees(self) -> bool:
        return self.everything or bool(self.topics)


def agreement(listed: Listed, known_topics: Collection[str]) -> Agreement:
    """The member's consent, whether or not the address is suppressed.

    A "yes to all but some" is told as the list of the known topics that are left, and a "no to all but some" as the
    list of those that were kept: so neither is more, wherever it is read.
    """
    standing = Standing(listed.standing.states)
    states = {topic: state for topic, state in standing.states.items() if topic != TRACKING}
    if not standing.withdrew and states.get(ANY_TOPIC) is ConsentState.GRANTED:
        return Agreement(everything=True, proof=_weakest(listed, [ANY_TOPIC]))
    topics = sorted({*known_topics, *states} - {ANY_TOPIC, TRACKING})
    agreed = tuple(topic for topic in topics if standing.agrees_to(topic))
    if not agreed:
        return Agreement(opted_out=standing.withdrew)
    # Each no by its name: the no to everything else would take the topics that were kept with it.
    refused = topics if states.get(ANY_TOPIC) is ConsentState.WITHDRAWN else states
    withdrawn = tuple(t for t in sorted(refused) if t not in (*agreed, ANY_TOPIC))
    grants = [topic if states.get(topic) is ConsentState.GRANTED else ANY_TOPIC for topic in agreed]
    return Agreement(topics=agreed, withdrawn=withdrawn, proof=_weakest(listed, grants))


def _weakest(listed: Listed, topics: Iterable[str]) -> Consent | None:
    """The grant of the weakest basis among these topics, the latest of several."""
    grants = [listed.records[topic] for topic in topics if topic in listed.records]
    stands = [grant for grant in grants if grant.state is ConsentState.GRANTED]
    return min(stands, key=lambda grant: (_strength(grant), -grant.at.timestamp()), default=None)


def _strength(grant: Consent) -> int:
    return _STRENGTH.index(grant.basis) if grant.basis else 0
