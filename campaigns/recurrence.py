"""When a campaign repeats: friendly words and the rules of RFC 5545, read strictly, to wall-clock times without zone.

It has no clock and knows no time zones; `schedule.py` does. Rules are those of RFC 5545 section 3.3.10, without
frequencies of less than a day.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from functools import partial
from itertools import dropwhile, islice
from types import MappingProxyType
from typing import Any

from dateutil import rrule

from campaigns.errors import CampaignError, did_you_mean, shown
from campaigns.models import Campaign, Schedule

LONGEST_ID = 53
"""Characters of a repeating campaign's id: each occurrence adds its day to it, and 64 is the most."""
END = datetime.fromisoformat("2199-12-31T23:59:59")
"""No campaign goes out later; what does not occur before never does."""
MOST_COUNT = 10_000

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "daily": "FREQ=DAILY",
        "weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        "weekly": "FREQ=WEEKLY",
        "every two weeks": "FREQ=WEEKLY;INTERVAL=2",
        "monthly": "FREQ=MONTHLY",
    }
)
"""What can be written instead of a rule. `monthly` means the last day where a month has no such day."""

_LEAP_YEAR = 2028
_FREQUENCIES = {"DAILY": rrule.DAILY, "WEEKLY": rrule.WEEKLY, "MONTHLY": rrule.MONTHLY, "YEARLY": rrule.YEARLY}
_TOO_OFTEN = ("HOURLY", "MINUTELY", "SECONDLY", "BYHOUR", "BYMINUTE", "BYSECOND")
_DAYS = {"MO": rrule.MO, "TU": rrule.TU, "WE": rrule.WE, "TH": rrule.TH, "FR": rrule.FR, "SA": rrule.SA, "SU": rrule.SU}
_DAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6}))?(Z?)")
_HINT = f"write {', '.join(f'`{word}`' for word in WORDS)}, or a rule such as FREQ=MONTHLY;BYDAY=1TU"
_OF_YEARS = ("YEARLY",)
_OF_MONTHS = ("MONTHLY", "YEARLY")
_WHERE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"BYWEEKNO": _OF_YEARS, "BYYEARDAY": _OF_YEARS, "BYMONTHDAY": ("DAILY", *_OF_MONTHS)}
)
"""Parts that fit some frequencies only (the table of RFC 5545 section 3.3.10)."""


class RepeatError(CampaignError):
    """A text that says no recurrence, or one that never occurs; `hint` says what to write."""

    def __init__(self, message: str, hint: str = _HINT) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def read_repeat(text: str, at: datetime) -> str:
    """The rule (RFC 5545) that `text` means for a campaign that goes out first at `at` or later.

    Raises RepeatError for what is neither one of `WORDS` nor a rule, and for a rule that never occurs.
    """
    rule = check_repeat(text)
    if rule == WORDS["monthly"] and _folded(text) == "monthly" and at.day > 28:
        rule += f";BYMONTHDAY={','.join(map(str, range(28, at.day + 1)))};BYSETPOS=-1"
    if _contradicts_itself(rule) or next(wall_times(Schedule(at, "", rule)), None) is None:
        hint = f"from {at:%Y-%m-%d} on there is no such day: see UNTIL, and the days of the months"
        raise RepeatError(f"`{shown(text)}` never occurs", hint)
    return rule


def check_repeat(text: str) -> str:
    """The rule that `text` means, whatever day it starts on. Raises RepeatError."""
    word = _folded(text)
    if word in WORDS:
        return WORDS[word]
    rule = "".join(text.split()).upper().removeprefix("RRULE:")
    if "=" not in rule:
        raise RepeatError(f"`{shown(text)}` is no recurrence", did_you_mean(word, WORDS, _HINT))
    _arguments(rule)
    return rule


def wall_times(schedule: Schedule, after: date | None = None) -> Iterator[datetime]:
    """The times of a schedule that repeats, by the clock on the wall, in order; those on days after `after` only."""
    arguments = _arguments(schedule.repeat)
    count = arguments.pop("count", None)  # dateutil would look for them beyond END
    times = islice(rrule.rrule(dtstart=schedule.at, **arguments), count)
    return times if after is None else dropwhile(lambda each: each.date() <= after, times)


def occurrence(campaign: Campaign, wall: datetime) -> Campaign:
    """What goes out at one of the times of a campaign that repeats: a campaign of its own, which does not."""
    assert campaign.schedule is not None
    schedule = Schedule(wall, campaign.schedule.timezone)
    made = replace(campaign, id=f"{campaign.id}-{wall:%Y-%m-%d}", schedule=schedule)
    variants = {tag: replace(each, id=made.id, schedule=schedule) for tag, each in campaign.variants.items()}
    return replace(made, variants=MappingProxyType(variants))


def _contradicts_itself(rule: str) -> bool:
    """Does no day of any year fit: to find that out by looking at each takes seconds."""
    arguments = _arguments(rule)
    months, days = arguments.get("bymonth", range(1, 13)), arguments.get("bymonthday", (1,))
    positions = arguments.get("bysetpos", (1,))
    fitting = any(abs(day) <= monthrange(_LEAP_YEAR, month)[1] for month in months for day in days)
    return not fitting or (arguments["freq"] == rrule.DAILY and all(abs(each) > 1 for each in positions))


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _arguments(rule: str) -> dict[str, Any]:
    """A rule as dateutil takes it. Raises RepeatError."""
    parts: dict[str, str] = {}
    for part in rule.rstrip(";").split(";"):
        name, _, value = part.partition("=")
        if name in parts:
            raise RepeatError(f"`{shown(name)}` stands twice", "write it once")
        if name in _TOO_OFTEN or (name == "FREQ" and value in _TOO_OFTEN):
            hint = "at most once a day; the time of day is that of `at`"
            raise RepeatError(f"`{shown(part)}` is more often than campaigns go out", hint)
        if name != "FREQ" and name not in _READERS:
            raise RepeatError(f"a rule has no part `{shown(name)}`", did_you_mean(name, ["FREQ", *_READERS], _HINT))
        if not value:
            raise RepeatError(f"`{shown(name)}` has no value", _HINT)
        parts[name] = value
    _check_together(parts)
    frequency = parts.pop("FREQ")
    found: dict[str, Any] = {"freq": _FREQUENCIES[frequency], "wkst": rrule.MO, "until": END}
    for name, value in parts.items():
        keyword, read = _READERS[name]
        found[keyword] = read(name, value)
    return found


