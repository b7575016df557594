"""Hands encoded messages to a mail server, over a connection that is kept.

`mail_session` gives the client that the settings ask for. The plain one stands here: SMTP (RFC 5321) by aiosmtplib,
one command after the other. It knows nothing of members, batches or retries: it says what the server said.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from enum import Enum, auto

import aiosmtplib

from comms.channels.mail import (
    CLOSING,
    DOT_PATIENCE,
    GOODBYE_S,
    SESSION_CODES,
    Allowance,
    ConnectionLostError,
    Lost,
    MailSession,
    OnHandover,
    OnResult,
    Outgoing,
    Reply,
    Result,
    Take,
    one_line,
    reason_of,
    refuse_login_in_clear,
    unreachable,
)
from comms.channels.mail import ServerUnreachableError as ServerUnreachableError
from comms.channels.smtp import BulkSession, wire
from comms.config import Smtp


def mail_session(settings: Smtp) -> MailSession:
    """A session that is not open yet, by the client that `[smtp] client` names."""
    return BulkSession(settings) if settings.client == "bulk" else SmtpTransport(settings)


class _Stage(Enum):
    """How far a message has come."""

    SENDER = auto()
    RECIPIENT = auto()
    HANDED_OVER = auto()


class SmtpTransport:
    """One session with the mail server of `settings`, as `mail.MailSession` promises."""

    def __init__(self, settings: Smtp) -> None:
        self._settings = settings
        self._client: aiosmtplib.SMTP | None = None
        self._is_kept = False
        """Did the session carry a message to its end before."""
        self._allowance = Allowance(0)

    async def open(self) -> None:
        """See MailSession."""
        if self._client is not None and self._client.is_connected:
            if not self._allowance.is_used_up:
                return
            await self.close()
        settings = self._settings
        refuse_login_in_clear(settings)
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
            if client.is_ehlo_or_helo_needed:
                await _say_hello(client)
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:  # ValueError: no host name
            client.close()
            raise unreachable(settings, reason_of(error)) from error
        self._client, self._is_kept = client, False
        self._allowance = Allowance(settings.messages_per_connection)

    async def deliver(self, take: Take, on_handover: OnHandover, on_result: OnResult) -> None:
        """See MailSession."""
        take = self._allowance.limit(take)
        while self._client is not None and (message := take()) is not None:
            handed_over = False

            def before_dot(token: int = message.token) -> None:
                nonlocal handed_over
                on_handover(token)
                handed_over = True

            result: Result
            try:
                result = await self._send(self._client, message, before_dot)
            except ConnectionLostError as error:
                result = Lost(error.message, error.handed_over, error.kept)
            except BaseException:
                on_result(message.token, Lost("the sender was stopped", handed_over))
                raise
            on_result(message.token, result)

    async def _send(self, client: aiosmtplib.SMTP, message: Outgoing, before_dot: Callable[[], None]) -> Reply:
        """Raises ConnectionLostError when the session ended without an answer."""
        capabilities = wire.Capabilities({name.upper(): text for name, text in client.esmtp_extensions.items()})
        if reason := wire.why_unfit(message, capabilities):
            return Reply(0, f"not sent: {reason}")
        encoding = "ascii" if message.sender.isascii() and message.recipient.isascii() else "utf-8"
        stage = _Stage.SENDER
        try:
            await client.mail(message.sender, options=wire.mail_parameters(message, capabilities), encoding=encoding)
            stage = _Stage.RECIPIENT
            await client.rcpt(message.recipient, options=wire.rcpt_parameters(message, capabilities), encoding=encoding)
            before_dot()
            stage = _Stage.HANDED_OVER
            response = await client.data(message.data, timeout=DOT_PATIENCE * self._settings.timeout)
        except aiosmtplib.SMTPResponseException as error:
            if stage is _Stage.SENDER and error.code == CLOSING and self._is_kept:
                raise self._lost(error, stage) from error
            return await self._refused(client, error, stage)
        except (aiosmtplib.SMTPException, ConnectionError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise self._lost(error, stage) from error
        except BaseException:
            self._drop()  # cut off in the middle of a transaction: of no use to the next message
            raise
        self._is_kept = True
        return Reply(response.code, one_line(response.message))

    def _lost(self, error: BaseException, stage: _Stage) -> ConnectionLostError:
        kept = stage is _Stage.SENDER and self._is_kept
        self._drop()
        return ConnectionLostError(
            f"the connection was lost: {reason_of(error)}", handed_over=stage is _Stage.HANDED_OVER, kept=kept
        )

    async def _refused(self, client: aiosmtplib.SMTP, error: aiosmtplib.SMTPResponseException, stage: _Stage) -> Reply:
        """Make the session fit for the next message; the answer to this one stands."""
        if not 400 <= error.code < 600:
            # aiosmtplib's code for a line that is no SMTP reply: whatever it meant, it is no answer.
            self._drop()
            raise ConnectionLostError(
                f"the server answered nonsense: {one_line(error.message)[:200]}",
                handed_over=stage is _Stage.HANDED_OVER,
            )
        if error.code in SESSION_CODES:
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
        ours = stage is _Stage.SENDER or error.code in SESSION_CODES
        return Reply(error.code, one_line(error.message), concerns_recipient=not ours)

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


async def _say_hello(client: aiosmtplib.SMTP) -> None:
    """So that it is known what the server can do before the first message."""
    try:
        await client.ehlo()
    except aiosmtplib.SMTPHeloError as error:
        if error.code < 500:
            raise
        await client.helo()


async def check(settings: Smtp) -> None:
    """Open a session and end it. Raises ServerUnreachableError."""
    session = mail_session(settings)
    await session.open()
    await session.close()
