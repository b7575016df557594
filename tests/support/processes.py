"""Finds and kills the processes of a workspace, as an operating system that runs out of memory would."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path


def of_workspace(folder: Path, word: str = "") -> list[int]:
    """Process ids of `comms -w folder ...`, whose command line also holds `word`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                if str(folder) in words and "comms" in words and (not word or word in words):
                    found.append(int(entry.name))
    return found


def kill(pids: list[int]) -> int:
    """SIGKILL; returns how many were there to be killed."""
    killed = 0
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def wait_until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    """Wait for `condition`; fails when it does not come."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
