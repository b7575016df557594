"""All SQL of exports: members one after the other, each with all that a list says of them. It writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from types import MappingProxyType

from sqlite_utils.db import Database

from audiences.consent import Standing
from audiences.models import Basis, Consent, ConsentState, Member
from audiences.segments import Condition
from audiences.store import People

CHUNK = 500
"""Members looked up at a time; memory does not grow with the list."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One member as an export tells of them."""

    member: Member
    standing: Standing = field(default_factory=Standing)
    records: Mapping[str, Consent] = field(default_factory=lambda: MappingProxyType({}))
    """Topic (or `ANY_TOPIC`, `TRACKING`) -> the latest record of it in the consent log."""
    in_person: frozenset[str] = frozenset()
    """The topics whose latest record came from the member and not from an import."""
    suppression: str | None = None
    """Why the address must not be written to; None when it may."""
    refuses_relays: bool = False
    tags: tuple[str, ...] = ()
    external_ids: tuple[str, ...] = ()


class Export:
    """Reads one association's list."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._db: Database = people.db

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is of one moment, however long it takes; others write meanwhile (WAL)."""
        self._db.conn.execute("BEGIN")
        try:
            yield
        finally:
            self._db.conn.execute("ROLLBACK")

    def attribute_names(self) -> list[str]:
        """Every attribute that some member has, in order."""
        return sorted(self._people.attribute_names())

    def topics(self) -> list[str]:
        """The slugs of every topic that the association knows, in order."""
        return [topic.slug for topic in self._people.topics()]

    def members(self, condition: Condition) -> Iterator[Listed]:
        """Those for whom `condition` holds, in order of id."""
        stream = self._people.select(condition)
        while chunk := {member.id: member for member in islice(stream, CHUNK) if member.id is not None}:
            yield from self.listed(chunk)

    def listed(self, members: Mapping[int, Member]) -> Iterator[Listed]:
        """These members (by id), with all that a list says of them."""
        ids = list(members)
        standings = self._people.standings({i: member.address for i, member in members.items()})
        records, in_person = self._records(ids)
        suppressions, refusing = self._suppressions(ids)
        tags = self._lists("SELECT member_id, tag FROM tag WHERE member_id IN ({}) ORDER BY tag", ids)
        external = self._lists("SELECT member_id, id FROM external WHERE member_id IN ({}) ORDER BY id", ids)
        for member_id, member in members.items():
            yield Listed(
                member=member,
                standing=standings[member_id],
                records=records.get(member_id, {}),
                in_person=frozenset(in_person.get(member_id, ())),
                suppression=suppressions.get(member_id),
                refuses_relays=member_id in refusing,
                tags=tuple(tags.get(member_id, ())),
                external_ids=tuple(external.get(member_id, ())),
            )

    def _records(self, ids: Sequence[int]) -> tuple[dict[int, dict[str, Consent]], dict[int, set[str]]]:
        """(per member the latest record of each topic, per member the topics of which it came from the member)."""
        records: dict[int, dict[str, Consent]] = {}
        in_person: dict[int, set[str]] = {}
        marks = ",".join("?" * len(ids))
        for member_id, topic, state, at, source, basis, wording, import_id in self._db.execute(
            "SELECT member_id, topic, state, at, source, basis, wording, import_id FROM consent"  # noqa: S608
            f" WHERE member_id IN ({marks}) AND id NOT IN (SELECT consent_id FROM consent_void) ORDER BY id",
            list(ids),
        ):
            records.setdefault(member_id, {})[topic] = Consent(
                topic,
                ConsentState(state),
                datetime.fromisoformat(at),
                source,
                Basis(basis) if basis else None,
                wording,
            )
            personal = in_person.setdefault(member_id, set())
            (personal.discard if import_id is not None else personal.add)(topic)
        return records, in_person

    def _suppressions(self, ids: Sequence[int]) -> tuple[dict[int, str], set[int]]:
        """(member -> why no mail may go there, members who want nothing that is relayed)."""
        marks = ",".join("?" * len(ids))
        rows = self._db.execute(
            "SELECT member.id, suppression.scope, suppression.reason FROM member"  # noqa: S608
            " JOIN suppression ON suppression.address_hash = member.address_hash"
            f" WHERE member.id IN ({marks}) ORDER BY suppression.scope",
            list(ids),
        ).fetchall()
        reasons = {member_id: reason for member_id, scope, reason in rows if scope != "relays"}
        return reasons, {member_id for member_id, scope, _ in rows if scope == "relays"}

    def _lists(self, sql: str, ids: Sequence[int]) -> dict[int, list[str]]:
        lists: dict[int, list[str]] = {}
        for member_id, text in self._db.execute(sql.format(",".join("?" * len(ids))), list(ids)):
            lists.setdefault(member_id, []).append(text)
        return lists
