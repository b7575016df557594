"""Headings: by them people who do not see the page find their way in it."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.models import Blocks, Heading, When, parts
from comms.preflight.facts import Facts
from comms.preflight.report import Finding, should

SKIPPED = should(
    "heading-skipped",
    "a heading more than one level below the one before it",
    "Screen readers jump from heading to heading, and a level left out sounds like a part that is missing.",
)
SEVERAL = should(
    "heading-several",
    "more than one heading of the first level",
    "It is the name of the whole mail: screen readers announce it as such.",
)
RULES = (SKIPPED, SEVERAL)


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on the headings of the body, as readers on either side of its conditions get them."""
    blocks = facts.campaign.blocks
    yield from dict.fromkeys((*_of_reading(blocks, 0), *_of_reading(blocks, 1)))


def _of_reading(blocks: Blocks, side: int) -> Iterator[Finding]:
    level, found, found_in_condition = 0, False, False
    for heading, conditional in _headings(blocks, side, conditional=False):
        if heading.level > max(level, 1) + 1:
            before = f"follows one of level {level}" if level else "is the first"
            hint = f"write it with {'#' * (max(level, 1) + 1)}"
            yield SKIPPED.at(heading.line, "body", f"a heading of level {heading.level} {before}", hint)
        if heading.level == 1:
            # Two conditions may well exclude each other.
            if found and not (conditional and found_in_condition):
                yield SEVERAL.at(heading.line, "body", "a second heading of level 1", "write it with ##")
            found, found_in_condition = True, conditional
        level = heading.level


def _headings(blocks: Blocks, side: int, *, conditional: bool) -> Iterator[tuple[Heading, bool]]:
    """Each heading, and whether it stands in a condition, of which only one side (0 or 1) is read."""
    for block in blocks:
        match block:
            case Heading():
                yield block, conditional
            case When():
                yield from _headings(parts(block)[side], side, conditional=True)
            case _:
                for part in parts(block):
                    yield from _headings(part, side, conditional=conditional)
