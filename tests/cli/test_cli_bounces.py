"""`comms bounces accept` and `list`: returned mail taken in by hand, and what came back."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from command_line import Answer, comms

sys.path.insert(0, str(Path(__file__).parents[1] / "comms" / "engagement"))  # where a newsletter was sent

from returned_mail import dsn, vacation, verp
from sent_newsletter import Sent, add_member, make_workspace, save_campaign, send

BEN = "ben@example.org"


@pytest.fixture
def sent(tmp_path: Path) -> Sent:
    with make_workspace(tmp_path / "coalition") as workspace:
        add_member(workspace, "coalition", BEN)
        save_campaign(workspace, ["coalition"])
        newsletter = send(workspace, "coalition")
        box = tmp_path / "returned"
        box.mkdir()
        path = verp(workspace, "coalition", newsletter.deliveries[BEN])
        (box / "1.eml").write_bytes(dsn(BEN, to=path, words=f"550 5.1.1 <{BEN}> \x1b[31munknown"))
        (box / "2.eml").write_bytes(vacation(BEN, path))
        (box / "3.eml").write_bytes(dsn("lee@example.org"))
        return newsletter


def run(sent: Sent, *words: str) -> Answer:
    return comms("-w", "coalition", "bounces", *words, cwd=sent.workspace.folder.parent)


def test_mail_is_taken_in_by_hand_and_listed(sent: Sent) -> None:
    assert run(sent, "list", "--json").json == {"counts": {}, "newest": []}
    dry = run(sent, "accept", "returned", "--dry-run", "--json")
    assert run(sent, "list", "--json").json["counts"] == {}
    done = run(sent, "accept", "returned", "--json")
    assert done.code == 0
    assert done.json == dry.json
    assert [(row["effect"], row["class"], row["suppressed"]) for row in done.json] == [
        ("suppressed", "hard", "hard bounce"),
        ("ignored", "auto-reply", None),
        ("unmatched", "hard", None),
    ]
    assert run(sent, "list", "--json", "--days", "3650").json["counts"] == {"no-user": 1}


def test_people_read_it_without_control_characters(sent: Sent) -> None:
    shown = run(sent, "accept", "returned")
    assert "coalition, hosting-partner: not written to any more: hard bounce" in shown.out
    assert "not shown to be about a mail of ours" in shown.out
    listed = run(sent, "list", "--days", "3650")
    assert BEN in listed.out
    assert "\x1b[31m" not in shown.out + listed.out


def test_mail_that_is_about_nothing_of_ours_is_a_no(sent: Sent) -> None:
    refused = run(sent, "accept", "returned/3.eml", "--json")
    assert (refused.code, refused.json[0]["effect"]) == (1, "unmatched")
    assert run(sent, "accept", "none.eml").code == 1
    assert run(sent, "list", "--association", "nobody").code == 2


def test_the_address_that_it_was_returned_to_can_be_named(sent: Sent) -> None:
    with_path = verp(sent.workspace, "coalition", sent.deliveries[BEN])
    bounce = sent.workspace.folder.parent / "bare.eml"
    bounce.write_bytes(dsn(BEN, to="postmaster@example.org"))
    assert run(sent, "accept", "bare.eml", "--to", with_path, "--json").json[0]["effect"] == "suppressed"
