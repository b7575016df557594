"""A relay whose processes are killed, and one that is recalled while it goes out, with the real command."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from comms.engine.workspace import Workspace
from tests.conftest import Comms, MailServer
from tests.support.processes import kill, of_workspace, wait_until

OFFER = """\
---
campaign: partner
title: We seek a partner
language: en
newsletter:
  subject: Could you host us?
  preview: Proposals are welcome
feed:
  summary: The Coalition seeks a partner.
relay:
  associations: all
---

Dear colleague, the Coalition seeks a partner.
"""
SHARED = [f"both{n}@example.org" for n in range(120)]
LISTS = {slug: [*(f"{slug}{n}@example.org" for n in range(40)), *SHARED] for slug in ("maine", "ohio")}
EVERYBODY = {*LISTS["maine"], *LISTS["ohio"]}


@pytest.fixture
def server(comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]) -> MailServer:
    """Two associations that have accepted a campaign, and a mail server that takes its time."""
    server = mail_server(delay=0.05)
    comms.environment |= {
        "COMMS_SMTP__PORT": str(server.port), "COMMS_SMTP__CONNECTIONS": "1", "COMMS_DELIVERY__SENDERS": "2",
        "COMMS_DELIVERY__BATCH_SIZE": "10",
    }  # fmt: skip
    for slug, addresses in LISTS.items():
        added = comms(
            "association", "add", slug, "--name", f"{slug.title()} Libraries", "--from", f"news@{slug}.example",
            "--postal-address", f"1 High Street, {slug.title()}",
        )  # fmt: skip
        assert added.code == 0, added.err
        people = tmp_path / f"{slug}.csv"
        people.write_text("email\n" + "".join(f"{address}\n" for address in addresses))
        assert comms("members", "import", str(people), "--association", slug).code == 0
    file = tmp_path / "partner.md"
    file.write_text(OFFER)
    assert comms("relay", "offer", str(file), "--yes").code == 0
    for slug in LISTS:
        accepted = comms("relay", "accept", "partner", "-a", slug)
        assert accepted.code == 0, accepted.err
    return server


def _deliveries(comms: Comms, slug: str) -> dict[str, int]:
    found: dict[str, int] = comms("campaign", "status", f"partner.{slug}", "--json").json()["deliveries"]
    return found


def _copies(comms: Comms) -> int:
    """How many the ledgers say were sent; reports tell that in tens."""
    with Workspace(comms.folder) as workspace:
        ledgers = {slug: workspace.ledger(slug) for slug in LISTS}
        runs = [(ledger, run.id) for slug, ledger in ledgers.items() for run in ledger.runs(f"partner.{slug}")]
        return sum(ledger.counts(run).get("sent", 0) for ledger, run in runs)


def _states(comms: Comms) -> set[str]:
    return {each["state"] for each in comms("relay", "status", "partner", "--json").json()["associations"]}


def _doubted(comms: Comms) -> Counter[str]:
    """Address -> how often it could not be known whether a copy had arrived."""
    found: Counter[str] = Counter()
    with Workspace(comms.folder) as workspace:
        for slug in LISTS:
            ledger = workspace.ledger(slug)
            for run in ledger.runs(f"partner.{slug}"):
                found.update(doubt.address or "" for doubt in ledger.doubts(run.id))
    return found


def test_kills_of_all_processes_give_nobody_a_second_copy_that_no_doubt_names(comms: Comms, server: MailServer) -> None:
    for stop in (20, 60, 110):
        run = comms.start("run")
        wait_until(lambda stop=stop: len(server.taken()) >= stop, seconds=120)
        kill(of_workspace(comms.folder))
        run.wait()
    run = comms.start("run")
    try:
        wait_until(lambda: _states(comms) == {"sent"}, seconds=240)
    finally:
        run.terminate()
        assert run.wait(30) == 0
    copies, doubted = Counter(server.recipients()), _doubted(comms)
    assert set(copies) == EVERYBODY
    assert {address for address, number in copies.items() if number > 1 + doubted[address]} == set()


def test_a_recall_in_the_middle_of_a_send_lets_nothing_go_but_what_senders_hold(
    comms: Comms, server: MailServer
) -> None:
    run = comms.start("run")
    try:
        wait_until(lambda: len(server.taken()) >= 20, seconds=120)
        recalled = comms("relay", "recall", "partner", "--reason", "The grant was withdrawn", "--yes", "--json")
        assert recalled.code == 0, recalled.err
        after: dict[str, Any] = {slug: _deliveries(comms, slug) for slug in LISTS}
        wait_until(lambda: not any(_deliveries(comms, slug)["claimed"] for slug in LISTS), seconds=120)
        end = {slug: _deliveries(comms, slug) for slug in LISTS}
    finally:
        run.terminate()
        assert run.wait(30) == 0
    for slug in LISTS:
        assert after[slug]["ready"] + after[slug]["deferred"] == 0, "nothing more is handed out"
        assert end[slug]["cancelled"] >= after[slug]["cancelled"] > 0
        assert end[slug]["sent"] <= after[slug]["sent"] + after[slug]["claimed"] + 9, "those left out are told in tens"
    taken = server.recipients()
    assert len(taken) == _copies(comms)
    assert max(Counter(taken).values()) == 1
    assert _states(comms) == {"withdrawn"}
    listed = json.loads(comms("relay", "list", "--json").out)
    assert [each["state"] for each in listed] == ["recalled"]