def _check_together(parts: Mapping[str, str]) -> None:
    """What RFC 5545 says of parts beside each other."""
    frequency = parts.get("FREQ", "")
    if frequency not in _FREQUENCIES:
        said = f"there is no frequency `{shown(frequency)}`" if frequency else "the rule has no frequency"
        raise RepeatError(said, "begin it with FREQ=DAILY, FREQ=WEEKLY, FREQ=MONTHLY or FREQ=YEARLY")
    if "UNTIL" in parts and "COUNT" in parts:
        raise RepeatError("UNTIL and COUNT stand together", "keep one of the two")
    for name, fitting in _WHERE.items():
        if name in parts and frequency not in fitting:
            raise RepeatError(f"`{name}` does not go with FREQ={frequency}", f"it goes with {', '.join(fitting)}")
    numbered = any(char.isdigit() for char in parts.get("BYDAY", ""))
    if numbered and (frequency not in _OF_MONTHS or "BYWEEKNO" in parts):
        hint = "a day such as 1TU needs FREQ=MONTHLY or FREQ=YEARLY, without BYWEEKNO"
        raise RepeatError("a numbered day in BYDAY that can not be counted", hint)
    if "BYSETPOS" in parts and not any(name.startswith("BY") and name != "BYSETPOS" for name in parts):
        raise RepeatError("`BYSETPOS` has nothing to choose from", "add BYDAY or BYMONTHDAY")


def _number(least: int, most: int, name: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", value) or not least <= int(value) <= most:
        raise RepeatError(f"`{name}={shown(value)}` is no number that fits", f"write one from {least} to {most:,}")
    return int(value)


def _numbers(most: int, negative: bool, name: str, value: str) -> list[int]:
    numbers = []
    for text in value.split(","):
        fits = re.fullmatch(r"[+-]?[0-9]{1,3}" if negative else r"[0-9]{1,3}", text)
        if not fits or not 1 <= abs(int(text)) <= most:
            reach = f"1 to {most}" + (f" or -1 to -{most}" if negative else "")
            raise RepeatError(f"`{shown(text)}` in {name} does not fit", f"write numbers from {reach}, with commas")
        numbers.append(int(text))
    return numbers


def _days(name: str, value: str) -> list[Any]:
    days = []
    for text in value.split(","):
        found = _DAY.fullmatch(text)
        if found is None or (found[1] and not 1 <= abs(int(found[1])) <= 53):
            hint = "write MO, TU, WE, TH, FR, SA, SU, or the first Tuesday as 1TU, the last Friday as -1FR"
            raise RepeatError(f"`{shown(text)}` in {name} is no day", hint)
        days.append(_DAYS[found[2]](int(found[1])) if found[1] else _DAYS[found[2]])
    return days


def _week_start(name: str, value: str) -> Any:
    if value not in _DAYS:
        raise RepeatError(f"`{name}={shown(value)}` is no day", f"write one of {', '.join(_DAYS)}")
    return _DAYS[value]


def _until(name: str, value: str) -> datetime:
    """The last moment, by the clock on the wall like `at`; a day alone is meant to its end."""
    found = _UNTIL.fullmatch(value)
    hint = "write the last day like UNTIL=20271231"
    if found is None:
        raise RepeatError(f"`{name}={shown(value)}` is no day", hint)
    if found[3]:
        raise RepeatError(
            f"`{name}={shown(value)}` is a time in UTC", "leave the Z out: the zone is that of `timezone`"
        )
    try:
        day = datetime.strptime(found[1], "%Y%m%d").date()  # noqa: DTZ007 - a day of the wall clock
        clock = datetime.strptime(found[2], "%H%M%S").time() if found[2] else time.max.replace(microsecond=0)  # noqa: DTZ007
    except ValueError:
        raise RepeatError(f"there is no `{shown(value)}` in the calendar", hint) from None
    return min(datetime.combine(day, clock), END)


_READERS: Mapping[str, tuple[str, Callable[[str, str], Any]]] = MappingProxyType(
    {
        "INTERVAL": ("interval", partial(_number, 1, 1000)),
        "COUNT": ("count", partial(_number, 1, MOST_COUNT)),
        "UNTIL": ("until", _until),
        "BYDAY": ("byweekday", _days),
        "BYMONTHDAY": ("bymonthday", partial(_numbers, 31, True)),
        "BYMONTH": ("bymonth", partial(_numbers, 12, False)),
        "BYYEARDAY": ("byyearday", partial(_numbers, 366, True)),
        "BYWEEKNO": ("byweekno", partial(_numbers, 53, True)),
        "BYSETPOS": ("bysetpos", partial(_numbers, 366, True)),
        "WKST": ("wkst", _week_start),
    }
)
"""Each part of a rule beside FREQ -> what dateutil calls it, and how its value is read."""
