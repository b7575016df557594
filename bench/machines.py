"""Control on one machine, senders on two others, Redis between. Prints a table, and one line of JSON last.

    make bench-machines

The machines are network namespaces on one bridge, so it needs Linux and root; and `redis-server`. They share no
folder that the senders know of: a sender gets Redis's address and the key. The mail server is 20 ms away (round trip).
First one machine sends with one sender, then both, then both while one is cut off from everything in the middle,
for longer than its lease, and brought back. The mail server's own log is held against the ledger each time.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from audiences.models import Association
from bench.chaos import oracle
from bench.report import print_json, print_table
from comms.engine.setup import create_workspace

ROOT = Path(__file__).resolve().parent.parent
HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street")
HOME, AWAY = "comms-home", ("comms-a", "comms-b")
ADDRESSES = {HOME: "10.213.7.1", "comms-a": "10.213.7.2", "comms-b": "10.213.7.3"}
REDIS_PORT = 6379
ROUND_TRIP_S = 0.02
CUT_S = 45.0
"""Longer than the lease (30 s)."""
CAMPAIGN = """---
campaign: {name}
title: News
language: en
newsletter:
  subject: "News for {{{{ member.first_name }}}}"
---

Dear {{{{ member.first_name }}}}, [read on](https://example.org/news).
"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--messages", type=int, default=6_000)
    chosen = options.parse_args()
    for program in ("ip", "redis-server"):
        if shutil.which(program) is None:
            raise SystemExit(f"bench.machines: {program} is not here")
    if os.geteuid():
        raise SystemExit("bench.machines: only root may make network namespaces")
    with tempfile.TemporaryDirectory(prefix="comms-machines-") as scratch, network():
        run(Path(scratch), chosen.messages)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one campaign."""

    per_second: float
    lost: int
    doubled: int
    doubled_outside_doubt: int
    in_doubt: int


def run(scratch: Path, messages: int) -> None:
    with ExitStack() as stack:
        home = stack.enter_context(Home.at(scratch, messages))
        first = stack.enter_context(sender(AWAY[0], home.key_file))
        alone = home.send("alone", messages)
        stack.enter_context(sender(AWAY[1], home.key_file))
        both = home.send("both", messages)
        cut = home.send("cut", messages, when_begun=lambda: cut_off(AWAY[0]))
        assert first.poll() is None, "a sender that is cut off goes on when it is back"
    ratio = both.per_second / alone.per_second
    rows = [
        [title, f"{one.per_second:,.0f}", str(one.lost), str(one.doubled), str(one.doubled_outside_doubt),
         str(one.in_doubt)]
        for title, one in (("one sender", alone), ("two senders", both), ("two, one cut off and back", cut))
    ]  # fmt: skip
    print_table(["", "messages/s", "lost", "doubled", "outside doubt", "in doubt"], rows)
    outcomes = (alone, both, cut)
    print_json(
        {
            "bench": "machines",
            "messages": messages,
            "ratio_two_senders": round(ratio, 2),
            "lost": sum(one.lost for one in outcomes),
            "doubled": sum(one.doubled for one in outcomes),
            "doubled_outside_doubt": sum(one.doubled_outside_doubt for one in outcomes),
            "in_doubt": sum(one.in_doubt for one in outcomes),
        }
    )


# --- the network ------------------------------------------------------------------------------


@contextmanager
def network() -> Iterator[None]:
    """Three namespaces on one bridge."""
    try:
        ip("netns", "add", HOME)
        inside(HOME, "ip", "link", "set", "lo", "up")
        inside(HOME, "ip", "link", "add", "bridge", "type", "bridge")
        inside(HOME, "ip", "addr", "add", f"{ADDRESSES[HOME]}/24", "dev", "bridge")
        inside(HOME, "ip", "link", "set", "bridge", "up")
        for name in AWAY:
            ip("netns", "add", name)
            inside(HOME, "ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", name)
            inside(HOME, "ip", "link", "set", name, "master", "bridge", "up")
            inside(name, "ip", "addr", "add", f"{ADDRESSES[name]}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                inside(name, "ip", "link", "set", link, "up")
        yield
    finally:
        for name in (HOME, *AWAY):
            with suppress(subprocess.CalledProcessError):
                ip("netns", "del", name)


def cut_off(name: str) -> None:
    """Take a machine off the network for a while."""
    inside(HOME, "ip", "link", "set", name, "down")
    time.sleep(CUT_S)
    inside(HOME, "ip", "link", "set", name, "up")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def inside(name: str, *words: str) -> None:
    ip("netns", "exec", name, *words)


@contextmanager
def program(name: str, words: Sequence[str], **options: object) -> Iterator[subprocess.Popen[str]]:
    """A program that runs on a machine, for the time of a block."""
    with subprocess.Popen(["ip", "netns", "exec", name, *words], text=True, cwd=ROOT, **options) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()


# --- the machines -----------------------------------------------------------------------------


@contextmanager
def sender(name: str, key_file: Path) -> Iterator[subprocess.Popen[str]]:
    """One sender on another machine."""
    environment = {**os.environ, "COMMS_QUEUE__URL": f"redis://{ADDRESSES[HOME]}:{REDIS_PORT}/0"}
    words = [sys.executable, "-m", "comms", "worker", "--key-file", str(key_file), "--senders", "1"]
    with program(name, words, env=environment, stdout=subprocess.DEVNULL) as process:
        time.sleep(5)  # until it is up, and known to control
        yield process


@dataclass(frozen=True, slots=True)
class Home:
    """The machine of control, Redis and the mail server."""

    folder: Path
    key_file: Path
    log: Path
    environment: dict[str, str]

    @classmethod
    @contextmanager
    def at(cls, scratch: Path, people: int) -> Iterator[Home]:
        """With so many people, for the time of a block."""
        folder, log, key_file = scratch / "workspace", scratch / "received", scratch / "sender.key"
        create_workspace(folder, HOST).close()
        shutil.copy(folder / "workspace.key", key_file)
        rows = "".join(f"reader{n}@example.org,First{n},yes\n" for n in range(people))
        (scratch / "people.csv").write_text(f"email,first_name,consent\n{rows}")
        with ExitStack() as stack:
            words = ["redis-server", "--bind", ADDRESSES[HOME], "--protected-mode", "no", "--save", ""]
            stack.enter_context(program(HOME, words, stdout=subprocess.DEVNULL))
            receiver = [sys.executable, "-m", "bench.chaos.receiver", str(log), "1"]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
            port = first_line(stack.enter_context(program(HOME, receiver, **pipes)))
            line = [sys.executable, "-m", "bench.delay", str(ROUND_TRIP_S / 2), port, ADDRESSES[HOME]]
            far = first_line(stack.enter_context(program(HOME, line, stdout=subprocess.PIPE)))
            environment = {
                "COMMS_SMTP__HOST": ADDRESSES[HOME],
                "COMMS_SMTP__PORT": far,
                "COMMS_SMTP__TIMEOUT": "20",
                "COMMS_QUEUE__URL": f"redis://{ADDRESSES[HOME]}:{REDIS_PORT}/0",
                "COMMS_DELIVERY__BATCH_SIZE": "200",
            }
            home = cls(folder, key_file, log, {**os.environ, **environment})
            home.comms("members", "import", str(scratch / "people.csv"))
            words = [sys.executable, "-m", "comms", "-w", str(folder), "run", "--no-senders"]
            stack.enter_context(program(HOME, words, env=home.environment, stdout=subprocess.DEVNULL))
            yield home

    def comms(self, *words: str) -> None:
        command = ["ip", "netns", "exec", HOME, sys.executable, "-m", "comms", "-w", str(self.folder), *words]
        subprocess.run(command, env=self.environment, check=True, capture_output=True, cwd=ROOT)

    def send(self, name: str, messages: int, *, when_begun: Callable[[], None] | None = None) -> Outcome:
        """Send a campaign and hold the receiver's log against the ledger; `when_begun` is called after a sixth."""
        before = len(self.received())
        path = self.folder.parent / f"{name}.md"
        path.write_text(CAMPAIGN.format(name=name))
        self.comms("campaign", "send", str(path), "--yes")
        if when_begun:
            while len(self.received()) < before + messages // 6:
                time.sleep(0.05)
            when_begun()
        database = self.folder / "associations" / f"{HOST.slug}.db"
        while any(row.state in oracle.OPEN for row in oracle.read(database).rows):
            time.sleep(1)
        taken = self.received()[before:]
        copies = Counter((name, address) for _, address in taken)
        ledger = oracle.read(database)
        rows = [row for row in ledger.rows if row.campaign == name]
        verdict = oracle.judge(
            oracle.Ledger(rows, {name: ledger.runs[name]}, ledger.damage), copies, campaigns=[name], people=messages
        )
        for complaint in verdict.complaints[:10]:
            print(complaint, file=sys.stderr)
        seconds = taken[-1][0] - taken[0][0]
        return Outcome(len(taken) / seconds, verdict.lost, verdict.doubled, verdict.unnamed, verdict.in_doubt)

    def received(self) -> list[tuple[float, str]]:
        """(time, address) of every message that the mail server took, in order."""
        lines = (line.split("\t") for line in self.log.read_text().splitlines()) if self.log.exists() else ()
        return [(float(when), address) for when, address, _ in lines]


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


if __name__ == "__main__":
    main()
