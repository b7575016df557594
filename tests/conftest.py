"""What tests of every package share: a real mail server, a workspace, the `comms` command."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from audiences.models import Association
from comms.engine import reporting
from comms.engine.control import ControlLock
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from tests.support.commands import COMMANDS
from tests.support.processes import kill, of_workspace, wait_until

# How long an example takes says more of what else the machine does than of us; hangs have a limit of their own.
hypothesis.settings.register_profile("comms", deadline=None)
hypothesis.settings.load_profile("comms")

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
SMTP_SERVER = ROOT / "tests" / "support" / "smtp_server.py"


@pytest.fixture
def data() -> Path:
    """The folder of real sample data that lies beside the project."""
    if not DATA.is_dir():
        pytest.skip(f"the sample data is not here: {DATA}")
    return DATA


def _ports() -> Iterator[int]:
    """Ports for this process of the tests alone, below those that the system gives to outgoing connections."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + worker % 12 * 1_000
    return itertools.cycle(range(first, first + 1_000))


_PORTS = _ports()


def free_port() -> int:
    """A port that nothing listens on, and that nothing else takes before the test does."""
    for port in _PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("unreachable: the ports never end")


@dataclass
class MailServer:
    """A mail server in a process of its own, and what it took."""

    process: subprocess.Popen[str]
    port: int
    log: Path

    def taken(self) -> list[dict[str, Any]]:
        """What the server took responsibility for, one record a message, in order."""
        lines = self.log.read_text().split("\n") if self.log.exists() else [""]
        return [json.loads(line) for line in lines[:-1]]  # the last is empty, or being written

    def recipients(self) -> list[str]:
        return [record["to"] for record in self.taken()]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def mail_server(tmp_path: Path) -> Iterator[Callable[..., MailServer]]:
    """Start mail servers: `mail_server(delay=0.01, drop_after_dot=0.05)`."""
    running: list[MailServer] = []

    def start(**options: Any) -> MailServer:
        log = options.pop("log", tmp_path / f"mail-{len(running)}.log")
        words = [sys.executable, str(SMTP_SERVER), str(log)]
        for name, value in options.items():
            flag = f"--{name.replace('_', '-')}"
            words += [flag] if value is True else [flag, str(value)]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        server = MailServer(process, int(process.stdout.readline()), log)
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()


@dataclass
class Result:
    """What a run of the `comms` command gave."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class Comms:
    """The `comms` command in one workspace."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, timeout: float = 120) -> Result:
        code, out, err = COMMANDS.run(["-w", str(self.folder), *words], self.env(), timeout)
        return Result(code, out.decode(), err.decode())

    def status(self, campaign: str) -> dict[str, Any]:
        """What `comms campaign status` tells; without its process, for those who ask again and again."""
        with Workspace(self.folder, environment={}) as workspace:
            return reporting.status(workspace, campaign).to_json()

    def wait_until_sent(self, campaign: str, *, seconds: float = 60) -> None:
        """Wait for the `comms run` that was started to be in control, and for the campaign to be sent."""
        lock = ControlLock(self.folder)
        wait_until(lambda: lock.is_held() and self.status(campaign)["state"] == "sent", seconds=seconds)

    def start(self, *words: str, **options: Any) -> subprocess.Popen[Any]:
        """Run in the background."""
        return subprocess.Popen(self.words(*words), env=self.env(), stdin=subprocess.DEVNULL, **options)

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "comms", "-w", str(self.folder), *words]

    def env(self) -> dict[str, str]:
        return {**os.environ, **self.environment}


HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")


@pytest.fixture
def comms(tmp_path: Path) -> Iterator[Comms]:
    """A fresh workspace with the host `coalition`, and the command to work in it."""
    folder = tmp_path / "workspace"
    create_workspace(folder, HOST).close()
    yield Comms(folder, {"COMMS_SITE__PORT": str(free_port())})
    kill(of_workspace(folder))  # what a failed test left running


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first: at the end of a run in several processes all but one would wait for it."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
