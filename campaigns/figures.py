"""Figures that associations tell of what they sent with tools of their own: how they are read, and what can not be.

Pure: what people and programs wrote in, figures or faults out. `campaigns.told` keeps them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

FIELDS = ("copies", "people", "clicks", "replies")
"""In the order in which they are asked for."""
MOST_COPIES = 20_000_000
"""More than any coalition has members: a number that slipped."""
MOST_CLICKS_EACH = 100
"""Clicks for each copy. More come from programs that follow links, which tools do not always leave out."""
_NUMBER = re.compile(r"\d{1,15}|\d{1,3}(?:([.,'’\u00a0\u2009\u202f ])\d{3})(?:\1\d{3}){0,3}")
"""As people write whole numbers: in one piece, or in groups of three with one kind of separator between."""
_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class ToldFigures:
    """What an association says that became of a campaign; nobody here counted it."""

    copies: int
    """Mails that its tool sent."""
    people: int
    """Different people who got at least one."""
    clicks: int = 0
    replies: int = 0
    answers: Mapping[tuple[str, str], int] = field(default_factory=lambda: MappingProxyType({}))
    """(question, answer) of polls -> how many gave it. Only other engines count these."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A number that can not be."""

    field: str
    """Of `FIELDS`."""
    given: str
    """As it was given."""
    least: int
    most: int

    @property
    def words(self) -> str:
        """In English, for commands and programs."""
        wanted = f"a whole number from {self.least:,} to {self.most:,}"
        return f"{self.field} must be {wanted}, not {self.given}" if self.given else f"{self.field} must be {wanted}"


def faults(figures: ToldFigures) -> tuple[Fault, ...]:
    """What can not be about these numbers; nothing when they can."""
    given = {name: getattr(figures, name) for name in FIELDS}
    return tuple(
        Fault(name, _shown(f"{given[name]:,}"), least, most)
        for name, least, most in _limits(given)
        if not least <= given[name] <= most
    )


def read(given: Mapping[str, str]) -> ToldFigures | tuple[Fault, ...]:
    """The figures that people typed: field -> text. Who left `people` blank means as many as copies; a blank below it
    is 0, for nobody counted. Everything that is wrong comes back, not the first alone."""
    numbers: dict[str, int] = {}
    wrong: set[str] = set()
    for name in FIELDS:
        text = given.get(name, "").strip()
        found = _NUMBER.fullmatch(text)
        if found:
            numbers[name] = int("".join(character for character in text if character.isdecimal()))
        elif text or name == "copies":
            wrong.add(name)
    limits = {name: (least, most) for name, least, most in _limits(numbers)}
    wrong |= {name for name, number in numbers.items() if not limits[name][0] <= number <= limits[name][1]}
    if wrong:
        return tuple(Fault(name, _shown(given.get(name, "")), *limits[name]) for name in FIELDS if name in wrong)
    copies = numbers["copies"]
    return ToldFigures(copies, numbers.get("people", copies), numbers.get("clicks", 0), numbers.get("replies", 0))


def _limits(numbers: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """(field, least, most). What depends on a number that is wrong itself is only held to what is always true."""
    copies = numbers.get("copies", 0)
    copies = copies if 1 <= copies <= MOST_COPIES else MOST_COPIES
    people = numbers.get("people", 0)
    yield "copies", 1, MOST_COPIES
    yield "people", 1, copies
    yield "clicks", 0, copies * MOST_CLICKS_EACH
    yield "replies", 0, people if 1 <= people <= copies else copies


def _shown(text: str) -> str:
    plain = "".join(character if character.isprintable() else "?" for character in text.strip())
    return f"{plain[:_LONGEST_SHOWN]}…" if len(plain) > _LONGEST_SHOWN else plain
