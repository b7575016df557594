"""Databases of people for the tests of the segment language: the real tables, on each SQLite at hand."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import sqlite_utils

from audiences.migrations import AUDIENCES
from audiences.models import TRACKING, AttributeValue, Member
from audiences.segments import MemberFacts, Rule, to_sql
from audiences.segments.values import fold

TODAY = date(2027, 1, 31)


@dataclass(frozen=True)
class Person:
    """A member, and the rows that other tables hold of them."""

    member: Member
    subscriptions: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    """Topic -> state and basis."""
    tags: frozenset[str] = frozenset()
    activity: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """Kind and campaign -> when."""
    opened_at: str | None = None
    clicked_at: str | None = None

    @property
    def facts(self) -> MemberFacts:
        return MemberFacts(
            topics={topic: state for topic, (state, _) in self.subscriptions.items()},
            bases=frozenset(
                basis
                for topic, (state, basis) in self.subscriptions.items()
                if basis and topic != TRACKING and state == "granted"
            ),
            tags=self.tags,
            opened={campaign: at for (kind, campaign), at in self.activity.items() if kind == "opened"},
            clicked={campaign: at for (kind, campaign), at in self.activity.items() if kind == "clicked"},
            opened_at=self.opened_at,
            clicked_at=self.clicked_at,
        )


def numbered(people: Sequence[Person]) -> list[Person]:
    """`people` with ids from 0, and no address twice."""
    found: list[Person] = []
    taken: set[str] = set()
    for number, person in enumerate(people):
        address = person.member.address
        if address is not None and fold(address) in taken:
            address = None
        taken.add(fold(address or ""))
        found.append(replace(person, member=replace(person.member, id=number, address=address)))
    return found


def open_databases() -> Iterator[sqlite_utils.Database]:
    """An association's tables on each SQLite at hand: the one of sqlite-utils, and the one of Python."""
    for database in (sqlite_utils.Database(memory=True), sqlite_utils.Database(sqlite3.connect(":memory:"))):
        AUDIENCES.apply(database)
        yield database


def fill(database: sqlite_utils.Database, people: Sequence[Person | Member]) -> None:
    """Replace whoever is in `database` by `people`, numbered from 0."""
    known = numbered([Person(person) if isinstance(person, Member) else person for person in people])
    connection = database.conn
    for table in ("subscription", "tag", "activity", "member"):
        connection.execute(f"DELETE FROM {table}")
    connection.executemany(
        "INSERT INTO member (id, address, language, timezone, attributes, opened_at, clicked_at,"
        " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, '', '')",
        [
            (m.id, m.address, m.language, m.timezone, as_json(m.attributes), person.opened_at, person.clicked_at)
            for person in known
            for m in [person.member]
        ],
    )
    connection.executemany(
        "INSERT INTO subscription (member_id, topic, state, basis, at) VALUES (?, ?, ?, ?, '')",
        [(p.member.id, topic, *row) for p in known for topic, row in p.subscriptions.items()],
    )
    connection.executemany("INSERT INTO tag VALUES (?, ?, NULL)", [(t, p.member.id) for p in known for t in p.tags])
    connection.executemany(
        "INSERT INTO activity VALUES (?, ?, ?, ?)",
        [(campaign, kind, p.member.id, at) for p in known for (kind, campaign), at in p.activity.items()],
    )


def as_json(attributes: Mapping[str, AttributeValue]) -> str:
    return json.dumps(dict(attributes), ensure_ascii=False, default=float)


def selected(database: sqlite_utils.Database, rule: Rule, today: date = TODAY) -> list[int]:
    """The numbers of the members that the database finds, whatever indexes it is told to search by."""
    answers = []
    for leading in ({}, dict.fromkeys(rule.names(), False), dict.fromkeys(rule.names(), True)):
        condition = to_sql(rule, today, leading)
        rows = database.conn.execute(f"SELECT id FROM member WHERE {condition.sql} ORDER BY id", condition.parameters)
        answers.append([number for (number,) in rows])
    assert answers[0] == answers[1] == answers[2], rule.source
    return answers[0]
