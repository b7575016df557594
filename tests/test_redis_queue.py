"""The queue in Redis: the same promises, also when the server dies and forgets everything in the middle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis as client

from tests.conftest import Comms, MailServer, free_port
from tests.support.processes import wait_until
from tests.support.redis_server import REDIS, RedisServer

pytestmark = pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")

CAMPAIGN = """\
---
campaign: queued
title: Queued
language: en
newsletter:
  subject: "Hello {{ member.name }}"
  preview: A preview
---

Hello {{ member.name }}.
"""


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer(free_port())
    yield server
    server.stop()


def test_a_redis_that_is_killed_and_comes_back_empty_loses_nobody(
    redis: RedisServer, comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    (tmp_path / "people.csv").write_text("email,name\n" + "".join(f"p{n}@example.org,N{n}\n" for n in range(400)))
    (tmp_path / "campaign.md").write_text(CAMPAIGN)
    assert comms("members", "import", str(tmp_path / "people.csv")).code == 0
    server = mail_server(delay=0.05)
    comms.environment |= {
        "COMMS_SMTP__PORT": str(server.port),
        "COMMS_QUEUE__URL": redis.url,
        "COMMS_DELIVERY__SENDERS": "2",
        "COMMS_DELIVERY__BATCH_SIZE": "40",
    }
    assert comms("campaign", "send", str(tmp_path / "campaign.md"), "--yes").code == 0
    run = comms.start("run")
    wait_until(lambda: len(server.taken()) > 60)
    redis.stop()
    redis.start()
    comms.wait_until_sent("queued", seconds=90)
    run.terminate()
    assert run.wait(30) == 0
    assert not (comms.folder / "queue.db").exists()
    assert Counter(server.recipients()) == Counter(f"p{n}@example.org" for n in range(400))
    assert comms("report", "queued", "--json").json()["in_doubt"] == []


def test_an_address_that_is_no_redis_is_refused_by_name(comms: Comms) -> None:
    comms.environment["COMMS_QUEUE__URL"] = "http://localhost"
    done = comms("campaign", "list")
    assert done.code == 2
    assert "COMMS_QUEUE__URL" in done.err


def test_doctor_says_when_redis_drops_what_waits_or_forgets_it(redis: RedisServer, comms: Comms) -> None:
    comms.environment["COMMS_QUEUE__URL"] = redis.url
    found = {each["what"]: each["ok"] for each in comms("doctor", "--json").json()}
    assert found[f"Redis at {redis.url}: maxmemory-policy noeviction"] is True
    assert found[f"Redis at {redis.url}: does not keep its data on the disk"] is False
    with client.Redis(port=redis.port) as server:
        server.config_set("maxmemory-policy", "allkeys-lru")
        server.config_set("save", "3600 1")
    found = {each["what"]: each["ok"] for each in comms("doctor", "--json").json()}
    assert found[f"Redis at {redis.url}: maxmemory-policy allkeys-lru"] is False
    assert found[f"Redis at {redis.url}: keeps its data on the disk"] is True
