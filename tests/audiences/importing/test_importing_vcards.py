"""vCards of all three versions: folding, escapes, quoted-printable, and which of several addresses is the one."""

from __future__ import annotations

from pathlib import Path

import pytest
from importing_helpers import best, people_of, rows_of

from audiences.importing.base import ImportRow, Refusal


def write(folder: Path, *lines: str, encoding: str = "utf-8", ending: str = "\r\n") -> Path:
    path = folder / "people.vcf"
    path.write_bytes((ending.join(lines) + ending).encode(encoding))
    return path


def card(*lines: str, version: str = "3.0") -> list[str]:
    return ["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD"]


def only(path: Path) -> ImportRow:
    (row,) = people_of(path).values()
    return row


def test_version_2_1_with_quoted_printable_over_several_lines(tmp_path: Path) -> None:
    lines = card(
        "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:N=FA=F1ez;Jos=",
        "=E9",
        "FN;QUOTED-PRINTABLE:Jos=C3=A9 =",
        "N=C3=BA=C3=B1ez",
        "EMAIL;INTERNET:other@x.org",
        "EMAIL;PREF;INTERNET:jose@x.org",
        "EMAIL;X400:c=us;a=x",
        "ADR;WORK:;;1 Main St;El Paso;TX;79901;USA",
        version="2.1",
    )
    path = write(tmp_path, *lines)
    assert best(path) == "vcard"
    person = only(path)
    assert person.address == "jose@x.org"
    assert person.attributes == {
        "last_name": "Núñez",
        "first_name": "José",
        "name": "José Núñez",
        "street": "1 Main St",
        "city": "El Paso",
        "state": "TX",
        "postal_code": 79901,
        "country": "USA",
        "other_addresses": "other@x.org",
    }
    assert person.consents == ()


def test_version_3_0_with_folding_groups_and_escapes(tmp_path: Path) -> None:
    lines = card(
        "n:Reyes;Ana;María;Dr.;",
        "FN:Ana",
        "  Reyes",
        "item1.EMAIL;TYPE=INTERNET,HOME:home@x.org",
        'item2.EMAIL;type="INTERNET,WORK";TYPE=pref:ana@',
        "\tx.org",
        r"ORG:Library\; Archive\, Inc.;Adult services",
        r"NOTE:one\ntwo\, three\\",
        "CATEGORIES:a,b\\, c",
        "CATEGORIES:d",
        "UID:urn:uuid:1",
        "PHOTO;ENCODING=b:" + "A" * 300_000,
    )
    person = only(write(tmp_path, *lines))
    assert person.address == "ana@x.org"
    assert person.attributes == {
        "last_name": "Reyes",
        "first_name": "Ana",
        "middle_name": "María",
        "name": "Ana Reyes",
        "organization": "Library; Archive, Inc.",
        "department": "Adult services",
        "notes": "one two, three\\",
        "other_addresses": "home@x.org",
    }
    assert person.tags == ("a", "b, c", "d")
    assert person.external_id == "vcard:urn:uuid:1"


def test_version_4_0_with_preferences_language_and_zone(tmp_path: Path) -> None:
    lines = card(
        "FN:Bo", "EMAIL;PREF=50:b@x.org", "EMAIL;PREF=1:mailto:a@x.org", "LANG:es-MX", "TZ;VALUE=text:America/Denver",
        "TITLE:Curator", "TEL;VALUE=uri:tel:+1-555", version="4.0",
    )  # fmt: skip
    person = only(write(tmp_path, *lines, ending="\n"))
    assert (person.address, person.language, person.timezone) == ("a@x.org", "es-MX", "America/Denver")
    assert person.attributes["job_title"] == "Curator"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_every_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    person = only(write(tmp_path, *card("FN:Zoë", "EMAIL:z@x.org"), encoding=encoding))
    assert person.attributes == {"name": "Zoë"}


def test_a_card_without_address_is_kept_and_an_empty_one_is_not(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, *card("FN:Mo"), *card("UID:1"), *card("FN:X", "EMAIL:no address")))
    kept, empty, bad = rows
    assert isinstance(kept, ImportRow)
    assert (kept.address, kept.external_id.startswith("vcard:")) == (None, True)
    assert isinstance(empty, Refusal)
    assert isinstance(bad, Refusal)
    assert (empty.line, bad.line) == (5, 9)


def test_a_card_inside_a_card_a_bad_line_and_a_cut_off_card_are_seen(tmp_path: Path) -> None:
    inside = ["AGENT:", *card("FN:Agent", "EMAIL:agent@x.org")]
    rows = rows_of(write(tmp_path, *card("FN:Ana", *inside, "no property", "EMAIL:a@x.org"), "", "BEGIN:VCARD", "FN:Z"))
    assert [(type(row).__name__, row.line) for row in rows] == [("Refusal", 10), ("ImportRow", 1), ("Refusal", 14)]
    person = rows[1]
    assert isinstance(person, ImportRow)
    assert (person.address, person.attributes) == ("a@x.org", {"name": "Ana"})
