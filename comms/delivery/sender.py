"""Works through one batch: render, encode, hand over, journal. Needs no database and keeps its connections.

Every recipient ends in exactly one receipt, or in none when the sender was asked to stop before it came to it.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import structlog

from comms.channels.mail import Lost, MailSession, Outgoing, Reply, Result, ServerUnreachableError
from comms.channels.smtp import new_event_loop
from comms.delivery.answers import Fault, fault_of
from comms.delivery.batches import LetterOrder, MailBatch, Outcome, Receipt, Recipient
from comms.delivery.journal import OpenJournal
from comms.delivery.lines import Lines
from comms.delivery.messages import Enveloped, MessageMaker
from comms.delivery.relays import Tell
from comms.errors import CommsError
from comms.links import LinkMaker, LinkSigner
from comms.rendering.edition import Edition
from comms.rendering.errors import RenderError, UnsendableAddress
from comms.rendering.render import Renderer

log = structlog.get_logger(__name__)

TRIES = 2
"""How often a message is tried within a batch when its connection is lost before it was handed over."""
REFUSALS = 5
"""How often it is offered within a batch, to mail servers whose refusals have nothing to do with it."""
PATIENCE_S = 60.0
"""How long a batch waits in all for a mail server that takes mail, but not so fast."""
_LOOK_S = 0.1


class JournalError(CommsError):
    """The journal can not be written."""


class MailSender:
    """Sends batches, one after the other, over sessions that it keeps between them.

    `tell` hears how it is with the mail servers, whenever that may have changed. All calls come from one thread.
    `stop` may be set from any: the batch then ends after the messages that are on the wire, and those whose
    envelope is.
    """

    def __init__(
        self,
        signer: LinkSigner,
        stop: threading.Event,
        tell: Tell = lambda standings: None,
    ) -> None:
        self._signer = signer
        self._stop = stop
        self._loop = new_event_loop()
        self._lines = Lines(tell)
        self._renderers: dict[str, Renderer] = {}

    def send(self, batch: MailBatch, journal: OpenJournal) -> tuple[Receipt, ...]:
        """Send what the batch holds; recipients without a receipt were not written to.

        When the journal can not be written, nothing more goes out. A batch that can not be used at all, as one
        from another version of this program, is deferred whole, with the reason.
        """
        try:
            self._loop.run_until_complete(self._lines.use(batch.smtp, batch.relays))
            maker = MessageMaker(batch, self._renderer(batch.edition), LinkMaker(batch.site_url, self._signer))
        except ValueError as error:
            log.error("batch can not be used", batch=batch.id, reason=str(error))
            reason = f"this sender can not use the batch: {error}"
            return tuple(Receipt(each.delivery, Outcome.DEFERRED, 0, reason) for each in batch.recipients)
        return self._work(_Work(batch.id, batch.recipients, journal, maker, self._stop))

    def send_letter(self, order: LetterOrder, journal: OpenJournal) -> tuple[Receipt, ...]:
        """Send one letter; no receipt when it was not sent."""
        try:
            self._loop.run_until_complete(self._lines.use(order.smtp, order.relays))
        except ValueError as error:
            log.error("letter can not be used", letter=order.id, reason=str(error))
            return (Receipt(order.letter, Outcome.DEFERRED, 0, f"this sender can not use the letter: {error}"),)
        recipient = Recipient(order.letter, order.recipient, None, "{}", tracked=False)
        return self._work(_Work(order.id, (recipient,), journal, _Written(order), self._stop))

    def _work(self, work: _Work) -> tuple[Receipt, ...]:
        self._loop.run_until_complete(work.run(self._lines))
        return work.receipts()

    def close(self) -> None:
        """End all sessions; no batch is under way."""
        self._loop.run_until_complete(self._lines.close())
        self._loop.close()

    def _renderer(self, edition: str) -> Renderer:
        if edition not in self._renderers:
            self._renderers = {edition: Renderer(Edition.from_json(edition))}
        return self._renderers[edition]


class _Maker(Protocol):
    """Makes what is sent to a recipient."""

    makes_plain: ClassVar[bool]
    """Are its messages what `Outgoing.is_plain` says."""

    def make(self, recipient: Recipient) -> Enveloped:
        """The encoded message in its envelope."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A letter, which control has written already."""

    makes_plain: ClassVar[bool] = False
    order: LetterOrder

    def make(self, recipient: Recipient) -> Enveloped:
        return Enveloped(self.order.sender, self.order.recipient, self.order.message.encode("ascii"))


