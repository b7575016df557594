"""Files made by hand, and what comes of them, for the tests of the importers."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from audiences.importing import detect
from audiences.importing.base import ImportRow, Refusal
from audiences.models import Consent

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)


def rows_of(path: Path, source: str = "auto") -> list[ImportRow | Refusal]:
    return list(detect.read(path, NOW, source))


def people_of(path: Path, source: str = "auto") -> dict[str | None, ImportRow]:
    """The people of a file by address; a refusal fails the test."""
    people: dict[str | None, ImportRow] = {}
    for row in rows_of(path, source):
        assert isinstance(row, ImportRow), row
        people[row.address] = row
    return people


def best(path: Path) -> str:
    """The surest source; no other may be as sure."""
    found = detect.detect(path)
    assert len(found) == 1 or found[0][1] > found[1][1], found
    return found[0][0]


def said(consents: Iterable[Consent]) -> list[str]:
    """Consents in short: `* granted express`."""
    return [" ".join(filter(None, (c.topic, c.state.value, c.basis and c.basis.value))) for c in consents]


def write_zip(path: Path, files: Mapping[str, str | bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path
