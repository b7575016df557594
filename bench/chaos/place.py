"""An installation of comms to break: its people and campaigns, `comms run` in it, and the ways to kill that.

A service manager is played here as the operators' guide sets it up: `comms run` is started anew when it has ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from audiences.models import Association
from bench.chaos import oracle
from bench.chaos.mailbox import ROOT, Mailbox, copies
from bench.chaos.nursery import Nursery
from bench.chaos.oracle import Verdict
from bench.sink import free_port
from comms.engine.setup import FOLDERS, create_workspace

HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street")
CAMPAIGN = """---
campaign: {id}
title: {id}
language: en
newsletter:
  subject: "Hello {{{{ member.name }}}}"
  preview: A preview
---

Dear {{{{ member.name }}}}, [read on](https://example.org/).
"""
LOOK_S = 0.02
RESTART_S = 1.0
"""How long a service manager waits before it starts a program again that has ended by itself."""


class Place:
    """A workspace with `people` members, a receiver for its mail, and what runs in it."""

    def __init__(
        self,
        folder: Path,
        mailbox: Mailbox,
        people: int,
        *,
        senders: int = 2,
        more_senders: int = 0,
        settings: Mapping[str, object] | None = None,
        around: Sequence[str] = (),
    ) -> None:
        """`more_senders`: beside those that `comms run` keeps, of the nursery; `settings`: further variables of the
        environment; `around`: the words of a command that runs `comms run`.
        """
        self.folder = folder
        self.mailbox = mailbox
        self.people = people
        self.campaigns: list[str] = []
        self._ended_at = float("-inf")
        """When `comms run` last ended by itself."""
        self.around = tuple(around)
        self.environment = {
            "COMMS_SMTP__PORT": str(mailbox.port),
            "COMMS_SMTP__CONNECTIONS": "2",
            "COMMS_SITE__PORT": str(free_port()),
            "COMMS_DELIVERY__SENDERS": str(senders),
            "COMMS_DELIVERY__BATCH_SIZE": "100",
            **{name: str(value) for name, value in (settings or {}).items()},
        }
        self._scratch = folder.with_name(f"{folder.name}-files")
        self._scratch.mkdir(parents=True)
        self._errors = (self._scratch / "errors.log").open("ab")
        self._nursery: Nursery | None = None
        self.process: subprocess.Popen[bytes] | None = None
        if more_senders:
            self._nursery = Nursery(self._env(), more_senders, self._errors)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        if self._nursery is not None:
            self._nursery.close()
        self.kill_all()
        self._errors.close()

    # --- what people do -----------------------------------------------------------------------

    def found(self) -> None:
        """Make the workspace, and everybody a member."""
        create_workspace(self.folder, HOST).close()
        lines = (f"p{number}@example.org,Person {number},yes\n" for number in range(self.people))
        (self._scratch / "people.csv").write_text("email,name,consent\n" + "".join(lines))
        self.comms("members", "import", str(self._scratch / "people.csv"))

    def lay_out(self, files: Mapping[str, bytes], campaigns: Sequence[str]) -> None:
        """Make the workspace of files that are left of another one."""
        for name in ("", *FOLDERS):
            (self.folder / name).mkdir(mode=0o700)
        for name, data in files.items():
            path = self.folder / name
            path.parent.mkdir(mode=0o700, exist_ok=True)  # such as where senders say that they are there
            path.write_bytes(data)
            path.chmod(0o600)
        self.campaigns = list(campaigns)

    @property
    def database(self) -> Path:
        return self.folder / "associations" / f"{HOST.slug}.db"

    def try_comms(self, *words: str) -> subprocess.CompletedProcess[str]:
        """One command, to its end."""
        return subprocess.run(
            self._words(*words), env=self._env(), cwd=ROOT, capture_output=True, text=True, check=False
        )

    def comms(self, *words: str) -> None:
        """One command that must do well. Raises RuntimeError with what it said."""
        done = self.try_comms(*words)
        if done.returncode:
            raise RuntimeError(f"comms {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")

    def send(self) -> None:
        """Send one more campaign to everybody."""
        self.comms("campaign", "send", str(self.write_campaign()), "--yes")

    def write_campaign(self) -> Path:
        """The definition of one more campaign."""
        name = f"c{len(self.campaigns)}"
        self.campaigns.append(name)
        path = self._scratch / f"{name}.md"
        path.write_text(CAMPAIGN.format(id=name))
        return path

    # --- what runs ----------------------------------------------------------------------------

    def start(self) -> None:
        """Start `comms run`."""
        assert self.process is None
        self.process = self.launch()

    def launch(self) -> subprocess.Popen[bytes]:
        """Start one more `comms run`, which the caller looks after."""
        return subprocess.Popen(
            [*self.around, *self._words("run")],
            env=self._env(),
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=self._errors,
        )

    def keep(self) -> None:
        """Start `comms run` anew if it has ended."""
        if self.process is not None and self.process.poll() is not None:
            self.process = None
            self._ended_at = time.monotonic()
        if self.process is None and time.monotonic() - self._ended_at >= RESTART_S:
            self.start()
        if self._nursery is not None:
            self._nursery.keep()

    def control(self) -> int | None:
        """The process id of control."""
        if self.process is None or self.process.poll() is not None:
            return None
        return next((pid for pid in self._of_workspace() if "run" in _command(pid)), None)

    def senders(self) -> list[int]:
        """The process ids of all senders."""
        own = [pid for pid in self._of_workspace() if "worker" in _command(pid)]
        return [*own, *(self._nursery.senders() if self._nursery is not None else [])]

    def everything(self) -> list[int]:
        """The process ids of control and all senders."""
        return sorted({*self._of_workspace(), *self.senders()})

    def _of_workspace(self) -> list[int]:
        every = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [pid for pid in every if pid != os.getpid() and _is_comms(_command(pid), self.folder)]

    def kill_control(self) -> bool:
        """`kill -9`; False when there was none."""
        pid = self.control()
        if pid is None:
            return False
        kill(pid)
        self._forget_process()
        return True

    def kill_all(self) -> int:
        """`kill -9` for everything; returns how many senders that hit."""
        senders = self.senders()
        for pid in self.everything():
            kill(pid)
        self._forget_process()
        return len(senders)

    def stop(self) -> int:
        """Ask `comms run` to end, as a service manager does; its exit code."""
        assert self.process is not None
        if (pid := self.control()) is not None:
            os.kill(pid, signal.SIGTERM)
        code = self.process.wait(60)
        self.process = None
        return code

    def _forget_process(self) -> None:
        if self.process is not None:
            self.process.wait()
            self.process = None

    # --- what is to be seen -------------------------------------------------------------------

    def wait_until(self, condition: Callable[[], object], *, patience_s: float, keep: bool = True) -> bool:
        """Wait for it, and keep `comms run` alive meanwhile; False when it did not come in time."""
        deadline = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > deadline:
                return False
            if keep:
                self.keep()
            time.sleep(LOOK_S)
        return True

    def is_done(self) -> bool:
        """Does the host's database say of every campaign that it is sent."""
        with contextlib.suppress(sqlite3.OperationalError):
            with closing(sqlite3.connect(f"file:{self.folder / 'host.db'}?mode=ro", uri=True, timeout=30)) as db:
                states = dict(db.execute("SELECT id, state FROM campaign").fetchall())
            return all(states.get(campaign) == "sent" for campaign in self.campaigns)
        return False

    def judge(self) -> Verdict:
        """What became of everybody, by the receiver's log and the ledger."""
        taken = copies(self.mailbox.taken())
        return oracle.judge(oracle.read(self.database), taken, campaigns=self.campaigns, people=self.people)

    def errors(self) -> str:
        """What `comms run` wrote to standard error."""
        return Path(self._errors.name).read_text(encoding="utf-8", errors="replace")

    def _words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "comms", "-w", str(self.folder), *words]

    def _env(self) -> dict[str, str]:
        return {**os.environ, **self.environment, "COMMS_WORKSPACE": str(self.folder)}


def kill(pid: int, number: int = signal.SIGKILL) -> bool:
    """Send a signal; False when there is no such process any more."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
        return True
    return False


def owner_of(port: int, pids: Sequence[int]) -> int | None:
    """Which of these processes holds the local end of a connection from this port, as Linux tells it."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[1].rpartition(":")[2], 16) == port:
            socket = f"socket:[{fields[9]}]"
            return next((pid for pid in pids if socket in _descriptors(pid)), None)
    return None


def _descriptors(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                found.add(str(entry.readlink()))
    return found


def _command(pid: int) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    return []


def _is_comms(words: list[str], folder: Path) -> bool:
    """`python -m comms -w FOLDER ...`, and not a program that runs it."""
    return str(folder) in words and words[1:3] == ["-m", "comms"]