_Waiting = deque[tuple[Recipient, int]]
"""Recipients, with the number of the try that comes next."""


class _Work:
    """One batch, or one letter, on its way out: shared out over the mail servers, as often as that takes."""

    def __init__(
        self, name: str, recipients: Sequence[Recipient], journal: OpenJournal, maker: _Maker, stop: threading.Event
    ) -> None:
        self._name = name
        self._journal = journal
        self._maker = maker
        self._stop = stop
        self._waiting: _Waiting = deque((recipient, 1) for recipient in recipients)
        """Whom no server's lane has."""
        self._taken: dict[int, tuple[Recipient, int]] = {}
        """What sessions hold, by delivery."""
        self._lines = Lines()
        self._journal_fault = ""
        self._receipts: list[Receipt] = []

    async def run(self, lines: Lines) -> None:
        self._lines = lines
        patience_s = PATIENCE_S
        while self._waiting and self.goes_on:
            if shares := lines.share_out(len(self._waiting)):
                await self._send(shares)
                lines.report()
            elif (wait_s := lines.wait_s()) is not None and wait_s <= patience_s:
                patience_s -= wait_s
                await self._sleep(wait_s)
            else:
                break
        lines.report()
        if self._journal_fault:
            log.error("batch ended early", batch=self._name, reason=self._journal_fault)
        elif not self._stop.is_set():
            # Only left over when no server can be used.
            for recipient, _ in self._waiting:
                self._done(Receipt(recipient.delivery, Outcome.DEFERRED, 0, lines.reason()))

    def receipts(self) -> tuple[Receipt, ...]:
        return tuple(self._receipts)

    @property
    def goes_on(self) -> bool:
        return not self._stop.is_set() and not self._journal_fault

    async def _send(self, shares: Mapping[str, int]) -> None:
        """Give each server its share. What is left of it goes back, as what was refused or lost did."""
        lanes = [_Lane(self, name, self._lines, self._first(share)) for name, share in shares.items()]
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                for session in self._lines.sessions(lane.name)[: len(lane.waiting)]:
                    group.create_task(self._drain(session, lane))
        for lane in lanes:
            if lane.goes_on:  # with no session left that could
                self._lines.failed(lane.name, Fault.UNREACHABLE, lane.unreachable)
            self._waiting.extendleft(reversed(lane.waiting))

    def _first(self, count: int) -> _Waiting:
        return deque(self._waiting.popleft() for _ in range(count))

    async def _drain(self, session: MailSession, lane: _Lane) -> None:
        while lane.goes_on:
            try:
                await session.open()
                await session.deliver(lane.take, self._about_to, _Results(self, lane.name).on_result)
            except ServerUnreachableError as error:
                lane.unreachable = error.message
                return
            except JournalError as error:
                self._journal_fault = error.message
                return

    async def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.goes_on and (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _LOOK_S))

    def outgoing(self, recipient: Recipient, number: int) -> Outgoing | None:
        """The message, made in this moment; None when it can not be, which is its end."""
        delivery = recipient.delivery
        try:
            sender, address, data, name = self._maker.make(recipient)
        except (RenderError, UnsendableAddress) as error:
            self._done(Receipt(delivery, Outcome.REJECTED, 0, f"can not be written: {error}"))
        except Exception as error:  # noqa: BLE001 - what one member's data sets off must not stop the others
            fault = type(error).__name__  # no more: a log is no place for what is in the data
            log.error("a message can not be made", batch=self._name, delivery=delivery, fault=fault)
            self._done(Receipt(delivery, Outcome.REJECTED, 0, f"can not be written: {fault}: {error}"))
        else:
            self._taken[delivery] = recipient, number
            return Outgoing(sender, address, data, delivery, envelope_id=name, is_plain=self._maker.makes_plain)
        return None

    def _about_to(self, delivery: int) -> None:
        """Raises JournalError: what the journal does not know of must not go out."""
        try:
            self._journal.about_to(delivery)
        except OSError as error:
            self._journal_fault = str(error)  # at once: what is lost by it is not to be tried again
            raise JournalError(self._journal_fault) from error

    def answered(self, delivery: int, reply: Reply, server: str) -> None:
        """The server has said what becomes of a message."""
        recipient, number = self._taken.pop(delivery)
        fault = fault_of(reply)
        if fault is None:
            self._lines.worked(server)
        else:
            self._lines.failed(server, fault, f"{reply.code} {reply.text}")
        if reply.accepted:
            outcome = Outcome.ACCEPTED
        elif reply.temporary or not reply.concerns_recipient or fault:
            outcome = Outcome.DEFERRED
        else:
            outcome = Outcome.REJECTED
        receipt = Receipt(delivery, outcome, reply.code, reply.text)
        is_servers_own = fault is not None or not reply.concerns_recipient
        if is_servers_own and number < REFUSALS and (fault is Fault.THROTTLED or self._lines.has_other(server)):
            self._note(receipt)  # if this process dies now, it is known not to have arrived
            self._waiting.append((recipient, number + 1))
        else:
            self._done(receipt)

    def lost(self, delivery: int, loss: Lost, server: str, *, was_tried: bool) -> None:
        """The session ended without an answer: the message waits for another one, or is settled."""
        recipient, number = self._taken.pop(delivery)
        if was_tried and self.goes_on:
            self._lines.failed(server, Fault.BUSY, loss.reason)
        tries = REFUSALS if self._lines.has_other(server) else TRIES
        if loss.handed_over:
            self._done(Receipt(delivery, Outcome.UNKNOWN, 0, loss.reason))
        elif not was_tried or number < tries or self._journal_fault:
            self._waiting.append((recipient, number + was_tried))
        else:
            self._done(Receipt(delivery, Outcome.DEFERRED, 0, loss.reason))

    def _done(self, receipt: Receipt) -> None:
        self._receipts.append(receipt)
        self._note(receipt)

    def _note(self, receipt: Receipt) -> None:
        try:
            self._journal.done(receipt)
        except OSError as error:  # what is on the wire still ends; the report tells of it
            self._journal_fault = str(error)


class _Lane:
    """One server's share: from it every session with the server takes the next message."""

    def __init__(self, work: _Work, name: str, lines: Lines, waiting: _Waiting) -> None:
        self.name = name
        self.waiting = waiting
        self.unreachable = ""
        """Why the session that gave up last did."""
        self._work = work
        self._lines = lines

    @property
    def goes_on(self) -> bool:
        return bool(self.waiting) and self._work.goes_on and self._lines.takes_part(self.name)

    def take(self) -> Outgoing | None:
        """The next message."""
        while self.goes_on:
            outgoing = self._work.outgoing(*self.waiting.popleft())
            if outgoing is not None:
                return outgoing
        return None


class _Results:
    """The results of one stretch of a session, of which no more than the first message lost was tried.

    A session dies once. What it held beside the message that it died of was an envelope riding behind.
    """

    def __init__(self, work: _Work, server: str) -> None:
        self._work = work
        self._server = server
        self._is_first = True

    def on_result(self, delivery: int, result: Result) -> None:
        if isinstance(result, Reply):
            self._work.answered(delivery, result, self._server)
            return
        self._work.lost(delivery, result, self._server, was_tried=self._is_first and not result.kept)
        self._is_first = False
