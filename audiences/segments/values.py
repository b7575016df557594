"""The values a rule compares with, and how a bare word is read as one. Knows nothing of members."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from audiences.segments.errors import RuleError

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_CANONICAL = re.compile(r"(?!-0\Z)-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LONGEST_NUMBER = 40


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    """Never empty; Unicode NFC."""

    @property
    def number(self) -> int | float | None:
        """The number this text is the plain way to write (`99556`, `-1.5`), else None (`02134`, `1.50`)."""
        if len(self.value) > _LONGEST_NUMBER or not _CANONICAL.fullmatch(self.value):
            return None
        return as_number(self.value)


@dataclass(frozen=True, slots=True)
class Number:
    value: int | float
    """An int within 64 bits, else a finite double."""


@dataclass(frozen=True, slots=True)
class Day:
    value: date


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


LONGEST_OFFSET = {Unit.DAY: 36_500, Unit.WEEK: 5_200, Unit.MONTH: 1_200, Unit.YEAR: 100}
"""How far from today a rule may reach, per unit: about a century."""


@dataclass(frozen=True, slots=True)
class RelativeDay:
    """`today`, moved by `amount` units (negative: into the past)."""

    amount: int = 0
    unit: Unit = Unit.DAY


AnyDay = Day | RelativeDay
Value = Text | Number | AnyDay


def as_number(digits: str) -> int | float:
    """The number `digits` stand for, as SQLite keeps it: an int within 64 bits, else a double."""
    if "." not in digits:
        return fit(int(digits))
    return float(digits)


def fit(number: int) -> int | float:
    """`number` as SQLite keeps it: itself within 64 bits, else the nearest double (perhaps infinite)."""
    if -(2**63) <= number < 2**63:
        return number
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")


def fold(text: str) -> str:
    """`text` with A-Z made small and all else as it is: SQLite's own `lower` and NOCASE."""
    return text.translate(_LOWER)


def bare(word: str, column: int) -> Value:
    """Read an unquoted word: a number, a date `YYYY-MM-DD`, or else text.

    Raises `RuleError` for a date that no calendar has, and for a number of more than 40 characters.
    """
    if _NUMBER.fullmatch(word):
        if len(word) > _LONGEST_NUMBER:
            raise RuleError(
                "this number is too long",
                column,
                f"use at most {_LONGEST_NUMBER} digits, or put it in quotes",
            )
        return Number(as_number(word))
    if _DATE.fullmatch(word):
        try:
            return Day(date.fromisoformat(word))
        except ValueError:
            raise RuleError(
                f"{word} is not a day of the calendar",
                column,
                "dates are written year-month-day, such as 2025-01-31",
            ) from None
    return Text(unicodedata.normalize("NFC", word))


def day_of(value: AnyDay, today: date) -> date:
    """The day meant. Months and years keep the day of the month, or end at the month's last day.

    Raises `OverflowError` or `ValueError` only where `today` lies within a century of year 1 or 9999.
    """
    match value:
        case Day(day):
            return day
        case RelativeDay(amount, Unit.DAY):
            return today + timedelta(days=amount)
        case RelativeDay(amount, Unit.WEEK):
            return today + timedelta(weeks=amount)
        case RelativeDay(amount, unit):
            months = today.year * 12 + today.month - 1 + amount * (12 if unit is Unit.YEAR else 1)
            year, month = divmod(months, 12)
            return date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))
