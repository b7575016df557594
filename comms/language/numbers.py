"""Numbers as a language writes them."""

from __future__ import annotations

import re
from decimal import Decimal

from babel import Locale
from babel.numbers import format_decimal

_PLAIN = re.compile(r"[0-9]{5,15}|[0-9]{1,4}\.[0-9]{1,2}", re.ASCII)
"""Four digits may be a year, and three behind a point thousands: those stay as somebody wrote them."""


def figure(text: str, locale: Locale) -> str:
    """A number that somebody wrote in plain digits (`12500`, `3.5`), grouped and pointed; any other text as it is."""
    return str(format_decimal(Decimal(text), locale=locale)) if _PLAIN.fullmatch(text) else text
