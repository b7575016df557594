"""How the command finds its workspace, and how it speaks of what went wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from command_line import comms
from hypothesis import given
from hypothesis import strategies as st

from comms.cli.app import hoist_workspace
from comms.engine.workspace import Workspace

COUNT = ("members", "count", "everyone", "--json")


# --- which workspace ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("-w", "coalition", *COUNT),
        ("members", "-w", "coalition", *COUNT[1:]),
        (*COUNT, "-w", "coalition"),
        (*COUNT, "-wcoalition"),
        (*COUNT, "--workspace", "coalition"),
        (*COUNT[:2], "--workspace=coalition", *COUNT[2:]),
    ],
)
def test_the_workspace_may_be_named_anywhere_in_the_command(folder: Path, words: tuple[str, ...]) -> None:
    answer = comms(*words, cwd=folder)
    assert set(answer.json) == {"count"}


def test_the_variable_names_the_workspace_and_the_option_goes_before_it(folder: Path) -> None:
    assert "count" in comms(*COUNT, cwd=folder, environment={"COMMS_WORKSPACE": "coalition"}).json
    assert "count" in comms(*COUNT, "-w", "coalition", cwd=folder, environment={"COMMS_WORKSPACE": "none"}).json
    refused = comms(*COUNT, cwd=folder, environment={"COMMS_WORKSPACE": "none"})
    assert refused.code == 2
    assert "is no workspace" in refused.json["error"]


def test_else_it_is_the_current_folder(folder: Path) -> None:
    assert "count" in comms(*COUNT, cwd=folder / "coalition").json
    refused = comms(*COUNT, cwd=folder)
    assert refused.code == 2
    assert "comms init" in refused.json["hint"]


@pytest.mark.parametrize(
    ("words", "hoisted"),
    [
        (["members", "count", "x"], ["members", "count", "x"]),
        (["members", "count", "x", "-w", "d"], ["-w", "d", "members", "count", "x"]),
        (["a", "--workspace=d", "b"], ["--workspace=d", "a", "b"]),
        (["a", "-wd", "b"], ["-wd", "a", "b"]),
        (["a", "-w"], ["-w", "a"]),
        (["a", "--wait", "--", "-w", "d"], ["a", "--wait", "--", "-w", "d"]),
        (["a", "--what", "b"], ["a", "--what", "b"]),
    ],
)
def test_only_the_workspace_option_moves_to_the_front(words: list[str], hoisted: list[str]) -> None:
    assert hoist_workspace(words) == hoisted


@given(st.lists(st.sampled_from(["a", "-w", "--workspace", "-wd", "--workspace=d", "--", "--json", ""])))
def test_moving_loses_no_word_and_is_done_once(words: list[str]) -> None:
    hoisted = hoist_workspace(words)
    assert sorted(hoisted) == sorted(words)
    assert hoist_workspace(hoisted) == hoisted


# --- what went wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("members",),
        ("members", "nonsense"),
        ("members", "count"),
        ("members", "count", "everyone", "--nonsense"),
        ("members", "import"),
        ("members", "import", "people.csv", "--source", "carrier-pigeon"),
        ("-w",),
        (),
    ],
)
def test_wrong_usage_is_exit_code_two(folder: Path, words: tuple[str, ...]) -> None:
    assert comms(*words, cwd=folder).code == 2


@pytest.mark.parametrize(
    "words",
    [
        ("members", "count", "everyone"),
        ("members", "show", "ada@example.org"),
        ("members", "import", "people.csv"),
        ("segments", "explain", "everyone"),
    ],
)
def test_an_unknown_association_is_wrong_usage_and_those_known_are_named(folder: Path, words: tuple[str, ...]) -> None:
    refused = comms("-w", "coalition", *words, "--association", "nobody", "--json", cwd=folder)
    assert refused.code == 2
    assert refused.json["error"] == "there is no association 'nobody'."
    assert "Known are: coalition." in refused.json["hint"]


@pytest.mark.parametrize("name", ["none.csv", ".", "coalition/host.db", "empty.csv"])
def test_a_file_that_can_not_be_imported_is_a_no_that_names_it(folder: Path, name: str) -> None:
    (folder / "empty.csv").write_text("")
    refused = comms("-w", "coalition", "members", "import", name, cwd=folder)
    assert refused.code == 1
    assert refused.err.startswith(f"error: {name}: ")
    assert refused.out == ""


def test_file_names_in_any_bytes_are_fine(folder: Path) -> None:
    named = os.fsencode(folder) + b"/caf\xe9.csv"
    with open(named, "w") as file:  # noqa: PTH123 - a name that is no text
        file.write("email\nzoe@example.org\n")
    imported = comms("-w", "coalition", "members", "import", named, "--json", cwd=folder)
    assert imported.code == 0
    assert comms("-w", "coalition", "members", "import", named + b"-none", cwd=folder).code == 1
    shown = comms("-w", "coalition", "members", "show", "zoe@example.org", "--json", cwd=folder).json
    assert shown["consent"][0]["source"] == "import of caf.csv, line 2"


@pytest.mark.parametrize(
    "words",
    [
        ("members", "count", b"state = \xff"),
        ("members", "show", b"\xff@example.org"),
        ("report", b"\xff"),
        ("association", "edit", "coalition", "--name", b"Caf\xe9"),
    ],
)
def test_words_that_are_no_text_get_an_answer(folder: Path, words: tuple[str | bytes, ...]) -> None:
    assert comms("-w", "coalition", *words, cwd=folder).code in (0, 1, 2)
    assert comms("-w", "coalition", *words, "--json", cwd=folder).json


def test_a_setting_that_can_not_be_used_is_wrong_usage(folder: Path) -> None:
    refused = comms(*COUNT, cwd=folder / "coalition", environment={"COMMS_SMTP__PROT": "25"})
    assert refused.code == 2
    assert refused.json["error"] == "COMMS_SMTP__PROT: no such key; did you mean port?"


def test_a_damaged_database_is_a_no_with_the_way_back(tmp_path: Path) -> None:
    comms("init", "broken", "--name", "Coalition", cwd=tmp_path)
    (tmp_path / "broken" / "host.db").write_bytes(b"no database" * 500)
    refused = comms("-w", "broken", *COUNT, cwd=tmp_path)
    assert refused.code == 1
    assert "comms restore" in refused.json["hint"]
    assert comms("-w", "broken", "doctor", cwd=tmp_path).code == 1


def test_a_place_that_can_not_be_written_is_named(folder: Path) -> None:
    refused = comms("-w", "coalition", "backup", "none/backup.tar.gz", "--json", cwd=folder)
    assert refused.code == 2
    assert "none is no folder" in refused.json["error"]
    refused = comms("-w", "coalition", "feed", "build", "people.csv/feeds", "--json", cwd=folder)
    assert refused.code == 1
    assert "people.csv" in refused.json["error"]


# --- backup and restore ---------------------------------------------------------------------------


def test_a_backup_is_restored_by_the_command(folder: Path) -> None:
    made = comms("-w", "coalition", "backup", "backup.tar.gz", "--json", cwd=folder)
    assert made.code == 0
    assert made.json["bytes"] == (folder / "backup.tar.gz").stat().st_size
    restored = comms("restore", "backup.tar.gz", "--into", "restored", "--json", cwd=folder)
    assert restored.code == 0
    assert restored.json["paused"] == []
    with Workspace(folder / "restored", environment={}) as workspace:
        assert workspace.association(None).slug == "coalition"
    assert comms("restore", "people.csv", "--into", "other", cwd=folder).code == 2
    assert not (folder / "other").exists()


def test_a_newsletter_can_be_looked_at_before_there_are_members(tmp_path: Path) -> None:
    assert comms("init", "new", "--name", "New", cwd=tmp_path).code == 0
    made = comms("campaign", "preview", "campaigns/welcome.md", "--out", "out", cwd=tmp_path / "new")
    assert made.code == 0, made.err
    assert b"To: reader@example.org" in next((tmp_path / "new" / "out").rglob("message.eml")).read_bytes()
