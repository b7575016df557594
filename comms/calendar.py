"""An event of a campaign in words, and as a file that calendars take (RFC 5545). Serves nothing, knows no reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date, get_timezone_name

from campaigns.models import Blocks, Event, walk
from campaigns.schedule import resolve
from comms.language import dates
from comms.language.tags import locale_of
from comms.language.words import Words

_PRODUCT = "-//comms//campaign events//EN"


@dataclass(frozen=True, slots=True)
class Occasion:
    """When an event is, in one language."""

    words: str
    """Day, times and zone on one line."""
    machine: str
    """The start as HTML's `time` wants it, with its offset from UTC."""
    month: str
    """Short, of the start."""
    day: str
    """Of the month, as the language writes it."""


def numbered_events(blocks: Blocks) -> dict[Event, int]:
    """Each event of a body -> its number, in reading order from 0; equal events share one."""
    events = dict.fromkeys(block for block in walk(blocks) if isinstance(block, Event))
    return {event: number for number, event in enumerate(events)}


def instants(event: Event) -> tuple[datetime, datetime | None]:
    """Start and end in the event's own zone; a time that clocks skip is the moment after the jump."""
    zone = ZoneInfo(event.timezone)
    start = resolve(event.start, event.timezone).astimezone(zone)
    return start, resolve(event.end, event.timezone).astimezone(zone) if event.end else None


def calendar_label(words: Words) -> str:
    """What the link to the file says."""
    return words.gettext("Add to your calendar")


def occasion(event: Event, language: str) -> Occasion:
    """The event's time as `language`, a BCP 47 tag, writes it; as English does when it is not known."""
    locale = locale_of(language)
    start, end = instants(event)
    first = dates.weekday_and_time(start, locale)
    if end is None:
        times = first
    elif end.date() == start.date():
        times = f"{first} – {dates.time(end, locale)}"
    else:
        times = f"{first} – {dates.weekday_and_time(end, locale)}"
    return Occasion(
        words=f"{times} ({get_timezone_name(start, width='long', locale=locale)})",
        machine=start.isoformat(timespec="minutes"),
        month=format_date(start, "MMM", locale),
        day=format_date(start, "d", locale),
    )


def to_ics(event: Event, *, uid: str, url: str, stamp: datetime) -> bytes:
    """A calendar with this one event, in UTF-8.

    `uid` names it for ever, so that a corrected file replaces what a calendar holds (RFC 5545 section 3.8.4.7).
    `stamp` is when it was made known; the same arguments give the same bytes.
    """
    import icalendar  # here, because every command would pay for it

    start, end = instants(event)
    entry = icalendar.Event()
    entry.add("uid", uid)
    entry.add("dtstamp", stamp)
    entry.add("dtstart", start)
    if end is not None:
        entry.add("dtend", end)
    entry.add("summary", event.title)
    if event.place:
        entry.add("location", event.place)
    if url:
        entry.add("url", url)
    calendar = icalendar.Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(entry)
    last = (end or start).year
    calendar.add_missing_timezones(first_date=date(start.year - 1, 1, 1), last_date=date(last + 1, 12, 31))
    return bytes(calendar.to_ical())
