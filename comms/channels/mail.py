"""What every mail client here has in common: messages, answers, errors, patience, and what may go in clear.

It opens no connection; the clients are `newsletter.py` and the package `smtp`.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple, Protocol

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


DOT_PATIENCE = 10
"""How many times longer than for other answers to wait for the one after the final dot. A server scans the
message before it answers; whoever leaves meanwhile sends it twice (RFC 5321 section 4.5.3.2.6: 10 minutes)."""
GOODBYE_S = 5.0
CLOSING = 421
SESSION_CODES = frozenset({CLOSING, 502, 503, 530, 534, 535, 538})
"""Closing down, bad sequence, login wanted or refused (RFC 5321 section 4.2.3, RFC 4954 section 6)."""
SESSION_AGE_S = 300.0
"""How long a session is used before a new one takes its place, as Postfix does (smtp_connection_reuse_time_limit):
so that a server that was moved, or taken out of a pool, is noticed."""


class Outgoing(NamedTuple):
    """One message to one recipient, encoded, with CRLF at the end of every line.

    `token` is the caller's own name for it. With an `envelope_id` servers that can are asked to tell of a
    failure under that id, and to return no more than the headers (RFC 3461).

    `is_plain`: whoever made it vouches that all of it is ASCII, in lines that end with CRLF and begin with no dot;
    looking for that in each of thousands of messages a second takes a sixth of a sender's time.
    """

    sender: str
    recipient: str
    data: bytes
    token: int = 0
    envelope_id: str = ""
    is_plain: bool = False


class Reply(NamedTuple):
    """What the server answered (RFC 5321 section 4.2): 2yz took it, 4yz later, 5yz never."""

    code: int
    """0 when the server was not asked, because it could not have taken the message."""
    text: str
    concerns_recipient: bool = True
    """False when the server refused the session, the sender or our manners: the next recipient fares no better."""

    @property
    def accepted(self) -> bool:
        return 200 <= self.code < 300

    @property
    def temporary(self) -> bool:
        return 400 <= self.code < 500


class Lost(NamedTuple):
    """The session ended without an answer; the fields are those of ConnectionLostError."""

    reason: str
    handed_over: bool
    kept: bool = False


Result = Reply | Lost

Take = Callable[[], Outgoing | None]
"""The next message, or None when there is none (now); it must not wait."""
OnHandover = Callable[[int], None]
"""Told a message's token before the server can have the message whole. What it raises stops the message."""
OnResult = Callable[[int, Result], None]
"""Told a message's token and what became of it. Must not raise."""


class Allowance:
    """What one session may still carry before a new one takes its place."""

    def __init__(self, messages: int) -> None:
        self._left = messages
        self._until = time.monotonic() + SESSION_AGE_S

    @property
    def is_used_up(self) -> bool:
        return self._left <= 0 or time.monotonic() > self._until

    def limit(self, take: Take) -> Take:
        """`take` as long as the session may go on. The first passes in any case: `open` has looked before it."""
        is_first = True

        def limited() -> Outgoing | None:
            nonlocal is_first
            if self.is_used_up and not is_first:
                return None
            is_first = False
            self._left -= 1
            return take()

        return limited


class MailSession(Protocol):
    """One session with a mail server, opened anew as often as needed."""

    async def open(self) -> None:
        """Connect, say EHLO, secure and log in; nothing when the session stands and may carry more.

        Raises ServerUnreachableError with a reason that can be shown.
        """

    async def deliver(self, take: Take, on_handover: OnHandover, on_result: OnResult) -> None:
        """Send what `take` gives until it gives None, or the session is over: then `open` and call it again.

        It takes one message at least, so that calling it again and again comes to an end, and every message taken
        gets exactly one result before this returns or raises. What `take` and
        `on_handover` raise passes through, and so does being cancelled; the session is over then.
        """

    async def close(self) -> None:
        """Say goodbye; an error in that is nobody's loss."""


def unreachable(settings: Smtp, reason: str) -> ServerUnreachableError:
    """The error that tells why no session could be opened."""
    return ServerUnreachableError(
        f"the mail server {settings.host}:{settings.port} can not be used: {reason}",
        hint="See [smtp] in comms.toml.",
    )


def refuse_login_in_clear(settings: Smtp) -> None:
    """Raises ServerUnreachableError when the password would cross a network unencrypted (RFC 4954 section 4)."""
    if settings.username and settings.security == "none" and not is_local(settings.host):
        raise unreachable(
            settings, 'the password would go over the network in clear; set security to "starttls" or "tls"'
        )


def is_local(host: str) -> bool:
    """Does the name stand for this machine itself; names are not looked up."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def reason_of(error: BaseException) -> str:
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
    return one_line(text)[:300] or _BARE_NAMES.get(type(error), type(error).__name__)


_BARE_NAMES = {TimeoutError: "it did not answer in time", asyncio.CancelledError: "the sender was stopped"}


def one_line(text: str) -> str:
    """What a server said, fit for a ledger and a terminal."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(text.split())
