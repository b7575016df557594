"""Events in words of many languages, and as files that calendars read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import Columns, Event, Locked, When
from comms.calendar import instants, numbered_events, occasion, to_ics

STAMP = datetime(2027, 1, 5, 10, tzinfo=UTC)


def an_event(start: str = "2027-06-14 09:00", **facts: Any) -> Event:
    values: dict[str, Any] = {"title": "Summer school", "timezone": "America/Los_Angeles", "blocks": (), "line": 1}
    if "end" in facts:
        facts["end"] = datetime.fromisoformat(facts["end"])
    return Event(start=datetime.fromisoformat(start), **{**values, **facts})


def ics(event: Event, url: str = "https://e.org/") -> bytes:
    return to_ics(event, uid="0.a.b@e.org", url=url, stamp=STAMP)


@pytest.mark.parametrize(
    ("language", "end", "words"),
    [
        ("en", None, "Monday, June 14, 2027, 9:00\xa0AM (Pacific Daylight Time)"),
        ("en", "2027-06-14 16:30", "Monday, June 14, 2027, 9:00\xa0AM – 4:30\xa0PM (Pacific Daylight Time)"),
        (
            "en-GB",
            "2027-06-16 16:00",
            "Monday, 14 June 2027, 09:00 – Wednesday, 16 June 2027, 16:00 (Pacific Daylight Time)",
        ),
        ("es", "2027-06-14 16:30", "lunes, 14 de junio de 2027, 9:00 – 16:30 (hora de verano del Pacífico)"),
        ("xx", None, "Monday, June 14, 2027, 9:00\xa0AM (Pacific Daylight Time)"),
        ("de-x-haus", None, "Montag, 14. Juni 2027, 09:00 (Nordamerikanische Westküsten-Sommerzeit)"),
    ],
)
def test_the_time_is_told_as_the_language_tells_it(language: str, end: str | None, words: str) -> None:
    event = an_event(end=end) if end else an_event()

    assert occasion(event, language).words == words


def test_a_leaf_of_the_calendar_has_month_and_day_of_the_start() -> None:
    time = occasion(an_event(), "fr")

    assert (time.month, time.day, time.machine) == ("juin", "14", "2027-06-14T09:00-07:00")


def test_a_time_that_clocks_skip_is_the_moment_after_the_jump() -> None:
    start, end = instants(an_event("2027-03-14 02:30", end="2027-03-14 03:30"))

    assert start.isoformat() == "2027-03-14T03:00:00-07:00"
    assert end is not None
    assert end.isoformat() == "2027-03-14T03:30:00-07:00"


def test_a_calendar_reads_back_what_was_written() -> None:
    event = an_event(title="Água; é, ä\\n 😀" * 12, end="2027-06-16 16:00", place="12, Shore Road; Lakeland")
    (entry,) = icalendar.Calendar.from_ical(ics(event)).walk("VEVENT")

    assert (entry["SUMMARY"], entry["LOCATION"]) == (event.title, event.place)
    assert (entry.start.isoformat(), entry.end.isoformat()) == (
        "2027-06-14T09:00:00-07:00",
        "2027-06-16T16:00:00-07:00",
    )
    assert (entry["UID"], entry["URL"], entry["DTSTAMP"].dt) == ("0.a.b@e.org", "https://e.org/", STAMP)


def test_the_file_keeps_to_its_form() -> None:
    text = ics(an_event(title="x" * 300))

    lines = text.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-1] == b""
    assert not any(b"\n" in line or len(line) > 75 for line in lines)  # RFC 5545 section 3.1
    for needed in (b"VERSION:2.0", b"METHOD:PUBLISH", b"TZID:America/Los_Angeles", b"BEGIN:VTIMEZONE"):
        assert needed in lines
    assert len(text) < 2_500
    assert text == ics(an_event(title="x" * 300))


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=120))
def test_no_title_can_add_a_line_of_its_own(title: str) -> None:
    words = title.strip() or "x"
    calendar = icalendar.Calendar.from_ical(ics(an_event(title=words)))
    (entry,) = calendar.walk("VEVENT")

    assert entry["SUMMARY"] == words
    assert set(entry) == {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "URL"}


def test_events_are_numbered_in_reading_order_wherever_they_stand() -> None:
    first, second, third = (an_event(title=name) for name in "abc")
    blocks = (
        Columns(((first,), (When("x = y", (second,), 1, (first,)),)), 1),
        Locked((third,), 1),
    )

    assert numbered_events(blocks) == {first: 0, second: 1, third: 2}
