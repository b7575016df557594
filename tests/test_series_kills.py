"""All processes are killed again and again around the time of an occurrence: it is made once, and everyone gets it."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import Comms, MailServer
from tests.support.processes import kill, of_workspace, wait_until

CAMPAIGN = """\
---
campaign: daily-news
title: News
language: en
newsletter:
  subject: News
  preview: A preview
schedule:
  at: {at:%Y-%m-%d %H:%M:%S}
  timezone: UTC
  repeat: daily
---

Dear reader.
"""
PEOPLE, KILLS = 50, 6


@pytest.mark.slow
def test_kills_around_its_time_make_no_second_occurrence_and_lose_nobody(
    comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    people = tmp_path / "people.csv"
    people.write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(PEOPLE)))
    assert comms("members", "import", str(people)).code == 0
    server = mail_server(delay=0.02)
    comms.environment |= {"COMMS_SMTP__PORT": str(server.port), "COMMS_DELIVERY__SENDERS": "1"}
    due = datetime.now(UTC) + timedelta(seconds=10)
    (tmp_path / "news.md").write_text(CAMPAIGN.format(at=due))
    assert comms("campaign", "schedule", str(tmp_path / "news.md"), "--yes").code == 0
    chance = random.Random(1)
    time.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds() - 2))
    for _ in range(KILLS):
        run = comms.start("run")
        time.sleep(chance.uniform(1.0, 3.0))
        kill(of_workspace(comms.folder))
        run.wait()

    run = comms.start("run")
    wait_until(lambda: comms("campaign", "status", "daily-news", "--json").json()["deliveries"]["sent"] == PEOPLE)
    run.terminate()
    run.wait(30)

    status = comms("campaign", "status", "daily-news", "--json").json()
    assert [each["id"] for each in status["occurrences"]] == [f"daily-news-{due:%Y-%m-%d}"]
    assert status["skipped"] == []
    doubted = comms("report", f"daily-news-{due:%Y-%m-%d}", "--json").json()["in_doubt"]
    twice = {address for address, number in Counter(server.recipients()).items() if number > 1}
    assert len(set(server.recipients())) == PEOPLE
    assert twice <= {case["address"] for case in doubted}
