"""Senders that are there at once: forked from a process that has the program loaded, `python -m bench.chaos.nursery`.

What runs is `comms worker` as on the command line; only the second that Python takes to load it is spared, a thousand
times. Each line on standard input is one more sender, of the workspace in COMMS_WORKSPACE; when standard input ends, so
does the nursery, and its senders are asked to.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from typing import IO

from bench.chaos.mailbox import ROOT
from bench.processes import children
from comms.cli import main


class Nursery:
    """The driver's side: keeps so many senders alive."""

    def __init__(self, environment: Mapping[str, str], size: int, errors: IO[bytes]) -> None:
        self._size = size
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.chaos.nursery"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=errors, env=environment, cwd=ROOT,
        )  # fmt: skip

    def senders(self) -> list[int]:
        return children(self._process.pid)

    def keep(self) -> None:
        """Start what is missing."""
        assert self._process.stdin is not None
        missing = self._size - len(self.senders())
        self._process.stdin.write(b"\n" * missing)
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.communicate()


def serve() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead need nobody to bury them
    senders = []
    while sys.stdin.buffer.read(1):
        if pid := os.fork():
            senders.append(pid)
        else:
            _be_sender()
    for pid in senders:
        try:
            os.kill(pid, signal.SIGTERM)
        except ProcessLookupError:
            continue


def _be_sender() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.close(sys.stdin.fileno())
    sys.argv = ["comms", "worker"]
    try:
        main()
    finally:
        os._exit(0)


if __name__ == "__main__":
    serve()
