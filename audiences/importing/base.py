"""Brings rows of any source into an association's people: what changes, what is refused, and why.

A source module reads its file into `ImportRow`s; everything after that is here, the same for all.
The caller holds the transaction, so that an import is whole or nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from types import MappingProxyType

from audiences.addresses import fold_case
from audiences.consent import Origin, Standing, is_news, refusal
from audiences.models import ANY_TOPIC, TRACKING, AttributeValue, Consent, Member
from audiences.store import People

CHUNK = 500
"""Members looked up and written at a time; memory does not grow with the file."""


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One person as the file has them, on `line` (1-based, where the row starts)."""

    line: int
    address: str
    attributes: Mapping[str, AttributeValue] = field(default_factory=lambda: MappingProxyType({}))
    language: str | None = None
    timezone: str | None = None
    consents: tuple[Consent, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row, or one part of it, that was not taken over."""

    line: int
    reason: str


@dataclass(slots=True)
class ImportResult:
    """What an import did, or with `--dry-run` would do. Counts are of rows."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)
    consent_kept: list[Refusal] = field(default_factory=list)
    """Rows whose consent was not taken over, because the person had opted out before."""

    @property
    def rows(self) -> int:
        return self.added + self.updated + self.unchanged + len(self.refused)


def apply(
    people: People, rows: Iterable[ImportRow | Refusal], now: datetime, result: ImportResult
) -> Iterator[ImportResult]:
    """Write `rows`, counting into `result`, which is yielded after each chunk for a progress bar."""
    stream = iter(rows)
    next_id = people.next_id()
    while chunk := list(islice(stream, CHUNK)):
        good = [row for row in chunk if isinstance(row, ImportRow)]
        result.refused.extend(row for row in chunk if isinstance(row, Refusal))
        work = _Chunk(people, good, next_id)
        for row in good:
            work.take(row, result)
        work.write(now)
        next_id = work.next_id
        yield result


class _Chunk:
    """The members that some rows touch: as they are, and as they will be."""

    def __init__(self, people: People, rows: list[ImportRow], next_id: int) -> None:
        self._people = people
        self._members = people.by_address([row.address for row in rows])
        known = {m.id: m.address for m in self._members.values() if m.id is not None}
        self._standings: dict[int, Standing] = people.standings(known)
        self._suppressed = {fold_case(address) for address in people.suppressed(row.address for row in rows)}
        self._new: dict[int, Member] = {}
        self._changed: dict[int, Member] = {}
        self._consents: list[tuple[int, Consent]] = []
        self._names: set[str] = set()
        self._topics: set[str] = set()
        self.next_id = next_id

    def take(self, row: ImportRow, result: ImportResult) -> None:
        """Merge one row. A value the file does not give leaves what is known."""
        key = fold_case(row.address)
        before = self._members.get(key)
        if before is None:
            member = Member(row.address, row.attributes, row.language, row.timezone, self.next_id)
            self._standings[self.next_id] = Standing(suppressed=key in self._suppressed)
            self.next_id += 1
        else:
            member = replace(
                before,
                attributes={**before.attributes, **row.attributes},
                language=row.language or before.language,
                timezone=row.timezone or before.timezone,
            )
        assert member.id is not None
        consent_changed = self._take_consents(member.id, row, result)
        if before is None:
            result.added += 1
            self._new[member.id] = member
        elif member != before:
            result.updated += 1
            (self._new if member.id in self._new else self._changed)[member.id] = member
        elif consent_changed:
            result.updated += 1
        else:
            result.unchanged += 1
        self._members[key] = member
        self._names.update(row.attributes)

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
                self._topics.add(change.topic)
                changed = True
        self._standings[member_id] = standing
        return changed

    def write(self, now: datetime) -> None:
        self._people.insert(list(self._new.values()), now)
        self._people.update(list(self._changed.values()), now)
        self._people.record(self._consents, now)
        self._people.note_attributes(self._names)
        self._people.note_topics(self._topics - {ANY_TOPIC, TRACKING})
