"""Days and times as people write them into definitions -> dates and times, or what is wrong with them."""

from __future__ import annotations

import re
from datetime import date, datetime

from campaigns.errors import CampaignError, shown

DATE = r"\d{4}-\d{2}-\d{2}"
TIME = rf"({DATE})[ Tt]+(\d{{1,2}}:\d{{2}}(?::\d{{2}})?)"

_YEARS = range(2000, 2200)
_OFFSET = re.compile(rf"{TIME}(?:\.\d+)?\s*(?:Z|z|UTC|GMT|[+-]\d{{1,2}}(?::?\d{{2}})?)")


class MomentError(CampaignError):
    """A text that is no day or no time; `hint` says how to write one."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def read_moment(text: str) -> datetime:
    """The wall-clock time `2027-02-01 09:00`, without zone. Raises MomentError."""
    text = text.strip()
    hint = "write it like 2027-02-01 09:00"
    if _OFFSET.fullmatch(text):
        raise MomentError(f"`{shown(text)}` has an offset of its own", "leave it out and name the zone in `timezone`")
    if re.fullmatch(DATE, text):
        raise MomentError(f"`{text}` has no time of day", f"add it: {text} 09:00")
    found = re.fullmatch(TIME, text)
    if found is None:
        raise MomentError(f"`{shown(text)}` is not a date with a time", hint)
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]:0>5}")
    except ValueError:
        raise MomentError(f"there is no `{shown(text)}` in the calendar", hint) from None
    _check_year(moment)
    return moment


def read_day(text: str) -> date:
    """The day `2027-01-25`. Raises MomentError."""
    hint = "write it like 2027-01-25"
    if not re.fullmatch(DATE, text.strip()):
        raise MomentError(f"`{shown(text)}` is not a date", hint)
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise MomentError(f"there is no `{shown(text)}` in the calendar", hint) from None
    _check_year(day)
    return day


def _check_year(day: date) -> None:
    if day.year not in _YEARS:
        raise MomentError(f"the year {day.year} is out of range", f"{_YEARS.start} to {_YEARS.stop - 1}")
