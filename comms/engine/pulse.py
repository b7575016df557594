"""What control tells of itself, for other processes to see: that it lives, how fast mail goes, and who has to wait.

One small file, `control.json`, written anew every second. Nothing relies on it: the ledger is the truth.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from comms.delivery.batches import Outcome, Receipt
from comms.delivery.pacing import Waiting
from comms.engagement.disclosure import SMALLEST

log = structlog.get_logger(__name__)

FILE_NAME = "control.json"
EVERY_S = 1.0
RATE_OVER_S = 60.0
SHARED = "(relayed)"
"""Stands for all associations that send a campaign which others send, too. How many newsletters one of them sent would
say how many of its members it left to the others."""
_LARGEST = 10_000_000
_FINAL = (Outcome.ACCEPTED, Outcome.REJECTED)


@dataclass(slots=True)
class Pulse:
    """Control's side."""

    folder: Path
    _beaten_at: float = field(default=float("-inf"), init=False)
    _answers: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)
    """(association, outcome) -> how many since control began."""
    _recent: deque[tuple[float, str, int]] = field(default_factory=deque, init=False)
    """(when, association, messages that are final) of the last minute."""

    def note(self, association: str, receipts: Iterable[Receipt]) -> None:
        """A sender reports these answers to an association's newsletters; `SHARED` in place of one that must not say
        how many it sent."""
        outcomes = Counter(each.outcome.value for each in receipts)
        for outcome, number in outcomes.items():
            self._answers[association, outcome] += number
        self._recent.append((time.monotonic(), association, sum(outcomes[each.value] for each in _FINAL)))

    def beat(self, waiting: Sequence[Waiting], now: datetime, *, elsewhere: int = 0) -> None:
        """Write the file, if a second has passed. A full disk is not this file's concern.

        `elsewhere`: how many senders there are on other machines.
        """
        moment = time.monotonic()
        if moment - self._beaten_at < EVERY_S:
            return
        self._beaten_at = moment
        data = {
            "at": now.timestamp(),
            "elsewhere": elsewhere,
            "answers": [[*key, _told(key[0], number)] for key, number in sorted(self._answers.items())],
            "per_second": self._rates(moment),
            "waiting": [[each.name, each.until.timestamp(), each.reason] for each in waiting],
        }
        part = self.folder / f".{FILE_NAME}"
        try:
            part.touch(mode=0o600)
            part.write_text(json.dumps(data), encoding="utf-8")
            part.replace(self.folder / FILE_NAME)
        except OSError as error:
            log.debug("the pulse was not written", reason=str(error))

    def _rates(self, moment: float) -> dict[str, float]:
        while self._recent and moment - self._recent[0][0] > RATE_OVER_S:
            self._recent.popleft()
        sums: Counter[str] = Counter()
        for _, association, number in self._recent:
            sums[association] += number
        span = max(EVERY_S, moment - self._recent[0][0]) if self._recent else EVERY_S
        return {association: round(_told(association, number) / span, 2) for association, number in sums.items()}


def _told(association: str, number: int) -> int:
    return number - number % SMALLEST if association == SHARED else number


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What control told last."""

    at: datetime
    answers: Mapping[tuple[str, str], int]
    """(association or `SHARED`, outcome) -> how many since control began."""
    per_second: Mapping[str, float]
    """Association or `SHARED` -> messages that became final a second, over the last minute."""
    waiting: tuple[Waiting, ...]
    """Domains and providers that had enough."""
    elsewhere: int
    """How many senders there are on other machines."""


def read(folder: Path) -> Heartbeat | None:
    """The last heartbeat; None when there was none, or it can not be read."""
    try:
        with (folder / FILE_NAME).open("rb") as file:
            return _parsed(json.loads(file.read(_LARGEST)))
    except (OSError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None


def _parsed(data: Any) -> Heartbeat:
    return Heartbeat(
        at=_time(data["at"]),
        answers={(str(slug), Outcome(outcome).value): int(number) for slug, outcome, number in data["answers"]},
        per_second={str(slug): _finite(rate) for slug, rate in data["per_second"].items()},
        waiting=tuple(Waiting(str(name), _time(until), str(reason)) for name, until, reason in data["waiting"]),
        elsewhere=int(data["elsewhere"]),
    )


def _time(moment: Any) -> datetime:
    return datetime.fromtimestamp(_finite(moment), UTC)


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number
