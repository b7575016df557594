"""Control's side of a run: claims batches and hands them to senders, takes their reports, finds what was lost.

The queue is only an alarm clock: whatever it loses is found again in the ledger.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from audiences.models import Association
from comms.delivery.batches import MailBatch, Recipient, Report
from comms.delivery.cap import Cap, Hindrance, Hindrances
from comms.delivery.claiming import Wait
from comms.delivery.journal import Journals
from comms.delivery.pace import Pace
from comms.delivery.runs import Run
from comms.delivery.store import Ledger

BATCH_VALID_S = 6 * 3600.0
"""How long after its claim a sender may begin a batch."""
LOST_AFTER_S = 5.0
"""A batch that nobody has begun counts as lost, its task as dropped, so long after the queue was empty or a batch
that was claimed later had its turn."""
SENDER_DIED = "the sender died before the server's answer was recorded"
MACHINE_STOPPED = "the machine stopped before the server's answer was recorded"


class Queue(Protocol):
    """Carries batches to senders and their reports back. May lose anything at any time."""

    def put(self, work: Mapping[str, Any]) -> None:
        """Hand a batch to whichever sender comes first."""

    def waiting(self) -> int:
        """Batches that no sender has taken yet."""

    def take_reports(self) -> list[Mapping[str, Any]]:
        """Reports that came in since the last call."""


class OneCopy(Hindrance, Protocol):
    """Of a campaign that several associations send to people whom some of them share, one copy for each person."""

    def wait(self, address: str) -> datetime | None:
        """Until when somebody waits whom another association is to reach; None: the copy goes out now."""


@dataclass(frozen=True, slots=True)
class Outfit:
    """What all batches of a run have in common."""

    association: Association
    campaign: Mapping[str, Any]
    edition: str
    list_id: str
    url: str
    site_url: str
    smtp: Mapping[str, Any]
    dkim: tuple[Mapping[str, str], ...] = ()
    relays: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    bounces: str = ""
    answers: bool = False

    def batch(self, batch_id: str, run: int, recipients: tuple[Recipient, ...], *, not_after: float) -> MailBatch:
        """One batch of the run."""
        return MailBatch(
            id=batch_id,
            run=run,
            association=self.association,
            campaign=self.campaign,
            edition=self.edition,
            list_id=self.list_id,
            url=self.url,
            site_url=self.site_url,
            smtp=self.smtp,
            dkim=self.dkim,
            relays=self.relays,
            bounces=self.bounces,
            answers=self.answers,
            recipients=recipients,
            not_after=not_after,
        )


class Turns:
    """Which batches must have had their turn, because the queue gives out first what came first.

    Kept in memory: a control process that begins takes back whatever was not begun. Being wrong would cost time and
    no message: what was taken back can not be begun any more.
    """

    def __init__(self) -> None:
        self._seen: deque[tuple[float, float]] = deque()
        """(claimed at, seen at), both growing: the turns of the last seconds."""
        self._past = float("-inf")
        """Batches claimed before had their turn some seconds ago."""

    def note(self, claimed_at: float, now: datetime) -> None:
        """A sender has begun the batch, or reports it."""
        self._move(now)
        if not self._seen or claimed_at > self._seen[-1][0]:
            self._seen.append((claimed_at, now.timestamp()))

    def is_over(self, claimed_at: float, now: datetime) -> bool:
        """Has the turn of the batch come and gone, and some seconds with it."""
        self._move(now)
        return claimed_at < self._past

    def _move(self, now: datetime) -> None:
        while self._seen and now.timestamp() - self._seen[0][1] >= LOST_AFTER_S:
            self._past = max(self._past, self._seen.popleft()[0])


def dispatch(
    ledger: Ledger,
    run: Run,
    outfit: Outfit,
    queue: Queue,
    *,
    size: int,
    now: datetime,
    pace: Pace | None = None,
    cap: Cap | None = None,
    copies: OneCopy | None = None,
) -> int:
    """Claim one batch and hand it on. Returns how many rows were moved: 0 when nothing is due.

    `copies`, of a campaign that several associations send, sees to it that each person gets one of them.
    """
    batch_id = uuid.uuid4().hex
    hindrances = [each for each in (copies, cap) if each is not None]
    waits = [wait for wait in (copies.wait if copies else None, pace.wait if pace else None) if wait is not None]
    with ledger.db.atomic():
        claim = ledger.claim(run, batch_id, size, now, _first_of(waits), Hindrances(hindrances) if hindrances else None)
        if pace and claim.recipients:
            pace.spend(ledger, len(claim.recipients), now)
    if not claim.recipients:
        return claim.skipped + claim.waiting
    batch = outfit.batch(batch_id, run.id, claim.recipients, not_after=now.timestamp() + BATCH_VALID_S)
    queue.put(batch.to_json())
    return len(claim.recipients) + claim.skipped + claim.waiting


def _first_of(waits: Sequence[Wait]) -> Wait | None:
    """Until when the first that minds says an address has to wait; those after it are not asked then."""
    if len(waits) < 2:
        return waits[0] if waits else None
    return lambda address: next((until for wait in waits if (until := wait(address)) is not None), None)


def take_report(
    ledger: Ledger, journals: Journals, report: Report, *, turns: Turns, now: datetime, give_up_s: float
) -> int | None:
    """Settle what a sender reports of a batch; returns its run, None when it is not this association's or was settled
    before."""
    found = ledger.open_batch(report.batch)
    if found is None:
        return None
    run, claimed_at = found
    turns.note(claimed_at, now)
    with ledger.db.atomic():
        settled = ledger.settle(report.batch, report.receipts, in_doubt={}, now=now, give_up_s=give_up_s)
    if settled:
        journals.settle(report.batch)
    return run if settled else None


def recover(
    ledger: Ledger, journals: Journals, queue: Queue, *, turns: Turns, now: datetime, give_up_s: float, starting: bool
) -> int:
    """Settle every batch that no living sender holds, from its journal. Returns how many there were.

    `starting`: control begins its work, so a batch that was handed to the queue but not begun is taken back at
    once; else only when time has passed and the queue is empty, or gave out what came later.
    """
    settled = 0
    for batch, claimed_at in ledger.open_batches():
        if journals.was_begun(batch):
            turns.note(claimed_at, now)
        elif not starting and not _is_lost(claimed_at, queue, turns, now):
            continue
        settled += settle_from_journal(ledger, journals, batch, claimed_at, now=now, give_up_s=give_up_s)
    return settled


def settle_from_journal(
    ledger: Ledger, journals: Journals, batch: str, claimed_at: float, *, now: datetime, give_up_s: float
) -> bool:
    """Settle one batch by what its journal proves; False while a living sender holds it."""
    reading = journals.reclaim(batch, claimed_at)
    if reading is None:
        return False
    if reading.trustworthy:
        doubts = dict.fromkeys(reading.handed_over, SENDER_DIED)
    else:
        answered = {receipt.item for receipt in reading.receipts}
        doubts = dict.fromkeys(set(ledger.claimed(batch)) - answered, MACHINE_STOPPED)
    with ledger.db.atomic():
        settled = ledger.settle(batch, reading.receipts, in_doubt=doubts, now=now, give_up_s=give_up_s)
    journals.settle(batch)
    return settled


def _is_lost(claimed_at: float, queue: Queue, turns: Turns, now: datetime) -> bool:
    if 0 <= now.timestamp() - claimed_at < LOST_AFTER_S:  # negative: the clock was put back
        return False
    return turns.is_over(claimed_at, now) or not queue.waiting()
