"""What is kept of a member beside their own row, and whether conditions on it hold. Reads no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import assert_never

from audiences.models import ANY_TOPIC, TRACKING, Basis, ConsentState
from audiences.segments.tree import (
    Activity,
    Agrees,
    ConsentKind,
    Engaged,
    HasConsent,
    OfRecord,
    Part,
    Tagged,
    TagHasText,
)
from audiences.segments.values import day_of, fold


def _none() -> Mapping[str, str]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """What the tables `subscription`, `tag` and `activity` hold of one member."""

    topics: Mapping[str, str] = field(default_factory=_none)
    """Topic, `ANY_TOPIC` or `TRACKING` -> `granted` or `withdrawn`."""
    bases: frozenset[str] = frozenset()
    """On which newsletters are granted."""
    tags: frozenset[str] = frozenset()
    opened: Mapping[str, str] = field(default_factory=_none)
    """Campaign -> when last, as ISO text in UTC."""
    clicked: Mapping[str, str] = field(default_factory=_none)
    opened_at: str | None = None
    """When any campaign was last; None when none ever was, or not by name."""
    clicked_at: str | None = None


NOTHING = MemberFacts()


def shown(node: OfRecord, facts: MemberFacts, today: date) -> bool:
    """Whether the condition holds for the member of these facts on the day `today`."""
    match node:
        case Agrees(topics):
            return _agrees(facts.topics, [topic.text for topic in topics])
        case HasConsent(kinds):
            return any(_has_consent(kind, facts) for kind in kinds)
        case Tagged(()):
            return bool(facts.tags)
        case Tagged(tags):
            wanted = {fold(tag.text) for tag in tags}
            return any(fold(tag) in wanted for tag in facts.tags)
        case TagHasText(part, text):
            return any(has_text(part, fold(tag), fold(text.value)) for tag in facts.tags)
        case Engaged():
            return _engaged(node, facts, today)
        case _:
            assert_never(node)


def has_text(part: Part, text: str, wanted: str) -> bool:
    match part:
        case Part.ANYWHERE:
            return wanted in text
        case Part.START:
            return text.startswith(wanted)
        case Part.END:
            return text.endswith(wanted)
        case _:
            assert_never(part)


def _agrees(states: Mapping[str, str], topics: list[str]) -> bool:
    """As `audiences.consent.Standing.agrees_to` has it, for one of `topics` at least."""
    if not topics:
        return any(state == ConsentState.GRANTED for topic, state in states.items() if topic != TRACKING)
    by_default = states.get(ANY_TOPIC, ConsentState.WITHDRAWN)
    return any(states.get(topic, by_default) == ConsentState.GRANTED for topic in topics)


def _has_consent(kind: ConsentKind, facts: MemberFacts) -> bool:
    newsletters = [state for topic, state in facts.topics.items() if topic != TRACKING]
    match kind:
        case ConsentKind.EXPRESS | ConsentKind.IMPLIED | ConsentKind.MEMBERSHIP:
            return Basis(kind) in facts.bases
        case ConsentKind.WITHDRAWN:
            return ConsentState.WITHDRAWN in newsletters
        case ConsentKind.TRACKING:
            return facts.topics.get(TRACKING) == ConsentState.GRANTED
        case ConsentKind.NONE:
            return not newsletters
        case _:
            assert_never(kind)


def _engaged(node: Engaged, facts: MemberFacts, today: date) -> bool:
    opened = node.activity is Activity.OPENED
    times: list[str | None]
    if node.campaigns:
        done = facts.opened if opened else facts.clicked
        times = [done.get(campaign.text) for campaign in node.campaigns]
    else:
        times = [facts.opened_at if opened else facts.clicked_at]
    start = "" if node.since is None else day_of(node.since, today).isoformat()
    return any(time is not None and time >= start for time in times)
