"""People, consents and databases for the tests of the audiences."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import strategies as st

from audiences.addresses import normalise_address
from audiences.importing import base, plain
from audiences.importing.base import ImportResult
from audiences.migrations import AUDIENCES
from audiences.models import ANY_TOPIC, TRACKING, Basis, Consent, ConsentState, Member
from audiences.store import People
from comms.db import open_database

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
HASH_KEY = b"k" * 32
TOPICS = (ANY_TOPIC, TRACKING, "news", "jobs")


def open_people(path: Path) -> People:
    return People(open_database(path, (AUDIENCES,), create=True), HASH_KEY)


@contextlib.contextmanager
def taken_back(people: People) -> Iterator[None]:
    """Whatever is written inside is gone after it."""
    people.db.conn.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        people.db.conn.execute("ROLLBACK")


def add_member(people: People, address: str | None) -> int:
    member_id = people.next_id()
    stored = None if address is None else normalise_address(address)
    people.insert([Member(stored, id=member_id)], NOW)
    return member_id


def grant(topic: str = ANY_TOPIC, *, source: str = "a form") -> Consent:
    return Consent(topic, ConsentState.GRANTED, NOW, source, Basis.EXPRESS)


def withdraw(topic: str = ANY_TOPIC, *, source: str = "one click") -> Consent:
    return Consent(topic, ConsentState.WITHDRAWN, NOW, source)


def changes() -> st.SearchStrategy[Consent]:
    """Any change of any topic."""
    return st.builds(
        lambda topic, granted: grant(topic) if granted else withdraw(topic), st.sampled_from(TOPICS), st.booleans()
    )


def import_file(people: People, path: Path, now: datetime = NOW) -> ImportResult:
    result = ImportResult()
    with people.db.atomic():
        for _ in base.apply(people, plain.read(path, now), now, result):
            pass
    return result


def counts(result: ImportResult) -> tuple[int, int, int, int]:
    return result.added, result.updated, result.unchanged, len(result.refused)
