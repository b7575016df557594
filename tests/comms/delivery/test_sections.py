"""Which sections a member gets: SQL says what the rules of consent and frequency say, whatever members chose."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ledger_samples import Book

from audiences.choices import Choices
from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Frequency, Member, Topic
from audiences.segments import Condition
from comms.delivery.sections import WHOLE, Sections
from comms.rendering.conditions import section_flag, section_flags

TOPICS = ("museums", "libraries", "it's")
NOW = datetime(2027, 2, 10, 9, tzinfo=UTC)

chosen = st.sets(st.sampled_from(TOPICS)).map(lambda some: tuple(topic for topic in TOPICS if topic in some))
sections = st.builds(
    lambda new, missed, for_all: Sections(tuple(t for t in TOPICS if t in {*new, *missed}), new, missed, for_all),
    chosen,
    chosen,
    st.booleans(),
)
states = st.dictionaries(st.sampled_from([*TOPICS, ANY_TOPIC]), st.sampled_from(ConsentState))
frequencies = st.dictionaries(st.sampled_from(TOPICS), st.sampled_from(Frequency))
hours_ago = st.dictionaries(st.sampled_from(TOPICS), st.sampled_from([1, 19, 21, 155, 157, 400]))


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Book:
    return Book(Path(tmp_path_factory.mktemp("sections")) / "book.db")


def new_member(book: Book, agreed: dict[str, ConsentState], own: dict[str, Frequency], sent: dict[str, int]) -> int:
    with book.db.atomic():
        member = book.people.next_id()
        book.people.insert([Member(f"p{member}@example.org", {}, id=member)], NOW)
        for topic, state in agreed.items():
            basis = Basis.EXPRESS if state is ConsentState.GRANTED else None
            book.people.record([(member, Consent(topic, state, NOW, "test", basis))], NOW)
        for topic, frequency in own.items():
            Choices(book.db).choose_frequency(member, topic, frequency)
        for topic, hours in sent.items():
            book.db.execute(
                "INSERT INTO pace (topic, member_id, sent_at) VALUES (?, ?, ?)"
                " ON CONFLICT (topic, member_id) DO UPDATE SET sent_at = excluded.sent_at",
                [topic, member, int((NOW - timedelta(hours=hours)).timestamp())],
            )
    return member


def asked(book: Book, condition: Condition, member: int) -> object:
    sql = f"SELECT {condition.sql} FROM member WHERE id = :id"
    return book.db.execute(sql, {**condition.parameters, "id": member}).fetchone()[0]


@given(whole=sections, usual=frequencies, agreed=states, own=frequencies, sent=hours_ago)
def test_sql_gives_each_member_what_consent_and_frequency_allow(
    book: Book,
    whole: Sections,
    usual: dict[str, Frequency],
    agreed: dict[str, ConsentState],
    own: dict[str, Frequency],
    sent: dict[str, int],
) -> None:
    with book.db.atomic():
        for topic in TOPICS:
            book.people.add_topic(Topic(topic, topic, usual.get(topic, Frequency.EACH)))
    member = new_member(book, agreed, own, sent)
    standing = book.people.standings({member: f"p{member}@example.org"})[member]
    wishes = Choices(book.db).wishes(member)
    expected = ""
    for topic in whole.topics:
        pace = wishes.paces.get(topic)
        weekly = pace is not None and pace.sent_at is not None and pace.frequency is Frequency.WEEKLY
        follows = standing.agrees_to(topic) and not wishes.had_enough(topic, NOW)
        more = weekly and topic in whole.missed
        expected += str(int(follows and (topic in whole.new or more)) + int(follows and more))
    assert asked(book, whole.flags(NOW), member) == expected
    told = whole.reason(NOW, Condition("'further'", {}))
    assert told is not None
    assert asked(book, told, member) == ("further" if whole.for_all or expected.strip("0") else "nothing_new")


@given(sections)
def test_sections_come_back_as_they_were_written(whole: Sections) -> None:
    assert Sections.from_text(whole.to_text()) == whole


def test_an_edition_without_sections_is_written_as_nothing_and_asks_nothing() -> None:
    assert WHOLE.to_text() == ""
    assert WHOLE.reason(NOW) is None
    assert replace(WHOLE, for_all=False).reason(NOW) is not None


@pytest.mark.parametrize("digits", ["", "012"])
def test_flags_say_what_is_seen_and_what_more_of_it(digits: str) -> None:
    flags = section_flags(TOPICS, digits)
    seen = [(flags[section_flag(n)], flags[section_flag(n, more=True)]) for n in range(3)]
    assert seen == ([(False, False), (True, False), (True, True)] if digits else [(True, True)] * 3)
