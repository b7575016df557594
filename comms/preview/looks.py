"""The ways in which a mail is pictured. Pure."""

from __future__ import annotations

from dataclasses import dataclass

PHONE, DESK = 360, 700
"""CSS pixels: the narrowest phones in use, and the reading pane of a desktop program."""


@dataclass(frozen=True, slots=True)
class Look:
    """`name` can stand in a file name, `words` say the same to people."""

    name: str
    words: str
    width: int
    dark: bool = False
    images: bool = True


LOOKS = tuple(
    Look(f"{width}-{name}", f"{device}, {words}", width, dark=name == "dark", images=name != "no-images")
    for width, device in ((PHONE, "Phone"), (DESK, "Desktop"))
    for name, words in (("light", "light"), ("dark", "dark"), ("no-images", "without images"))
)
"""All that a mail is pictured in, phone first."""
