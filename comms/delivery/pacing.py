"""How fast mail goes out, and what has to wait: rates, caps, warm-up, and servers that have enough.

Pure: it is told the time and what servers answered, and says how many messages may go now and until when a domain
has to wait. What it remembers is lost when control ends, and soon learned again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from comms.delivery.answers import Provider, provider_of
from comms.delivery.breaker import Breaker

WARM_UP_DAYS = 14
"""Days after which a sender is known; doubling goes on for no longer."""
FIRST_PAUSE_S = 60.0
MOST_PAUSE_S = 90 * 60.0
"""What KumoMTA's shaping rules wait at most where a provider defers an IP address."""
PROBE = 5
"""Messages to a domain that had enough, until one of them is taken."""
PROVIDER_PROBE = 1
"""The same for all of a provider that deferred our IP address: KumoMTA's rules then go down to one a minute."""
MOST_HOSTED = 10_000
BURST_S = 1.0
"""How much of the overall rate may be saved up."""
DOMAIN_BURST_S = 10.0
"""How much of a domain's: what has to wait is put off for so long, and then looked at again."""


def warm_up_cap(first_day: int, days_before: int) -> int | None:
    """Messages on a day before which mail went out on `days_before` days; None when the sender is warm."""
    return first_day * 2**days_before if first_day and days_before < WARM_UP_DAYS else None


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
class _Wait(Breaker):
    """What is known of a domain, or of a provider, that had enough. Times are Unix times."""

    most_probes: int = PROBE
    reason: str = ""
    probes: int = 0
    """How many may still go until one is taken."""
    next_probes_at: float = 0.0

    def next_at(self, moment: float) -> float:
        """When it may be tried again: while the answers to its probes are awaited, not at once."""
        if moment >= self.until and not self.probes and moment >= self.next_probes_at:
            # The answers to the last ones may never come.
            self.probes, self.next_probes_at = self.most_probes, moment + FIRST_PAUSE_S
        return moment if self.probes else max(self.until, self.next_probes_at)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A domain, or all that a provider has, which had enough: until when, and what it said."""

    name: str
    until: datetime
    reason: str


@dataclass(slots=True)
class Domains:
    """Which domains have to wait. `limits`: messages a minute, for domains that have such a limit.

    A provider that defers our IP address is one: all domains that are known to be its wait together.
    """

    limits: Mapping[str, int] = field(default_factory=dict)
    _waits: dict[str, _Wait] = field(default_factory=dict, init=False)
    """By domain, or by the name of a provider, which has a capital and no dot."""
    _rates: dict[str, Rate] = field(default_factory=dict, init=False)
    _hosted: dict[str, str] = field(default_factory=dict, init=False)
    """Domains that turned out to be a provider's: it spoke in an answer to mail for them."""

    def __post_init__(self) -> None:
        self._rates = {domain: Rate(limit / 60, DOMAIN_BURST_S) for domain, limit in self.limits.items()}

    @property
    def is_open(self) -> bool:
        """Does any domain have to wait, or may soon: only then each address has to be asked about."""
        return bool(self._waits or self._rates)

    def deferred(self, domain: str, now: datetime, provider: Provider | None = None, reason: str = "") -> bool:
        """A server wants less mail for the domain, or a provider from our address.

        True when that is news: it did not wait already.
        """
        if provider is not None and domain not in provider.domains:
            if len(self._hosted) >= MOST_HOSTED:
                self._hosted.clear()  # they are soon learned again
            self._hosted[domain] = provider.name
        name = provider.name if provider else domain
        known = self._waits.setdefault(name, _Wait(most_probes=PROVIDER_PROBE if provider else PROBE))
        is_news = known.trip(now.timestamp(), first_s=FIRST_PAUSE_S, most_s=MOST_PAUSE_S)
        if is_news:
            known.probes, known.next_probes_at, known.reason = 0, 0.0, reason
        return is_news

    def accepted(self, domain: str, now: datetime) -> None:
        """A server took a message for the domain: it may have more, unless its wait is not over."""
        for name in self._names(domain):
            known = self._waits.get(name)
            if known is not None and now.timestamp() >= known.until:
                del self._waits[name]

    def waits_until(self, domain: str, now: datetime) -> datetime | None:
        """When a message for the domain may be tried; None: now, and then it counts as sent."""
        moment = now.timestamp()
        known = [self._waits[name] for name in self._names(domain) if name in self._waits]
        until = max((each.next_at(moment) for each in known), default=moment)
        if until > moment:
            return _at(until, now)
        rate = self._rates.get(domain)
        if rate is not None and rate.room(moment) < 1:
            return now + timedelta(seconds=max(DOMAIN_BURST_S, 60 / self.limits[domain]))
        for each in known:
            each.probes -= 1
        if rate is not None:
            rate.spend(1)
        return None

    def waiting(self, now: datetime) -> list[Waiting]:
        """Domains and providers that had enough, for people to see."""
        rows = sorted(self._waits.items())
        return [Waiting(name, _at(each.until, now), each.reason) for name, each in rows if now.timestamp() < each.until]

    def _names(self, domain: str) -> tuple[str, ...]:
        provider = provider_of(domain)
        name = provider.name if provider else self._hosted.get(domain)
        return (domain, name) if name else (domain,)


def _at(moment: float, now: datetime) -> datetime:
    return datetime.fromtimestamp(moment, now.tzinfo)
