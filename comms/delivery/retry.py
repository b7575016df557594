"""When a deferred delivery is tried again, and when it is given up. Pure."""

from __future__ import annotations

FIRST_S = 60
"""Wait after the first deferral; it doubles with each further one."""
MOST_S = 2 * 3600
UNREACHABLE_FIRST_S = 5
"""Wait after the first time the server could not be reached at all: that ends sooner than greylisting does."""
UNREACHABLE_MOST_S = 15 * 60
LEAST_TRIES = 3
"""A message is not given up before so many tries, however long ago the first was: between two of them the
campaign may have been paused, the machine off, or its clock put right."""
MOST_DOUBTS = 3
"""A delivery that is in doubt for so many times is held: a server that cuts the line after every message may
have taken every copy."""
SPREAD = 0.25
"""Waits differ by up to this share, so that what was deferred together does not come back together."""
LONGEST_S = round(MOST_S * (1 + SPREAD))
"""No wait is longer."""


def wait_s(attempts: int, *, item: int, reached: bool) -> int:
    """Seconds to wait after `attempts` (1 or more) tries failed; `item` spreads it, without chance."""
    first, most = (FIRST_S, MOST_S) if reached else (UNREACHABLE_FIRST_S, UNREACHABLE_MOST_S)
    base: int = min(most, first * 2 ** min(attempts - 1, 20))
    # Fibonacci hashing: neighbouring ids land far apart.
    share = (item * 2654435761 % 2**32) / 2**32
    return round(base * (1 + SPREAD * share))


def is_given_up(attempts: int, *, since_first_s: float, give_up_s: float) -> bool:
    """Is it over after `attempts` tries, the first `since_first_s` seconds ago."""
    return attempts >= LEAST_TRIES and since_first_s >= give_up_s
