"""How fast mail goes out, and when it has to wait: rates, caps, warm-up, quiet hours, and servers that have enough.

Pure: it is told the time and what servers answered, and says how many messages may go now and until when a domain
has to wait. What it remembers is lost when control ends, and soon learned again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta, tzinfo

WARM_UP_DAYS = 14
"""Days after which a sender is known; doubling goes on for no longer."""
FIRST_PAUSE_S = 60.0
MOST_PAUSE_S = 90 * 60.0
"""What KumoMTA's shaping rules wait at most where a provider defers an IP address."""
PROBE = 5
"""Messages to a domain that had enough, until one of them is taken."""
BURST_S = 1.0
"""How much of the overall rate may be saved up."""
DOMAIN_BURST_S = 10.0
"""How much of a domain's: what has to wait is put off for so long, and then looked at again."""

def warm_up_cap(first_day: int, days_before: int) -> int | None:
    """Messages on a day before which mail went out on `days_before` days; None when the sender is warm."""
    return first_day * 2**days_before if first_day and days_before < WARM_UP_DAYS else None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A stretch of each day in which nothing goes out; it may span midnight."""

    start: time
    end: time
    zone: tzinfo

    def holds(self, now: datetime) -> bool:
        """Is `now` (aware) within them."""
        clock = now.astimezone(self.zone).time()
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


class Rate:
    """So many a second: what was not used may be saved up for `burst_s` seconds, no longer (a token bucket)."""

    def __init__(self, per_second: float, burst_s: float = BURST_S) -> None:
        self._per_second = per_second
        self._most = self._saved = max(1.0, per_second * burst_s)
        self._at: float | None = None

    def room(self, now: float) -> int:
        """How many may go now, in Unix time; a clock that was put back costs a moment and no more."""
        if self._at is not None:
            elapsed = max(0.0, now - self._at)
            self._saved = min(self._most, self._saved + elapsed * self._per_second)
        self._at = now
        return int(self._saved)

    def spend(self, messages: int) -> None:
        self._saved -= messages


@dataclass(slots=True)
class _Breaker:
    """What is known of a domain that had enough. Times are Unix times."""

    pause_s: float
    until: float
    """When its wait is over."""
    probes: int = 0
    """How many may still go until one is taken."""
    next_probes_at: float = 0.0


@dataclass(slots=True)
class Domains:
    """Which domains have to wait. `limits`: messages a minute, for domains that have such a limit."""

    limits: Mapping[str, int] = field(default_factory=dict)
    _breakers: dict[str, _Breaker] = field(default_factory=dict, init=False)
    _rates: dict[str, Rate] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._rates = {domain: Rate(limit / 60, DOMAIN_BURST_S) for domain, limit in self.limits.items()}

    @property
    def is_open(self) -> bool:
        """Does any domain have to wait, or may soon: only then each address has to be asked about."""
        return bool(self._breakers or self._rates)

    def deferred(self, domain: str, now: datetime) -> bool:
        """A server wants less mail for the domain. True when that is news: the domain did not wait already."""
        known = self._breakers.get(domain)
        moment = now.timestamp()
        if known is not None and moment < known.until:
            return False  # said of what was on its way already
        pause = FIRST_PAUSE_S if known is None else min(known.pause_s * 2, MOST_PAUSE_S)
        self._breakers[domain] = _Breaker(pause, moment + pause)
        return True

    def accepted(self, domain: str, now: datetime) -> None:
        """A server took a message for the domain: it may have more, unless its wait is not over."""
        known = self._breakers.get(domain)
        if known is not None and now.timestamp() >= known.until:
            del self._breakers[domain]

    def waits_until(self, domain: str, now: datetime) -> datetime | None:
        """When a message for the domain may be tried; None: now, and then it counts as sent."""
        moment = now.timestamp()
        known, rate = self._breakers.get(domain), self._rates.get(domain)
        if known is not None and (until := _next_probe(known, moment)) > moment:
            return _at(until, now)
        if rate is not None and rate.room(moment) < 1:
            return now + timedelta(seconds=max(DOMAIN_BURST_S, 60 / self.limits[domain]))
        if known is not None:
            known.probes -= 1
        if rate is not None:
            rate.spend(1)
        return None

    def waiting(self, now: datetime) -> dict[str, datetime]:
        """Domains that had enough -> until when, for people to see."""
        moment = now.timestamp()
        return {name: _at(each.until, now) for name, each in sorted(self._breakers.items()) if moment < each.until}


def _next_probe(known: _Breaker, moment: float) -> float:
    """When the domain may be tried again, in Unix time: while the answers to its probes are awaited, not at once."""
    if moment >= known.until and not known.probes and moment >= known.next_probes_at:
        # The answers to the last ones may never come.
        known.probes, known.next_probes_at = PROBE, moment + FIRST_PAUSE_S
    return moment if known.probes else max(known.until, known.next_probes_at)


def _at(moment: float, now: datetime) -> datetime:
    return datetime.fromtimestamp(moment, now.tzinfo)
