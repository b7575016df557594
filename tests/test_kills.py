"""Processes are killed in the middle of a send: nobody is lost, and whoever may have two copies is named."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Comms, MailServer
from tests.support.processes import kill, of_workspace, wait_until

CAMPAIGN = """\
---
campaign: killed
title: Killed
language: en
newsletter:
  subject: "Hello {{ member.name }}"
  preview: A preview
---

Dear {{ member.name }}, [read](https://example.org/).
"""
PEOPLE = 1000
KILLS = 10


@pytest.fixture
def ready(comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]) -> MailServer:
    """1,000 members, a campaign approved, and a mail server slow enough to be killed in front of."""
    people = tmp_path / "people.csv"
    people.write_text("email,name\n" + "".join(f"p{n}@example.org,Person {n}\n" for n in range(PEOPLE)))
    assert comms("members", "import", str(people)).code == 0
    (tmp_path / "campaign.md").write_text(CAMPAIGN)
    server = mail_server(delay=0.05)
    comms.environment |= {
        "COMMS_SMTP__PORT": str(server.port),
        "COMMS_DELIVERY__SENDERS": "2",
        "COMMS_DELIVERY__BATCH_SIZE": "100",
    }
    assert comms("campaign", "send", str(tmp_path / "campaign.md"), "--yes").code == 0
    return server


def check_nobody_lost(comms: Comms, server: MailServer, kills: int) -> None:
    """The server's own log against the ledger: all got it; who got two is named; no more than were on the wire."""
    report = comms("report", "killed", "--json").json()
    assert report["state"] == "sent"
    assert report["deliveries"]["sent"] == report["audience"] == PEOPLE
    copies = Counter(server.recipients())
    assert set(copies) == {f"p{n}@example.org" for n in range(PEOPLE)}, "somebody was lost"
    twice = {address: number - 1 for address, number in copies.items() if number > 1}
    doubted = Counter(case["address"] for case in report["in_doubt"])
    assert twice.keys() <= doubted.keys(), "a double that nobody was told of"
    assert all(number <= doubted[address] for address, number in twice.items())
    assert report["in_doubt"], "the kills hit nothing that was on the wire, so they prove nothing"
    connections = 2 * 4
    assert len(report["in_doubt"]) <= kills * connections
    by_address: dict[str, set[str]] = {}
    for record in server.taken():
        by_address.setdefault(record["to"], set()).add(record["message_id"])
    assert all(len(ids) == 1 for ids in by_address.values()), "a second copy must carry the same Message-ID"


@pytest.mark.slow
def test_killing_everything_ten_times_loses_nobody(comms: Comms, ready: MailServer) -> None:
    chance = random.Random(1)
    for _ in range(KILLS):
        run = comms.start("run")
        # The server may still be writing down what the killed ones gave it: what comes once all are up counts.
        wait_until(lambda: len(of_workspace(comms.folder)) >= 3)
        before = len(ready.taken())
        wait_until(lambda before=before: len(ready.taken()) > before + chance.randint(5, 60))
        assert kill(of_workspace(comms.folder)) >= 3
        run.wait()
    assert len(ready.taken()) < PEOPLE, "the kills came too late to prove anything"
    run = comms.start("run")
    comms.wait_until_sent("killed")
    run.terminate()
    assert run.wait(30) == 0
    check_nobody_lost(comms, ready, KILLS)


@pytest.mark.slow
def test_killing_a_sender_ten_times_loses_nobody(comms: Comms, ready: MailServer) -> None:
    chance = random.Random(2)
    run = comms.start("run")
    for _ in range(KILLS):
        before = len(ready.taken())
        wait_until(lambda before=before: len(ready.taken()) > before + chance.randint(5, 40))
        wait_until(lambda: of_workspace(comms.folder, "worker"))
        kill([chance.choice(of_workspace(comms.folder, "worker"))])
    assert len(ready.taken()) < PEOPLE, "the kills came too late to prove anything"
    comms.wait_until_sent("killed")
    run.terminate()
    assert run.wait(30) == 0
    check_nobody_lost(comms, ready, KILLS)


@pytest.mark.slow
def test_a_killed_send_goes_on_with_the_same_command(comms: Comms, ready: MailServer, tmp_path: Path) -> None:
    words = ("campaign", "send", str(tmp_path / "campaign.md"), "--yes", "--wait")
    process = comms.start(*words)
    wait_until(lambda: len(ready.taken()) > 100)
    kill(of_workspace(comms.folder))
    process.wait()
    done = comms(*words)
    assert done.code == 0, done.err
    check_nobody_lost(comms, ready, 1)


def test_an_emptied_queue_costs_nothing(comms: Comms, ready: MailServer) -> None:
    run = comms.start("run")
    wait_until(lambda: len(ready.taken()) > 50)
    kill(of_workspace(comms.folder))
    run.wait()
    for path in comms.folder.glob("queue.db*"):
        path.unlink()
    run = comms.start("run")
    comms.wait_until_sent("killed")
    run.terminate()
    assert run.wait(30) == 0
    check_nobody_lost(comms, ready, 1)
