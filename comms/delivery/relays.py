"""Which of several mail servers takes which share of the messages, and which of them is set aside for now. Pure.

It is told the time and what happened, and opens no connection. Each sender has its own view: what one learns, the
others learn by themselves within a few messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from comms.delivery.answers import Fault
from comms.delivery.breaker import Breaker, State

FAULTS = 5
"""Times that a server may end sessions, without one message taken between, until it is set aside."""
PROBES = 5
"""Messages that a server which was set aside gets first."""
PAUSES_S = {
    Fault.UNREACHABLE: (2.0, 120.0),
    Fault.BUSY: (5.0, 300.0),
    Fault.THROTTLED: (1.0, 30.0),
    Fault.USED_UP: (900.0, 3600.0),
}
"""The first wait and the longest. Rates are counted by the second, quotas by the day."""
SPREAD = 0.25


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server of ours. `backup`: for when no other can be used."""

    name: str
    weight: int = 1
    backup: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with one of them, for people to see."""

    name: str
    state: str
    """A word of `breaker.State`."""
    until: float = 0.0
    """When it is tried again, on the clock of whoever asked; 0.0 when it is not set aside."""
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


Tell = Callable[[list[Standing]], None]
"""Hears how it is with all of them."""


@dataclass(slots=True)
class _Seat:
    """What is known of one of them."""

    relay: Relay
    breaker: Breaker = field(default_factory=Breaker)
    faults: int = 0
    is_throttled: bool = False
    reason: str = ""
    credit: float = 0.0
    """What it is owed of the messages shared out so far, or has too many (negative)."""


class Relays:
    """The mail servers of one sender. Times are seconds of any clock, the same in every call."""

    def __init__(self, relays: Sequence[Relay]) -> None:
        self._seats = {each.name: _Seat(each) for each in relays}

    def share_out(self, count: int, now: float) -> dict[str, int]:
        """How many of the next `count` messages go to which server; what is left over waits.

        By weight over all calls together. Empty when none can be used.
        """
        seats = self._usable(now)
        if not seats or not count:
            return {}
        weights = sum(seat.relay.weight for seat in seats)
        for seat in seats:
            seat.credit += count * seat.relay.weight / weights
        shares = {seat.relay.name: max(0, int(seat.credit)) for seat in seats}
        while missing := count - sum(shares.values()):
            owed = {seat.relay.name: seat.credit - shares[seat.relay.name] for seat in seats}
            name = (
                max(owed, key=owed.__getitem__) if missing > 0 else min(filter(shares.get, owed), key=owed.__getitem__)
            )
            shares[name] += 1 if missing > 0 else -1
        for seat in seats:
            seat.credit = _bounded(seat.credit - shares[seat.relay.name])
            if seat.breaker.state(now) is State.HALF_OPEN:
                shares[seat.relay.name] = min(shares[seat.relay.name], PROBES)
        return {name: share for name, share in shares.items() if share}

    def takes_part(self, name: str, now: float) -> bool:
        """May a message go to the server, as far as is known by now."""
        return self._seats[name].breaker.state(now) is not State.OPEN

    def has_other(self, name: str, now: float) -> bool:
        """Is there another server that could be asked."""
        return any(seat.relay.name != name and self.takes_part(seat.relay.name, now) for seat in self._seats.values())

    def throttled_until(self, now: float) -> float | None:
        """When the first may go on of those that only wanted less; None when that is not what is waited for."""
        times = [seat.breaker.until for seat in self._seats.values() if seat.is_throttled]
        return min(times) if times and not self._usable(now) else None

    def worked(self, name: str, now: float) -> None:
        """The server gave an answer that says nothing against it."""
        seat = self._seats[name]
        seat.faults = 0
        if seat.breaker.pause_s:
            seat.breaker.close(now)
            seat.is_throttled &= seat.breaker.state(now) is not State.CLOSED

    def failed(self, name: str, fault: Fault, now: float, *, spread: float, reason: str = "") -> bool:
        """Something went wrong with the server. True when it is set aside for that, and was not before.

        `spread`: a number between 0 and 1, by chance.
        """
        seat = self._seats[name]
        seat.faults += 1
        if fault is Fault.BUSY and seat.faults < FAULTS and seat.breaker.state(now) is State.CLOSED:
            return False
        first, most = PAUSES_S[fault]
        if not seat.breaker.trip(now, first_s=first, most_s=most, spread=SPREAD * spread):
            return False
        seat.faults, seat.is_throttled, seat.reason = 0, fault is Fault.THROTTLED, reason
        return True

    def reason(self) -> str:
        """Why those that are set aside are."""
        return "; ".join(seat.reason for seat in self._seats.values() if seat.breaker.pause_s and seat.reason)

    def standings(self, now: float) -> list[Standing]:
        """How it is with each of them, in their order."""
        rows = []
        for name, seat in self._seats.items():
            state = seat.breaker.state(now)
            until = seat.breaker.until if state is State.OPEN else 0.0
            rows.append(Standing(name, state.value, until, seat.reason if state is not State.CLOSED else ""))
        return rows

    def _usable(self, now: float) -> list[_Seat]:
        seats = [seat for seat in self._seats.values() if seat.breaker.state(now) is not State.OPEN]
        return [seat for seat in seats if not seat.relay.backup] or seats


def _bounded(credit: float) -> float:
    """What is owed from a time in which others took part is soon forgotten."""
    return max(-1.0, min(1.0, credit))
