"""Campaigns that repeat: RFC 5545, times by the clock on the wall, each one instant and later than the one before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.definition import read
from campaigns.errors import DefinitionError
from campaigns.models import Schedule
from campaigns.recurrence import LONGEST_ID, WORDS, RepeatError, check_repeat, occurrence, read_repeat, wall_times
from campaigns.schedule import occurrences, resolve, zone_names


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def days(text: str, at: str, count: int = 4) -> list[str]:
    start = _at(at)
    times = wall_times(Schedule(start, "UTC", read_repeat(text, start)))
    return [f"{each:%m-%d}" for each in islice(times, count)]


# --- words and rules --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("daily", "2027-02-27 09:00", ["02-27", "02-28", "03-01", "03-02"]),
        ("weekdays", "2027-02-26 09:00", ["02-26", "03-01", "03-02", "03-03"]),
        ("weekdays", "2027-02-27 09:00", ["03-01", "03-02", "03-03", "03-04"]),
        ("Weekly", "2027-02-01 09:00", ["02-01", "02-08", "02-15", "02-22"]),
        (" every  two weeks ", "2027-02-01 09:00", ["02-01", "02-15", "03-01", "03-15"]),
        ("monthly", "2027-01-05 09:00", ["01-05", "02-05", "03-05", "04-05"]),
        ("monthly", "2027-01-31 09:00", ["01-31", "02-28", "03-31", "04-30"]),
        ("monthly", "2028-01-30 09:00", ["01-30", "02-29", "03-30", "04-30"]),
        ("FREQ=MONTHLY", "2027-01-31 09:00", ["01-31", "03-31", "05-31", "07-31"]),
        ("rrule:freq=monthly;byday=1tu", "2027-02-01 09:00", ["02-02", "03-02", "04-06", "05-04"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2027-01-01 09:00", ["01-29", "02-26", "03-31", "04-30"]),
        ("FREQ=DAILY;COUNT=2", "2027-02-01 09:00", ["02-01", "02-02"]),
        ("FREQ=WEEKLY;UNTIL=20270208", "2027-02-01 09:00", ["02-01", "02-08"]),
        ("FREQ=WEEKLY;UNTIL=20270208T085959", "2027-02-01 09:00", ["02-01"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2027-01-01 09:00", ["02-29", "02-29", "02-29", "02-29"]),
    ],
)
def test_words_and_rules_name_their_days(text: str, at: str, expected: list[str]) -> None:
    assert days(text, at) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=HOURLY", "more often"),
        ("FREQ=DAILY;BYHOUR=9,10", "more often"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "never occurs"),
        ("FREQ=DAILY;BYDAY=MO;BYSETPOS=2", "never occurs"),
        ("FREQ=WEEKLY;UNTIL=20200101", "never occurs"),
        ("FREQ=YEARLY;BYMONTH=4,6,9,11;BYMONTHDAY=31;COUNT=3", "never occurs"),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20300101", "together"),
        ("FREQ=WEEKLY;COUNT=0", "COUNT=0"),
        ("FREQ=WEEKLY;COUNT=٣", "COUNT"),
        ("FREQ=WEEKLY;INTERVAL=-1", "INTERVAL"),
        ("FREQ=WEEKLY;BYDAY=1MO", "can not be counted"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "does not go with"),
        ("FREQ=MONTHLY;BYDAY=XX", "is no day"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "does not fit"),
        ("FREQ=MONTHLY;BYSETPOS=1", "nothing to choose from"),
        ("FREQ=WEEKLY;UNTIL=20270208T090000Z", "UTC"),
        ("FREQ=WEEKLY;UNTIL=20270231", "calendar"),
        ("FREQ=WEEKLY;FREQ=DAILY", "twice"),
        ("FREQ=WEEKLY;BYEASTER=1", "no part `BYEASTER`"),
        ("FREQ=FORTNIGHTLY", "no frequency `FORTNIGHTLY`"),
        ("BYDAY=MO", "has no frequency"),
        ("montly", "no recurrence"),
        ("=" * 300, "no part"),
    ],
)
def test_what_can_not_be_meant_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(RepeatError) as refused:
        read_repeat(text, _at("2027-02-01 09:00"))
    assert words in refused.value.message
    assert refused.value.hint


_NUMBERS = st.integers(-31, 31).filter(bool)
_RULES = st.one_of(
    st.sampled_from(sorted(WORDS)),
    st.builds(
        "FREQ={};INTERVAL={}{}".format,
        st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
        st.integers(1, 5),
        st.sampled_from(["", ";COUNT=7", ";BYDAY=MO,SA", ";BYMONTH=3,10", ";UNTIL=20310401", ";WKST=SU;BYDAY=SU,MO"]),
    ),
    st.builds("FREQ=MONTHLY;BYDAY={}{}".format, st.integers(-5, 5).filter(bool), st.sampled_from(["TU", "SU"])),
    st.builds("FREQ=MONTHLY;BYMONTHDAY={}".format, _NUMBERS),
    st.builds("FREQ=YEARLY;BYWEEKNO={};BYDAY=WE".format, st.integers(1, 53)),
    st.builds("FREQ=YEARLY;BYYEARDAY={}".format, st.integers(1, 366)),
)
_STARTS = st.datetimes(_at("2026-01-01 00:00"), _at("2030-01-01 00:00")).map(lambda at: at.replace(microsecond=0))


@given(_RULES, _STARTS)
@settings(max_examples=300, deadline=None)
def test_a_rule_means_the_days_that_dateutil_reads_from_it(text: str, at: datetime) -> None:
    rule = check_repeat(text)
    theirs = rrulestr(rule.replace("UNTIL=20310401", "UNTIL=20310401T235959"), dtstart=at)
    assert list(islice(wall_times(Schedule(at, "", rule)), 20)) == list(islice(theirs, 20))


@given(_RULES, _STARTS, st.sampled_from(sorted(zone_names())))
@example("daily", _at("2027-03-13 02:30:00"), "America/New_York")
@example("daily", _at("2027-11-06 01:30:00"), "America/New_York")
@example("daily", _at("2027-10-02 02:15:00"), "Australia/Lord_Howe")
@settings(max_examples=300, deadline=None)
def test_each_occurrence_is_one_instant_later_than_the_one_before_at_the_same_time_of_day(
    text: str, at: datetime, zone: str
) -> None:
    walls = islice(wall_times(Schedule(at, zone, check_repeat(text))), 40)
    found = list(occurrences(walls, lambda wall: resolve(wall, zone)))
    instants = [instant for _, instant in found]
    assert instants == sorted(set(instants))
    for wall, instant in found:
        assert wall.time() == at.time()
        shown = instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        exists = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        assert shown == wall or (shown > wall and exists != wall), "another time only where clocks skip it"


def test_of_times_that_clocks_make_the_same_instant_one_stays() -> None:
    """Samoa skipped the thirtieth of December 2011 as a whole."""
    walls = [_at(f"2011-12-{day} 00:00") for day in (29, 30, 31)]
    found = list(occurrences(walls, lambda wall: resolve(wall, "Pacific/Apia")))
    assert [wall.day for wall, _ in found] == [29, 31]


@given(_STARTS, st.integers(0, 400))
def test_going_on_after_a_day_is_leaving_out_what_was_before(at: datetime, later: int) -> None:
    schedule = Schedule(at, "UTC", "FREQ=WEEKLY;BYDAY=MO,TH")
    day = at.date() + timedelta(days=later)
    rest = [each for each in islice(wall_times(schedule), 150) if each.date() > day]
    assert list(islice(wall_times(schedule, day), 5)) == rest[:5]


@given(st.text(max_size=60) | st.text("FREQ=DAILYWKMONTH;BY0123456789,-", max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        rule = check_repeat(text)
    except RepeatError:
        return
    assert rule.startswith("FREQ=") or "FREQ=" in rule


# --- in a definition --------------------------------------------------------------------------


def definition(repeat: str, name: str = "news") -> str:
    return (
        f"---\ncampaign: {name}\ntitle: News\nlanguage: en\nfeed:\nschedule:\n  at: 2027-01-31 09:00\n"
        f"  timezone: member\n  repeat: {repeat}\n---\n\nHello.\n"
    )


def test_a_definition_repeats_and_its_occurrences_do_not() -> None:
    campaign = read(definition("monthly"))
    assert campaign.schedule == Schedule(
        _at("2027-01-31 09:00"), "member", "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1"
    )
    one = occurrence(campaign, _at("2027-02-28 09:00"))
    assert (one.id, one.schedule) == ("news-2027-02-28", Schedule(_at("2027-02-28 09:00"), "member"))


@pytest.mark.parametrize(
    ("text", "line", "field"),
    [
        (definition("hourly"), 9, "schedule.repeat"),
        (definition("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"), 9, "schedule.repeat"),
        (definition("[weekly]"), 9, "schedule.repeat"),
        (definition("true"), 9, "schedule.repeat"),
        (definition("weekly", "n" * (LONGEST_ID + 1)), 2, "campaign"),
    ],
)
def test_a_recurrence_that_can_not_be_is_refused_at_its_line(text: str, line: int, field: str) -> None:
    with pytest.raises(DefinitionError) as refused:
        read(text)
    assert [(problem.line, problem.field) for problem in refused.value.problems] == [(line, field)]


def test_the_longest_id_leaves_room_for_the_day() -> None:
    campaign = read(definition("weekly", "n" * LONGEST_ID))
    assert len(occurrence(campaign, datetime.combine(date(2027, 2, 28), campaign.schedule.at.time())).id) == 64  # type: ignore[union-attr]
