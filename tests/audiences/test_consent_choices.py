"""Pauses and frequencies: who is left out for them, for how long, and what may end a suppression."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import pytest
from audience_samples import NOW, add_member, grant, taken_back, withdraw
from hypothesis import given
from hypothesis import strategies as st

from audiences.choices import Choices
from audiences.consent import BLOCKLISTED, Exclusion, Pace, Standing, Wishes, exclusion, may_return
from audiences.mailable import exclusion_sql
from audiences.models import Frequency, Member, SuppressionScope, Topic
from audiences.segments import Condition
from audiences.store import EVERYONE, People

MEMBER = Member("ada@example.org", id=1)
AGREES = Standing().after(grant("news"))
ONE = Condition("SELECT id FROM member WHERE id = :member", {})


def why(wishes: Wishes, now: datetime = NOW, topic: str | None = "news") -> Exclusion | None:
    return exclusion(MEMBER, AGREES, topic, wishes, now)


def paced(frequency: Frequency, ago: timedelta) -> Wishes:
    return Wishes(paces=MappingProxyType({"news": Pace(frequency, NOW - ago)}))


# --- what the choices mean ----------------------------------------------------------------------


def test_a_pause_ends_by_itself_on_its_day() -> None:
    wishes = Wishes(paused_until=date(2027, 3, 1))
    assert why(wishes, datetime(2027, 2, 28, 23, 59, 59, tzinfo=UTC)) is Exclusion.PAUSED
    assert why(wishes, datetime(2027, 3, 1, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("frequency", "ago", "reason"),
    [
        (Frequency.EACH, timedelta(), None),
        (Frequency.DAILY, timedelta(hours=19, minutes=59), Exclusion.TOO_OFTEN),
        (Frequency.DAILY, timedelta(hours=20), None),
        (Frequency.WEEKLY, timedelta(days=6, hours=11), Exclusion.TOO_OFTEN),
        (Frequency.WEEKLY, timedelta(days=6, hours=12), None),
    ],
)
def test_a_frequency_leaves_out_what_comes_too_soon(
    frequency: Frequency, ago: timedelta, reason: Exclusion | None
) -> None:
    assert why(paced(frequency, ago)) is reason


def test_a_frequency_is_that_of_one_topic() -> None:
    wishes = paced(Frequency.WEEKLY, timedelta())
    assert why(wishes, topic=None) is None
    standing = AGREES.after(grant("jobs"))
    assert exclusion(MEMBER, standing, "jobs", wishes, NOW) is None


def test_who_does_not_agree_is_told_apart_from_who_pauses() -> None:
    wishes = Wishes(paused_until=date.max)
    assert exclusion(MEMBER, Standing(), "news", wishes, NOW) is Exclusion.NO_CONSENT
    assert exclusion(MEMBER, AGREES.after(withdraw()), "news", wishes, NOW) is Exclusion.WITHDRAWN
    assert all(each.words for each in Exclusion)


@pytest.mark.parametrize("reason", ["hard bounce", "complaint", "erased at the person's wish"])
def test_the_owner_of_a_mailbox_ends_what_was_their_own_doing(reason: str) -> None:
    assert may_return(SuppressionScope.ASSOCIATION, reason)
    assert not may_return(SuppressionScope.ALL, reason)
    assert not may_return(SuppressionScope.RELAYS, reason)


def test_whom_the_association_shut_out_can_not_let_themselves_in() -> None:
    assert not may_return(SuppressionScope.ASSOCIATION, BLOCKLISTED)


# --- the database says the same -----------------------------------------------------------------

frequencies = st.sampled_from([None, *Frequency])
chosen = st.tuples(
    st.none() | st.integers(-3, 3),  # pause, in days from now
    frequencies,  # the member's own choice
    st.none() | st.integers(0, 8 * 24 * 60),  # the last newsletter, in minutes
)


@given(st.lists(chosen, max_size=4), st.sampled_from(Frequency), st.integers(0, 23))
def test_the_database_excludes_the_same_people_for_the_same_choices(
    shared_people: People, drawn: list[tuple[int | None, Frequency | None, int | None]], own: Frequency, hour: int
) -> None:
    people, now = shared_people, NOW.replace(hour=hour)
    choices = Choices(people.db)
    with taken_back(people):
        people.add_topic(Topic("news", "News", own))
        expected = {}
        for number, (pause, frequency, minutes) in enumerate(drawn):
            member_id = add_member(people, f"m{number}@example.org")
            people.record([(member_id, grant("news"))], NOW)
            until = now.date() + timedelta(days=pause) if pause is not None else None
            choices.pause(member_id, until)
            choices.choose_frequency(member_id, "news", frequency)
            sent_at = now - timedelta(minutes=minutes) if minutes is not None else None
            if sent_at is not None:
                choices.note_sent("news", ONE, [{"member": member_id}], sent_at)
            counted = frequency is not None or own is not Frequency.EACH
            pace = Pace(frequency or own, sent_at if counted else None)
            wishes = Wishes(until, MappingProxyType({"news": pace}))
            expected[member_id] = exclusion(Member("a@b.org"), AGREES, "news", wishes, now)
            found = choices.wishes(member_id)
            assert exclusion(Member("a@b.org"), AGREES, "news", found, now) == expected[member_id]
        sql = exclusion_sql("news", now)
        rows = people.db.execute(f"SELECT id, {sql.sql} FROM member", dict(sql.parameters)).fetchall()
        assert dict(rows) == expected


def test_where_nobody_counts_nothing_is_written(people: People) -> None:
    choices = Choices(people.db)
    with people.db.atomic():
        people.add_topic(Topic("news", "News"))
        ada, ben = add_member(people, "ada@example.org"), add_member(people, "ben@example.org")
        choices.note_sent("news", ONE, [{"member": ada}, {"member": ben}], NOW)
        assert people.db.execute("SELECT count(*) FROM pace").fetchone() == (0,)
        choices.choose_frequency(ada, "news", Frequency.WEEKLY)
        choices.note_sent("news", ONE, [{"member": ada}, {"member": ben}], NOW)
    assert people.db.execute("SELECT member_id FROM pace").fetchall() == [(ada,)]
    assert choices.wishes(ada).paces["news"] == Pace(Frequency.WEEKLY, NOW)
    assert people.exclusions(EVERYONE, "news", NOW) == {"no_consent": 2}


def test_a_frequency_that_is_none_is_refused(people: People) -> None:
    with pytest.raises(ValueError, match="hourly"):
        people.add_topic(Topic("news", "News", "hourly"))  # type: ignore[arg-type]
