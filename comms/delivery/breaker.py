"""When something that failed is tried again: at once, after a wait, or with a few first (a circuit breaker). Pure.

closed --fails too often--> open --its time is over--> half open --works--> closed
                             ^---------fails, and waits twice as long----------'
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What may be asked of it."""

    CLOSED = "closed"
    """Everything."""
    OPEN = "open"
    """Nothing: it is left alone for a time."""
    HALF_OPEN = "half-open"
    """A few, to see whether it works again."""


@dataclass(slots=True)
class Breaker:
    """Closed when it is made. Times are seconds of any clock, the same in every call."""

    pause_s: float = 0.0
    """How long it waited last, without the spread; 0.0 while it is closed."""
    until: float = 0.0
    """When its wait is over."""

    def state(self, now: float) -> State:
        if not self.pause_s:
            return State.CLOSED
        return State.OPEN if now < self.until else State.HALF_OPEN

    def trip(self, now: float, *, first_s: float, most_s: float, spread: float = 0.0) -> bool:
        """It failed: leave it alone, twice as long as the last time, from `first_s` up to `most_s` seconds.

        `spread` (0 to 1) is added as that share of the wait, so that those who failed together do not come back
        together. False when it is open already: that was said of what was on its way.
        """
        if self.state(now) is State.OPEN:
            return False
        self.pause_s = min(max(first_s, 2 * self.pause_s), max(first_s, most_s))
        self.until = now + self.pause_s * (1 + spread)
        return True

    def close(self, now: float) -> None:
        """It worked: everything may be asked of it, unless it is to be left alone still."""
        if self.state(now) is State.HALF_OPEN:
            self.pause_s = 0.0
