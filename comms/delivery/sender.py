"""Works through one batch: render, encode, hand over, journal. Needs no database and keeps its connections.

Every recipient ends in exactly one receipt, or in none when the sender was asked to stop before it came to it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import structlog

from comms.channels.mail import Lost, MailSession, Outgoing, Reply, Result, ServerUnreachableError
from comms.channels.newsletter import mail_session
from comms.channels.smtp import new_event_loop
from comms.config import Smtp
from comms.delivery.batches import LetterOrder, MailBatch, Outcome, Receipt, Recipient
from comms.delivery.journal import OpenJournal
from comms.delivery.messages import MessageMaker
from comms.errors import CommsError
from comms.links import LinkMaker, LinkSigner
from comms.rendering.edition import Edition
from comms.rendering.errors import RenderError, UnsendableAddress
from comms.rendering.render import Renderer

log = structlog.get_logger(__name__)

TRIES = 2
"""How often a message is tried within a batch when its connection is lost before it was handed over."""


class JournalError(CommsError):
    """The journal can not be written."""


class MailSender:
    """Sends batches, one after the other, over `connections` sessions that it keeps between them.

    All calls come from one thread. `stop` may be set from any: the batch then ends after the messages that
    are on the wire, and those whose envelope is.
    """

    def __init__(self, signer: LinkSigner, stop: threading.Event) -> None:
        self._signer = signer
        self._stop = stop
        self._loop = new_event_loop()
        self._settings: Smtp | None = None
        self._sessions: list[MailSession] = []
        self._renderers: dict[str, Renderer] = {}

    def send(self, batch: MailBatch, journal: OpenJournal) -> tuple[Receipt, ...]:
        """Send what the batch holds; recipients without a receipt were not written to.

        When the journal can not be written, nothing more goes out. A batch that can not be used at all, as one
        from another version of this program, is deferred whole, with the reason.
        """
        try:
            self._use(Smtp(**batch.smtp))
            maker = MessageMaker(batch, self._renderer(batch.edition), LinkMaker(batch.site_url, self._signer))
        except ValueError as error:
            log.error("batch can not be used", batch=batch.id, reason=str(error))
            reason = f"this sender can not use the batch: {error}"
            return tuple(Receipt(each.delivery, Outcome.DEFERRED, 0, reason) for each in batch.recipients)
        return self._work(_Work(batch.id, batch.recipients, journal, maker, self._stop))

    def send_letter(self, order: LetterOrder, journal: OpenJournal) -> tuple[Receipt, ...]:
        """Send one letter; no receipt when it was not sent."""
        try:
            self._use(Smtp(**order.smtp))
        except ValueError as error:
            log.error("letter can not be used", letter=order.id, reason=str(error))
            return (Receipt(order.letter, Outcome.DEFERRED, 0, f"this sender can not use the letter: {error}"),)
        recipient = Recipient(order.letter, order.recipient, None, "{}", tracked=False)
        return self._work(_Work(order.id, (recipient,), journal, _Written(order), self._stop))

    def _work(self, work: _Work) -> tuple[Receipt, ...]:
        self._loop.run_until_complete(work.run(self._sessions))
        return work.receipts()

    def close(self) -> None:
        """End all sessions; no batch is under way."""
        self._loop.run_until_complete(self._close_sessions())
        self._loop.close()

    def _use(self, settings: Smtp) -> None:
        if settings != self._settings:
            self._loop.run_until_complete(self._close_sessions())
            self._settings = settings
            self._sessions = [mail_session(settings) for _ in range(settings.connections)]

    async def _close_sessions(self) -> None:
        await asyncio.gather(*(session.close() for session in self._sessions))
        self._sessions = []

    def _renderer(self, edition: str) -> Renderer:
        if edition not in self._renderers:
            self._renderers = {edition: Renderer(Edition.from_json(edition))}
        return self._renderers[edition]


class _Maker(Protocol):
    """Makes what is sent to a recipient."""

    makes_plain: ClassVar[bool]
    """Are its messages what `Outgoing.is_plain` says."""

    def make(self, recipient: Recipient) -> tuple[str, str, bytes]:
        """Envelope sender, envelope recipient, and the encoded message."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A letter, which control has written already."""

    makes_plain: ClassVar[bool] = False
    order: LetterOrder

    def make(self, recipient: Recipient) -> tuple[str, str, bytes]:
        return self.order.sender, self.order.recipient, self.order.message.encode("ascii")


