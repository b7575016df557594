"""Templates on the command line, and what a campaign gives them."""

from __future__ import annotations

from tests.conftest import Comms

OWN = (
    "{# Ours. slots: year number, note text optional #}\n"
    "<mjml><mj-body><mj-section><mj-column><mj-text>{{ slots.year }} "
    "{{ association.postal_address }} <a href='{{ links.unsubscribe }}'>x</a></mj-text></mj-column></mj-section>"
    "</mj-body></mjml>"
)
CAMPAIGN = """---
campaign: call
title: Call
language: en
newsletter:
  subject: Call
  template: call-for-proposals
  slots:
    deadline: tomorrow
    amont: 5
---
# Call

Words.
"""


def test_the_list_shows_the_slots_of_ours_and_of_the_workspaces(comms: Comms) -> None:
    (comms.folder / "templates" / "report.mjml").write_text(OWN)
    listed = {row["name"]: row["slots"] for row in comms("template", "list", "--json").json()}
    assert listed["report"] == [
        {"name": "year", "type": "number", "label": "Year", "optional": False},
        {"name": "note", "type": "text", "label": "Note", "optional": True},
    ]
    assert listed["call-for-proposals"][0]["name"] == "deadline"
    shown = comms("template", "list").out
    assert "year: number" in shown
    assert "note: text, optional" in shown


def test_a_template_with_slots_is_compiled_and_linted_with_samples(comms: Comms) -> None:
    (comms.folder / "templates" / "report.mjml").write_text(OWN)
    assert comms("template", "lint", "report").code == 0
    assert "45" in comms("template", "compile", "report").out


def test_the_check_names_each_wrong_slot_at_its_line(comms: Comms) -> None:
    file = comms.folder / "campaigns" / "call.md"
    file.write_text(CAMPAIGN)
    result = comms("campaign", "check", str(file), "--json")
    found = {(problem["line"], problem["field"]) for problem in result.json()["problems"]}
    assert result.code == 1
    assert {(9, "newsletter.slots.deadline"), (10, "newsletter.slots.amont")} <= found


def test_a_typeface_that_is_none_is_refused_with_those_that_are(comms: Comms) -> None:
    result = comms("association", "edit", "coalition", "--typeface", "comic")
    assert result.code != 0
    assert "mixed, sans, serif" in result.out + result.err
    assert comms("association", "edit", "coalition", "--typeface", "serif", "--footer", "Charity 1").code == 0
