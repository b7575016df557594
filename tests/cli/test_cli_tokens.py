"""`comms relay tokenise`, `deal` and `match`, from two lists to two lists of whom to leave out; without a workspace."""

from __future__ import annotations

from pathlib import Path

from command_line import comms


def test_two_associations_find_whom_they_share_without_showing_anyone(tmp_path: Path) -> None:
    (tmp_path / "lake.csv").write_text("email\nana@example.org\nben@example.org\n")
    (tmp_path / "hill.csv").write_text("email\nANA@example.org\ncleo@example.org\nno address\n")
    made = comms("relay", "tokenise", "lake.csv", "--new-key", "--key-file", "key", "--out", "t/lake.csv", "--json",
                 cwd=tmp_path)  # fmt: skip
    assert made.code == 0
    assert made.json["tokens"] == 2
    again = comms("relay", "tokenise", "--new-key", "--key-file", "key", cwd=tmp_path)
    assert again.code == 1
    assert "exists already" in again.err

    other = comms("relay", "tokenise", "hill.csv", "--key-file", "key", "--out", "t/hill.csv", cwd=tmp_path)
    assert other.code == 0
    assert "hill.csv:4: refused" in other.out
    dealt = comms("relay", "deal", "t/lake.csv", "t/hill.csv", "--campaign", "c1", "--out", "a", "--json", cwd=tmp_path)
    assert dealt.json["people"] == 3

    left = 0
    for name in ("lake", "hill"):
        words = ("--answer", f"a/{name}-answer.csv", "--key-file", "key", "--out", f"{name}-exclude.csv", "--json")
        left += comms("relay", "match", f"{name}.csv", *words, cwd=tmp_path).json["leave"]
    assert left == 1
    excluded = "".join((tmp_path / f"{name}-exclude.csv").read_text().lower() for name in ("lake", "hill"))
    assert excluded.count("ana@example.org") == 1


def test_the_help_says_what_tokens_do_not_do(tmp_path: Path) -> None:
    help_ = comms("relay", "tokenise", "--help", cwd=tmp_path, environment={"COLUMNS": "200"}).out

    assert "tokens are not anonymous" in help_
    assert "test guesses" in help_
    assert comms("relay", "tokenise", "--key-file", "none", cwd=tmp_path).code == 2
