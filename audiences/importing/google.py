"""Google Contacts' export, in both generations of column names. It holds no consent: people are kept, not mailable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.layout import MAX_ADDRESSES, Layout, Record, Said, read_layout
from audiences.importing.sample import Kind, Sample

NAME = "google"
LABEL = "Google Contacts"
_ADDRESSES = tuple(f"e_mail_{number}_value" for number in range(1, MAX_ADDRESSES + 1))
_OWN_LABELS = frozenset({"mycontacts", "starred"})
"""Groups that Google makes itself."""


def recognise(sample: Sample) -> float:
    return 0.95 if sample.kind is Kind.TABLE and _ADDRESSES[0] in sample.columns else 0.0


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    return read_layout(_LAYOUT, source_file(path), now)


def _standing(_: Record) -> Said:
    return Said()


def _labels(cell: str) -> list[str]:
    labels = (label.strip().removeprefix("* ").strip() for label in cell.split(":::"))
    return [label for label in labels if label.casefold() not in _OWN_LABELS]


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=_ADDRESSES,
    renamed={
        "given_name": "first_name",
        "additional_name": "middle_name",
        "family_name": "last_name",
        "organization_name": "organization",
        "organization_1_name": "organization",
        "organization_title": "job_title",
        "organization_1_title": "job_title",
        "organization_department": "department",
        "phone_1_value": "phone",
    },
    dates=frozenset({"birthday"}),
    tags={"labels": _labels, "group_membership": _labels},
    dropped=frozenset(
        {"photo", "file_as", "phone_1_label", "phone_1_type"}
        | {f"e_mail_{number}_{kind}" for number in range(1, MAX_ADDRESSES + 1) for kind in ("label", "type")}
    ),
)
