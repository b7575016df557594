"""Runs the `comms` command in processes of its own, without the second that Python takes to load it each time.

One process has loaded what most commands need, and forks for each of them: all that a command does it does as ever, in
its own process, with its own environment, output and exit code. Run as a program this is that process.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

# Nothing of `comms.cli`: what that makes of the environment it makes when it is loaded.
_LOADED = (
    "comms.engine.checking", "comms.engine.control", "comms.engine.dkim", "comms.engine.languages",
    "comms.engine.maintenance", "comms.engine.preflight", "comms.engine.relaying.offering", "comms.engine.reporting",
    "comms.engine.rights", "comms.engine.sending", "comms.engine.setup", "comms.queues", "comms.worker", "rich.console",
    "rich.live", "rich.progress", "rich.table", "typer",
)  # fmt: skip
_ROOT = Path(__file__).parents[2]


class Commands:
    """Forks commands, one at a time. It is started with the first of them, and ends with this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: subprocess.Popen[str] | None = None

    def run(
        self, words: Sequence[str | bytes], environment: Mapping[str, str], timeout: float, cwd: Path | None = None
    ) -> tuple[int, bytes, bytes]:
        """(exit code, what was printed, what was printed as errors). Raises subprocess.TimeoutExpired."""
        if not self._lock.acquire(blocking=False):  # another command runs: this one has an interpreter of its own
            done = subprocess.run(
                [sys.executable, "-m", "comms", *words], env=environment, cwd=cwd, timeout=timeout, capture_output=True,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            return done.returncode, done.stdout, done.stderr
        try:
            with tempfile.TemporaryDirectory(prefix="command-") as folder:
                code = self._run(Path(folder), [str(cwd or Path.cwd()), *words], environment, timeout)
                return code, (Path(folder) / "out").read_bytes(), (Path(folder) / "err").read_bytes()
        finally:
            self._lock.release()

    def _run(self, folder: Path, words: list[str | bytes], environment: Mapping[str, str], timeout: float) -> int:
        if self._server is None or self._server.poll() is not None:
            self._server = subprocess.Popen(
                [sys.executable, __file__], cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        server = self._server
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(repr(([str(folder), *words], dict(environment))) + "\n")
        server.stdin.flush()
        child = int(server.stdout.readline())
        if not select.select([server.stdout], [], [], timeout)[0]:
            os.kill(child, signal.SIGKILL)
            server.stdout.readline()
            raise subprocess.TimeoutExpired(words, timeout)
        return int(server.stdout.readline())


COMMANDS = Commands()


def _serve(orders: IO[str], answers: IO[str]) -> None:
    """Fork for each order; in the child this returns, and the command runs."""
    for name in _LOADED:
        importlib.import_module(name)
    gc.freeze()  # what is loaded is not looked through again by each command
    for line in orders:
        (folder, place, *words), environment = ast.literal_eval(line)
        child = os.fork()
        if not child:
            _become(Path(folder), place, words, environment)
            return
        answers.write(f"{child}\n")
        answers.flush()
        _, status = os.waitpid(child, 0)
        answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
        answers.flush()
    os._exit(0)


def _become(folder: Path, place: str, words: list[str | bytes], environment: dict[str, str]) -> None:
    writes = os.O_WRONLY | os.O_CREAT
    files = ((Path(os.devnull), os.O_RDONLY), (folder / "out", writes), (folder / "err", writes))
    for number, (file, flags) in enumerate(files):
        descriptor = os.open(file, flags, 0o600)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(place)
    sys.argv = ["comms", *map(os.fsdecode, words)]


if __name__ == "__main__":
    orders, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    sys.path[0] = str(_ROOT)  # in place of this folder
    _serve(orders, answers)
    with contextlib.suppress(OSError):
        os.close(orders.fileno())
    runpy.run_module("comms", run_name="__main__", alter_sys=True)
