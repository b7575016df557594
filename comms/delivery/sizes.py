"""How many members a batch holds: as many as a sender is through with in a moment. Pure.

Between two batches a sender's connections run dry, so batches must not be too small; pause, stop and unsubscribe hold
from the next batch on, so they must not take long. What is right for a quick server is a minute's work for a slow one.
"""

from __future__ import annotations

BATCH_S = 0.5
"""Seconds that a sender should be busy with one batch."""
SMALLEST = 100
FIRST = 500
"""Members in a batch as long as no sender has said how long one takes."""
_NEWEST = 0.5
"""Weight of the newest measurement: a server that slows down is noticed within two or three batches."""


class BatchSizes:
    """Learns from each association's batches how many messages one sender sends in a second."""

    def __init__(self, most: int) -> None:
        """`most`: members in a batch, however quick the server is."""
        self.most = most
        self._rates: dict[str, float] = {}

    def learn(self, association: str, messages: int, seconds: float) -> None:
        """A sender was busy for `seconds` with a batch of so many."""
        if messages < SMALLEST or seconds <= 0:  # mostly the opening of sessions
            return
        rate = min(messages / seconds, self.most / BATCH_S)  # no quicker than can make a difference
        before = self._rates.get(association, rate)
        self._rates[association] = before + _NEWEST * (rate - before)

    def wanted(self, association: str) -> int:
        """Members in a full batch of the association: 1 or more, at most `most`."""
        rate = self._rates.get(association)
        return min(self.most, FIRST if rate is None else max(SMALLEST, round(rate * BATCH_S)))

    def share(self, association: str, due: int, batches: int) -> int:
        """Members in the next batch when so many are due, to be shared among so many batches."""
        return min(self.wanted(association), max(-(-due // batches), SMALLEST))
