"""Hands one encoded message at a time to a mail server, over a connection that is kept.

Plain SMTP (RFC 5321) by aiosmtplib. It knows nothing of members, batches or retries: it says what the
server said. A faster client fits behind the same four calls.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import aiosmtplib

from comms.config import Smtp
from comms.errors import CommsError


class ServerUnreachableError(CommsError, ConnectionError):
    """No session could be opened: refused, timed out, TLS or login failed. No message was handed over."""


class ConnectionLostError(CommsError, ConnectionError):
    """The session ended. `handed_over` says whether the message may have arrived all the same.

    `kept`: it ended before the first word of this message, as servers end sessions that stand idle or have
    carried enough; the message was not tried.
    """

    def __init__(self, message: str, *, handed_over: bool, kept: bool = False) -> None:
        super().__init__(message)
        self.handed_over = handed_over
        self.kept = kept


class _Stage(Enum):
    """How far a message has come."""

    SENDER = auto()
    RECIPIENT = auto()
    HANDED_OVER = auto()


DOT_PATIENCE = 10
"""How many times longer than for other answers to wait for the one after the final dot. A server scans the
message before it answers; whoever leaves meanwhile sends it twice (RFC 5321 section 4.5.3.2.6: 10 minutes)."""
GOODBYE_S = 5.0
_CLOSING = 421
_SESSION_CODES = frozenset({421, 502, 503, 530, 534, 535, 538})
"""Closing down, bad sequence, login wanted or refused (RFC 5321 section 4.2.3, RFC 4954 section 6)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered (RFC 5321 section 4.2): 2yz took it, 4yz later, 5yz never."""

    code: int
    text: str
    concerns_recipient: bool = True
    """False when the server refused the session, the sender or our manners: the next recipient fares no better."""

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500


class SmtpTransport:
    """One session with the mail server of `settings`."""

    def __init__(self, settings: Smtp) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None
        self._is_kept = False
        """Did the session carry a message to its end before."""

    async def open(self) -> None:
        """Connect, say EHLO, secure and log in as the settings say; nothing when the session stands.

        Raises ServerUnreachableError with a reason that can be shown.
        """
        if self._client is not None and self._client.is_connected:
            return
        settings = self._settings
        client = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            username=settings.username or None,
            password=settings.password or None,
            timeout=settings.timeout,
            tls_context=ssl.create_default_context() if settings.security != "none" else None,
        )
        try:
            await client.connect()
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:  # ValueError: no host name
            client.close()
            raise ServerUnreachableError(
                f"the mail server {settings.host}:{settings.port} can not be used: {_reason(error)}",
                hint="See [smtp] in comms.toml.",
            ) from error
        self._client, self._is_kept = client, False

    async def send(self, sender: str, recipient: str, data: bytes, before_dot: Callable[[], None]) -> Reply:
        """Send one message; `before_dot` is called before the server can have it.

        Raises ConnectionLostError when the session ended without an answer; the next `open` then makes a new
        one. What `before_dot` raises passes through, and nothing was handed over then.
        """
        client = self._client
        assert client is not None, "open() comes first"
        stage = _Stage.SENDER
        try:
            await client.mail(sender, options=[f"SIZE={len(data)}"] if client.supports_extension("size") else [])
            stage = _Stage.RECIPIENT
            await client.rcpt(recipient)
            before_dot()
            stage = _Stage.HANDED_OVER
            response = await client.data(data, timeout=DOT_PATIENCE * self._settings.timeout)
        except aiosmtplib.SMTPResponseException as error:
            if stage is _Stage.SENDER and error.code == _CLOSING and self._is_kept:
                raise self._lost(error, stage) from error
            return await self._refused(client, error, stage)
        except (aiosmtplib.SMTPException, ConnectionError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise self._lost(error, stage) from error
        except BaseException:
            self._drop()  # cut off in the middle of a transaction: of no use to the next message
            raise
        self._is_kept = True
        return Reply(response.code, _one_line(response.message))

    def _lost(self, error: BaseException, stage: _Stage) -> ConnectionLostError:
        kept = stage is _Stage.SENDER and self._is_kept
        self._drop()
        return ConnectionLostError(
            f"the connection was lost: {_reason(error)}", handed_over=stage is _Stage.HANDED_OVER, kept=kept
        )

    async def _refused(self, client: aiosmtplib.SMTP, error: aiosmtplib.SMTPResponseException, stage: _Stage) -> Reply:
        """Make the session fit for the next message; the answer to this one stands."""
        if not 400 <= error.code < 600:
            # aiosmtplib's code for a line that is no SMTP reply: whatever it meant, it is no answer.
            self._drop()
            raise ConnectionLostError(
                f"the server answered nonsense: {_one_line(error.message)[:200]}",
                handed_over=stage is _Stage.HANDED_OVER,
            )
        if error.code in _SESSION_CODES:
            self._drop()
        else:
            try:
                await client.rset()
                self._is_kept = True
            except (aiosmtplib.SMTPException, OSError, TimeoutError):
                self._drop()
            except BaseException:
                self._drop()  # its answer may still come, and would be taken for another's
                raise
        ours = stage is _Stage.SENDER or error.code in _SESSION_CODES
        return Reply(error.code, _one_line(error.message), concerns_recipient=not ours)

    async def close(self) -> None:
        """Say goodbye; an error in that is nobody's loss."""
        client, self._client = self._client, None
        if client is None:
            return
        with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
            await client.quit(timeout=min(GOODBYE_S, self._settings.timeout))
        client.close()

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


async def check(settings: Smtp) -> None:
    """Open a session and end it. Raises ServerUnreachableError."""
    transport = SmtpTransport(settings)
    await transport.open()
    await transport.close()


def _reason(error: BaseException) -> str:
    """The cause in the words of the system where there is one: `Connection refused`."""
    causes = [each for each in (error, error.__cause__, error.__context__) if isinstance(each, OSError) and each.errno]
    match causes[:1]:
        case [ssl.SSLCertVerificationError() as cause]:
            text = f"its certificate is not trusted: {cause.verify_message}"
        case [ssl.SSLError() | socket.gaierror() as cause]:  # their numbers are not the system's
            text = cause.strerror or str(cause)
        case [cause] if cause.errno:
            text = os.strerror(cause.errno)
        case _:
            text = str(error)
    return _one_line(text)[:300] or type(error).__name__


def _one_line(text: str) -> str:
    """What a server said, fit for a ledger and a terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
