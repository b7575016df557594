"""Taking a list along, handing a membership over and letting old data go, as commands."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import sqlite3
import stat
from pathlib import Path

import pytest
from command_line import comms


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a workspace `coalition` that has three members."""
    assert comms("init", "coalition", "--name", "Coalition", cwd=tmp_path).code == 0
    (tmp_path / "people.csv").write_text(
        "email,first_name,library_name,consent\n"
        "ada@example.org,Ada,=Anytown,yes\nben@example.org,Ben,Bend,no\neva@example.org,Eva,Elko,\n"
    )
    assert comms("-w", "coalition", "members", "import", "people.csv", cwd=tmp_path).code == 0
    return tmp_path


def test_a_list_is_exported_and_imported_elsewhere(place: Path) -> None:
    made = comms("-w", "coalition", "members", "export-list", "list.csv", cwd=place)
    assert (made.code, made.out, made.err) == (0, "", "3 members written to list.csv\n")
    assert stat.S_IMODE((place / "list.csv").stat().st_mode) == 0o600
    comms("init", "second", "--name", "Second", cwd=place)
    taken = comms("-w", "second", "members", "import", "list.csv", "--json", cwd=place).json
    assert (taken["added"], taken["refused"], taken["source"]) == (3, [], "comms")
    shown = comms("-w", "second", "members", "show", "ada@example.org", "--json", cwd=place).json
    assert shown["attributes"]["library_name"] == "=Anytown"
    assert shown["mailable"]

    again = comms("-w", "coalition", "members", "export-list", "list.csv", "--json", cwd=place)
    assert again.code == 1
    assert again.json["error"] == "list.csv exists already."


def test_a_list_on_standard_output_is_a_list_and_nothing_else(place: Path) -> None:
    words = ("-w", "coalition", "members", "export-list", "-", "--segment", "first_name = Ada")
    made = comms(*words, cwd=place)
    (row,) = csv.DictReader(io.StringIO(made.out))
    assert (row["email"], row["library_name"], row["consent"]) == ("ada@example.org", "'=Anytown", "yes")
    assert made.err == "1 member written to standard output\n"
    assert comms(*words, "--json", cwd=place).code == 2


def test_a_mailchimp_zip_says_who_stands_where(place: Path) -> None:
    words = ("-w", "coalition", "members", "export-list", "audience.zip", "--format", "mailchimp", "--json")
    assert comms(*words, cwd=place).json == {
        "file": "audience.zip",
        "association": "coalition",
        "format": "mailchimp",
        "members": 3,
        "tables": {"subscribed": 1, "unsubscribed": 1, "cleaned": 0, "nonsubscribed": 1},
        "left_out": {},
    }


@pytest.mark.parametrize(
    ("words", "code", "error"),
    [
        (("list.csv", "--segment", "nonsense ="), 2, "expected a value"),
        (("none/list.csv",), 2, "none is no folder."),
        (("list.csv", "--association", "nobody"), 2, "there is no association 'nobody'."),
    ],
)
def test_an_export_that_can_not_be_is_said_in_one_line(
    place: Path, words: tuple[str, ...], code: int, error: str
) -> None:
    answer = comms("-w", "coalition", "members", "export-list", *words, "--json", cwd=place)
    assert answer.code == code
    assert error in answer.json["error"]


def test_a_succession_is_shown_first_and_done_with_yes(place: Path) -> None:
    words = ("-w", "coalition", "members", "succeed", "ada@example.org", "--set", "first_name=Zoe")
    shown = comms(*words, cwd=place)
    assert shown.code == 0
    assert "Would change" in shown.out
    assert "Nothing was done yet" in shown.out
    done = comms(*words, "--yes", "--json", cwd=place).json
    assert done["applied"]
    assert {"who": "successor", "field": "first_name", "before": "Ada", "after": "Zoe"} in done["changes"]
    after = comms("-w", "coalition", "members", "show", "ada@example.org", "--json", cwd=place).json
    assert after["attributes"] == {"first_name": "Zoe", "library_name": "=Anytown"}
    assert after["topics"]["tracking"] == "withdrawn"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("nobody@example.org",), 1),
        (("no address",), 1),
        (("ada@example.org", "--set", "nothing"), 2),
        (("ada@example.org", "--set", "email=x@example.org"), 1),
        (("ada@example.org", "--new-address", "ADA@example.org"), 2),
    ],
)
def test_a_succession_that_can_not_be_changes_nothing(place: Path, words: tuple[str, ...], code: int) -> None:
    assert comms("-w", "coalition", "members", "succeed", *words, "--yes", "--json", cwd=place).code == code


def test_old_data_are_counted_and_then_gone(place: Path) -> None:
    environment = {"COMMS_RETENTION__IMPORTS_DAYS": "1"}
    words = ("-w", "coalition", "retention")
    assert comms(*words, cwd=place).out == "Nothing is older than the settings allow.\n"
    database = place / "coalition" / "associations" / "coalition.db"
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE import SET at = '2020-01-01T00:00:00+00:00'")
    would = comms(*words, "--dry-run", "--json", cwd=place, environment=environment).json
    assert would == {"associations": {"coalition": {"imports": 3}}, "dry_run": True}
    gone = comms(*words, cwd=place, environment=environment).out
    assert "members as they were before an import" in gone
    listed = comms("-w", "coalition", "members", "imports", cwd=place).out
    assert "can not be any more" in listed
    refused = comms("-w", "coalition", "members", "undo-import", "1", "--json", cwd=place)
    assert refused.code == 1
    assert json.loads(refused.out)["error"] == "coalition has no import 1 that could be undone."


def test_a_table_without_addresses_is_kept_and_said_to_be_one(place: Path) -> None:
    (place / "museums.csv").write_text("name,city\nIlanka,Cordova\nSheldon,Haines\n")
    taken = comms("-w", "coalition", "members", "import", "museums.csv", "--json", cwd=place).json
    assert (taken["added"], taken["refused"], taken["without_address"]) == (2, [], 2)
    assert taken["sureness"] == 0.2
    said = comms("-w", "coalition", "members", "import", "museums.csv", cwd=place).out
    assert "0 added, 0 updated, 2 unchanged, 0 refused" in said
    assert "no column holds e-mail addresses" in said
    (place / "mixed.csv").write_text("name,email\nIlanka,\nAna,ana@example.org\n")
    said = comms("-w", "coalition", "members", "import", "mixed.csv", cwd=place).out
    assert "1 row has no e-mail address" in said
