"""Tables of places without any address: kept whole, never written to, and the same rows are the same places."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from importing_helpers import NOW, rows_of, said

from audiences.errors import ImportFileError
from audiences.importing import base, detect, mapping, plain
from audiences.importing.base import ImportResult, ImportRow
from audiences.store import People

LATER = NOW + timedelta(days=30)
TABLES = (
    ("museums_mudf_2014q3_public_rows.csv", 21_890),
    ("libraries_pls_fy2015_systems.csv", 9_251),
    ("archives_repodata_sample_ODbL.csv", 2_805),
    ("pls_fy2015_outlets_raw_head150.csv", 150),
)


def bring(people: People, path: Path, now: datetime = NOW) -> ImportResult:
    result = ImportResult()
    with people.db.atomic():
        for _ in base.apply(people, detect.read(path, now), now, result):
            pass
    return result


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "places.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.data
@pytest.mark.parametrize(("name", "number"), TABLES)
def test_a_public_table_without_addresses_is_taken_whole_and_once(
    people: People, data: Path, name: str, number: int
) -> None:
    with (data / name).open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    cleaned = {tuple(" ".join(cell.split()) for cell in row) for row in rows}
    assert len(rows) == number
    assert detect.detect(data / name) == [(plain.NAME, plain.WITHOUT_ADDRESSES)]

    first = bring(people, data / name)
    assert (first.added, first.updated, first.unchanged) == (len(cleaned), 0, number - len(cleaned))
    assert first.refused == []
    kept = list(people.select())
    assert all(member.address is None and len(member.attributes) <= len(header) for member in kept)

    again = bring(people, data / name, LATER)
    assert (again.added, again.updated, again.unchanged, again.refused) == (0, 0, number, [])
    assert people.count() == len(cleaned)


def test_two_rows_with_the_same_cells_are_one_place(people: People, tmp_path: Path) -> None:
    result = bring(people, write(tmp_path, "name,city\nIlanka,Cordova\nIlanka,Cordova\nIlanka,Eyak\n"))
    assert (result.added, result.updated, result.unchanged) == (2, 0, 1)


def test_a_place_in_a_directory_is_no_member_that_agreed_to_anything(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "name,city\nIlanka,Cordova\n"))
    assert [said(row.consents) for row in rows if isinstance(row, ImportRow)] == [[]]


def test_a_no_counts_in_a_table_without_addresses_too(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "name,city,unsubscribed\nIlanka,Cordova,yes\n"))
    assert [said(row.consents) for row in rows if isinstance(row, ImportRow)] == [["* withdrawn"]]


def test_streets_in_a_column_called_address_are_no_broken_addresses(people: People, tmp_path: Path) -> None:
    result = bring(people, write(tmp_path, "Name,Address\nIlanka,110 Nicholoff Way\nSheldon,\n"))
    assert (result.added, result.refused) == (2, [])
    assert [dict(m.attributes) for m in people.select()] == [
        {"name": "Ilanka", "address": "110 Nicholoff Way"},
        {"name": "Sheldon"},
    ]


def test_a_column_called_address_with_one_address_in_it_is_one_of_addresses(people: People, tmp_path: Path) -> None:
    result = bring(people, write(tmp_path, "Name,Address\nIlanka,110 Nicholoff Way\nAna,ana@example.org\n"))
    assert (result.added, len(result.refused)) == (1, 1)


@pytest.mark.parametrize("text", ["just one column\nx\n", "a,b\n", "a,b\n1,2,3\n", "<html>\n<p>Hello, all</p>\n"])
def test_what_hardly_is_a_table_is_not_taken_for_one(tmp_path: Path, text: str) -> None:
    assert detect.detect(write(tmp_path, text)) == []


def test_addresses_in_a_column_of_another_name_are_asked_for_and_not_lost(tmp_path: Path) -> None:
    path = write(tmp_path, "Nom,Contacter\nAna,ana@example.org\n")
    assert detect.detect(path) == []
    with pytest.raises(ImportFileError, match="mapping file"):
        rows_of(path)
    with pytest.raises(ImportFileError, match=r"no column is called email; rename the one that is, column 2"):
        rows_of(path, plain.NAME)


def test_the_guess_for_a_table_without_addresses_can_be_applied_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, "Name,Town\nIlanka,Cordova\n")
    file = tmp_path / "mapping.toml"
    file.write_text(mapping.guess(path), encoding="utf-8")
    (row,) = mapping.read(path, NOW, file)
    assert isinstance(row, ImportRow)
    assert (row.address, row.attributes, said(row.consents)) == (None, {"name": "Ilanka", "city": "Cordova"}, [])
