"""A sender whose queue is away says so once, and once that it is back."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from comms.keys import WorkspaceKey
from comms.queues import HueyQueue
from comms.worker import SenderConsumer
from tests.conftest import free_port
from tests.support.processes import wait_until
from tests.support.redis_server import REDIS, RedisServer

KEY = WorkspaceKey(bytes(32))
GONE, BACK = "the queue does not answer; waiting for it", "the queue answers again"


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    server = RedisServer(free_port())
    yield server
    server.stop()


@pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
def test_a_redis_that_is_away_for_seconds_is_told_of_twice_and_by_nobody_else(
    redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    consumer = SenderConsumer(HueyQueue(KEY, url=redis.url))
    with capture_logs() as said, caplog.at_level(logging.INFO):
        consumer.scheduler.start()
        consumer.worker_threads[0][1].start()
        try:
            redis.stop()
            wait_until(lambda: any(each["event"] == GONE for each in said))
            threading.Event().wait(2.5)  # the scheduler looks every second, the worker ten times as often
            redis.start()
            wait_until(lambda: any(each["event"] == BACK for each in said))
        finally:
            consumer.stop_flag.set()
            for thread in (consumer.scheduler, consumer.worker_threads[0][1]):
                thread.join()
    assert [each["event"] for each in said] == [GONE, BACK]
    assert "\n" not in said[0]["reason"]
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


def test_what_else_goes_wrong_at_a_queue_is_still_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    queue = HueyQueue(KEY, url="", path=tmp_path / "queue.db")
    other = HueyQueue(WorkspaceKey(bytes(range(32))), url="", path=tmp_path / "queue.db")
    other.put({"item": 1})
    consumer = SenderConsumer(queue)

    consumer.worker_threads[0][0].loop()

    assert [record.getMessage() for record in caplog.records] == ["Error reading from queue"]
