"""Invented readers that put a newsletter to the test. Pure; knows no campaign."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from audiences.models import AttributeValue, Member

ADDRESS = "reader@example.org"
LONGEST = 300
"""Characters of the longest values."""
LARGE_NUMBER = 999_999_999_999

_NAMES = "Wilhelmina Alexandra Featherstonehaugh Cholmondeley of the Lakeland Regional Archives "

_MARKED = "Z\u0351\u036b\u0343\u032a\u0302o\u0308\u0323e\u0301"


@dataclass(frozen=True, slots=True)
class Invented:
    """A reader who may well exist, and whom nobody thinks of. `name` can stand in a file name."""

    name: str
    title: str
    member: Member


def worst(fields: Collection[str], numbers: Collection[str]) -> Iterator[Invented]:
    """The readers for whom mails break first.

    `fields` are the values that the newsletter asks for; those in `numbers` hold numbers, which are large then.
    """
    yield Invented("nothing-known", "Nothing is known but the address", Member(ADDRESS, {}))
    for name, title, value in _VALUES:
        known: dict[str, AttributeValue] = {
            field: LARGE_NUMBER if field in numbers else value for field in fields if field not in _FIXED
        }
        yield Invented(name, title, Member(ADDRESS, known))


_FIXED = ("address", "language")
_VALUES = (
    ("long-name", f"Names of {LONGEST} characters", (_NAMES * 4)[:LONGEST].strip().ljust(LONGEST, "s")),
    ("unbroken-name", f"Names of {LONGEST} characters without a gap", ("Featherstonehaugh" * 18)[:LONGEST]),
    ("combining-marks", "Letters with many marks above and below", _MARKED * 9),
    ("right-to-left", "Names written from right to left", "عبد الرحمن بن خلدون الحضرمي"),
    ("emoji", "Families, flags and other emoji", "👩🏽‍🚀 👨‍👩‍👧‍👦 🏳️‍🌈 🇺🇸"),
    ("markup", "Names that look like markup or a template", "<b>O'Brien & \"Söhne\"</b> {{ 7*7 }} {% if %} </td> =1+1"),
)  # fmt: skip
