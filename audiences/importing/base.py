"""Brings rows of any source into an association's people: what changes, what is refused, and why.

A source module reads its file into `ImportRow`s; everything after that is here, the same for all.
The caller holds the transaction, so that an import is whole or nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import NamedTuple

from audiences.addresses import fold_case
from audiences.consent import Origin, Standing, is_news, refusal
from audiences.importing.log import ImportLog
from audiences.models import ANY_TOPIC, TRACKING, AttributeValue, Consent, ConsentState, Member, SuppressionScope
from audiences.store import People

MOST_CHANGES = 1_000
CHUNK = 1_000
"""Members looked up and written at a time; memory does not grow with the file."""


class ImportRow(NamedTuple):
    """One person as the file has them, on `line` (1-based, where the row starts)."""

    line: int
    address: str | None
    """None for a person without one: kept, but without a channel."""
    attributes: Mapping[str, AttributeValue] = {}
    language: str | None = None
    timezone: str | None = None
    consents: tuple[Consent, ...] = ()
    suppression: str | None = None
    """Why the address must not be written to at all: it bounced, complained, or was blocked. None: it may."""
    tags: tuple[str, ...] = ()
    external_id: str = ""
    """The person's id in the source (`wildapricot:1004`), by which a row without an address is found again."""
    refuses_relays: bool = False
    """Only the association itself may write, not others through it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row, or one part of it, that was not taken over."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one member that a row changes; `before` is empty where there was nothing."""

    line: int
    address: str
    field: str
    before: str
    after: str


@dataclass(slots=True)
class ImportResult:
    """What an import did, or with `--dry-run` would do. Counts are of rows."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)
    consent_kept: list[Refusal] = field(default_factory=list)
    """Rows whose consent was not taken over, because the person had opted out before."""
    changes: list[Change] = field(default_factory=list)
    """What differs for members known before, field by field; the first `MOST_CHANGES` of them."""
    without_address: int = 0
    """Rows of people or places without an address: kept, and nobody can write to them."""
    suppressed: int = 0
    """Addresses that must not be written to any more, and could be before."""
    source: str = ""
    """Which product's file it was read as."""
    sureness: float = 1.0
    """How sure that is, from 0 to 1; 1 where a person said so."""
    number: int | None = None
    """The import's number in the association, by which it can be undone; None for a dry run."""

    @property
    def rows(self) -> int:
        return self.added + self.updated + self.unchanged + len(self.refused)


def apply(
    people: People, rows: Iterable[ImportRow | Refusal], now: datetime, result: ImportResult, *, file: str = ""
) -> Iterator[ImportResult]:
    """Write `rows` under a number of its own, counting into `result`, which is yielded after each chunk."""
    stream = iter(rows)
    log = ImportLog(people.db)
    number = log.begin(file, now)
    next_id = people.next_id()
    with uncollected():
        while chunk := list(islice(stream, CHUNK)):
            result.refused.extend(row for row in chunk if isinstance(row, Refusal))
            work = _Chunk(people, [row for row in chunk if isinstance(row, ImportRow)], next_id)
            work.take_all(result, now)
            work.write(log, number, now)
            next_id = work.next_id
            yield result
    log.end(number, result.added, result.updated)
    result.number = number


