"""The bytes of one connection to a mail server: whole replies in, commands out. It knows no order of commands."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import Protocol, cast

from comms.channels.mail import GOODBYE_S, reason_of
from comms.channels.smtp.replies import GarbledReplyError, ReplyReader, ServerReply


class Listener(Protocol):
    """Who the replies are for."""

    def on_reply(self, reply: ServerReply, *, is_last: bool) -> None:
        """A reply has come; `is_last`: nothing more has come behind it."""

    def on_end(self, reason: str, *, unsent: int) -> None:
        """The connection is over, with `unsent` octets that never left this process."""


class Stream(asyncio.Protocol):
    """One connection. Replies go to the listener; one that nobody waits for ends the connection.

    The first listener waits for the greeting: see `greeting`.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._reader = ReplyReader()
        self._end_reason = ""
        self._is_closed = asyncio.Event()
        self._greeting = _Question(self)
        self._listener: Listener | None = self._greeting

    @property
    def is_open(self) -> bool:
        return not self._end_reason

    @property
    def end_reason(self) -> str:
        """Why it is not open any more."""
        return self._end_reason

    @property
    def unsent(self) -> int:
        """Octets written that have not left this process."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    @property
    def local_address(self) -> str:
        """Our own address on this connection."""
        assert self._transport is not None
        return str(self._transport.get_extra_info("sockname")[0])

    def listen(self, listener: Listener | None) -> None:
        self._listener = listener

    def write(self, parts: list[bytes]) -> None:
        """All of them at once."""
        if self._transport is not None and not self._end_reason:
            self._transport.writelines(parts)

    def end(self, reason: str) -> None:
        """Cut the connection and tell the listener why; what has not left this process never will."""
        if self._end_reason:
            return
        self._end_reason = reason
        unsent = self.unsent
        if self._transport is not None:
            self._transport.abort()
        listener, self._listener = self._listener, None
        if listener is not None:
            listener.on_end(reason, unsent=unsent)

    async def greeting(self, timeout: float) -> ServerReply:
        """What the server says first. Raises as `ask` does."""
        return await self._answer(self._greeting, timeout)

    async def ask(self, command: bytes, timeout: float) -> ServerReply:
        """Say one command and wait `timeout` seconds for its answer.

        Raises ConnectionError and TimeoutError; the connection is over then.
        """
        if self._end_reason:
            raise ConnectionError(self._end_reason)
        question = _Question(self)
        self._listener = question
        self.write([command])
        return await self._answer(question, timeout)

    async def encrypt(self, context: ssl.SSLContext, host: str, timeout: float) -> None:
        """Turn the connection into a TLS one, and forget what was said before.

        Raises OSError (as ssl.SSLError is one). It is also raised when the server has said more than its answer to
        STARTTLS: whoever sits on the line could have put it there, to be read as if it had come encrypted
        (RFC 3207 section 6).
        """
        assert self._transport is not None
        if self._end_reason or not self._reader.is_clean:
            self.end("the server went on in clear after it had agreed to encrypt")
            raise ConnectionError(self._end_reason)
        self._reader = ReplyReader()
        try:
            secured = await self._loop.start_tls(
                self._transport, self, context, server_hostname=host, ssl_handshake_timeout=timeout
            )
        except BaseException as error:
            self.end(reason_of(error))
            self._is_closed.set()  # nobody else would tell
            raise
        self._transport = secured

    async def close(self) -> None:
        """Cut the connection and wait until its socket is closed."""
        self.end("the session was closed")
        if self._transport is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_S):
                    await self._is_closed.wait()

    async def _answer(self, question: _Question, timeout: float) -> ServerReply:
        try:
            async with asyncio.timeout(timeout):
                return await question.answer
        except BaseException as error:
            self.end(reason_of(error))  # the answer may still come, and would be taken for another's
            raise

    # --- called by the event loop ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        try:
            while not self._end_reason and (reply := self._reader.take()) is not None:
                if self._listener is None:
                    self.end(f"the server spoke without being asked: {reply}")
                else:
                    self._listener.on_reply(reply, is_last=self._reader.is_clean)
        except GarbledReplyError as error:
            self.end(str(error))

    def connection_lost(self, error: Exception | None) -> None:
        self.end(f"the connection was lost: {reason_of(error)}" if error else "the server closed the connection")
        self._is_closed.set()


class _Question:
    """Waits for one reply."""

    def __init__(self, stream: Stream) -> None:
        self.answer: asyncio.Future[ServerReply] = asyncio.get_running_loop().create_future()
        self._stream = stream

    def on_reply(self, reply: ServerReply, *, is_last: bool) -> None:
        self._stream.listen(None)
        if not self.answer.done():
            self.answer.set_result(reply)

    def on_end(self, reason: str, *, unsent: int) -> None:
        if not self.answer.done():
            self.answer.set_exception(ConnectionError(reason))
            self.answer.exception()  # seen, even when nobody waits any more
