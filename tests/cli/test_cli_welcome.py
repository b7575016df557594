"""`comms association welcome`: what goes to who has just signed up, shown and switched off."""

from __future__ import annotations

from pathlib import Path

from command_line import comms


def test_the_welcome_is_shown_in_a_language_written_to_files_and_switched_off(tmp_path: Path) -> None:
    assert comms("init", "coalition", "--name", "Coalition", cwd=tmp_path).code == 0
    words = ("-w", "coalition", "association", "welcome", "coalition", "--language", "es", "--out", "shown")
    shown = comms(*words, "--off", "--json", cwd=tmp_path).json
    assert (shown["sent"], shown["language"]) == (False, "es")
    assert shown["subject"] == "Le damos la bienvenida a los boletines de Coalition"
    assert (tmp_path / "shown" / "welcome.txt").read_text() == shown["text"]
    assert 'lang="es"' in (tmp_path / "shown" / "welcome.html").read_text()
    own = tmp_path / "coalition" / "letters" / "coalition" / "welcome.md"
    own.parent.mkdir()
    own.write_text("No heading")
    answer = comms(*words[:5], cwd=tmp_path)
    assert answer.code == 2
    assert "welcome.md has no heading" in " ".join(answer.err.split())
