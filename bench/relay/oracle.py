"""Holds what a receiver took against who people are: who was missed, who got two, from whom. Pure.

It asks nothing of comms: who may be written to is worked out anew, from the people as they were invented.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.relay.world import Person, Stop

COUNTS_NO_PEOPLE = frozenset({"version", "seats", "offered", "accepted", "sent", "declined", "open"})
"""Keys whose numbers count versions, seats and associations. Any other number counts as one of people."""

OPEN = ("ready", "claimed", "deferred", "uncertain", "failed")
"""States in which nobody is once all is done: the receiver takes every mail."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one campaign."""

    entitled: int
    """People who agreed to the newsletters of an association that sends it, and did not stop what is relayed."""
    copies: int
    twice: int
    """Copies beyond the first of a person."""
    missed: int
    """Entitled people without a copy."""
    stopped_but_sent: int
    """Copies to people who had stopped what is relayed."""
    wrong_sender: int
    """Copies from an association that may not write to the person, or does not take part."""
    choice_missed: int
    """Copies from another association than the person's own choice, where that could have sent it."""

    @property
    def good(self) -> bool:
        return not (self.twice or self.missed or self.stopped_but_sent or self.wrong_sender or self.choice_missed)


def may_write(person: Person, association: str, senders: Collection[str]) -> bool:
    """Does the association take part, and the person agree to its newsletters."""
    return association in senders and person.lists.get(association, False)


def is_entitled(person: Person, senders: Collection[str]) -> bool:
    return person.stop is Stop.NEVER and any(may_write(person, each, senders) for each in person.lists)


def judge(
    people: Iterable[Person],
    copies: Mapping[str, Sequence[str]],
    *,
    senders: Collection[str],
    on_time: Collection[str],
) -> Verdict:
    """`copies`: address -> the associations that each copy came from. `on_time`: who could honour a choice."""
    entitled = missed = stopped = wrong = unheard = 0
    known: set[str] = set()
    for person in people:
        known.add(person.address)
        got = copies.get(person.address, ())
        entitled += is_entitled(person, senders)
        missed += is_entitled(person, senders) and not got
        stopped += len(got) if person.stop is not Stop.NEVER else 0
        wrong += sum(not may_write(person, each, senders) for each in got)
        choice = person.choice
        if choice is not None and choice in on_time and may_write(person, choice, senders):
            unheard += sum(each != choice for each in got)
    wrong += sum(len(got) for address, got in copies.items() if address not in known)
    total = sum(map(len, copies.values()))
    return Verdict(entitled, total, total - len(copies), missed, stopped, wrong, unheard)


def cells(published: Any) -> Iterator[int]:
    """Every number of people in what was published (JSON) to others than the association whose people they are."""
    if isinstance(published, Mapping):
        for key, value in published.items():
            if key not in COUNTS_NO_PEOPLE or not isinstance(value, int):
                yield from cells(value)
    elif isinstance(published, list):
        for value in published:
            yield from cells(value)
    elif isinstance(published, int) and not isinstance(published, bool):
        yield published


def smallest_cell(published: Iterable[Any]) -> int | None:
    """The smallest of them that is not zero; None when there is none."""
    return min((number for each in published for number in cells(each) if number), default=None)


def unequal(copies: Mapping[str, Sequence[str]], reported: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Each association whose own report does not say what the receiver took from it, or leaves somebody open.

    It counts up to nine of those whom it left out as sent, for it tells them in tens; and of a campaign that was
    recalled up to nineteen of those whom it had sent to as cancelled, for they may have waited for another one.

    `reported`: association -> state -> deliveries; `audience` is their sum, as the report has it.
    """
    taken = Counter(each for got in copies.values() for each in got)
    return [each for each in sorted(taken.keys() | reported.keys()) if not _agrees(reported.get(each), taken[each])]


def _agrees(counts: Mapping[str, int] | None, taken: int) -> bool:
    if counts is None or any(counts[state] for state in OPEN):
        return False
    fewest = taken - 19 if counts.get("cancelled") else taken
    if not fewest <= counts["sent"] < taken + 10:
        return False
    return counts["audience"] == sum(number for state, number in counts.items() if state != "audience")
