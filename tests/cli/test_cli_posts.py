"""`comms campaign posts`, through the whole program: a lost answer of LinkedIn, an edit, a deletion."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import Comms
from tests.support import fake_linkedin, networks

CAMPAIGN = """\
---
campaign: posted
title: Posted
language: en
feed:
  summary: A summary.
social:
  linkedin: "A plan (for small_collections). {{ url }} #Archives"
---

Here is the plan.
"""


def test_a_post_is_found_again_by_the_program_changed_and_deleted_by_command(comms: Comms, tmp_path: Path) -> None:
    file = tmp_path / "campaign.md"
    file.write_text(CAMPAIGN)
    with fake_linkedin.running() as page, networks.line_to(page.url) as line:
        line.fault = "cut"
        comms.environment |= {
            "COMMS_LINKEDIN__API_URL": line.url,
            "COMMS_LINKEDIN__OAUTH_URL": page.url,
            "COMMS_LINKEDIN__ORGANIZATION": fake_linkedin.ORGANIZATION,
            "COMMS_LINKEDIN__ACCESS_TOKEN": fake_linkedin.ACCESS_TOKEN,
            "COMMS_SITE__URL": "https://news.example.org",
            "COMMS_DELIVERY__SENDERS": "1",
            "COMMS_LOG": "1",
        }
        done = comms("campaign", "send", str(file), "--yes", "--wait", "--json")
        assert done.code == 0, done.err
        utm = "utm_source=linkedin&utm_medium=social&utm_campaign=posted"
        url = f"https://news.example.org/a/coalition/posted?{utm}"
        assert page.texts == [f"A plan (for small_collections). {url} #Archives"]
        assert page.posts[0].content["article"]["source"] == url
        (post,) = comms("campaign", "posts", "posted", "--json").json()["posts"]
        assert (post["state"], post["network"], post["text"]) == ("sent", "linkedin", page.texts[0])
        assert post["url"] == f"https://www.linkedin.com/feed/update/{page.posts[0].urn}"
        number = str(post["number"])

        for words in (("--edit", number), ("--edit", number, "--delete", number), ("--dry-run",), ("--text", "a")):
            assert comms("campaign", "posts", "posted", *words).code == 2
        unanswered = comms("campaign", "posts", "posted", "--edit", number, "--text", "Another plan.")
        assert (unanswered.code, "--yes" in unanswered.err) == (2, True)
        edited = comms("campaign", "posts", "posted", "--edit", number, "--text", "Another plan.", "--yes")
        assert edited.code == 0, edited.err
        assert page.texts == ["Another plan."]

        would = comms("campaign", "posts", "posted", "--delete", number, "--dry-run")
        assert (would.code, "1 post would be deleted" in would.out) == (0, True)
        assert page.texts == ["Another plan."]
        gone = comms("campaign", "posts", "posted", "--delete", number, "--yes", "--json")
        assert [each["state"] for each in gone.json()["posts"]] == ["deleted"]
        assert page.texts == []
        refused = comms("campaign", "posts", "posted", "--again", number, "--yes")
        assert (refused.code, "is deleted, so it is not posted again" in refused.err) == (1, True)
        assert "deleted" in comms("report", "posted").out
    files = b"".join(path.read_bytes() for path in comms.folder.rglob("*") if path.is_file())
    assert fake_linkedin.ACCESS_TOKEN not in done.out + done.err
    assert fake_linkedin.ACCESS_TOKEN.encode() not in files