class _Work:
    """One batch, or one letter, on its way out: one queue, from which every session takes the next message."""

    def __init__(
        self, name: str, recipients: Sequence[Recipient], journal: OpenJournal, maker: _Maker, stop: threading.Event
    ) -> None:
        self._name = name
        self._most = len(recipients)
        self._journal = journal
        self._maker = maker
        self._stop = stop
        self._waiting: deque[tuple[Recipient, int]] = deque((recipient, 1) for recipient in recipients)
        """With the number of the try that comes next."""
        self._taken: dict[int, tuple[Recipient, int]] = {}
        """What sessions hold, by delivery."""
        self._unreachable = ""
        self._journal_fault = ""
        self._receipts: list[Receipt] = []

    async def run(self, sessions: list[MailSession]) -> None:
        async with asyncio.TaskGroup() as group:
            for session in sessions[: self._most]:
                group.create_task(self._drain(session))
        if self._journal_fault:
            log.error("batch ended early", batch=self._name, reason=self._journal_fault)
        elif not self._stop.is_set():
            # Only left over when every connection gave up.
            for recipient, _ in self._waiting:
                self._done(Receipt(recipient.delivery, Outcome.DEFERRED, 0, self._unreachable))

    def receipts(self) -> tuple[Receipt, ...]:
        return tuple(self._receipts)

    async def _drain(self, session: MailSession) -> None:
        while self._goes_on():
            try:
                await session.open()
                await session.deliver(self._take, self._about_to, _Losses(self).on_result)
            except ServerUnreachableError as error:
                self._unreachable = error.message
                return
            except JournalError as error:
                self._journal_fault = error.message
                return

    def _goes_on(self) -> bool:
        return bool(self._waiting) and not self._stop.is_set() and not self._journal_fault

    def _take(self) -> Outgoing | None:
        """The next message, made in this moment."""
        while self._goes_on():
            recipient, number = self._waiting.popleft()
            delivery = recipient.delivery
            try:
                sender, address, data = self._maker.make(recipient)
            except (RenderError, UnsendableAddress) as error:
                self._done(Receipt(delivery, Outcome.REJECTED, 0, f"can not be written: {error}"))
            except Exception as error:  # noqa: BLE001 - what one member's data sets off must not stop the others
                fault = type(error).__name__  # no more: a log is no place for what is in the data
                log.error("a message can not be made", batch=self._name, delivery=delivery, fault=fault)
                self._done(Receipt(delivery, Outcome.REJECTED, 0, f"can not be written: {fault}: {error}"))
            else:
                self._taken[delivery] = recipient, number
                return Outgoing(sender, address, data, delivery, is_plain=self._maker.makes_plain)
        return None

    def _about_to(self, delivery: int) -> None:
        """Raises JournalError: what the journal does not know of must not go out."""
        try:
            self._journal.about_to(delivery)
        except OSError as error:
            self._journal_fault = str(error)  # at once: what is lost by it is not to be tried again
            raise JournalError(self._journal_fault) from error

    def answered(self, delivery: int, reply: Reply) -> None:
        """The server has said what becomes of a message."""
        if reply.accepted:
            outcome = Outcome.ACCEPTED
        elif reply.temporary or not reply.concerns_recipient:
            outcome = Outcome.DEFERRED
        else:
            outcome = Outcome.REJECTED
        del self._taken[delivery]
        self._done(Receipt(delivery, outcome, reply.code, reply.text))

    def lost(self, delivery: int, loss: Lost, *, was_tried: bool) -> None:
        """The session ended without an answer: the message waits for another one, or is settled."""
        recipient, number = self._taken.pop(delivery)
        if loss.handed_over:
            self._done(Receipt(delivery, Outcome.UNKNOWN, 0, loss.reason))
        elif not was_tried or number < TRIES or self._journal_fault:
            self._waiting.append((recipient, number + was_tried))
        else:
            self._done(Receipt(delivery, Outcome.DEFERRED, 0, loss.reason))

    def _done(self, receipt: Receipt) -> None:
        self._receipts.append(receipt)
        try:
            self._journal.done(receipt)
        except OSError as error:  # what is on the wire still ends; the report tells of it
            self._journal_fault = str(error)


class _Losses:
    """The results of one stretch of a session, of which no more than the first message lost was tried.

    A session dies once. What it held beside the message that it died of was an envelope riding behind.
    """

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._is_first = True

    def on_result(self, delivery: int, result: Result) -> None:
        if isinstance(result, Reply):
            self._work.answered(delivery, result)
            return
        self._work.lost(delivery, result, was_tried=self._is_first and not result.kept)
        self._is_first = False
