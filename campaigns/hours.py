"""Days and hours on which newsletters may leave, as people write them: days shut out, and windows of the week.

Pure: it knows no time zones and no clock. Whoever asks says what the clock on the wall shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from campaigns.errors import CampaignError, shown
from campaigns.moments import MomentError, read_day

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_MINUTES = 24 * 60
_SPAN = re.compile(
    r"(?P<first>[a-z]{3})(?: ?- ?(?P<last>[a-z]{3}))? (?P<start>\d{1,2}:\d{2}) ?- ?(?P<end>\d{1,2}:\d{2})", re.ASCII
)
_WINDOW_HINT = "Write it like: Mon-Fri 08:00-18:00, or with a comma: Mon-Thu 08:00-18:00, Fri 08:00-12:00."
_LONGEST_WINDOW = 200


class HoursError(CampaignError):
    """A text that says no days or hours; `hint` says how to write them."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}; {hint}")
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Blackout:
    """Days on which nothing goes out; each of `spans` has its first and its last day."""

    spans: tuple[tuple[date, date], ...] = ()

    @classmethod
    def read(cls, texts: Iterable[str]) -> Blackout:
        """From texts such as `2027-01-01` and `2026-12-24..2026-12-26`. Raises HoursError."""
        return _blackout(tuple(texts))

    def covers(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.spans)

    def end(self, day: date) -> date:
        """The first day from `day` on that is not shut out."""
        while found := [last for first, last in self.spans if first <= day <= last]:
            day = max(found) + timedelta(days=1)
        return day


NO_BLACKOUT = Blackout()


@dataclass(frozen=True, slots=True)
class SendWindow:
    """When in the week newsletters may leave. Each of `spans` is a weekday from Monday 0, and its first minute of the
    day and the one after its last."""

    spans: tuple[tuple[int, int, int], ...]

    @classmethod
    def read(cls, text: str) -> SendWindow:
        """From `Mon-Fri 08:00-18:00`, several with commas between them. Raises HoursError."""
        return _window(text)

    def covers(self, wall: datetime) -> bool:
        """Is a clock that shows `wall` within the window."""
        minute = wall.hour * 60 + wall.minute
        return any(day == wall.weekday() and start <= minute < end for day, start, end in self.spans)

    @property
    def times(self) -> frozenset[time]:
        """When within a day it may open; midnight, at which other days begin, aside."""
        return frozenset(time(start // 60, start % 60) for _, start, _ in self.spans)


@lru_cache(maxsize=16)
def _blackout(texts: tuple[str, ...]) -> Blackout:
    return Blackout(tuple(_days(text) for text in texts))


def _days(text: str) -> tuple[date, date]:
    first, dots, last = text.partition("..")
    try:
        found = read_day(first), read_day(last if dots else first)
    except MomentError as error:
        raise HoursError(error.message, "write days like 2027-01-01, or 2026-12-24..2026-12-26") from error
    if found[0] > found[1]:
        raise HoursError(f"`{shown(text)}` ends before it begins", "write the first day first")
    return found


@lru_cache(maxsize=256)
def _window(text: str) -> SendWindow:
    if len(text) > _LONGEST_WINDOW:
        raise HoursError("the send window is too long", _WINDOW_HINT)
    spans = set[tuple[int, int, int]]()
    for part in text.split(","):
        spans.update(_span(" ".join(part.split())))
    return SendWindow(tuple(sorted(spans)))


def _span(text: str) -> Iterable[tuple[int, int, int]]:
    found = _SPAN.fullmatch(text.lower())
    if found is None:
        raise HoursError(f"`{shown(text)}` is no send window", _WINDOW_HINT)
    first, last = _weekday(found["first"]), _weekday(found["last"] or found["first"])
    start, end = _minute(found["start"]), _minute(found["end"])
    if start >= end:
        hint = (
            "a window lies within a day; write one that spans midnight as two, such as Mon 22:00-24:00, Tue 00:00-02:00"
        )
        raise HoursError(f"`{shown(text)}` ends before it begins", hint)
    return [((first + each) % 7, start, end) for each in range((last - first) % 7 + 1)]


def _weekday(name: str) -> int:
    if name.title() not in WEEKDAYS:
        raise HoursError(f"`{name}` is no day of the week", f"write {', '.join(WEEKDAYS)}")
    return WEEKDAYS.index(name.title())


def _minute(clock: str) -> int:
    hour, minute = (int(part) for part in clock.split(":"))
    total = hour * 60 + minute
    if minute > 59 or total > _DAY_MINUTES:
        raise HoursError(f"`{clock}` is no time of day", "write 00:00 to 24:00")
    return total
