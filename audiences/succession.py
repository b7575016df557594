"""What passes from a post-holder to the successor, and what is the person's own. Pure: no clock, no database.

The membership belongs to the institution: its facts, its tags and its newsletters pass on. The person's name and
telephone, what they did with the newsletters and their leave to record it do not. An express yes was the person's
own word: for the successor it is implied at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from audiences.attributes import attribute_value
from audiences.consent import Origin, Standing, is_news, refusal
from audiences.errors import AudienceError
from audiences.importing import values
from audiences.models import (
    ANY_TOPIC,
    TRACKING,
    AttributeValue,
    Basis,
    Consent,
    ConsentState,
    Member,
    attribute_name,
)

_PERSONAL = re.compile(
    r"(?:.*_)?(?:first|last|middle|given|family|fore|sur|full|display|nick)_?names?|name|vorname|nachname|nom|pr[eé]nom"
    r"|nombre|apellidos?|(?:.*_)?(?:title|salutation|prefix|suffix|initials|pronouns?|gender|honorific)"
    r"|(?:.*_)?(?:tele)?phone(?:_.*)?|(?:.*_)?(?:mobile|cell|tel|fax|portrait|photo|birthday|birthdate)(?:_.*)?"
    r"|(?:.*_)?date_of_birth|(?:.*_)?birth_date|other_addresses|(?:.*_)?(?:linkedin|twitter|mastodon|orcid)(?:_.*)?"
)
_ORGANISATION = re.compile(r"(?:organi[sz]ation|institution|library|museum|archive|company|office|membership)_.*")
"""Facts of the institution, whatever they are called: `library_name`, `office_phone`."""
_FIELDS: Mapping[str, Callable[[str], str | None]] = {"language": values.language, "timezone": values.timezone}
"""What is set by a name like an attribute's, and what reads it."""


class Role(StrEnum):
    """Whom a change is of."""

    PREDECESSOR = "predecessor"
    SUCCESSOR = "successor"


@dataclass(frozen=True, slots=True)
class Known:
    """A member with what counts in a succession."""

    member: Member
    standing: Standing = field(default_factory=Standing)
    grants: Mapping[str, Consent] = field(default_factory=lambda: MappingProxyType({}))
    """Topic -> the record by which it may be sent."""
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """One field that a succession changes; empty where there is nothing."""

    who: Role
    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Succession:
    """What is to be written down. With one mailbox for both, predecessor and successor are the same member."""

    predecessor: Member
    """As it will be."""
    successor: Member
    """As it will be; without an id when it is a new member."""
    ends: tuple[Consent, ...]
    """New records of the predecessor."""
    begins: tuple[Consent, ...]
    """New records of the successor."""
    refused: tuple[tuple[str, str], ...]
    """(topic, why the successor does not get it)."""
    tags: frozenset[str]
    """That the successor gets; with a new address the predecessor loses them."""
    changes: tuple[Change, ...]

    @property
    def same_mailbox(self) -> bool:
        return self.predecessor is self.successor


def given_values(pairs: Mapping[str, str]) -> dict[str, AttributeValue | None]:
    """What `--set name=value` says of the successor; None where nothing stands behind the name: it is cleared.

    Raises AudienceError for a name that can not be one.
    """
    given: dict[str, AttributeValue | None] = {}
    for name, text in pairs.items():
        attribute = attribute_name(name)
        if not attribute or attribute in ("email", "address", "tags", "consent"):
            raise AudienceError(f"{name!r} can not be set; give the name of an attribute, such as first_name=Ana")
        if attribute in _FIELDS and text and _FIELDS[attribute](text) is None:
            raise AudienceError(
                f"{text[:80]!r} is no {attribute}; examples are language=es-MX, timezone=America/Denver"
            )
        try:
            given[attribute] = attribute_value(text)
        except ValueError as error:
            raise AudienceError(f"{name}: {error}") from error
    return given


def is_personal(name: str) -> bool:
    """Is an attribute of this name the person's own, rather than the institution's."""
    return _PERSONAL.fullmatch(name) is not None and _ORGANISATION.fullmatch(name) is None


def same_mailbox(old: Known, given: Mapping[str, AttributeValue | None], now: datetime) -> Succession:
    """The successor writes and reads at the same address, such as director@...

    What the mailbox was withdrawn from stays so: only whoever reads it can come back.
    """
    kept = {name: value for name, value in old.member.attributes.items() if not is_personal(name)}
    member = _with(replace(old.member, attributes=kept), given)
    ends = [Consent(TRACKING, ConsentState.WITHDRAWN, now, _source(now))]
    for topic, grant in sorted(old.grants.items()):
        if grant.basis is Basis.EXPRESS and topic != TRACKING:
            ends.append(_passed_on(grant, topic, now))
    said_no_already = old.standing.states.get(TRACKING) is ConsentState.WITHDRAWN
    records = tuple(ends[1:] if said_no_already else ends)
    changes = (
        *_field_changes(Role.SUCCESSOR, old.member, member),
        *_consent_changes(Role.SUCCESSOR, old, records),
    )
    return Succession(member, member, records, (), (), old.tags, changes)


