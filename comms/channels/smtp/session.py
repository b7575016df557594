"""A mail client for many messages: kept sessions, one round trip a message, exact about what may have arrived.

It knows nothing of members, batches or retries. What is said, and what the answers mean, decides `conversation`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from comms.channels.mail import DOT_PATIENCE, GOODBYE_S, Allowance, OnHandover, OnResult, Take
from comms.channels.smtp import wire
from comms.channels.smtp.conversation import Conversation, SessionOverError
from comms.channels.smtp.opening import open_stream
from comms.channels.smtp.replies import ServerReply
from comms.channels.smtp.stream import Stream
from comms.channels.smtp.wire import Capabilities
from comms.config import Smtp


class BulkSession:
    """One session with the mail server of `settings`, as `mail.MailSession` promises."""

    def __init__(self, settings: Smtp) -> None:
        self._settings = settings
        self._context: ssl.SSLContext | None = None
        self._stream: Stream | None = None
        self._capabilities = Capabilities()
        self._allowance = Allowance(0)
        self._is_kept = False

    async def open(self) -> None:
        """See MailSession."""
        if self._stream is not None:
            if self._stream.is_open and not self._allowance.is_used_up:
                return
            await self.close()
        if self._context is None and self._settings.security != "none":
            self._context = ssl.create_default_context()
        self._stream, self._capabilities = await open_stream(self._settings, self._context)
        self._allowance = Allowance(self._settings.messages_per_connection)
        self._is_kept = False

    async def deliver(self, take: Take, on_handover: OnHandover, on_result: OnResult) -> None:
        """See MailSession."""
        assert self._stream is not None, "open() comes first"
        conversation = Conversation(
            self._capabilities, self._allowance.limit(take), on_handover, on_result, is_kept=self._is_kept
        )
        await _Delivery(self._stream, conversation, self._settings.timeout).run()
        self._is_kept = conversation.is_kept

    async def close(self) -> None:
        """See MailSession."""
        stream, self._stream = self._stream, None
        if stream is None:
            return
        try:
            if stream.is_open:
                with contextlib.suppress(OSError):  # TimeoutError is one
                    await stream.ask(wire.QUIT, min(GOODBYE_S, self._settings.timeout))
        finally:
            await stream.close()


class _Delivery:
    """One conversation on its stream: carries bytes between the two, and watches the time."""

    def __init__(self, stream: Stream, conversation: Conversation, timeout: float) -> None:
        self._stream = stream
        self._conversation = conversation
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        self._fault: Exception | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._alarm = 0.0
        """When the timer rings; it looks at the deadline then, so that not each answer needs a timer of its own."""
        self._unsent = 0

    async def run(self) -> None:
        """Until the conversation is over; what `take` or `on_handover` raised is raised here."""
        if not self._stream.is_open:  # since it was opened
            self._conversation.start()
            self._conversation.lose(self._stream.end_reason, unsent=0)
            return
        parts = self._conversation.start()
        self._stream.listen(self)
        try:
            self._proceed(parts)
            await self._ended
        finally:
            if self._timer is not None:
                self._timer.cancel()
            if not self._conversation.is_over:
                self._stream.end("the sender was stopped")
        if self._fault is not None:
            raise self._fault

    def on_reply(self, reply: ServerReply, *, is_last: bool) -> None:
        try:
            parts = self._conversation.receive(reply, unsent=self._stream.unsent, is_last=is_last)
        except SessionOverError as error:
            self._stream.end(str(error))
        except Exception as error:  # noqa: BLE001 - the caller's own, and raised to it
            self._fault = error
            self._stream.end(f"the sender stopped: {type(error).__name__}")
        else:
            if parts or is_last or self._conversation.is_over:  # else the next answer is here already
                self._proceed(parts)

    def on_end(self, reason: str, *, unsent: int) -> None:
        try:
            self._conversation.lose(reason, unsent=unsent)
        except Exception as error:  # noqa: BLE001 - as above
            self._fault = error
        self._finish()

    def _proceed(self, parts: list[bytes]) -> None:
        if parts:
            self._stream.write(parts)
        if self._conversation.is_over:
            self._stream.listen(None)  # at once: what comes in the same packet is for nobody any more
            self._finish()
            return
        self._deadline = self._loop.time() + self._patience()
        if self._timer is None or self._deadline < self._alarm:
            self._set_alarm()

    def _finish(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _set_alarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._alarm = self._deadline
        self._unsent = self._stream.unsent
        self._timer = self._loop.call_at(self._alarm, self._ring)

    def _ring(self) -> None:
        if self._loop.time() >= self._deadline:
            if self._stream.unsent >= self._unsent:
                self._stream.end("the server did not answer in time")
                return
            self._deadline = self._loop.time() + self._patience()  # a long message, on its way
        self._set_alarm()

    def _patience(self) -> float:
        return self._timeout * (DOT_PATIENCE if self._conversation.awaits_verdict else 1)
