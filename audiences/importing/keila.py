"""Keila's contact export, in its own form and in the one for Excel. Data is JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.layout import Layout, Record, Said, read_layout
from audiences.importing.nested import parse_json
from audiences.importing.sample import Sample, likeness
from audiences.models import Basis

NAME = "keila"
LABEL = "Keila"


def recognise(sample: Sample) -> float:
    return likeness(sample, ("data", "status", "external_id"), enough=3)


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    return read_layout(_LAYOUT, source_file(path), now)


def _standing(record: Record) -> Said:
    """The export does not say how a contact came in (Keila imports lists too): so the basis is implied."""
    match record.said("status"):
        case "active":
            return Said((record.grant(Basis.IMPLIED, "", "active"),))
        case "unsubscribed":
            return Said((record.withdrawal("", "unsubscribed"),))
        case "unreachable":
            return Said(suppression="hard bounce")
        case _:
            return Said()


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=("email",),
    identity="external_id",
    nested={"data": parse_json},
    dropped=frozenset({"status"}),
)
