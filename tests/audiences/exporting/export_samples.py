"""Members with every kind of consent, put into a database, exported and read back elsewhere."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from audiences.exporting import own
from audiences.exporting.store import Export
from audiences.importing import base, detect
from audiences.importing.base import ImportResult
from audiences.models import ANY_TOPIC, AttributeValue, Basis, Consent, ConsentState, Member, SuppressionScope, Topic
from audiences.store import EVERYONE, People

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
TOPICS = ("news", "jobs", "2027-plans")


@dataclass(frozen=True)
class Sample:
    """One member to be made."""

    address: str | None
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    language: str | None = None
    timezone: str | None = None
    consents: tuple[Consent, ...] = ()
    tags: tuple[str, ...] = ()
    external_id: str = ""
    suppression: str | None = None
    refuses_relays: bool = False


def grant(topic: str = ANY_TOPIC, basis: Basis = Basis.EXPRESS, *, wording: str = "") -> Consent:
    return Consent(topic, ConsentState.GRANTED, datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC), "form 7", basis, wording)


def withdraw(topic: str = ANY_TOPIC) -> Consent:
    return Consent(topic, ConsentState.WITHDRAWN, datetime(2026, 6, 5, tzinfo=UTC), "one click")


def fill(people: People, samples: Iterable[Sample]) -> None:
    """Make the members, each consent recorded as the person's own word."""
    with people.db.atomic():
        for slug in TOPICS:
            people.add_topic(Topic(slug, slug.title()))
        for sample in samples:
            number = people.next_id()
            member = Member(sample.address, sample.attributes, sample.language, sample.timezone, number)
            people.insert([member], NOW)
            people.note_attributes(sample.attributes)
            people.record([(number, change) for change in sample.consents], NOW)
            people.add_tags([(number, tag) for tag in sample.tags])
            if sample.external_id:
                people.note_external({sample.external_id: number})
            if sample.address and sample.suppression:
                people.suppress(sample.address, SuppressionScope.ASSOCIATION, sample.suppression, NOW)
            if sample.address and sample.refuses_relays:
                people.suppress(sample.address, SuppressionScope.RELAYS, "asked", NOW)


def write_own(people: People, path: Path) -> list[list[str]]:
    """Export everyone as our own list; returns its rows."""
    export = Export(people)
    names = export.attribute_names()
    rows = [own.header(names), *(own.row(m, names, export.topics()) for m in export.members(EVERYONE))]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return rows


def bring(people: People, path: Path, source: str = detect.AUTO) -> ImportResult:
    result = ImportResult()
    with people.db.atomic():
        for _ in base.apply(people, detect.read(path, NOW, source), NOW, result):
            pass
    return result


@dataclass(frozen=True)
class Seen:
    """What can be compared of a member in two databases."""

    attributes: dict[str, AttributeValue]
    language: str | None
    timezone: str | None
    tags: frozenset[str]
    agrees: frozenset[str]
    """Topics that may be sent."""
    tracked: bool
    opted_out: bool
    suppressed: bool
    refuses_relays: bool
    basis: dict[str, Basis]


def seen(people: People) -> dict[str, Seen]:
    """By address, or by external id of those without one."""
    found = {}
    for listed in Export(people).members(EVERYONE):
        member, standing = listed.member, listed.standing
        grants = {topic: record for topic, record in listed.records.items() if record.state is ConsentState.GRANTED}
        found[member.address or listed.external_ids[0]] = Seen(
            dict(member.attributes),
            member.language,
            member.timezone,
            frozenset(tag.casefold() for tag in listed.tags),
            frozenset(topic for topic in TOPICS if standing.agrees_to(topic)),
            standing.states.get("tracking") is ConsentState.GRANTED,
            standing.withdrew,
            standing.suppressed,
            listed.refuses_relays,
            {
                topic: record.basis
                for topic, record in grants.items()
                if record.basis and standing.states.get(topic) is ConsentState.GRANTED
            },
        )
    return found
