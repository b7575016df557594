"""Substack's subscriber export: a CSV, or the ZIP that holds it as `email_list.<name>.csv`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from audiences.errors import ImportFileError
from audiences.importing import values, zips
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import SourceFile, source_file
from audiences.importing.layout import Layout, Record, Said, read_layout
from audiences.importing.rows import archived
from audiences.importing.sample import Kind, Sample, likeness
from audiences.models import Basis

NAME = "substack"
LABEL = "Substack"
_MARKS = ("active_subscription", "email_disabled", "first_payment_at", "prefer_digests")


def recognise(sample: Sample) -> float:
    if sample.kind is Kind.ZIP:
        return 0.95 if _lists(sample.members) else 0.0
    return likeness(sample, _MARKS, enough=2)


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    source = source_file(path)
    for table in _tables(source):
        yield from read_layout(_LAYOUT, table, now)


def _tables(source: SourceFile) -> list[SourceFile]:
    members = archived(source)
    if not members:
        return [source]
    lists = _lists(members)
    if not lists:
        raise ImportFileError(source.path, 0, "holds no email_list.<name>.csv; export the list from Substack again")
    return [zips.entry(source, name) for name in lists]


def _lists(members: tuple[str, ...]) -> list[str]:
    names = ((name, name.rpartition("/")[2].casefold()) for name in members)
    return [name for name, last in names if last.startswith("email_list.") and last.endswith(".csv")]


def _standing(record: Record) -> Said:
    """The export does not say how a reader came in (Substack imports lists too): so the basis is implied."""
    disabled = record.get("email_disabled")
    if values.is_flagged(disabled):
        return Said((record.withdrawal("", "e-mail disabled"),))
    if values.is_plain_no(disabled):
        return Said((record.grant(Basis.IMPLIED, record.get("created_at"), "e-mail enabled"),))
    return Said()


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=("email",),
    renamed={"created_at": "created", "first_payment_at": "first_payment"},
    dates=frozenset({"created", "first_payment", "expiry"}),
    dropped=frozenset({"email_disabled"}),
)