@contextmanager
def uncollected() -> Iterator[None]:
    """Without the cyclic garbage collector: rows hold no cycles, and it would walk all of them again and again,
    for a sixth of the time that an import takes."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Chunk:
    """The members that some rows touch: as they are, and as they will be."""

    def __init__(self, people: People, rows: list[ImportRow], next_id: int) -> None:
        self.next_id = next_id
        self._people = people
        self._rows = rows
        by_address = people.by_address([row.address for row in rows if row.address])
        by_external = people.by_external([row.external_id for row in rows if row.external_id])
        self._before = {m.id: m for m in (*by_address.values(), *by_external.values()) if m.id is not None}
        self._keys: dict[str, int] = {}
        for key, member in (*by_external.items(), *by_address.items()):
            assert member.id is not None
            self._keys[key] = member.id
        self._members = dict(self._before)
        self._standings = people.standings({i: m.address for i, m in self._before.items()})
        self._suppressed = {fold_case(a) for a in people.suppressed(row.address for row in rows if row.address)}
        self._tags = people.tags(self._before)
        self._noes = ImportLog(people.db).noes([i for i, each in self._standings.items() if _said_no(each)])
        self._consents: list[tuple[int, Consent]] = []
        self._noes_again: list[tuple[int, str]] = []
        self._suppressions: list[tuple[str, SuppressionScope, str]] = []
        self._new_tags: list[tuple[int, str]] = []

    def take_all(self, result: ImportResult, now: datetime) -> None:
        """Merge the rows in their order. A value the file does not give leaves what is known."""
        result.without_address += sum(row.address is None for row in self._rows)
        for row in self._rows:
            found = self._find(row)
            if found is None:
                member_id, before = self._add(row, now), None
            else:
                member_id, before = found, self._members[found]
            member = _merged(before, row, member_id)
            self._members[member_id] = member
            if before is not None and before.address is None:
                self._take_address(member_id, member.address)
            changed = member != before
            changed |= self._take_consents(member_id, row, result)
            changed |= self._take_suppression(member_id, row, result)
            changed |= self._take_tags(member_id, row)
            if before is None:
                result.added += 1
            elif changed:
                result.updated += 1
                room = MOST_CHANGES - len(result.changes)
                result.changes.extend(islice(_changes(row.line, before, member), max(room, 0)))
            else:
                result.unchanged += 1

    def write(self, log: ImportLog, number: int, now: datetime) -> None:
        """Put all that changed into the database, with what it was before for an undo."""
        people = self._people
        new = [member for i, member in self._members.items() if i not in self._before]
        changed = [member for i, member in self._members.items() if i in self._before and member != self._before[i]]
        people.insert(new, now)
        log.note(number, [m.id for m in new if m.id], [self._before[m.id] for m in changed if m.id])
        people.update(changed, now)
        people.record(self._consents, now, number)
        log.note_noes(number, self._noes_again)
        for address, scope, reason in self._suppressions:
            people.suppress(address, scope, reason, now, number)
        people.add_tags(self._new_tags, number)
        people.note_external({row.external_id: self._keys[row.external_id] for row in self._rows if row.external_id})
        people.note_attributes({name for row in self._rows for name in row.attributes})
        people.note_topics({change.topic for _, change in self._consents} - {ANY_TOPIC, TRACKING})

    def _find(self, row: ImportRow) -> int | None:
        """The member the row speaks of: by address, else by the source's id."""
        found = self._keys.get(fold_case(row.address)) if row.address else None
        if found is None and row.external_id:
            found = self._keys.get(row.external_id)
            if found is not None and self._moved(found, row):
                found = None
        if found is not None:
            self._remember(row, found)
        return found

    def _moved(self, member_id: int, row: ImportRow) -> bool:
        """Has the person another address than the row's: to us that is another mailbox, and another member."""
        known = self._members[member_id].address
        return known is not None and row.address is not None and fold_case(known) != fold_case(row.address)

    def _add(self, row: ImportRow, now: datetime) -> int:
        member_id, self.next_id = self.next_id, self.next_id + 1
        suppressed = row.address is not None and fold_case(row.address) in self._suppressed
        self._standings[member_id] = Standing(suppressed=suppressed)
        earlier = self._keys.get(row.external_id) if row.external_id else None
        if earlier is not None:
            self._inherit_noes(member_id, earlier, row, now)
        self._remember(row, member_id)
        return member_id

    def _inherit_noes(self, member_id: int, earlier: int, row: ImportRow, now: datetime) -> None:
        """Consent was given for one mailbox; a no was said by the person, and follows them to the next."""
        source = f"line {row.line}: the no of the member with the same id, {row.external_id}, at another address"
        for topic, state in self._standings[earlier].states.items():
            if state is ConsentState.WITHDRAWN:
                no = Consent(topic, ConsentState.WITHDRAWN, now, source)
                self._standings[member_id] = self._standings[member_id].after(no)
                self._consents.append((member_id, no))

    def _remember(self, row: ImportRow, member_id: int) -> None:
        if row.address:
            self._keys[fold_case(row.address)] = member_id
        if row.external_id:
            self._keys[row.external_id] = member_id

    def _take_address(self, member_id: int, address: str | None) -> None:
        """An address found for somebody without one brings along what is known of the address."""
        if address is not None and fold_case(address) in self._suppressed:
            self._standings[member_id] = replace(self._standings[member_id], suppressed=True)

    def _take_consents(self, member_id: int, row: ImportRow, result: ImportResult) -> bool:
        standing = self._standings[member_id]
        changed = False
        for change in row.consents:
            reason = refusal(standing, change, Origin.IMPORT)
            if reason:
                result.consent_kept.append(Refusal(row.line, reason))
            elif is_news(standing, change):
                standing = standing.after(change)
                self._consents.append((member_id, change))
                changed = True
            elif change.state is ConsentState.WITHDRAWN:
                self._take_no_again(member_id, change)
        self._standings[member_id] = standing
        return changed

    def _take_no_again(self, member_id: int, no: Consent) -> None:
        """A no that is nothing new: should the import be undone that said it first, it still stands."""
        noes = self._noes.get(member_id, {})
        if noes.get(no.topic):
            self._noes_again.append((member_id, no.topic))
        elif no.topic not in noes and no.topic != TRACKING and noes.get(ANY_TOPIC):
            self._consents.append((member_id, no))
            noes[no.topic] = False

    def _take_suppression(self, member_id: int, row: ImportRow, result: ImportResult) -> bool:
        if not row.address:
            return False
        changed = False
        if row.refuses_relays:
            self._suppressions.append((row.address, SuppressionScope.RELAYS, "asked not to be written to for others"))
        if row.suppression:
            # Also where it is no news: no undone import lifts what two of them said.
            self._suppressions.append((row.address, SuppressionScope.ASSOCIATION, row.suppression))
        if row.suppression and not self._standings[member_id].suppressed:
            self._standings[member_id] = replace(self._standings[member_id], suppressed=True)
            result.suppressed += 1
            changed = True
        return changed

    def _take_tags(self, member_id: int, row: ImportRow) -> bool:
        known = self._tags.setdefault(member_id, set())
        fresh = {tag.casefold(): tag for tag in row.tags if tag.casefold() not in known}
        known.update(fresh)
        self._new_tags += [(member_id, tag) for tag in fresh.values()]
        return bool(fresh)


def _said_no(standing: Standing) -> bool:
    return ConsentState.WITHDRAWN in standing.states.values()


def _merged(before: Member | None, row: ImportRow, member_id: int) -> Member:
    if before is None:
        return Member(row.address, row.attributes, row.language, row.timezone, member_id)
    return replace(
        before,
        address=before.address or row.address,
        attributes={**before.attributes, **row.attributes},
        language=row.language or before.language,
        timezone=row.timezone or before.timezone,
    )


def _changes(line: int, before: Member, after: Member) -> Iterator[Change]:
    old, new = _fields(before), _fields(after)
    for name in sorted(new):
        if old.get(name) != new[name]:
            yield Change(line, after.address or "", name, str(old.get(name) or ""), str(new[name]))


def _fields(member: Member) -> dict[str, object]:
    named = {"address": member.address, "language": member.language, "timezone": member.timezone}
    return {**member.attributes, **{name: value for name, value in named.items() if value}}
