"""What processes of this machine use, as Linux tells it under /proc."""

from __future__ import annotations

import os
import time
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_QUIET_S = 1.0


def cpu_s(pid: int, *, tree: bool = False) -> float:
    """Processor seconds that a process has used since its start; `tree`: with its children that live."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(words[11]) + int(words[12])) * _TICK_S
    return own + (sum(cpu_s(child, tree=True) for child in children(pid)) if tree else 0.0)


def children(pid: int) -> list[int]:
    """Of all threads of a process."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for each in lists for child in each.read_text().split()]


def peak_mb(pid: int) -> float:
    """The most memory that a process ever held, without its children."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1000


def wait_idle(pid: int, *, of: int) -> None:
    """Until a process has so many children and they have nothing more to do."""
    while len(children(pid)) < of:
        time.sleep(_QUIET_S / 10)
    before = float("-inf")
    while (now := cpu_s(pid, tree=True)) - before > _QUIET_S / 10:
        before = now
        time.sleep(_QUIET_S)
