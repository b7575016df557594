"""The open sessions of one sender with each of its mail servers, and what it knows of them. Sends nothing itself."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from comms.channels.mail import MailSession
from comms.channels.newsletter import mail_session
from comms.config import Smtp, SmtpRelay
from comms.delivery.answers import Fault
from comms.delivery.relays import Relay, Relays, Tell

log = structlog.get_logger(__name__)

FIRST = "smtp"
"""What the server of `[smtp]` is called."""


class Lines:
    """Sessions by server. All methods belong to one thread and, where they are coroutines, to one loop."""

    def __init__(self, tell: Tell = lambda standings: None) -> None:
        self._tell = tell
        self._settings: dict[str, Smtp] = {}
        self._sessions: dict[str, list[MailSession]] = {}
        self._relays = Relays(())

    @property
    def names(self) -> list[str]:
        return list(self._settings)

    async def use(self, smtp: Mapping[str, Any], relays: Mapping[str, Mapping[str, Any]]) -> None:
        """Have sessions, not open yet, for servers with these settings; those that are here already are kept.

        Raises ValueError for settings of another version.
        """
        settings = {FIRST: Smtp(**smtp), **{name: SmtpRelay(**each) for name, each in relays.items()}}
        if settings == self._settings:
            return
        await self.close()
        self._settings = settings
        self._sessions = {
            name: [mail_session(each) for _ in range(each.connections)] for name, each in settings.items()
        }
        self._relays = Relays([_relay(name, each) for name, each in settings.items()])

    def sessions(self, name: str) -> list[MailSession]:
        return self._sessions[name]

    def share_out(self, count: int) -> dict[str, int]:
        """How many of the next messages go to which server. Empty when none can be used."""
        return self._relays.share_out(count, time.monotonic())

    def takes_part(self, name: str) -> bool:
        """May a message go to the server."""
        return self._relays.takes_part(name, time.monotonic())

    def has_other(self, name: str) -> bool:
        """Is there another server that could be asked."""
        return self._relays.has_other(name, time.monotonic())

    def wait_s(self) -> float | None:
        """How long until a server that only wanted less may have more; None when that is not what is waited for."""
        now = time.monotonic()
        until = self._relays.throttled_until(now)
        return None if until is None else max(0.0, until - now)

    def reason(self) -> str:
        """Why servers are set aside."""
        return self._relays.reason()

    def worked(self, name: str) -> None:
        """The server gave an answer that says nothing against it."""
        self._relays.worked(name, time.monotonic())

    def failed(self, name: str, fault: Fault, reason: str) -> None:
        """Something went wrong with the server."""
        spread = random.random()  # noqa: S311 - so that senders do not come back together
        if self._relays.failed(name, fault, time.monotonic(), spread=spread, reason=reason):
            log.warning("a mail server is set aside", server=name, why=fault.name.lower(), reason=reason)

    def report(self) -> None:
        """Say how it is with the servers, with times on the wall's clock."""
        now, wall = time.monotonic(), time.time()
        rows = self._relays.standings(now)
        self._tell([replace(each, until=round(wall + each.until - now) if each.until else 0.0) for each in rows])

    async def close(self) -> None:
        """End all sessions."""
        await asyncio.gather(*(session.close() for group in self._sessions.values() for session in group))
        self._sessions, self._settings = {}, {}


def _relay(name: str, settings: Smtp) -> Relay:
    if isinstance(settings, SmtpRelay):
        return Relay(name, settings.weight, settings.backup)
    return Relay(name)
