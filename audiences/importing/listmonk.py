"""listmonk's subscriber export. Attributes are JSON; a blocklisted person stays one, unlike in its own import."""

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

NAME = "listmonk"
LABEL = "listmonk"


def recognise(sample: Sample) -> float:
    known = likeness(sample, ("uuid", "attributes", "status", "email", "name"), enough=5)
    return known if "attributes" in sample.columns else 0.0


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the export. Raises ImportFileError."""
    return read_layout(_LAYOUT, source_file(path), now)


def _standing(record: Record) -> Said:
    """The export says who may be written to at all, not who confirmed which list: so the basis is implied."""
    match record.said("status"):
        case "enabled":
            return Said((record.grant(Basis.IMPLIED, record.get("created_at"), "enabled"),))
        case "blocklisted" | "blacklisted":
            return Said((record.withdrawal(record.get("updated_at"), "blocklisted"),), "blocklisted")
        case "disabled":
            return Said((record.withdrawal(record.get("updated_at"), "disabled"),))
        case _:
            return Said()


_LAYOUT = Layout(
    name=NAME,
    label=LABEL,
    standing=_standing,
    address=("email",),
    identity="uuid",
    renamed={"created_at": "created"},
    dates=frozenset({"created"}),
    nested={"attributes": parse_json},
    dropped=frozenset({"status", "updated_at"}),
)
