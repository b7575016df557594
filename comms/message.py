"""One e-mail to one person, before it is encoded. How it is encoded is `rendering/mime.py`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class MailFile:
    """A file that goes with every mail of an edition."""

    name: str
    media_type: str
    data: str
    """Its content in base64, on one line."""
    shown_at: str = ""
    """Of an image that the HTML shows: the address by which it does. Empty for a file that is attached."""

    @property
    def size(self) -> int:
        """Bytes, to within two."""
        return len(self.data) // 4 * 3

    @property
    def content_id(self) -> str:
        """What the HTML calls it (RFC 2392), without angle brackets: the same content, the same name."""
        return f"{hashlib.sha256(self.data.encode()).hexdigest()[:32]}@image.invalid"


@dataclass(frozen=True, slots=True)
class Message:
    """Text, no byte of which is encoded yet, and files.

    `recipient` and `sender_address` are addr-specs (`name@example.org`), `message_id` is with its
    angle brackets, `date` is aware, `headers` are further name-value pairs in the order to write them.
    """

    sender_name: str
    sender_address: str
    recipient: str
    subject: str
    html: str
    text: str
    message_id: str
    date: datetime
    language: str
    headers: tuple[tuple[str, str], ...] = ()
    files: tuple[MailFile, ...] = ()
