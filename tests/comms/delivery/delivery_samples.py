"""Batches small enough to read, that the tests of delivery share."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from audiences.models import Association
from comms.delivery.batches import MailBatch, Recipient
from comms.keys import WorkspaceKey
from comms.links import LinkSigner
from comms.rendering.edition import Edition

SIGNER = LinkSigner(WorkspaceKey(bytes(range(32))))
ASSOCIATION = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")
EDITION = Edition(
    campaign="spring",
    title="Spring",
    language="en",
    association="coalition",
    subject="Spring",
    preview="",
    html="<p>Dear {{ member.name }}</p>",
    text="Dear {{ member.name }}\n.\n.. two dots, then `From ` at the start:\nFrom us",
)


def recipient(delivery: int, name: str = "Ana", address: str = "") -> Recipient:
    attributes = json.dumps({"name": name} if name else {})
    return Recipient(delivery, address or f"p{delivery}@example.org", None, attributes, tracked=False)


def a_batch(recipients: Iterable[Recipient], *, port: int = 25, **changes: Any) -> MailBatch:
    """A batch for the mail server on `port`; `smtp` adds to its settings."""
    smtp = {"host": "127.0.0.1", "port": port, "timeout": 5.0, "connections": 1, **changes.pop("smtp", {})}
    values: dict[str, Any] = {
        "id": "batch-1",
        "run": 1,
        "association": ASSOCIATION,
        "campaign": {"id": "spring", "title": "Spring", "language": "en", "tags": []},
        "edition": EDITION.to_json(),
        "list_id": "newsletter.coalition.coalition.example",
        "url": "https://news.example.org/spring",
        "site_url": "https://news.example.org",
        "smtp": smtp,
        "recipients": tuple(recipients),
        "not_after": 4e9,
    }
    return MailBatch(**{**values, **changes})
