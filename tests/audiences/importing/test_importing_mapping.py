"""Mapping files: guessed for a table nobody knows, filled in, and applied; what is wrong in one is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from importing_helpers import NOW, said

from audiences.errors import ImportFileError
from audiences.importing import detect, mapping
from audiences.importing.base import ImportRow, Refusal

TABLE = (
    'Kontakt;Vorname;Nachname;Kein Versand;Tags;Passwort;Leer;Kontakt\r\n'
    "ana@x.org;Ana;Reyes;;a, b;geheim;;x\r\nlee@x.org;Lee;Park;ja;;;;y\r\n"
)  # fmt: skip


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "liste.csv"
    path.write_text(TABLE, encoding="utf-8", newline="")
    return path


def apply(table: Path, text: str) -> list[ImportRow | Refusal]:
    file = table.with_name("mapping.toml")
    file.write_text(text, encoding="utf-8")
    return list(mapping.read(table, NOW, file))


def error(table: Path, text: str) -> str:
    with pytest.raises(ImportFileError) as refused:
        apply(table, text)
    return str(refused.value)


def test_an_unknown_table_is_no_source_and_its_error_says_what_to_do(table: Path) -> None:
    assert detect.detect(table) == []
    with pytest.raises(ImportFileError, match="mapping file"):
        list(detect.read(table, NOW))


def test_a_guess_shows_every_column_with_two_values(table: Path) -> None:
    text = mapping.guess(table)
    assert tomllib.loads(text) == {
        "columns": {
            "Kontakt": "address",
            "Vorname": "first_name",
            "Nachname": "last_name",
            "Kein Versand": "kein_versand",
            "Tags": "tags",
            "Passwort": "ignore",
            "Leer": "ignore",
            "Kontakt (2)": "kontakt",
        }
    }
    assert '"Kontakt" = "address"  # ana@x.org, lee@x.org' in text


def test_a_guess_can_be_filled_in_and_applied(table: Path) -> None:
    rows = apply(table, mapping.guess(table).replace('"kein_versand"', '"opted_out"'))
    people = {row.address: row for row in rows if isinstance(row, ImportRow)}
    assert said(people["ana@x.org"].consents) == ["* granted membership"]
    assert said(people["lee@x.org"].consents) == ["* withdrawn"]
    assert people["ana@x.org"].attributes == {"first_name": "Ana", "last_name": "Reyes", "kontakt": "x"}
    assert people["ana@x.org"].tags == ("a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[columns]\n"Vorname" = "address"\n"Nirgends" = "city"', "mapping.toml:3: column 'Nirgends' is no column of"),
        ('[columns]\nVorname = "address"\nKontakt = "address"', "2 columns are set to"),
        ('[columns]\nKontakt = "address"\nVorname = "x"\nNachname = "x"', ":4: column 'Nachname' is set to x, as"),
        ('[columns]\nKontakt = "address"\nVorname = 3', ":3: column 'Vorname' must be set to a word in quotes"),
        ('[columns]\nKontakt = "address"\nVorname = "!"', ":3: column 'Vorname' must be set to a word"),
        ('[columns]\nKontakt = "address"\nPasswort = "password"', ":3: column 'Passwort' can not be kept as password"),
        ('[columns]\nKontakt = "address', "mapping.toml:2: is no TOML"),
        ('Kontakt = "address"', "must hold one table, [columns], and nothing else"),
        ('[columns]\nKontakt = "address"\n[more]', "must hold one table"),
        ("columns = " + "[" * 100_000, "mapping.toml:"),
        ("#" * 1_000_001, "larger than 1,000,000 bytes"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(table: Path, text: str, message: str) -> None:
    assert message in error(table, text)


def test_a_mapping_file_that_is_missing_or_no_text_is_named(table: Path) -> None:
    with pytest.raises(ImportFileError, match=r"none\.toml: can not be read"):
        list(mapping.read(table, NOW, table.with_name("none.toml")))
    table.with_name("latin.toml").write_bytes(b"[columns]\n\xff")
    with pytest.raises(ImportFileError, match=r"latin\.toml: is no text"):
        list(mapping.read(table, NOW, table.with_name("latin.toml")))


@pytest.fixture(scope="module")
def shared_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mapping") / "table.csv"


cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters='",;\t|\r\n\0'), max_size=20)


@given(st.lists(cells, min_size=2, max_size=5), st.lists(st.lists(cells, max_size=5), max_size=3))
def test_every_guess_is_a_mapping_file_that_fits_its_table(
    shared_table: Path, header: list[str], rows: list[list[str]]
) -> None:
    people = [["a@x.org", *row] for row in rows] or [["a@x.org"]]
    lines = [["who is it", *header], *people]
    shared_table.write_text("\n".join(",".join(f'"{cell}"' for cell in row) for row in lines), "utf-8")
    file = shared_table.with_name("mapping.toml")
    file.write_text(mapping.guess(shared_table), encoding="utf-8")
    imported = list(mapping.read(shared_table, NOW, file))
    assert len(imported) >= len(people)
