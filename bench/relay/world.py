"""Invents the associations and people of the simulated relay, the same for the same seed. Knows nothing of comms."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate

ASSOCIATIONS = (
    "alder", "ash", "aspen", "beech", "birch", "cedar", "cherry", "cypress", "elm", "fir", "hazel", "hemlock",
    "hickory", "juniper", "larch", "linden", "maple", "oak", "pine", "poplar", "spruce", "willow",
)  # fmt: skip
DECLINES, SILENT, LATE, TWO_SEATS, ADAPTS, PAUSED, TINY = "ash", "beech", "cedar", "elm", "hazel", "oak", "willow"
"""What is special about seven of them; `TINY` has fewer members than any count that may be shown."""
BY_COMMAND = ("fir", "pine")
"""They answer on the command line; all others by the link in their mail."""
SENDERS = tuple(each for each in ASSOCIATIONS if each not in (DECLINES, SILENT))
ON_TIME = tuple(each for each in SENDERS if each not in (LATE, PAUSED))
"""They can honour whatever a person chose; who is late or held up for a while may find that another was first."""
TINY_MEMBERS = 7
SHARED = 0.35
"""Share of people who are in two lists or more; of these so many are in two, three and four."""
LISTS = {2: 0.6, 3: 0.28, 4: 0.12}
WITHDREW, WITHDREW_ONE = 0.03, 0.10
"""Share of people with one list who withdrew consent; and of those with several who did so in one of them."""
STOPPED, CHOSE = 0.03, 0.08
"""Share of people who want nothing relayed; and of those with several lists who chose one of them."""
PILOT = 0.02
"""Share of people to whom an earlier, smaller campaign goes."""
CLICKED, CHOSE_THERE = 0.15, 0.15
"""Share of these who stop what is relayed by one click in it; and who choose the association that it came from."""


class Stop(StrEnum):
    """Whether, and how, a person said that nothing relayed is wanted."""

    NEVER = "never"
    ONE_CLICK = "one click"
    """In the mail of the earlier campaign."""
    NOTED = "noted"
    """Known to the workspace before."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as nobody but this program knows them: with all the lists that they are in."""

    address: str
    lists: Mapping[str, bool]
    """Association -> do they agree to its newsletters."""
    pilot: bool
    stop: Stop = Stop.NEVER
    choice: str | None = None
    """Through which association they want what is relayed, as the workspace knows from the start."""
    chooses_by_link: bool = False
    """They choose whoever the mail of the earlier campaign came from, by the page behind a link in it."""


def people(count: int, seed: int) -> list[Person]:
    """So many people, `TINY_MEMBERS` of them in the smallest list."""
    draw = random.Random(seed)
    large = [each for each in ASSOCIATIONS if each != TINY]
    weights = {each: draw.uniform(0.5, 2.0) for each in large}
    return [_person(draw, number, weights) for number in range(count)]


def _person(draw: random.Random, number: int, weights: Mapping[str, float]) -> Person:
    lists = list(_some(draw, weights, _how_many(draw)))
    if number < TINY_MEMBERS:
        lists = [TINY, *lists[1:]]
    withdrew = draw.random() < (WITHDREW if len(lists) == 1 else WITHDREW_ONE)
    left = draw.choice(lists) if withdrew else ""
    stop = Stop.NOTED if draw.random() < STOPPED else Stop.NEVER
    # Who stopped, or agrees to nothing, has no mail to click in.
    pilot, hears = draw.random() < PILOT, stop is Stop.NEVER and lists != [left]
    deed = draw.random() if pilot and hears else 1.0
    return Person(
        address=f"p{number}@example.org",
        lists={each: each != left for each in lists},
        pilot=pilot,
        stop=Stop.ONE_CLICK if deed < CLICKED else stop,
        choice=draw.choice(lists) if len(lists) > 1 and draw.random() < CHOSE else None,
        chooses_by_link=CLICKED <= deed < CLICKED + CHOSE_THERE,
    )


def _how_many(draw: random.Random) -> int:
    return draw.choices(list(LISTS), list(LISTS.values()))[0] if draw.random() < SHARED else 1


def _some(draw: random.Random, weights: Mapping[str, float], count: int) -> Iterator[str]:
    """Different ones."""
    left = dict(weights)
    for _ in range(count):
        names = list(left)
        each = draw.choices(names, cum_weights=list(accumulate(left.values())))[0]
        del left[each]
        yield each


def seats(association: str) -> tuple[str, ...]:
    """Addresses of those who speak for an association."""
    return tuple(f"{name}@{association}.seats.example" for name in ("luis", "mae")[: 1 + (association == TWO_SEATS)])
