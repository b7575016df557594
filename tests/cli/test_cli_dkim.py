"""Keys to sign mail with, as commands: made, published, put to use."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from command_line import comms

AT = ("-w", "coalition")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a workspace `coalition`."""
    made = comms("init", "coalition", "--name", "Coalition", "--from", "news@bücher.example.org", cwd=tmp_path)
    assert made.code == 0
    return tmp_path


def test_a_key_is_made_shown_and_put_to_use(place: Path) -> None:
    assert comms(*AT, "dkim", "show", "--json", cwd=place).json == []
    assert comms(*AT, "dkim", "show", cwd=place).code == 1
    made = comms(*AT, "dkim", "create", "--json", cwd=place).json
    assert made["name"] == "comms._domainkey.xn--bcher-kva.example.org"
    assert made["record"].startswith("v=DKIM1; k=rsa; p=MII")
    assert made["in_use"] is False
    shown = comms(*AT, "dkim", "show", cwd=place)
    assert shown.code == 0
    strings = shown.out.split('"')[1::2]
    assert "".join(strings) == made["record"]
    assert all(len(text) <= 255 for text in strings)
    used = comms(*AT, "dkim", "use", "comms", "--json", cwd=place).json
    assert [state["in_use"] for state in used] == [True]
    assert [state["in_use"] for state in comms(*AT, "dkim", "use", "--json", cwd=place).json] == [False]


def test_the_private_key_is_sealed_on_disk_and_never_printed(place: Path) -> None:
    made = comms(*AT, "dkim", "create", "--json", cwd=place)
    (file,) = (place / "coalition" / "dkim").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert b"PRIVATE" not in file.read_bytes()
    assert "PRIVATE" not in made.out + comms(*AT, "dkim", "show", cwd=place).out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("create", "--selector", "No.Dots"), 2, "can not be a selector"),
        (("create", "--selector", "comms"), 2, "has a key with the selector"),
        (("use", "missing"), 2, "There are: comms, ed"),
        (("use", "ed"), 1, "few"),
        (("create", "--kind", "dsa"), 2, "dsa"),
    ],
)
def test_what_can_not_be_is_said(place: Path, words: tuple[str, ...], code: int, said: str) -> None:
    assert comms(*AT, "dkim", "create", cwd=place).code == 0
    assert comms(*AT, "dkim", "create", "--selector", "ed", "--kind", "ed25519", cwd=place).code == 0
    answer = comms(*AT, "dkim", *words, cwd=place)
    assert answer.code == code
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_keys_of_another_workspace_are_refused_in_words(place: Path) -> None:
    assert comms(*AT, "dkim", "create", cwd=place).code == 0
    (file,) = (place / "coalition" / "dkim").iterdir()
    file.write_bytes(b"x" * 100)
    answer = comms(*AT, "dkim", "show", cwd=place)
    assert (answer.code, "can not be read" in answer.err) == (1, True)
