"""`comms feed correct` and `comms feed withdraw` on the command line."""

from __future__ import annotations

from tests.conftest import Comms

TEXT = """---
campaign: open-day
title: Open day
language: en
feed:
  summary: Come and see.
---

Come at nine.
"""


def test_an_entry_is_corrected_and_withdrawn_by_command_with_a_yes(comms: Comms) -> None:
    file = comms.folder / "campaigns" / "open-day.md"
    file.write_text(TEXT)
    assert comms("campaign", "send", str(file), "--wait", "--yes").code == 0
    file.write_text(TEXT.replace("nine", "ten"))
    correct = ("feed", "correct", "open-day", str(file), "--note", "At ten, not at nine.")
    shown = comms(*correct, "--dry-run")
    assert (shown.code, "coalition: the text of “Open day”" in shown.out) == (0, True)
    unanswered = comms(*correct)
    assert (unanswered.code, "--yes" in unanswered.err) == (2, True)
    done = comms(*correct, "--yes", "--json").json()
    assert (done["id"], done["dry_run"]) == ("open-day", False)
    assert [(each["association"], each["changed"]) for each in done["entries"]] == [("coalition", ["content"])]
    again = comms(*correct, "--yes", "--json")
    assert (again.code, again.json()) == (1, {"id": "open-day", "entries": []})
    withdraw = ("feed", "withdraw", "open-day", "--reason", "It does not take place.", "--yes")
    assert "1 entry withdrawn. Mails and posts that went out stay as they are." in comms(*withdraw).out
    refused = comms(*withdraw, "--json")
    assert (refused.code, "withdrawn already" in refused.json()["error"]) == (1, True)
