"""Dates that are over, and days of the week that do not fit their date."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from babel import Locale, UnknownLocaleError

from campaigns.models import Event, walk
from campaigns.schedule import resolve
from comms.preflight.facts import Facts
from comms.preflight.passages import VALUE, line_of, passages
from comms.preflight.report import Finding, should

LONGEST_OFFSET = timedelta(hours=14)
"""No place on earth is further from UTC."""
SCHEDULE = should(
    "date-schedule-past", "a time to send that is over", "It would go out at once, or be held because it is late."
)
EVENT = should("date-event-past", "an event that is over when the campaign goes out", "Nobody can come any more.")
WEEKDAY = should(
    "date-weekday",
    "a day of the week that does not fit its date: “Monday, 12 May 2027”",
    "Half of the readers go by the day and half by the date.",
)
RESPONSE = should(
    "date-response-past",
    "a last day for associations to respond that is over, or after the time to send",
    "No association can take part.",
)
RULES = (SCHEDULE, EVENT, WEEKDAY, RESPONSE)

_MOST = 20_000
"""Characters of one passage that are looked at."""


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on the schedule, on events, and on dates in words in the campaign's language."""
    campaign, today = facts.campaign, facts.now.astimezone(UTC).replace(tzinfo=None)
    lines, schedule = campaign.key_lines, campaign.schedule
    if schedule is not None and not schedule.repeat and schedule.at < today - LONGEST_OFFSET:
        message = "is past everywhere: scheduled, it would go out at once, or be held"
        yield SCHEDULE.at(lines.get("schedule.at", 0), "schedule.at", message, "choose a time to come")
    if campaign.relay is not None and (last := campaign.relay.respond_by) is not None:
        line, field = lines.get("relay.respond_by", 0), "relay.respond_by"
        if last < (today - LONGEST_OFFSET).date():
            yield RESPONSE.at(line, field, "is over", "choose a day to come")
        elif schedule is not None and last > schedule.at.date():
            yield RESPONSE.at(line, field, "is after the time to send", "choose a day before it goes out")
    yield from _events(facts, max(today, schedule.at) if schedule else today)
    yield from _weekdays(facts)


def _events(facts: Facts, sent: datetime) -> Iterator[Finding]:
    for block in walk(facts.campaign.blocks):
        if isinstance(block, Event):
            over = resolve(block.end or block.start, block.timezone).replace(tzinfo=None)
            if over < sent - LONGEST_OFFSET:
                line = line_of(facts.campaign, block.line, "end:" if block.end else "start:")
                message = f"the event is over on {over:%Y-%m-%d}, before the campaign goes out"
                yield EVENT.at(line, "body", message, "correct the date, or take the event out")


def _weekdays(facts: Facts) -> Iterator[Finding]:
    calendar = _calendar(facts.campaign.language)
    if calendar is None:
        return
    for passage in passages(facts.campaign):
        for text, day, possible in calendar.dates(passage.text[:_MOST].replace(VALUE, " "), facts.now.year):
            if possible and all(each.weekday() != day for each in possible):
                meant = possible[0]
                right = calendar.names[meant.weekday()]
                hint = f"{meant:%Y-%m-%d} is a {right}" if len(possible) == 1 else "see a calendar, and name the year"
                line = line_of(facts.campaign, passage.line, text)
                yield WEEKDAY.at(line, passage.field, f"“{text}”: that date is another day of the week", hint)


class _Calendar:
    """Finds dates with a day of the week in the words of one language."""

    def __init__(self, locale: Locale) -> None:
        days = {str(name).casefold(): number for number, name in locale.days["format"]["wide"].items()}
        self._days = days
        self.names = {number: str(name) for number, name in locale.days["format"]["wide"].items()}
        self._months: dict[str, int] = {}
        for width in ("wide", "abbreviated"):
            for number, name in locale.months["format"][width].items():
                self._months.setdefault(str(name).casefold().rstrip("."), number)
        day, month = _any(days), _any(self._months)
        date_words = (
            rf"(?:(?P<d1>\d{{1,2}})(?:st|nd|rd|th|er|º|\.)?\s+(?:de\s+|of\s+)?(?P<m1>{month})\b\.?"
            rf"|(?P<m2>{month})\b\.?\s+(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:))"
            r"(?:,?\s+(?:de\s+|of\s+)?(?P<y>(?:19|20)\d\d)\b)?"
        )
        iso = r"(?P<iso>(?:19|20)\d\d-\d\d-\d\d)"
        self._pattern = re.compile(
            rf"\b(?P<day>{day})\b,?\s+(?:the\s+|le\s+|den\s+|el\s+)?(?:{iso}|{date_words})", re.IGNORECASE
        )

    def dates(self, text: str, year: int) -> Iterator[tuple[str, int, list[date]]]:
        """(words, day of the week from Monday 0, the dates they can mean); without a year those of `year` and the
        years beside it."""
        for found in self._pattern.finditer(text):
            yield found[0], self._days[found["day"].casefold()], list(self._possible(found, year))

    def _possible(self, found: re.Match[str], year: int) -> Iterator[date]:
        if found["iso"]:
            years, month, day = [int(found["iso"][:4])], int(found["iso"][5:7]), int(found["iso"][8:])
        else:
            years = [int(found["y"])] if found["y"] else [year, year + 1, year - 1]
            month = self._months.get((found["m1"] or found["m2"]).casefold().rstrip("."), 0)
            day = int(found["d1"] or found["d2"])
        for each in years:
            with suppress(ValueError):  # no such day
                yield date(each, month, day)


def _any(names: dict[str, int]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


@lru_cache(maxsize=32)
def _calendar(language: str) -> _Calendar | None:
    """None for a language that is not known."""
    try:
        return _Calendar(Locale.parse(language.split("-")[0].lower()))
    except (UnknownLocaleError, ValueError):
        return None
