"""Days and times as a language writes them."""

from __future__ import annotations

import re
from datetime import date, datetime

from babel import Locale
from babel.dates import format_date, format_time, get_datetime_format


def day(moment: date, locale: Locale) -> str:
    """`22 de noviembre de 2026`."""
    return _first(str(format_date(moment, "long", locale)), locale)


def weekday(moment: date, locale: Locale) -> str:
    """The same with the day of the week."""
    return _first(str(format_date(moment, "full", locale)), locale)


def time(moment: datetime, locale: Locale) -> str:
    """Hours and minutes, by the moment's own zone."""
    # Fonts of mail programs know the common space that does not break, and not always the narrow one.
    return format_time(moment, "short", locale=locale).replace("\u202f", "\xa0")


def weekday_and_time(moment: datetime, locale: Locale) -> str:
    """Both, joined as the language joins them."""
    pattern = str(get_datetime_format("medium", locale))
    return pattern.replace("{1}", weekday(moment, locale)).replace("{0}", time(moment, locale))


def _first(text: str, locale: Locale) -> str:
    """In French the first of a month is written `1er mai`, which CLDR leaves to programs (`d MMMM y`)."""
    return re.sub(r"\b1\b", "1er", text, count=1) if locale.language == "fr" else text