def new_mailbox(
    old: Known,
    new: Known,
    given: Mapping[str, AttributeValue | None],
    known_topics: Collection[str],
    now: datetime,
) -> Succession:
    """The successor has an address of their own: `new`, a member without id unless it is known.

    Whatever the new address once refused, or that it is suppressed, wins. What the predecessor had refused is no
    refusal of the successor, but is not begun for them either.
    """
    roles = {name: value for name, value in old.member.attributes.items() if not is_personal(name)}
    left = {name: value for name, value in old.member.attributes.items() if is_personal(name)}
    member = _with(
        replace(
            new.member,
            attributes={**new.member.attributes, **roles},
            language=new.member.language or old.member.language,
            timezone=new.member.timezone or old.member.timezone,
        ),
        given,
    )
    predecessor = replace(old.member, attributes=left)
    begins, refused = _begun(old, new, known_topics, now)
    ends = tuple(
        change
        for change in (
            Consent(ANY_TOPIC, ConsentState.WITHDRAWN, now, _source(now)),
            Consent(TRACKING, ConsentState.WITHDRAWN, now, _source(now)),
        )
        if change.topic == ANY_TOPIC or old.standing.states.get(TRACKING) is ConsentState.GRANTED
        if is_news(old.standing, change)
    )
    changes = (
        *_field_changes(Role.PREDECESSOR, old.member, predecessor),
        *(Change(Role.PREDECESSOR, "tag", tag, "") for tag in sorted(old.tags)),
        *_consent_changes(Role.PREDECESSOR, old, ends),
        *_field_changes(Role.SUCCESSOR, new.member, member),
        *(Change(Role.SUCCESSOR, "tag", "", tag) for tag in sorted(old.tags - new.tags)),
        *_consent_changes(Role.SUCCESSOR, new, begins),
    )
    return Succession(predecessor, member, ends, begins, refused, old.tags, changes)


def _begun(
    old: Known, new: Known, known_topics: Collection[str], now: datetime
) -> tuple[tuple[Consent, ...], tuple[tuple[str, str], ...]]:
    """(what the successor gets, what they do not and why)."""
    begins: list[Consent] = []
    refused: list[tuple[str, str]] = []
    standing = new.standing
    for topic, grant in _agreed(old, known_topics):
        change = _passed_on(grant, topic, now)
        reason = refusal(standing, change, Origin.IMPORT)
        if reason:
            refused.append((topic, reason))
        elif is_news(standing, change):
            begins.append(change)
            standing = standing.after(change)
    return tuple(begins), tuple(refused)


def _agreed(old: Known, known_topics: Collection[str]) -> Iterator[tuple[str, Consent]]:
    """What the predecessor gets, and by which record: everything, or topic by topic where they refused some."""
    everything = old.grants.get(ANY_TOPIC)
    if everything and not old.standing.withdrew:
        yield ANY_TOPIC, everything
        return
    standing = Standing(old.standing.states)
    for topic in sorted({*known_topics, *old.grants} - {ANY_TOPIC, TRACKING}):
        grant = old.grants.get(topic, everything)
        if grant is not None and standing.agrees_to(topic):
            yield topic, grant


def _passed_on(grant: Consent, topic: str, now: datetime) -> Consent:
    """The grant as the successor has it: an express one is implied from now on."""
    basis = Basis.IMPLIED if grant.basis is Basis.EXPRESS else grant.basis
    asked = f"the predecessor's consent ({grant.basis or 'unknown'}) of {grant.at:%Y-%m-%d}: {grant.source}"
    return Consent(topic, ConsentState.GRANTED, now, f"{_source(now)}; {asked}"[:10_000], basis)


def _source(now: datetime) -> str:
    return f"succession of {now:%Y-%m-%d}"


def _with(member: Member, given: Mapping[str, AttributeValue | None]) -> Member:
    attributes = {**member.attributes, **{name: value for name, value in given.items() if name not in _FIELDS}}
    named = {name: str(given[name]) if given[name] is not None else None for name in _FIELDS if name in given}
    kept = {name: value for name, value in attributes.items() if value is not None}
    return replace(
        member,
        attributes=kept,
        language=named.get("language", member.language),
        timezone=named.get("timezone", member.timezone),
    )


def _field_changes(who: Role, before: Member, after: Member) -> Iterator[Change]:
    old, new = _shown(before), _shown(after)
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield Change(who, name, old.get(name, ""), new.get(name, ""))


def _shown(member: Member) -> dict[str, str]:
    named = {"language": member.language, "timezone": member.timezone, "address": member.address}
    fields = {name: value for name, value in named.items() if value and (name != "address" or member.id is None)}
    return {**{name: str(value) for name, value in member.attributes.items()}, **fields}


def _consent_changes(who: Role, known: Known, records: Collection[Consent]) -> Iterator[Change]:
    for record in records:
        state, grant = known.standing.states.get(record.topic), known.grants.get(record.topic)
        before = " ".join(filter(None, (state, grant and grant.basis)))
        yield Change(who, f"consent to {record.topic}", before, " ".join(filter(None, (record.state, record.basis))))
