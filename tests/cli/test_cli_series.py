"""A campaign that repeats, on the command line: the next five times, one yes, and what can be done with the series."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import Answer, comms

from audiences.models import Association
from comms.engine.setup import create_workspace

CAMPAIGN = """\
---
campaign: weekly-news
title: News of the week
language: en
newsletter:
  subject: News of the week
  preview: A preview
schedule:
  at: 2100-03-01 09:00
  timezone: America/Denver
  repeat: weekly
---

Dear reader, this is the news.
"""
NEXT = ["2100-03-01 09:00", "2100-03-08 09:00", "2100-03-15 09:00", "2100-03-22 09:00", "2100-03-29 09:00"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    host = Association("coalition", "Coalition", "news@coalition.org", "1 Main Street")
    create_workspace(tmp_path / "coalition", host).close()
    (tmp_path / "people.csv").write_text("email,consent\nada@readers.org,yes\n")
    (tmp_path / "news.md").write_text(CAMPAIGN)
    return tmp_path


def run(folder: Path, *words: str) -> Answer:
    return comms(*words, cwd=folder, environment={"COMMS_WORKSPACE": "coalition"})


def test_a_series_is_checked_planned_approved_paused_and_cancelled(folder: Path) -> None:
    assert run(folder, "members", "import", "people.csv").code == 0
    for command in ("check", "plan"):
        answer = run(folder, "campaign", command, "news.md", "--json")
        assert (answer.code, [each["wall"] for each in answer.json["occurrences"]]) == (0, NEXT)
        assert "next: Monday 2100-03-29 09:00" in run(folder, "campaign", command, "news.md").out
    refused = run(folder, "campaign", "schedule", "news.md")
    assert (refused.code, "--yes" in refused.err) == (2, True)

    approved = run(folder, "campaign", "schedule", "news.md", "--yes", "--json")

    assert approved.json["state"] == "repeating"
    assert [each["wall"] for each in approved.json["next"]] == NEXT
    assert approved.json["next"][2]["at"] == "2100-03-15T15:00:00+00:00", "clocks went forward on the fourteenth"
    assert (approved.json["audience"], approved.json["deliveries"]["sent"]) == (0, 0)
    assert run(folder, "campaign", "list", "--json").json[0]["id"] == "weekly-news"
    assert run(folder, "campaign", "send", "news.md", "--yes").code == 2
    assert run(folder, "campaign", "status", "weekly-news", "--follow").code == 2
    for action, state in (("pause", "paused"), ("resume", "repeating"), ("cancel", "cancelled")):
        words = ("campaign", action, "weekly-news", "--json", *(["--yes"] if action == "cancel" else []))
        assert run(folder, *words).json["state"] == state
    over = run(folder, "campaign", "resume", "weekly-news", "--json")
    assert (over.code, set(over.json)) == (1, {"error", "hint"})
    assert run(folder, "campaign", "status", "weekly-news").out.startswith("weekly-news: cancelled")


def test_an_association_gets_a_send_window_and_a_bad_one_is_refused_with_the_way_to_write_it(folder: Path) -> None:
    edited = run(folder, "association", "edit", "coalition", "--send-window", "mon-fri 08:00-18:00", "--json")
    assert edited.json["send_window"] == "mon-fri 08:00-18:00"
    refused = run(folder, "association", "edit", "coalition", "--send-window", "9 to 5")
    assert refused.code == 2
    assert "Mon-Fri 08:00-18:00" in refused.err
    assert run(folder, "association", "edit", "coalition", "--send-window", "", "--json").json["send_window"] == ""


def test_the_plan_of_a_digest_says_in_words_who_gets_none_of_it(folder: Path) -> None:
    section = "::: feed own\ntopic: jobs\nsince: last\n:::\n"
    (folder / "news.md").write_text(CAMPAIGN.replace("Dear reader, this is the news.", section))
    assert run(folder, "members", "import", "people.csv").code == 0
    plan = run(folder, "campaign", "plan", "news.md")
    assert "nothing new in the topics they follow" in plan.out
    assert run(folder, "campaign", "plan", "news.md", "--json").json["newsletters"][0]["excluded"] == {"nothing_new": 1}
