"""One e-mail to one person, before it is encoded. How it is encoded is `rendering/mime.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Message:
    """Text only: no byte of it is encoded yet.

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
