"""Ghost's member export."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from audiences.importing import values
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.layout import Layout, Record, Said, read_layout
from audiences.importing.sample import Sample, likeness
from audiences.models import Basis

NAME = "ghost"
LABEL = "Ghost"
_MARKS = (
    "subscribed_to_emails", "complimentary_plan", "stripe_customer_id", "deleted_at", "labels", "tiers", "gift_id",
)  # fmt: skip


def recognise(sample: Sample) -> float:
    return likeness(sample, _MARKS, enough=4)


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    return read_layout(_LAYOUT, source_file(path), now)


def _standing(record: Record) -> Said:
    """The export does not say how a member came in (Ghost imports lists too): so the basis is implied."""
    subscribed = record.get("subscribed_to_emails")
    if values.is_plain_no(subscribed):
        return Said((record.withdrawal("", "unsubscribed"),))
    if values.is_yes(subscribed) and not record.get("deleted_at"):
        return Said((record.grant(Basis.IMPLIED, record.get("created_at"), "subscribed"),))
    return Said()


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=("email",),
    identity="id",
    renamed={"created_at": "created", "note": "notes"},
    dates=frozenset({"created"}),
    tags={"labels": values.quoted_list},
    dropped=frozenset({"subscribed_to_emails", "stripe_customer_id", "deleted_at", "gift_id"}),
)
