"""Conditions on newsletters, tags, consent, memberships, clicks and samples, asked of Python and of every SQLite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import pytest
import sqlite_utils
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_databases import TODAY, Person, fill, open_databases, selected

from audiences.consent import Standing
from audiences.importing.values import is_current_member
from audiences.membership import CURRENT_STATUSES
from audiences.models import ConsentState, Member
from audiences.segments import MemberFacts, RuleError, matches, parse, resolve, to_sql
from audiences.segments.sampling import in_sample


@pytest.fixture(scope="module")
def databases() -> Iterator[list[sqlite_utils.Database]]:
    opened = list(open_databases())
    yield opened
    for database in opened:
        database.close()


def holds(databases: list[sqlite_utils.Database], text: str, person: Person, today: date = TODAY) -> bool:
    rule = resolve(parse(text))
    answer = matches(rule, person.member, today, person.facts)
    for database in databases:
        fill(database, [person])
        assert bool(selected(database, rule, today)) == answer, f"SQL and Python differ on {text}"
    return answer


def member(**attributes: Any) -> Person:
    return Person(Member("ann@example.org", attributes, id=0))


def consenting(**states: str) -> Person:
    """Topic -> `withdrawn`, or the basis on which it is granted; `all` is every topic."""
    rows = {
        "*" if topic == "all" else topic: ("withdrawn", None) if state == "withdrawn" else ("granted", state)
        for topic, state in states.items()
    }
    return Person(Member(None, id=0), subscriptions=rows)


def tagged(*tags: str) -> Person:
    return Person(Member(None, id=0), tags=frozenset(tags))


def active(latest: str, **clicks: str) -> Person:
    """Someone who clicked last at `latest`, and per campaign at the times given."""
    return Person(
        Member(None, id=0),
        activity={("clicked", campaign): at for campaign, at in clicks.items()},
        clicked_at=latest,
    )


NOBODY = member()

CASES = [
    # What one agrees to: one's own word on the topic, else that on everything.
    ("topic = news", consenting(news="express"), True),
    ("TOPIC = News", consenting(news="express"), True),
    ("topic = news", consenting(all="express"), True),
    ("topic = news", consenting(all="express", news="withdrawn"), False),
    ("topic = news", consenting(all="withdrawn", news="express"), True),
    ("topic = news", consenting(jobs="express"), False),
    ("topic = news", consenting(tracking="express"), False),
    ("topic != news", NOBODY, True),
    ("topic in (news, jobs)", consenting(all="express", news="withdrawn"), True),
    ("topic in (news, jobs)", consenting(all="express", news="withdrawn", jobs="withdrawn"), False),
    ("topic in (news, news)", consenting(all="express", news="withdrawn"), False),
    ("topic not in (news, jobs)", consenting(all="express", news="withdrawn"), False),
    ("topic is present", consenting(jobs="implied"), True),
    ("has topic", consenting(tracking="express", news="withdrawn"), False),
    ("topic is missing", consenting(tracking="express"), True),
    # Tags.
    ("tag = donor", tagged("Donor"), True),
    ("tag = 'É'", tagged("é"), False),
    ('tag in (friend, "board 2026")', tagged("Board 2026"), True),
    ("tag = 2026", tagged("2026"), True),
    ("tag != donor", tagged("donor", "friend"), False),
    ("tag not in (donor)", NOBODY, True),
    ("tag contains OAR", tagged("board"), True),
    ("tag starts with oar", tagged("board"), False),
    ("tag ends with 2026", tagged("board 2026"), True),
    ("tag contains '%'", tagged("board"), False),
    ("tag is present", tagged("x"), True),
    ("has tag", NOBODY, False),
    ("tag is missing", NOBODY, True),
    # Consent.
    ("consent = express", consenting(news="express"), True),
    ("consent = express", consenting(news="implied"), False),
    ("consent = express", consenting(tracking="express"), False),
    ("consent in (implied, membership)", consenting(all="membership"), True),
    ("consent = withdrawn", consenting(news="express", jobs="withdrawn"), True),
    ("consent = withdrawn", consenting(tracking="withdrawn"), False),
    ("consent = tracking", consenting(tracking="express"), True),
    ("consent = tracking", consenting(tracking="withdrawn", all="express"), False),
    ("consent = none", NOBODY, True),
    ("consent = none", consenting(tracking="express"), True),
    ("consent = none", consenting(news="withdrawn"), False),
    ("consent != NONE", consenting(news="withdrawn"), True),
    ("consent not in (express, withdrawn)", consenting(news="implied"), True),
    # Memberships.
    ("membership is current", member(membership_status="Active"), True),
    ("membership is current", member(membership_status="Pending - re_newal"), True),
    ("membership is current", member(membership_status="Lapsed"), False),
    ("membership is current", member(membership_status="active", renewal="2027-01-31"), True),
    ("membership is current", member(membership_status="active", renewal="2027-01-30T23:59"), False),
    ("membership is current", member(membership_status="active", renewal="some day"), True),
    ("membership is current", member(renewal="2028-01-01"), False),
    ("membership is lapsed", member(membership_status="active", renewal="2027-01-30"), True),
    ("membership is lapsed", member(renewal="2028-01-01"), True),
    ("membership is lapsed", member(membership_status="active"), False),
    ("membership is lapsed", member(membership_status="", renewal=""), False),
    ("membership is lapsed", NOBODY, False),
    ("not membership is current", NOBODY, True),
    # What one did.
    ("clicked any", active("2020-01-01T00:00:00+00:00"), True),
    ("clicked any", NOBODY, False),
    ("clicked any in 30 days", active("2027-01-01T00:00:00+00:00"), True),
    ("clicked any in the last 30 days", active("2026-12-31T23:59:59+00:00"), False),
    ("clicked any in 1 month", active("2026-12-31T00:00:00+00:00"), True),
    ("opened any", active("2027-01-01T00:00:00+00:00"), False),
    ('clicked("a")', active("2027-01-01", a="2027-01-01T09:00:00+00:00"), True),
    ("clicked(A, b)", active("2027-01-01", a="2027-01-01T09:00:00+00:00"), True),
    ('clicked("b")', active("2027-01-01", a="2027-01-01T09:00:00+00:00"), False),
    ('opened("a")', active("2027-01-01", a="2027-01-01T09:00:00+00:00"), False),
    ('clicked("a") in 2 weeks', active("2027-01-31", a="2027-01-01T09:00:00+00:00", b="2027-01-31"), False),
    ('not clicked("a")', NOBODY, True),
    ("no click in 30 days", active("2026-12-31T23:59:59+00:00"), True),
    ("no click in 30 days", active("2027-01-31T00:00:00+00:00"), False),
    ("no open", active("2027-01-31T00:00:00+00:00"), True),
    # Regions.
    ("state in region west", member(state="wa"), True),
    ("state in region West", member(state="Washington"), True),
    ("state in region pacific", member(state="AZ"), False),
    ('state in region "New England"', member(state="vermont"), True),
    ("state not in region new_england", member(state="VT"), False),
    ("state not in region new_england", NOBODY, True),
    ("[Home State] in region south", member(home_state="District of Columbia"), True),
    # Sets.
    ("everyone except tag = donor", tagged("donor"), False),
    ("everyone except tag = donor and tag = board", tagged("board"), True),
    ("tag = a or tag = b except tag = c", tagged("a", "c"), True),
    ("(tag = a or tag = b) except tag = c", tagged("a", "c"), False),
    ("everyone except not tag = a", tagged("a"), True),
]


@pytest.mark.parametrize(("rule", "person", "expected"), CASES, ids=[f"{rule}-{answer}" for rule, _, answer in CASES])
def test_the_condition_holds_or_does_not(
    databases: list[sqlite_utils.Database], rule: str, person: Person, expected: bool
) -> None:
    assert holds(databases, rule, person) is expected


ATTRIBUTES = [
    ("[topic] = x", member(topic="x")),
    ("[tag] = x and has [tag]", member(tag="x")),
    ("[consent] > 3", member(consent=4)),
    ("[segment] = x", member(segment="x")),
    ("region = west", member(region="west")),
    ("sample = 3 and sample is present", member(sample=3)),
    ("segment = x and segment in (x, y) and segment starts with x", member(segment="x")),
    ("clicked = 3 and clicked in (3, 4)", member(clicked=3)),
    ("opened > 2025-01-01", member(opened="2025-02-01")),
    ("membership = gold and membership is present", member(membership="gold")),
    ("no = 3 and no is present", member(no=3)),
    ("except = 3", member(**{"except": 3})),
    ("membership.status = x", member(membership_status="x")),
    ("state = except or state = region", member(state="region")),
]


@pytest.mark.parametrize(("rule", "person"), ATTRIBUTES)
def test_attributes_that_are_called_like_the_new_words_stay_attributes(
    databases: list[sqlite_utils.Database], rule: str, person: Person
) -> None:
    assert holds(databases, rule, person)


_states = st.dictionaries(st.sampled_from(["*", "tracking", "news", "jobs"]), st.sampled_from(ConsentState))


@given(states=_states, topic=st.sampled_from(["news", "jobs", "other", None]))
def test_a_topic_is_agreed_to_exactly_as_newsletters_are_sent(
    states: Mapping[str, ConsentState], topic: str | None
) -> None:
    rule = parse(f"topic = {topic}" if topic else "topic is present")
    facts = MemberFacts(topics={name: str(state) for name, state in states.items()})
    assert matches(rule, Member(None), TODAY, facts) == Standing(states).agrees_to(topic)


@pytest.mark.parametrize("status", sorted(CURRENT_STATUSES))
def test_a_status_that_an_import_takes_for_current_is_current(status: str) -> None:
    assert is_current_member(status)
    assert matches(parse("membership is current"), member(membership_status=status).member, TODAY)


# --- samples ----------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [1, 100_000, 2**31 - 5_000, 2**40])
def test_a_tenth_of_ten_thousand_members_in_a_row_is_a_tenth_of_them(first: int) -> None:
    assert 950 <= sum(in_sample(number, 1_000) for number in range(first, first + 10_000)) <= 1_050


@given(
    number=st.integers(-(2**63), 2**63 - 1),
    smaller=st.integers(1, 10_000),
    larger=st.integers(1, 10_000),
)
def test_a_larger_sample_holds_the_smaller(number: int, smaller: int, larger: int) -> None:
    smaller, larger = sorted((smaller, larger))
    assert in_sample(number, larger) >= in_sample(number, smaller)
    assert in_sample(number, 10_000)


@settings(deadline=None)
@given(
    numbers=st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20),
    hundredths=st.integers(1, 10_000),
)
def test_the_database_draws_the_same_sample(
    databases: list[sqlite_utils.Database], numbers: set[int], hundredths: int
) -> None:
    rule = parse(f"sample {hundredths / 100:.2f}%")
    condition = to_sql(rule, TODAY)
    for database in databases:
        database.conn.execute("DELETE FROM member")
        database.conn.executemany(
            "INSERT INTO member (id, created_at, updated_at) VALUES (?, '', '')", [(number,) for number in numbers]
        )
        drawn = {
            row[0] for row in database.execute(f"SELECT id FROM member WHERE {condition.sql}", condition.parameters)
        }
        assert drawn == {number for number in numbers if matches(rule, Member(None, id=number), TODAY)}


def test_who_has_no_id_is_in_the_sample_of_all_and_in_no_other() -> None:
    assert matches(parse("sample 100%"), Member(None), TODAY)
    assert not matches(parse("sample 99.99%"), Member(None), TODAY)


# --- names that were not looked up ------------------------------------------------------------


@pytest.mark.parametrize("text", ["has x or segment big", "has x and not state in region west"])
def test_a_rule_with_names_is_of_no_use_before_they_are_looked_up(text: str) -> None:
    rule = parse(text)
    with pytest.raises(RuleError, match="can not be named here"):
        to_sql(rule, TODAY)
    with pytest.raises(RuleError, match="can not be named here"):
        matches(rule, Member(None, {"x": 1} if "and" in text else {}), TODAY)
