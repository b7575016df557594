"""The IMAP door: fetches what is unread in a mailbox (RFC 3501), and marks it as read once it is kept."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from comms.config import Bounces
from comms.engagement.bounces.mime import LONGEST_MESSAGE
from comms.engine.doors import spool
from comms.errors import CommsError

_TIMEOUT_S = 30.0
_MOST_AT_A_TIME = 200


class MailboxError(CommsError, ConnectionError):
    """The mailbox can not be read now."""


class Mailbox:
    """A folder of a mailbox, looked into over a session of its own each time."""

    name = "imap"

    def __init__(self, settings: Bounces, workspace: Path) -> None:
        self._settings = settings
        self._workspace = workspace

    def collect(self) -> int:
        """Keep what is unread; returns how many. Raises MailboxError, StorageError.

        When it is cut off, what is not marked yet is fetched again, which counts once.
        """
        settings = self._settings
        try:
            with self._session() as session:
                _ask(session.select(_quoted(settings.imap_folder)))
                (found,) = _ask(session.uid("SEARCH", "UNSEEN"))
                numbers = found.split()[:_MOST_AT_A_TIME] if isinstance(found, bytes) else []
                for number in numbers:
                    # PEEK leaves it unread; whoever is cut off here finds it again.
                    fetched = _ask(session.uid("FETCH", number.decode(), f"(BODY.PEEK[]<0.{LONGEST_MESSAGE}>)"))
                    data = next((part[1] for part in fetched if isinstance(part, tuple)), None)
                    if data is not None:
                        spool.keep_mail(self._workspace, data)
                    _ask(session.uid("STORE", number.decode(), "+FLAGS", r"(\Seen)"))
                return len(numbers)
        except (imaplib.IMAP4.error, OSError, ValueError) as error:
            if isinstance(error, CommsError):
                raise
            raise MailboxError(
                f"the mailbox at {settings.imap_host}:{settings.imap_port} can not be read: {error}",
                hint="See the keys that begin with imap_ under [bounces] in comms.toml. It is tried again.",
            ) from error

    @contextmanager
    def _session(self) -> Iterator[imaplib.IMAP4]:
        settings = self._settings
        host, port = settings.imap_host, settings.imap_port
        if settings.imap_security == "tls":
            session: imaplib.IMAP4 = imaplib.IMAP4_SSL(
                host, port, ssl_context=ssl.create_default_context(), timeout=_TIMEOUT_S
            )
        else:
            session = imaplib.IMAP4(host, port, timeout=_TIMEOUT_S)
        try:
            if settings.imap_security == "starttls":
                session.starttls(ssl.create_default_context())
            session.login(settings.imap_username, settings.imap_password)
            yield session
        finally:
            try:
                session.logout()
            except (imaplib.IMAP4.error, OSError):
                with suppress(OSError):
                    session.shutdown()  # which `logout` leaves undone when the server is gone


def _ask(answer: tuple[str, Sequence[object]]) -> Sequence[object]:
    """What the server answered. Raises imaplib.IMAP4.error when that was NO."""
    state, data = answer
    if state != "OK":
        raise imaplib.IMAP4.error(f"the server said {state}: {data!r}")
    return data


def _quoted(folder: str) -> str:
    """A folder's name as a quoted string (RFC 3501 section 4.3)."""
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
