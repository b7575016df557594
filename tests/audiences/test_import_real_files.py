"""Public files of libraries and museums, imported whole."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pytest
from audience_samples import NOW, counts, import_file

from audiences.store import People

LATER = NOW + timedelta(days=30)


def _with_addresses(source: Path, target: Path, address: Iterable[str]) -> int:
    """The table with an address column in front; returns its rows."""
    with source.open(newline="", encoding="utf-8") as reading, target.open("w", newline="", encoding="utf-8") as out:
        rows = csv.reader(reading)
        writer = csv.writer(out)
        writer.writerow(["email", *next(rows)])
        written = [writer.writerow([each, *row]) for row, each in zip(rows, address, strict=False)]
    return len(written)


@pytest.mark.data
def test_every_public_library_system_of_a_federal_survey_is_taken(people: People, tmp_path: Path, data: Path) -> None:
    source = data / "libraries_pls_fy2015_systems.csv"
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    path = tmp_path / "libraries.csv"
    assert _with_addresses(source, path, (f"director@{row['fscskey']}.example" for row in rows)) == len(rows) == 9_251
    assert counts(import_file(people, path)) == (len(rows), 0, 0, 0)
    for row, found in zip(rows, people.select(), strict=True):
        kept = {name: str(value) for name, value in found.attributes.items()}
        assert kept == {name: " ".join(cell.split()) for name, cell in row.items() if cell.strip()}
    assert counts(import_file(people, path, LATER)) == (0, 0, len(rows), 0)


@pytest.mark.data
def test_real_cells_with_line_breaks_keep_their_rows(people: People, tmp_path: Path, data: Path) -> None:
    path = tmp_path / "outlets.csv"
    addresses = (f"outlet{number}@example.org" for number in range(1_000))
    assert _with_addresses(data / "pls_fy2015_outlets_raw_head150.csv", path, addresses) == 150
    assert counts(import_file(people, path)) == (150, 0, 0, 0)
    first = next(people.select())
    assert first.attributes["location"] == "34020 NORTH FORK ROAD ANCHOR POINT AK (59.779667, -151.831591)"
    sources = [people.consent_log(m.id or 0)[0].source for m in people.select(limit=2)]
    assert sources == ["import of outlets.csv, line 2", "import of outlets.csv, line 5"]


@pytest.mark.data
def test_every_museum_of_a_federal_file_is_taken(people: People, tmp_path: Path, data: Path) -> None:
    source = data / "museums_mudf_2014q3_public_rows.csv"
    path = tmp_path / "museums.csv"
    number = _with_addresses(source, path, (f"museum{number}@example.org" for number in range(100_000)))
    assert number == 21_890
    assert counts(import_file(people, path)) == (number, 0, 0, 0)
