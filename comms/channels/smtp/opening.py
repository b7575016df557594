"""Opens sessions: connect, EHLO, STARTTLS (RFC 3207), login (RFC 4954). It sends no message."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl

from comms.channels.mail import reason_of, refuse_login_in_clear, unreachable
from comms.channels.smtp.stream import Stream
from comms.channels.smtp.wire import CRLF, Capabilities
from comms.config import Smtp

_FULL_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII)


class _RefusedError(Exception):
    """The server, or our own caution, will not have it; its text says why."""


async def open_stream(settings: Smtp, context: ssl.SSLContext | None) -> tuple[Stream, Capabilities]:
    """A connection that is ready for MAIL, and what its server can do.

    `context` is for security other than `none`. Raises ServerUnreachableError with a reason that can be shown.
    """
    refuse_login_in_clear(settings)
    stream: Stream | None = None
    try:
        stream = await _connect(settings, context if settings.security == "tls" else None)
        greeting = await stream.greeting(settings.timeout)
        if greeting.code != 220:
            raise _RefusedError(str(greeting))
        name = await _own_name(stream)
        capabilities = await _hello(stream, name, settings.timeout)
        if settings.security == "starttls":
            assert context is not None
            await _secure(stream, capabilities, settings, context)
            capabilities = await _hello(stream, name, settings.timeout)  # nothing said in clear counts any more
        if settings.username:
            await _log_in(stream, capabilities, settings)
    except BaseException as error:
        if stream is not None:
            await stream.close()
        if isinstance(error, (_RefusedError, OSError, ValueError)):  # ValueError: no host name
            raise unreachable(settings, reason_of(error)) from error
        raise
    return stream, capabilities


async def _connect(settings: Smtp, context: ssl.SSLContext | None) -> Stream:
    async with asyncio.timeout(settings.timeout):
        _, stream = await asyncio.get_running_loop().create_connection(
            Stream, settings.host, settings.port, ssl=context, server_hostname=settings.host if context else None
        )
    return stream


async def _hello(stream: Stream, name: bytes, timeout: float) -> Capabilities:
    reply = await stream.ask(b"EHLO " + name + CRLF, timeout)
    if reply.code == 250:
        return Capabilities.of_ehlo(reply.lines)
    if reply.code >= 500:  # RFC 5321 section 3.2: then it may be older than EHLO
        reply = await stream.ask(b"HELO " + name + CRLF, timeout)
        if reply.code == 250:
            return Capabilities()
    raise _RefusedError(str(reply))


async def _secure(stream: Stream, capabilities: Capabilities, settings: Smtp, context: ssl.SSLContext) -> None:
    if "STARTTLS" not in capabilities:
        raise _RefusedError("it does not offer STARTTLS, and nothing is sent in clear")
    reply = await stream.ask(b"STARTTLS" + CRLF, settings.timeout)
    if reply.code != 220:
        raise _RefusedError(f"it refused STARTTLS: {reply}")
    await stream.encrypt(context, settings.host, settings.timeout)


async def _log_in(stream: Stream, capabilities: Capabilities, settings: Smtp) -> None:
    """PLAIN (RFC 4616), or LOGIN for servers that know no better."""
    username, password = settings.username.encode(), settings.password.encode()
    if b"\0" in username + password:
        raise _RefusedError("the login holds a NUL character")
    if "PLAIN" in capabilities.mechanisms:
        commands = [b"AUTH PLAIN " + base64.b64encode(b"\0" + username + b"\0" + password)]
    elif "LOGIN" in capabilities.mechanisms:
        commands = [b"AUTH LOGIN", base64.b64encode(username), base64.b64encode(password)]
    else:
        raise _RefusedError("it does not offer a login (AUTH PLAIN or LOGIN)")
    for number, command in enumerate(commands, 1):
        reply = await stream.ask(command + CRLF, settings.timeout)
        if reply.code != (235 if number == len(commands) else 334):
            raise _RefusedError(f"the login was refused: {reply}")


async def _own_name(stream: Stream) -> bytes:
    """What to call ourselves: a full name, or the address where there is none (RFC 5321 section 4.1.4)."""
    loop = asyncio.get_running_loop()
    name = await loop.run_in_executor(None, socket.getfqdn)
    if _FULL_NAME.fullmatch(name):
        return name.encode("ascii")
    address = stream.local_address
    return (f"[IPv6:{address}]" if ":" in address else f"[{address}]").encode("ascii")
