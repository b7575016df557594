"""Buttondown's subscriber export. Metadata is a dict of Python in single quotes, not JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from audiences.importing import values
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.layout import Layout, Record, Said, read_layout
from audiences.importing.nested import parse_literal
from audiences.importing.sample import Sample, likeness
from audiences.models import Basis

NAME = "buttondown"
LABEL = "Buttondown"
_MARKS = (
    "secondary_id", "subscriber_type", "referrer_url", "creation_date", "ip_address", "subscription_date",
    "unsubscription_date", "metadata",
)  # fmt: skip
_SUBSCRIBED = frozenset({"regular", "premium", "gifted", "trialed", "churning", "churned", "past_due", "paused"})
_SUPPRESSED = {
    "undeliverable": "hard bounce",
    "bounced": "hard bounce",
    "complained": "complaint",
    "blocked": "blocklisted",
    "spammy": "blocklisted",
    "malicious": "blocklisted",
}


def recognise(sample: Sample) -> float:
    return likeness(sample, _MARKS, enough=4)


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    return read_layout(_LAYOUT, source_file(path), now)


def _standing(record: Record) -> Said:
    """Buttondown records when and from where somebody subscribed; who did not confirm is `unactivated`."""
    kind, left = record.said("subscriber_type"), record.get("unsubscription_date")
    suppression = _SUPPRESSED.get(kind)
    if left or kind in ("unsubscribed", "removed") or suppression in ("complaint", "blocklisted"):
        return Said((record.withdrawal(left, kind),), suppression)
    if suppression:
        return Said(suppression=suppression)
    if kind not in _SUBSCRIBED:
        return Said()
    when = record.get("subscription_date")
    basis = Basis.EXPRESS if when and record.get("ip_address") else Basis.IMPLIED
    return Said(
        (record.grant(basis, when, *record.facts(("subscribed", "subscription_date"), ("from", "ip_address"))),)
    )


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=("email",),
    identity="id",
    renamed={"creation_date": "created"},
    dates=frozenset({"created"}),
    tags={"tags": values.split_at("[;,]")},
    nested={"metadata": parse_literal},
    dropped=frozenset(
        {"secondary_id", "subscriber_type", "ip_address", "subscription_date", "unsubscription_date", "referrer_url"}
    ),
)
