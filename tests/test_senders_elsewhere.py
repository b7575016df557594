"""Senders on other machines, which share a Redis with control and nothing else: killed, cut off, stopped, forgotten."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import Comms, MailServer, free_port
from tests.support.line import Line
from tests.support.processes import wait_until
from tests.support.redis_server import REDIS, RedisServer

pytestmark = [pytest.mark.skipif(REDIS is None, reason="redis-server is not installed"), pytest.mark.slow]
PEOPLE, BATCH = 600, 150
IN_HAND = 2 * 20 + 4
"""Announced ahead, answers that are still to be said, and what connections hold."""
CAMPAIGN = """\
---
campaign: afar
title: Afar
language: en
newsletter:
  subject: "Hello {{ member.name }}"
  preview: A preview
---

Hello {{ member.name }}.
"""


@dataclass
class Machines:
    """Control here, and senders that know of it by its Redis and its key alone."""

    comms: Comms
    redis: RedisServer
    server: MailServer
    key_file: Path
    stack: ExitStack
    senders: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def sender(self, port: int | None = None) -> subprocess.Popen[bytes]:
        """Start a machine with one sender process. It reaches Redis at `port`."""
        url = f"redis://127.0.0.1:{port or self.redis.port}/0"
        words = [sys.executable, "-m", "comms", "worker", "--key-file", str(self.key_file), "--tethered"]
        environment = {**os.environ, "COMMS_QUEUE__URL": url, "COMMS_WORKSPACE": "/nowhere"}
        process = subprocess.Popen(words, env=environment, stdin=subprocess.PIPE)
        self.senders.append(process)
        return process

    def line(self) -> Line:
        """A line to Redis that can be cut."""
        return self.stack.enter_context(Line(self.redis.port))

    def run(self) -> subprocess.Popen[str]:
        return self.comms.start("run", "--no-senders")

    def wait_until_sent(self) -> None:
        self.comms.wait_until_sent("afar", seconds=150)

    def check(self, *, kills: int) -> Counter[str]:
        """Nobody lost, nobody twice outside doubt, nothing in doubt that was not in hand. Returns who got it twice."""
        copies = Counter(self.server.recipients())
        assert set(copies) == {f"p{n}@example.org" for n in range(PEOPLE)}
        report = self.comms("report", "afar", "--json").json()
        doubted = Counter(case["address"] for case in report["in_doubt"])
        twice = Counter({address: number - 1 for address, number in copies.items() if number > 1})
        assert not twice - doubted, "a double that nobody was told of"
        assert doubted.total() <= kills * IN_HAND
        by_address: dict[str, set[str]] = {}
        for record in self.server.taken():
            by_address.setdefault(record["to"], set()).add(record["message_id"])
        assert all(len(ids) == 1 for ids in by_address.values()), "a second copy must carry the same Message-ID"
        return twice


@pytest.fixture
def machines(comms: Comms, tmp_path: Path, mail_server: Callable[..., MailServer]) -> Iterator[Machines]:
    (tmp_path / "people.csv").write_text("email,name\n" + "".join(f"p{n}@example.org,N{n}\n" for n in range(PEOPLE)))
    (tmp_path / "campaign.md").write_text(CAMPAIGN)
    assert comms("members", "import", str(tmp_path / "people.csv")).code == 0
    server, redis = mail_server(delay=0.04), RedisServer(free_port())
    key_file = tmp_path / "elsewhere.key"
    key_file.write_bytes((comms.folder / "workspace.key").read_bytes())
    key_file.chmod(0o600)
    comms.environment |= {
        "COMMS_SMTP__PORT": str(server.port),
        "COMMS_QUEUE__URL": redis.url,
        "COMMS_DELIVERY__BATCH_SIZE": str(BATCH),
    }
    assert comms("campaign", "send", str(tmp_path / "campaign.md"), "--yes").code == 0
    with ExitStack() as stack:
        found = Machines(comms, redis, server, key_file, stack)
        run = found.run()
        try:
            yield found
        finally:
            for process in [*found.senders, run]:
                process.kill()
                process.wait()
                if process.stdin:
                    process.stdin.close()
            redis.stop()


def end(sender: subprocess.Popen[bytes]) -> None:
    """Let it do what it will still do, and end in good order."""
    sender.send_signal(signal.SIGTERM)
    assert sender.wait(60) == 0


def test_two_senders_elsewhere_send_it_all_and_leave_nothing_behind(machines: Machines) -> None:
    first, second = machines.sender(), machines.sender()
    machines.wait_until_sent()
    assert machines.check(kills=0) == {}
    kept = {path.read_text() for path in machines.comms.folder.glob("journal/*")}
    assert kept <= {'["settled"]\n'}, "only that nobody may begin them again"
    first.send_signal(signal.SIGTERM)
    second.stdin.close()  # type: ignore[union-attr]
    assert (first.wait(30), second.wait(30)) == (0, 0)


def test_a_sender_elsewhere_that_is_killed_loses_nobody(machines: Machines) -> None:
    first = machines.sender()
    wait_until(lambda: len(machines.server.taken()) > 30)
    first.kill()
    machines.sender()
    machines.wait_until_sent()
    machines.check(kills=1)


def test_a_sender_that_is_cut_off_and_brought_back_loses_nobody(machines: Machines) -> None:
    line = machines.line()
    cut_off = machines.sender(line.port)
    wait_until(lambda: len(machines.server.taken()) > 30)
    line.cut()
    before = len(machines.server.taken())
    machines.sender()
    machines.wait_until_sent()  # without it, after the lease
    assert len(machines.server.taken()) > before
    line.mend()
    end(cut_off)
    machines.check(kills=1)


def test_a_sender_that_stands_still_for_longer_than_its_lease_does_not_go_on(machines: Machines) -> None:
    slow = machines.sender()
    wait_until(lambda: len(machines.server.taken()) > 30)
    slow.send_signal(signal.SIGSTOP)
    machines.sender()
    machines.wait_until_sent()
    slow.send_signal(signal.SIGCONT)
    end(slow)
    machines.check(kills=1)


def test_a_redis_that_forgets_everything_in_the_middle_doubts_what_was_handed_out_and_loses_nobody(
    machines: Machines,
) -> None:
    machines.sender()
    wait_until(lambda: len(machines.server.taken()) > 30)
    machines.redis.stop()
    machines.redis.start()
    machines.wait_until_sent()
    copies = Counter(machines.server.recipients())
    assert set(copies) == {f"p{n}@example.org" for n in range(PEOPLE)}
    doubted = {case["address"] for case in machines.comms("report", "afar", "--json").json()["in_doubt"]}
    assert {address for address, number in copies.items() if number > 1} <= doubted
    assert len(doubted) <= 2 * BATCH


def test_a_worker_elsewhere_says_what_it_needs(comms: Comms, tmp_path: Path) -> None:
    key_file = comms.folder / "workspace.key"
    done = comms("worker", "--key-file", str(key_file))
    assert done.code == 2
    assert "COMMS_QUEUE__URL" in done.err
    done = comms("worker", "--key-file", str(tmp_path / "none.key"), "--queue", "redis://127.0.0.1:1/0")
    assert done.code == 2
    assert "none.key" in done.err
    done = comms("run", "--no-senders")
    assert done.code == 2
    assert "[queue] url" in done.err
