"""Wall-clock times become instants, on ordinary days and on those when clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from campaigns.models import Schedule
from campaigns.schedule import UnknownZoneError, due_times, resolve, zone_names


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("at", "zone", "instant"),
    [
        ("2027-02-01 09:00", "UTC", "2027-02-01 09:00"),
        ("2027-02-01 09:00", "America/Chicago", "2027-02-01 15:00"),
        ("2027-07-01 09:00", "America/Chicago", "2027-07-01 14:00"),
        ("2027-02-01 09:00", "Asia/Kathmandu", "2027-02-01 03:15"),
        # skipped: clocks go from 02:00 to 03:00
        ("2027-03-14 01:59", "America/New_York", "2027-03-14 06:59"),
        ("2027-03-14 02:00", "America/New_York", "2027-03-14 07:00"),
        ("2027-03-14 02:30", "America/New_York", "2027-03-14 07:00"),
        ("2027-03-14 03:00", "America/New_York", "2027-03-14 07:00"),
        # shown twice: clocks go from 02:00 back to 01:00
        ("2027-11-07 01:30", "America/New_York", "2027-11-07 05:30"),
        ("2027-11-07 02:00", "America/New_York", "2027-11-07 07:00"),
        # half an hour of summer time
        ("2027-10-03 02:15", "Australia/Lord_Howe", "2027-10-02 15:30"),
        # a whole day skipped
        ("2011-12-30 12:00", "Pacific/Apia", "2011-12-30 10:00"),
    ],
)
def test_a_time_is_the_first_instant_at_which_the_clock_shows_it_or_later(at: str, zone: str, instant: str) -> None:
    assert resolve(_at(at), zone) == _at(instant).replace(tzinfo=UTC)


def _wall(instant: datetime, zone: str) -> datetime:
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


_TIMES = st.datetimes(_at("1975-01-01 00:00"), _at("2040-01-01 00:00"))


@given(_TIMES, st.sampled_from(sorted(zone_names())))
@example(_at("2011-12-30 00:00"), "Pacific/Apia")
@example(_at("1993-08-21 12:00"), "Pacific/Kwajalein")
@settings(max_examples=400, deadline=None)
def test_no_clock_shows_the_time_before_the_instant_and_it_does_from_then_on(at: datetime, zone: str) -> None:
    _check(at, zone)


def _transitions(zone: str) -> list[datetime]:
    """Instants, to the hour before, at which the zone's offset changes in some years of all kinds."""
    info = ZoneInfo(zone)
    found = []
    for year in (1985, 2011, 2027):
        instant = datetime(year, 1, 1, tzinfo=UTC)
        while instant.year == year:
            following = instant + timedelta(days=7)
            if instant.astimezone(info).utcoffset() != following.astimezone(info).utcoffset():
                while (
                    instant.astimezone(info).utcoffset() == (instant + timedelta(hours=1)).astimezone(info).utcoffset()
                ):
                    instant += timedelta(hours=1)
                found.append(instant)
            instant = following
    return found


@pytest.mark.parametrize("zone", sorted(zone_names()))
def test_around_every_change_of_clocks_the_rule_holds(zone: str) -> None:
    for change in _transitions(zone):
        for minutes in range(-180, 181, 15):
            _check(_wall(change, zone) + timedelta(minutes=minutes), zone)


def _check(at: datetime, zone: str) -> None:
    instant = resolve(at, zone)
    assert instant.tzinfo is UTC
    assert _wall(instant, zone) >= at
    second = timedelta(seconds=1)
    assert _wall(instant - second, zone) < at
    assert all(_wall(instant - timedelta(minutes=minutes), zone) < at for minutes in range(1, 200, 20))


def test_a_time_with_a_zone_or_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without zone"):
        resolve(_at("2027-02-01 09:00+01:00"), "UTC")
    with pytest.raises(UnknownZoneError, match="did you mean `America/Chicago`"):
        resolve(_at("2027-02-01 09:00"), "America/Chcago")
    for zone in ("../../etc/passwd", "", "member", "localtime", "\x00"):
        with pytest.raises(UnknownZoneError):
            resolve(_at("2027-02-01 09:00"), zone)


def test_with_one_zone_everybody_is_due_at_once() -> None:
    due = due_times(Schedule(_at("2027-02-01 09:00"), "Europe/Paris"), ["Asia/Tokyo", "nowhere"], default="UTC")

    assert due == dict.fromkeys(["Asia/Tokyo", "nowhere"], _at("2027-02-01 08:00+00:00"))


def test_by_members_own_clocks_each_zone_is_due_at_its_nine_and_unknown_ones_at_the_default() -> None:
    due = due_times(
        Schedule(_at("2027-02-01 09:00"), "member"),
        ["Asia/Tokyo", "America/Chicago", "Chicago"],
        default="Europe/Paris",
    )

    assert due == {
        "Asia/Tokyo": _at("2027-02-01 00:00+00:00"),
        "America/Chicago": _at("2027-02-01 15:00+00:00"),
        "Chicago": _at("2027-02-01 08:00+00:00"),
    }
