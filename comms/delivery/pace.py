"""The pace of an installation while control works: what may be claimed now, and what reports say about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from comms.config import Pacing
from comms.delivery.answers import provider_that_defers, wants_less
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.claiming import Wait
from comms.delivery.hours import Hours
from comms.delivery.pacing import Domains, Rate, warm_up_cap
from comms.delivery.store import Ledger

log = structlog.get_logger(__name__)

LONGEST_REASON = 200
LOOKED_AT = 500
"""Receipts of a report whose addresses are looked up, when some domain has to wait: enough to see it take mail."""


class Pace:
    """What `[pacing]` asks for, and which domains have to wait."""

    def __init__(self, settings: Pacing, clock: Callable[[], datetime]) -> None:
        self._settings = settings
        self._clock = clock
        self._zone = ZoneInfo(settings.timezone)
        self._rate = Rate(settings.max_per_second) if settings.max_per_second else None
        self.domains = Domains(settings.per_domain)

    @property
    def wait(self) -> Wait | None:
        """Until when an address has to wait; None when none has to."""
        return self._waits_until if self.domains.is_open else None

    def room(self, ledger: Ledger, hours: Hours, now: datetime, most: int) -> int:
        """How many messages of an association may be claimed now, at most `most`."""
        if not hours.allow(now):
            return 0
        if self._rate:
            most = min(most, self._rate.room(now.timestamp()))
        if self._settings.max_per_day or self._settings.warm_up:
            sent, days = ledger.day(self._day(now))
            caps = (self._settings.max_per_day or None, warm_up_cap(self._settings.warm_up, days))
            most = min([most, *(cap - sent for cap in caps if cap is not None)])
        return max(most, 0)

    def spend(self, ledger: Ledger, messages: int, now: datetime) -> None:
        """So many messages go out. Runs inside the transaction that claims them."""
        if self._rate:
            self._rate.spend(messages)
        ledger.count_day(self._day(now), messages)

    def learn(self, ledger: Ledger, receipts: tuple[Receipt, ...], now: datetime) -> None:
        """See from what servers answered which domains want less, and which take mail again."""
        fewer = {each.item: each for each in receipts if _wants_less(each)}
        taken = [each.item for each in receipts if each.outcome is Outcome.ACCEPTED] if self.domains.is_open else []
        items = [*fewer, *taken][:LOOKED_AT]
        for item, address in ledger.addresses(items).items() if items else ():
            domain = _domain(address)
            if item not in fewer:
                self.domains.accepted(domain, now)
                continue
            receipt = fewer[item]
            provider = provider_that_defers(receipt.code, receipt.text)
            if self.domains.deferred(domain, now, provider, _said(receipt)):
                name = f"all of {provider.name}" if provider else domain
                log.warning("a domain wants less mail", domain=name, code=receipt.code)

    def _waits_until(self, address: str) -> datetime | None:
        return self.domains.waits_until(_domain(address), self._clock())

    def _day(self, now: datetime) -> str:
        return now.astimezone(self._zone).date().isoformat()


def _wants_less(receipt: Receipt) -> bool:
    code, text = receipt.code, receipt.text
    return receipt.outcome is Outcome.DEFERRED and (
        wants_less(code, text) or provider_that_defers(code, text) is not None
    )


def _said(receipt: Receipt) -> str:
    return f"{receipt.code} {receipt.text}"[:LONGEST_REASON]


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
