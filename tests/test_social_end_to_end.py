"""A campaign's post on X, through the whole program against a server that checks the signature: once, or in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Comms
from tests.support import fake_x, networks
from tests.support.processes import kill, of_workspace, wait_until

CAMPAIGN = """\
---
campaign: posted
title: Posted
language: en
feed:
  summary: A summary of {{ campaign.title }}.
social:
  x: "A plan for small collections. {{ url }}"
  mastodon: "A plan for small collections. {{ url }} #Libraries"
---

Dear {{ member.first_name or "reader" }}, here is the plan.
"""


@pytest.fixture
def x() -> Iterator[fake_x.FakeX]:
    with fake_x.running() as server:
        yield server


@pytest.fixture
def path(comms: Comms, x: fake_x.FakeX, tmp_path: Path) -> str:
    comms.environment |= {
        "COMMS_X__API_URL": x.url,
        "COMMS_X__API_KEY": fake_x.API_KEY,
        "COMMS_X__API_SECRET": fake_x.API_SECRET,
        "COMMS_X__ACCESS_TOKEN": fake_x.ACCESS_TOKEN,
        "COMMS_X__ACCESS_SECRET": fake_x.ACCESS_SECRET,
        "COMMS_SITE__URL": "https://news.example.org",
        "COMMS_DELIVERY__SENDERS": "1",
    }
    file = tmp_path / "campaign.md"
    file.write_text(CAMPAIGN)
    return str(file)


def posts(comms: Comms) -> dict[str, dict[str, str]]:
    return {post["network"]: post for post in comms("report", "posted", "--json").json()["posts"]}


def test_x_receives_one_signed_post_and_the_feed_one_entry(comms: Comms, x: fake_x.FakeX, path: str) -> None:
    done = comms("campaign", "send", path, "--yes", "--wait", "--json")
    assert done.code == 0, done.err
    utm = "utm_source=x&utm_medium=social&utm_campaign=posted"
    assert x.posts == [f"A plan for small collections. https://news.example.org/a/coalition/posted?{utm}"]
    made = posts(comms)
    assert made["x"]["state"] == "sent"
    assert made["x"]["url"].startswith("https://x.com/")
    assert made["mastodon"]["state"] == "simulated"
    assert "#Libraries" in next((comms.folder / "outbox").glob("*mastodon*")).read_text()
    assert comms("feed", "build", str(comms.folder / "feeds")).code == 0
    feed = (comms.folder / "feeds" / "coalition.atom").read_text()
    assert "A summary of Posted." in feed
    assert "Dear reader, here is the plan." in feed
    assert comms("campaign", "send", path, "--yes", "--wait").code == 1
    assert len(x.posts) == 1


def test_an_answer_that_never_came_leaves_the_post_unconfirmed_and_it_is_not_repeated(
    comms: Comms, x: fake_x.FakeX, path: str
) -> None:
    x.fault = "accept-then-drop"
    assert comms("campaign", "send", path, "--yes", "--wait").code == 0
    assert len(x.posts) == 1
    assert posts(comms)["x"]["state"] == "unconfirmed"


def test_a_sender_killed_while_x_has_the_post_leaves_it_unconfirmed(comms: Comms, x: fake_x.FakeX, path: str) -> None:
    x.fault = "hang"
    assert comms("campaign", "send", path, "--yes").code == 0
    run = comms.start("run")
    wait_until(lambda: x.requests == 1)
    kill(of_workspace(comms.folder))
    run.wait()
    x.released.set()
    x.fault = ""
    run = comms.start("run")
    comms.wait_until_sent("posted")
    run.terminate()
    assert run.wait(30) == 0
    assert x.requests == 1
    assert posts(comms)["x"]["state"] == "unconfirmed"


def test_a_control_process_killed_before_a_sender_began_posts_once(comms: Comms, x: fake_x.FakeX, path: str) -> None:
    """The row says `sending`, the task is lost with the queue: nobody began it, so it is safe to hand out again."""
    assert comms("campaign", "send", path, "--yes").code == 0
    comms.environment["COMMS_DELIVERY__SENDERS"] = "1"
    run = comms.start("run")
    wait_until(lambda: posts(comms)["x"]["state"] != "queued")
    kill(of_workspace(comms.folder))
    run.wait()
    for file in comms.folder.glob("queue.db*"):
        file.unlink()
    run = comms.start("run")
    comms.wait_until_sent("posted")
    run.terminate()
    assert run.wait(30) == 0
    assert len(x.posts) <= 1
    assert posts(comms)["x"]["state"] in ("sent", "unconfirmed")
    assert (posts(comms)["x"]["state"] == "sent") <= (len(x.posts) == 1)


def test_credentials_stand_in_no_log_report_or_queue(comms: Comms, x: fake_x.FakeX, path: str) -> None:
    comms.environment["COMMS_LOG"] = "1"
    x.reply = fake_x.problem(401, {"detail": f"bad {fake_x.API_SECRET}"})
    done = comms("campaign", "send", path, "--yes", "--wait", "--json")
    report = comms("report", "posted", "--json")
    assert posts(comms)["x"]["state"] == "failed"
    files = b"".join(file.read_bytes() for file in comms.folder.rglob("*") if file.is_file())
    for secret in (fake_x.API_SECRET, fake_x.ACCESS_SECRET):
        assert secret not in done.out + done.err + report.out
        assert secret.encode() not in files


def test_a_lost_answer_of_bluesky_is_found_again_by_the_program_itself(comms: Comms, tmp_path: Path) -> None:
    file = tmp_path / "campaign.md"
    file.write_text(CAMPAIGN.replace("  x:", "  bluesky:"))
    with networks.bluesky() as pds, networks.line_to(pds) as line:
        line.fault = "cut"
        comms.environment |= {
            "COMMS_BLUESKY__SERVICE": line.url,
            "COMMS_BLUESKY__HANDLE": networks.HANDLE,
            "COMMS_BLUESKY__APP_PASSWORD": networks.APP_PASSWORD,
            "COMMS_DELIVERY__SENDERS": "1",
            "COMMS_LOG": "1",
        }
        done = comms("campaign", "send", str(file), "--yes", "--wait", "--json")
        assert done.code == 0, done.err
        assert len(networks.records(pds)) == 1
        assert networks.counts(pds)["puts"] == 1
    assert posts(comms)["bluesky"]["state"] == "sent"
    assert posts(comms)["bluesky"]["url"].startswith("https://bsky.app/")
    files = b"".join(path.read_bytes() for path in comms.folder.rglob("*") if path.is_file())
    for secret in (networks.APP_PASSWORD, "refresh-1"):
        assert secret not in done.out + done.err
        assert secret.encode() not in files
