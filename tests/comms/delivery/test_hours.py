"""When newsletters may leave: held against an oracle that looks at every minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.hours import WEEKDAYS, Blackout, HoursError, SendWindow
from campaigns.schedule import allowed, resolve
from comms.delivery.hours import Hours, QuietHours

DENVER = ZoneInfo("America/Denver")
ZONES = ("UTC", "America/Denver", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago")
AROUND = [datetime(2027, 3, 14, tzinfo=UTC), datetime(2027, 11, 7, tzinfo=UTC), datetime(2027, 9, 5, tzinfo=UTC)]
"""Days on which clocks change in some of the zones."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# --- as people write them ---------------------------------------------------------------------


def test_a_window_may_name_days_one_by_one_and_span_the_end_of_the_week() -> None:
    window = SendWindow.read(" Sat-Mon  10:00-12:30,wed 00:00 - 24:00 ")
    assert [WEEKDAYS[day] for day, *_ in window.spans] == ["Mon", "Wed", "Sat", "Sun"]
    assert window.covers(datetime.fromisoformat("2027-02-07 12:29:59"))
    assert not window.covers(datetime.fromisoformat("2027-02-07 12:30"))
    assert window.covers(datetime.fromisoformat("2027-02-03 23:59"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no send window"),
        ("Mon-Fri", "no send window"),
        ("Mon-Fry 08:00-18:00", "no day of the week"),
        ("Mon 18:00-08:00", "ends before it begins"),
        ("Mon 08:00-24:01", "no time of day"),
        ("Mon 08:60-09:00", "no time of day"),
        ("Mon 08:00-18:00,", "no send window"),
        ("x" * 1_000_000, "too long"),
        ("Mon \ud800", "no send window"),
    ],
)
def test_a_window_that_is_none_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(HoursError) as refused:
        SendWindow.read(text)
    assert words in refused.value.message
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("text", ["", "2027-02-30", "2027-02-02..2027-02-01", "tomorrow", "2027-02-01..", "\x00"])
def test_days_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(HoursError):
        Blackout.read([text])


def test_days_shut_out_that_touch_or_overlap_end_together() -> None:
    blackout = Blackout.read(["2026-12-24..2026-12-26", "2026-12-26..2026-12-28", "2026-12-29"])
    assert blackout.end(date(2026, 12, 25)) == date(2026, 12, 30)
    assert blackout.end(date(2026, 12, 23)) == date(2026, 12, 23)


# --- a schedule moves -------------------------------------------------------------------------


def test_a_time_on_a_day_that_is_shut_out_moves_to_the_same_time_of_the_next() -> None:
    blackout = Blackout.read(["2027-03-13..2027-03-14"])
    assert allowed(datetime.fromisoformat("2027-03-13 09:00"), "America/Denver", blackout, "America/Denver") == utc(
        "2027-03-15 15:00"
    ), "clocks went forward meanwhile, and it stays nine o'clock"


def test_the_day_that_counts_is_that_of_the_association() -> None:
    blackout = Blackout.read(["2027-01-01"])
    auckland = allowed(datetime.fromisoformat("2027-01-02 09:00"), "Pacific/Auckland", blackout, "America/Denver")
    assert auckland == utc("2027-01-02 20:00"), "nine o'clock on the second there is still the first in Denver"


_SPANS = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 3)).map(
        lambda each: (date(2027, 3, 8) + timedelta(each[0]), date(2027, 3, 8) + timedelta(each[0] + each[1]))
    ),
    max_size=4,
).map(lambda spans: Blackout(tuple(spans)))


@given(st.integers(0, 12 * 1440), _SPANS, st.sampled_from(ZONES), st.sampled_from(ZONES))
@settings(max_examples=300, deadline=None)
def test_a_moved_time_is_the_first_of_its_kind_on_a_day_that_is_allowed(
    minutes: int, blackout: Blackout, zone: str, home: str
) -> None:
    at = datetime.fromisoformat("2027-03-08 00:00") + timedelta(minutes=minutes)
    later = (resolve(at + timedelta(days=day), zone) for day in range(40))
    expected = next(each for each in later if not blackout.covers(each.astimezone(ZoneInfo(home)).date()))
    assert allowed(at, zone, blackout, home) == expected


# --- hours ------------------------------------------------------------------------------------

_CLOCKS = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
_WINDOWS = st.none() | st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 95), st.integers(1, 95)).map(
        lambda each: (each[0], each[1] * 15, min(1440, (each[1] + each[2]) * 15))
    ),
    min_size=1,
    max_size=4,
).map(lambda spans: SendWindow(tuple(spans)))
_QUIET = st.none() | st.builds(QuietHours, _CLOCKS, _CLOCKS, st.sampled_from(ZONES).map(ZoneInfo))
_HOURS = st.builds(Hours, st.sampled_from(ZONES).map(ZoneInfo), _QUIET, _WINDOWS, _SPANS)


def oracle(hours: Hours, now: datetime) -> bool:
    """May newsletters leave, said once more and in another way."""
    wall = now.astimezone(hours.zone)
    if any(first.isoformat() <= wall.date().isoformat() <= last.isoformat() for first, last in hours.blackout.spans):
        return False
    if hours.quiet is not None:
        clock = now.astimezone(hours.quiet.zone)
        minute, start, end = (each.hour * 60 + each.minute for each in (clock, hours.quiet.start, hours.quiet.end))
        if start != end and (minute - start) % 1440 < (end - start) % 1440:
            return False
    minute = wall.hour * 60 + wall.minute
    spans = hours.window.spans if hours.window else ((wall.weekday(), 0, 1440),)
    return any(wall.weekday() == day and minute in range(start, end) for day, start, end in spans)


@given(_HOURS, st.sampled_from(AROUND), st.integers(-2 * 1440, 2 * 1440))
@example(
    Hours(DENVER, QuietHours(time(1, 30), time(2, 30), DENVER)), AROUND[1], 8 * 60 - 15
)  # put back from two to one: the quiet hours are left, and begin once more
@example(Hours(DENVER, None, SendWindow.read("Sun 01:30-02:00")), AROUND[1], 8 * 60 + 10)
@example(Hours(DENVER, None, SendWindow.read("Sun 02:15-02:45")), AROUND[0], 0)
@settings(max_examples=200, deadline=None)
def test_newsletters_leave_in_the_very_minutes_that_the_oracle_names(hours: Hours, day: datetime, minutes: int) -> None:
    start = day + timedelta(minutes=minutes)
    every = [start + timedelta(minutes=each) for each in range(8 * 1440)]
    first = next((moment for moment in every if oracle(hours, moment)), None)
    for moment in every[::37]:
        assert hours.allow(moment) is oracle(hours, moment)
    opening = hours.opening(start)
    if first is not None:
        assert opening == first
    else:
        assert opening is None or opening > every[-1]


def test_hours_that_leave_no_time_never_open() -> None:
    quiet = QuietHours(time(21, 30), time(7, 0), DENVER)
    assert Hours(DENVER, quiet, SendWindow.read("Mon-Sun 22:00-23:00")).opening(AROUND[0]) is None
    assert Hours(DENVER, blackout=Blackout.read(["2027-01-01..2199-12-31"])).opening(AROUND[0]) is None


def test_after_many_days_that_are_shut_out_it_opens_with_the_window() -> None:
    hours = Hours(DENVER, None, SendWindow.read("Mon-Fri 08:00-18:00"), Blackout.read(["2027-01-01..2027-12-25"]))
    assert hours.opening(utc("2027-03-01 12:00")) == utc("2027-12-27 15:00")
