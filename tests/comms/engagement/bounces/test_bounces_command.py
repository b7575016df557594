"""`comms bounces read`: files, folders, maildirs, mbox files and standard input, as tables and as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bounce_samples import dsn, letter, notice

GONE = dsn(
    "Final-Recipient: rfc822; ann@library.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 gone"
)
FULL = notice("<ben@archive.example>:\n552 5.2.2 mailbox full")


def run(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "comms", "bounces", "read", *words], input=stdin, capture_output=True, timeout=60
    )
    assert b"Traceback" not in done.stdout + done.stderr, done.stderr
    return done


def seen(done: subprocess.CompletedProcess[bytes]) -> list[tuple[str | None, str]]:
    return [(row["recipient"], row["class"]) for row in json.loads(done.stdout)]


def test_json_has_one_object_a_recipient_with_the_promised_keys(tmp_path: Path) -> None:
    file = tmp_path / "a.eml"
    file.write_bytes(GONE)

    done = run(str(file), "--json")

    (row,) = json.loads(done.stdout)
    promised = {name: row[name] for name in ("file", "recipient", "class", "status", "reason", "kind")}
    assert done.returncode == 0
    assert promised == {
        "file": str(file),
        "recipient": "ann@library.example",
        "class": "hard",
        "status": "5.1.1",
        "reason": "550 gone",
        "kind": "no-user",
    }


def test_a_mail_that_names_nobody_has_an_object_without_recipient(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(letter("Re: News", "Thank you!"))

    assert seen(run(str(tmp_path / "a.eml"), "--json")) == [(None, "none")]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_an_mbox_gives_each_of_its_messages(tmp_path: Path, end: bytes) -> None:
    line = b"From MAILER-DAEMON Thu Apr 29 23:34:45 2027\n"
    mbox = b"".join(line + message + b"\n\n" for message in (GONE, FULL))
    (tmp_path / "box").write_bytes(mbox.replace(b"\n", end))

    assert seen(run(str(tmp_path / "box"), "--json")) == [
        ("ann@library.example", "hard"),
        ("ben@archive.example", "soft"),
    ]


@pytest.mark.parametrize("inner", ["", "new"])
def test_a_folder_and_a_maildir_give_what_lies_in_them(tmp_path: Path, inner: str) -> None:
    for box in ("cur", "new", "tmp") if inner else ():
        (tmp_path / box).mkdir()
    (tmp_path / inner / "1.eml").write_bytes(GONE)
    (tmp_path / inner / ".hidden").write_bytes(FULL)

    assert seen(run(str(tmp_path), "--json")) == [("ann@library.example", "hard")]


def test_standard_input_is_read_as_a_file() -> None:
    assert seen(run("-", "--json", stdin=FULL)) == [("ben@archive.example", "soft")]


def test_a_file_that_can_not_be_read_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(GONE)
    (tmp_path / "empty.eml").write_bytes(b"")

    done = run(str(tmp_path / "missing.eml"), str(tmp_path / "empty.eml"), str(tmp_path / "a.eml"), "--json")

    assert done.returncode == 1
    assert seen(done) == [("ann@library.example", "hard")]
    assert b"missing.eml: no such file or directory" in done.stderr
    assert b"empty.eml: it is empty" in done.stderr


def test_the_text_shows_each_recipient_and_counts_the_classes(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(GONE)
    (tmp_path / "b.eml").write_bytes(FULL)

    shown = run(str(tmp_path)).stdout.decode()

    assert "ann@library.example" in shown
    assert "2 recipients: 1 hard, 1 soft" in shown
