"""Works through one batch: render, encode, hand over, journal. Needs no database and keeps its connections.

Every recipient ends in exactly one receipt, or in none when the sender was asked to stop before it came to it.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from comms.channels.mail import ConnectionLostError, MailSession, Outgoing, ServerUnreachableError, send_one
from comms.channels.newsletter import mail_session
from comms.channels.smtp import new_event_loop
from comms.config import Smtp
from comms.delivery.batches import LetterOrder, MailBatch, Outcome, Receipt, Recipient
from comms.delivery.journal import Journal
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
    are on the wire.
    """

    def __init__(self, signer: LinkSigner, stop: threading.Event) -> None:
        self._signer = signer
        self._stop = stop
        self._loop = new_event_loop()
        self._settings: Smtp | None = None
        self._transports: list[MailSession] = []
        self._renderers: dict[str, Renderer] = {}

    def send(self, batch: MailBatch, journal: Journal) -> tuple[Receipt, ...]:
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

    def send_letter(self, order: LetterOrder, journal: Journal) -> tuple[Receipt, ...]:
        """Send one letter; no receipt when it was not sent."""
        try:
            self._use(Smtp(**order.smtp))
        except ValueError as error:
            log.error("letter can not be used", letter=order.id, reason=str(error))
            return (Receipt(order.letter, Outcome.DEFERRED, 0, f"this sender can not use the letter: {error}"),)
        recipient = Recipient(order.letter, order.recipient, None, "{}", tracked=False)
        return self._work(_Work(order.id, (recipient,), journal, _Written(order), self._stop))

    def _work(self, work: _Work) -> tuple[Receipt, ...]:
        self._loop.run_until_complete(work.run(self._transports))
        return work.receipts()

    def close(self) -> None:
        """End all sessions; no batch is under way."""
        self._loop.run_until_complete(self._close_transports())
        self._loop.close()

    def _use(self, settings: Smtp) -> None:
        if settings != self._settings:
            self._loop.run_until_complete(self._close_transports())
            self._settings = settings
            self._transports = [mail_session(settings) for _ in range(settings.connections)]

    async def _close_transports(self) -> None:
        await asyncio.gather(*(transport.close() for transport in self._transports))
        self._transports = []

    def _renderer(self, edition: str) -> Renderer:
        if edition not in self._renderers:
            self._renderers = {edition: Renderer(Edition.from_json(edition))}
        return self._renderers[edition]


class _Maker(Protocol):
    """Makes what is sent to a recipient."""

    def make(self, recipient: Recipient) -> tuple[str, str, bytes]:
        """Envelope sender, envelope recipient, and the encoded message."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A letter, which control has written already."""

    order: LetterOrder

    def make(self, recipient: Recipient) -> tuple[str, str, bytes]:
        return self.order.sender, self.order.recipient, self.order.message.encode("ascii")


class _Work:
    """One batch, or one letter, on its way out."""

    def __init__(
        self, name: str, recipients: Sequence[Recipient], journal: Journal, maker: _Maker, stop: threading.Event
    ) -> None:
        self._name = name
        self._most = len(recipients)
        self._journal = journal
        self._maker = maker
        self._stop = stop
        self._waiting: deque[tuple[Recipient, int]] = deque((recipient, 1) for recipient in recipients)
        self._unreachable = ""
        self._journal_fault = ""
        self._on_wire: set[int] = set()
        self._receipts: list[Receipt] = []

    async def run(self, transports: list[MailSession]) -> None:
        async with asyncio.TaskGroup() as group:
            for transport in transports[: self._most]:
                group.create_task(self._drain(transport))
        if self._journal_fault:
            log.error("batch ended early", batch=self._name, reason=self._journal_fault)
        elif not self._stop.is_set():
            # Only left over when every connection gave up.
            unreached = [Receipt(r.delivery, Outcome.DEFERRED, 0, self._unreachable) for r, _ in self._waiting]
            for receipt in unreached:
                self._done(receipt)

    def receipts(self) -> tuple[Receipt, ...]:
        """What is known of each recipient; of those whose message was on the wire when all ended: that it was."""
        cut = (Receipt(delivery, Outcome.UNKNOWN, 0, "the sender was stopped") for delivery in sorted(self._on_wire))
        return (*self._receipts, *cut)

    async def _drain(self, transport: MailSession) -> None:
        while self._goes_on():
            try:
                await transport.open()
            except ServerUnreachableError as error:
                self._unreachable = error.message
                return
            if not self._goes_on():
                return
            recipient, attempt = self._waiting.popleft()
            try:
                receipt = await self._send(transport, recipient, attempt)
            except JournalError as error:
                self._journal_fault = error.message
                return
            if receipt is not None:
                self._done(receipt)

    def _goes_on(self) -> bool:
        return bool(self._waiting) and not self._stop.is_set() and not self._journal_fault

    async def _send(self, transport: MailSession, recipient: Recipient, attempt: int) -> Receipt | None:
        """The receipt; None when the message is to be tried once more over another session."""
        delivery = recipient.delivery
        try:
            sender, address, data = self._maker.make(recipient)
        except (RenderError, UnsendableAddress) as error:
            return Receipt(delivery, Outcome.REJECTED, 0, f"can not be written: {error}")
        except Exception as error:  # noqa: BLE001 - what one member's data sets off must not stop the others
            fault = type(error).__name__  # no more: a log is no place for what is in the data
            log.error("a message can not be made", batch=self._name, delivery=delivery, fault=fault)
            return Receipt(delivery, Outcome.REJECTED, 0, f"can not be written: {type(error).__name__}: {error}")
        try:
            reply = await send_one(transport, Outgoing(sender, address, data), lambda: self._about_to(delivery))
        except ConnectionLostError as error:
            if error.handed_over:
                return Receipt(delivery, Outcome.UNKNOWN, 0, error.message)
            if error.kept or attempt < TRIES:
                self._waiting.append((recipient, attempt + (not error.kept)))
                return None
            return Receipt(delivery, Outcome.DEFERRED, 0, error.message)
        if reply.accepted:
            outcome = Outcome.ACCEPTED
        elif reply.temporary or not reply.concerns_recipient:
            outcome = Outcome.DEFERRED
        else:
            outcome = Outcome.REJECTED
        return Receipt(delivery, outcome, reply.code, reply.text)

    def _about_to(self, delivery: int) -> None:
        """Raises JournalError: what the journal does not know of must not go out."""
        try:
            self._journal.about_to(delivery)
        except OSError as error:
            raise JournalError(str(error)) from error
        self._on_wire.add(delivery)

    def _done(self, receipt: Receipt) -> None:
        self._receipts.append(receipt)
        self._on_wire.discard(receipt.item)
        try:
            self._journal.done(receipt)
        except OSError as error:  # what is on the wire still ends; the report tells of it
            self._journal_fault = str(error)
