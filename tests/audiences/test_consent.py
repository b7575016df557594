"""Consent: what an import may change, what only the person may, and that the database says the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import datetime

import pytest
from audience_samples import NOW, add_member, changes, grant, taken_back, withdraw
from hypothesis import example, given
from hypothesis import strategies as st

from audiences.consent import Exclusion, Origin, Standing, Wishes, exclusion, is_news, refusal
from audiences.mailable import agrees_sql, exclusion_sql, tracked_sql
from audiences.models import ANY_TOPIC, TRACKING, Basis, Consent, ConsentState, Member, SuppressionScope
from audiences.segments import Condition
from audiences.store import EVERYONE, People
from comms.db import DATABASE_ERRORS

NEWSLETTERS = (None, "news", "jobs", "never-heard-of")
"""What a campaign can be about; None: anything."""

origins = st.sampled_from(Origin)
histories = st.lists(st.tuples(changes(), origins), max_size=12)


def recorded(standing: Standing, history: Iterable[tuple[Consent, Origin]]) -> Standing:
    """The standing after a history in which what is refused is left out."""
    for change, origin in history:
        if refusal(standing, change, origin) is None:
            standing = standing.after(change)
    return standing


def mailable(standing: Standing) -> set[str | None]:
    return {topic for topic in NEWSLETTERS if standing.agrees_to(topic)}


# --- the rule that matters most -------------------------------------------------------------


@given(histories, st.lists(changes(), max_size=12), st.sampled_from([ANY_TOPIC, "news", "jobs"]), origins)
@example([(grant("news"), Origin.PERSON)], [grant(), grant("jobs"), grant("news")], "news", Origin.PERSON)
@example([], [withdraw("jobs"), grant()], ANY_TOPIC, Origin.IMPORT)
def test_after_any_withdrawal_no_import_brings_a_newsletter_back(
    history: list[tuple[Consent, Origin]], imports: list[Consent], topic: str, who: Origin
) -> None:
    before = recorded(recorded(Standing(), history), [(withdraw(topic), who)])
    after = recorded(before, [(change, Origin.IMPORT) for change in imports])
    assert mailable(after) <= mailable(before)
    assert not after.agrees_to(topic if topic != ANY_TOPIC else None)


@given(histories, st.lists(changes(), max_size=12), origins)
def test_after_a_no_to_tracking_no_import_allows_it_again(
    history: list[tuple[Consent, Origin]], imports: list[Consent], who: Origin
) -> None:
    before = recorded(recorded(Standing(), history), [(withdraw(TRACKING), who)])
    after = recorded(before, [(change, Origin.IMPORT) for change in imports])
    assert after.states[TRACKING] is ConsentState.WITHDRAWN


@given(histories, st.lists(changes(), max_size=12))
def test_no_import_makes_a_suppressed_address_mailable(
    history: list[tuple[Consent, Origin]], imports: list[Consent]
) -> None:
    standing = dataclasses.replace(recorded(Standing(), history), suppressed=True)
    after = recorded(standing, [(change, Origin.IMPORT) for change in imports])
    assert not mailable(after)
    granted = {name for name, state in standing.states.items() if state is ConsentState.GRANTED}
    assert {name for name, state in after.states.items() if state is ConsentState.GRANTED} <= granted


@given(histories, st.sampled_from([ANY_TOPIC, "news", "jobs"]))
def test_the_person_can_always_come_back(history: list[tuple[Consent, Origin]], topic: str) -> None:
    standing = recorded(Standing(), [*history, (withdraw(), Origin.PERSON)])
    assert refusal(standing, grant(topic), Origin.PERSON) is None
    assert standing.after(grant(topic)).agrees_to(topic if topic != ANY_TOPIC else None)


@given(histories, changes(), origins)
def test_a_withdrawal_is_never_refused(history: list[tuple[Consent, Origin]], change: Consent, origin: Origin) -> None:
    standing = recorded(Standing(), history)
    assert refusal(standing, withdraw(change.topic), origin) is None
    assert not standing.after(withdraw()).agrees_to(None)


def test_an_import_may_add_consent_where_nothing_was_said() -> None:
    standing = Standing().after(grant("news"))
    assert refusal(standing, grant("jobs"), Origin.IMPORT) is None
    assert refusal(Standing(), grant(TRACKING), Origin.IMPORT) is None
    assert refusal(standing.after(withdraw(TRACKING)), grant("jobs"), Origin.IMPORT) is None


@pytest.mark.parametrize(
    ("standing", "change", "reason"),
    [
        (Standing().after(withdraw()), grant(), "only the person can come back"),
        (Standing().after(withdraw("jobs")), grant("news"), "only the person can come back"),
        (Standing().after(withdraw(TRACKING)), grant(TRACKING), "only the person can come back"),
        (Standing(suppressed=True), grant(), "the address is suppressed"),
    ],
)
def test_a_refused_import_says_why(standing: Standing, change: Consent, reason: str) -> None:
    assert reason in str(refusal(standing, change, Origin.IMPORT))


# --- what a standing means ------------------------------------------------------------------


def test_one_topic_can_be_left_while_the_others_go_on() -> None:
    standing = Standing().after(grant()).after(withdraw("jobs"))
    assert standing.agrees_to("news")
    assert not standing.agrees_to("jobs")
    assert standing.agrees_to(None)


def test_leaving_everything_leaves_every_topic_and_says_nothing_of_tracking() -> None:
    standing = Standing().after(grant("news")).after(grant(TRACKING)).after(withdraw())
    assert mailable(standing) == set()
    assert standing.states[TRACKING] is ConsentState.GRANTED


def test_a_topic_chosen_after_leaving_everything_stands_alone() -> None:
    standing = Standing().after(grant()).after(withdraw()).after(grant("jobs"))
    assert mailable(standing) == {None, "jobs"}


def test_leave_to_track_is_no_leave_to_write() -> None:
    assert mailable(Standing().after(grant(TRACKING))) == set()


@given(histories, changes())
def test_only_what_changes_something_is_news(history: list[tuple[Consent, Origin]], change: Consent) -> None:
    after = recorded(Standing(), history).after(change)
    assert not is_news(after, change)
    opposite = withdraw(change.topic) if change.state is ConsentState.GRANTED else grant(change.topic)
    assert is_news(after, opposite)


# --- the database says the same -------------------------------------------------------------

members = st.tuples(
    st.booleans(),  # has an address
    st.lists(changes(), max_size=8),
    st.sets(st.sampled_from(SuppressionScope)),
)


@given(st.lists(members, max_size=4))
def test_the_database_derives_the_same_standing_and_the_same_exclusions(
    shared_people: People, drawn: list[tuple[bool, list[Consent], set[SuppressionScope]]]
) -> None:
    people = shared_people
    with taken_back(people):
        expected: dict[int, tuple[Member, Standing]] = {}
        for number, (has_address, log, scopes) in enumerate(drawn):
            address = f"Member{number}@example.org" if has_address else None
            member_id = add_member(people, address)
            people.record([(member_id, change) for change in log], NOW)
            for scope in scopes:
                people.suppress(f"member{number}@EXAMPLE.org", scope, "bounce", NOW)
            blocked = bool(scopes & {SuppressionScope.ASSOCIATION, SuppressionScope.ALL}) and has_address
            standing = Standing(suppressed=blocked)
            for change in log:
                standing = standing.after(change)
            expected[member_id] = Member(address, id=member_id), standing

        found = people.standings({member_id: member.address for member_id, (member, _) in expected.items()})
        assert found == {member_id: standing for member_id, (_, standing) in expected.items()}
        _agree(people, expected)


def _agree(people: People, expected: dict[int, tuple[Member, Standing]]) -> None:
    for topic in NEWSLETTERS:
        why = exclusion_sql(topic, NOW)
        rows = people.db.execute(f"SELECT id, {why.sql} FROM member", dict(why.parameters)).fetchall()
        reasons = {
            member_id: exclusion(member, standing, topic, Wishes(), NOW)
            for member_id, (member, standing) in expected.items()
        }
        assert dict(rows) == reasons
        counts = people.exclusions(EVERYONE, topic, NOW)
        assert counts == {reason: list(reasons.values()).count(reason) for reason in set(reasons.values())}
        agreeing = {member.id for member in people.select(agrees_sql(topic))}
        assert agreeing == {
            member_id
            for member_id, (_, standing) in expected.items()
            if dataclasses.replace(standing, suppressed=False).agrees_to(topic)
        }
    tracked = {member.id for member in people.select(Condition(tracked_sql(), {}))}
    assert tracked == {
        member_id
        for member_id, (_, standing) in expected.items()
        if standing.states.get(TRACKING) is ConsentState.GRANTED
    }


def test_a_missing_address_weighs_more_than_suppression_and_that_more_than_a_no() -> None:
    left = Standing().after(withdraw())
    assert (
        exclusion(Member(None), dataclasses.replace(left, suppressed=True), "news", Wishes(), NOW)
        is Exclusion.NO_ADDRESS
    )
    assert (
        exclusion(Member("a@b.org"), dataclasses.replace(left, suppressed=True), "news", Wishes(), NOW)
        is Exclusion.SUPPRESSED
    )
    assert exclusion(Member("a@b.org"), left, "news", Wishes(), NOW) is Exclusion.WITHDRAWN
    assert exclusion(Member("a@b.org"), Standing(), "news", Wishes(), NOW) is Exclusion.NO_CONSENT
    assert exclusion(Member("a@b.org"), Standing().after(grant()), "news", Wishes(), NOW) is None


# --- the log --------------------------------------------------------------------------------


def test_the_log_gives_back_every_record_in_order(people: People) -> None:
    log = [
        Consent(ANY_TOPIC, ConsentState.GRANTED, NOW, "import of a.csv, line 2", Basis.MEMBERSHIP, "Yes, please"),
        Consent("news", ConsentState.WITHDRAWN, NOW, "one-click unsubscribe"),
        Consent(
            "news", ConsentState.GRANTED, NOW, "form", Basis.EXPRESS, "Yes", "203.0.113.4", "link in the mail of today"
        ),
    ]
    with people.db.atomic():
        member_id = add_member(people, "ada@example.org")
        people.record([(member_id, change) for change in log], NOW)
    assert people.consent_log(member_id) == log


def test_a_time_is_kept_in_utc_whatever_zone_it_came_in(people: People) -> None:
    at = datetime.fromisoformat("2025-01-31T23:30:00-08:00")
    with people.db.atomic():
        member_id = add_member(people, "ada@example.org")
        people.record([(member_id, Consent("news", ConsentState.GRANTED, at, "form", Basis.EXPRESS))], NOW)
    assert people.consent_log(member_id)[0].at == at
    stored = people.db.execute("SELECT at FROM consent").fetchone()[0]
    assert stored == "2025-02-01T07:30:00+00:00"


@pytest.mark.parametrize("column", ["state", "at", "source", "topic", "basis", "wording", "recorded_at", "member_id"])
def test_a_record_of_consent_can_not_be_changed(people: People, column: str) -> None:
    with people.db.atomic():
        member_id = add_member(people, "ada@example.org")
        people.record([(member_id, grant())], NOW)
    with pytest.raises(DATABASE_ERRORS, match="append-only"):
        people.db.execute(f"UPDATE consent SET {column} = {column}")
    assert people.consent_log(member_id) == [grant()]


def test_a_suppression_keeps_its_first_reason_and_never_the_address(people: People) -> None:
    with people.db.atomic():
        people.suppress("ada@example.org", SuppressionScope.ALL, "complaint", NOW)
        people.suppress("ADA@example.org", SuppressionScope.ALL, "bounce", NOW)
    rows = people.db.execute("SELECT reason FROM suppression").fetchall()
    assert rows == [("complaint",)]
    assert b"ada@example.org" not in b"".join(
        bytes(row[0]) for row in people.db.execute("SELECT address_hash FROM suppression")
    )


def test_a_suppression_outlives_the_member(people: People) -> None:
    with people.db.atomic():
        member_id = add_member(people, "ada@example.org")
        people.suppress("ada@example.org", SuppressionScope.ASSOCIATION, "bounce", NOW)
        people.db.execute("DELETE FROM member WHERE id = ?", [member_id])
        again = add_member(people, "Ada@Example.org")
    assert people.standings({again: "Ada@example.org"})[again].suppressed
    assert people.exclusions(EVERYONE, None, NOW) == {"suppressed": 1}


def test_subscriptions_are_counted_by_topic(people: People) -> None:
    with people.db.atomic():
        for number, topics in enumerate((["news"], ["news", "jobs"], [])):
            member_id = add_member(people, f"m{number}@example.org")
            people.record([(member_id, grant(topic)) for topic in topics], NOW)
        people.record([(member_id, withdraw("news"))], NOW)
    assert people.subscriptions() == {"news": 2, "jobs": 1}


def test_addresses_are_found_in_any_ascii_case_and_only_in_that(people: People) -> None:
    with people.db.atomic():
        ada, eva = add_member(people, "Ada@example.org"), add_member(people, "Éva@example.org")
        other = add_member(people, "éva@example.org")
    assert [member.id for member in (people.find("ADA@EXAMPLE.ORG"),) if member] == [ada]
    assert len({ada, eva, other}) == 3
    found = people.by_address(["éva@example.org", "Éva@example.org"])
    assert {member.id for member in found.values()} == {eva, other}
    assert people.find("nobody@example.org") is None
    with pytest.raises(DATABASE_ERRORS, match="UNIQUE"):
        add_member(people, "aDA@example.org")
