"""A mail server of our own for the demo: takes everything, keeps each message as an .eml file."""

from __future__ import annotations

import itertools
import re
import socket
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]")


def free_port() -> int:
    """A port of this machine that nothing listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    return port


class Mailbox:
    """Listens on `port` of this machine between `start` and `stop`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._numbers = itertools.count(1)
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Keep the message, then take it."""
        recipient = _UNSAFE.sub("-", envelope.rcpt_tos[0])[:100]
        number = next(self._numbers)
        content = envelope.original_content or b""
        (self._folder / f"{number:04}-{recipient}.eml").write_bytes(content)
        return f"250 2.0.0 kept as {number:04}"

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()
