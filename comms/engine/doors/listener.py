"""The LMTP and SMTP door: takes what a mail server hands over for return paths of ours, and nothing else.

It is no mail server for the world: put your own in front of it, and let it listen on an interface that only that one
reaches. Both protocols are spoken on one port; one recipient at a time, as answers to returned mail have.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path
from weakref import WeakSet

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from comms.engine.doors import spool
from comms.errors import ConfigError, StorageError
from comms.verp import ReturnSigner

log = structlog.get_logger(__name__)

LARGEST = 10_000_000
"""Bytes of one message, announced as SIZE (RFC 1870); a server returns at most the newsletter, and some words."""
_TIMEOUT_S = 60.0


class _Protocol(SMTP):
    """SMTP, and LMTP as far as it differs where there is one recipient (RFC 2033)."""

    line_length_limit = 100_000  # what is returned may break every rule about lines

    @syntax("LHLO hostname")
    async def smtp_LHLO(self, hostname: str) -> None:  # noqa: N802 - how aiosmtpd finds it
        await self.smtp_EHLO(hostname)


class _Handler:
    """Says yes only to recipients with a token of ours, and to a message only once it is on the disk."""

    def __init__(self, workspace: Path, signer: ReturnSigner) -> None:
        self._workspace = workspace
        self._signer = signer

    async def handle_RCPT(  # noqa: N802 - how aiosmtpd finds it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient at a time"
        if self._signer.find([address]) is None:
            return "550 5.1.1 this is no return path of ours"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        data = envelope.original_content or b""
        try:
            await asyncio.to_thread(spool.keep_mail, self._workspace, data, envelope.rcpt_tos[0])
        except (StorageError, OSError) as error:
            log.error("returned mail can not be kept", reason=str(error))
            return "452 4.3.1 it can not be kept now, try later"
        return "250 2.0.0 kept"


class Listener:
    """The door, in a thread of its own between `start` and `stop`. It listens from the beginning.

    Raises ConfigError when the address can not be listened on.
    """

    def __init__(self, address: str, workspace: Path, signer: ReturnSigner) -> None:
        host, _, port = address.rpartition(":")
        host = host.strip("[]")
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, int(port)), family=family)
        except OSError as error:
            raise ConfigError(
                f"can not listen on {address} for returned mail: {error.strerror or error}.",
                hint="Choose another interface or port: [bounces] listen in comms.toml.",
            ) from error
        self.port: int = self._socket.getsockname()[1]
        self._handler = _Handler(workspace, signer)
        self._sessions: WeakSet[_Protocol] = WeakSet()
        self._ready, self._stopped = threading.Event(), asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="returned-mail", daemon=True)

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """End at once: who was not answered tries again."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join()
        self._socket.close()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await self._loop.create_server(self._session, sock=self._socket)
        self._ready.set()
        await self._stopped.wait()
        server.close()
        for session in list(self._sessions):
            if session.transport is not None:
                session.transport.close()
        await asyncio.sleep(0)  # so that they are closed before the loop is

    def _session(self) -> SMTP:
        session = _Protocol(
            self._handler,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="comms",
            timeout=_TIMEOUT_S,
            loop=self._loop,
        )
        self._sessions.add(session)
        return session
