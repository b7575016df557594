"""A sender's own record of a batch, one file each: what it is about to do, and what the server answered.

    ["begin", boot]                 which start of the machine the lines belong to
    ["dot", item]                   about to hand the item over: from here on it may have arrived
    ["done", item, outcome, ...]    the answer
    ["settled"]                     the ledger has it all; nobody may begin this batch again

The sender holds an exclusive lock on the file for as long as it works, so whoever gets the lock knows that
no living sender holds the batch. Lines are plain appends: the kernel keeps them through `kill -9`; only a
machine that stopped can lose them, which the boot id tells.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

from comms.delivery.batches import Receipt

_SUFFIX = ".journal"


@cache
def boot_id() -> str:
    """Changes with every start of the machine; on systems that do not tell, a constant."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


class Journal:
    """The journal of a batch that this process is working on. A line that can not be written raises OSError."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def begin(cls, folder: Path, batch: str) -> Journal | None:
        """Take the batch; None when another has it, had it, or control has given it up."""
        descriptor = _locked(folder / (batch + _SUFFIX))
        if descriptor is None:
            return None
        if os.fstat(descriptor).st_size:
            os.close(descriptor)
            return None
        journal = cls(descriptor)
        try:
            journal._append(["begin", boot_id()])
        except OSError:
            journal.close()
            raise
        return journal

    def about_to(self, item: int) -> None:
        """Say, before the final dot, that the item may have arrived from now on."""
        self._append(["dot", item])

    def done(self, receipt: Receipt) -> None:
        """Say what the server answered."""
        self._append(["done", *receipt.to_json()])

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, line: list[Any]) -> None:
        data = json.dumps(line).encode() + b"\n"
        written = os.write(self._descriptor, data)
        if written != len(data):  # a full disk may take a part
            raise OSError(f"the journal took {written} of {len(data)} bytes; is the disk full?")


@dataclass(frozen=True, slots=True)
class Reading:
    """What the journal of a batch that nobody works on any more proves."""

    receipts: tuple[Receipt, ...]
    handed_over: frozenset[int]
    """Items that may have arrived and have no answer."""
    trustworthy: bool
    """False when the machine was started anew since: an item without any line may have arrived as well."""


def reclaim(folder: Path, batch: str) -> Reading | None:
    """Read the journal of a batch and close it to everyone; None while a living sender works on it.

    A batch that was never begun reads as empty, and can not be begun any more.
    """
    descriptor = _locked(folder / (batch + _SUFFIX))
    if descriptor is None:
        return None
    try:
        reading = _read(descriptor)
        os.write(descriptor, b'["settled"]\n')
    finally:
        os.close(descriptor)
    return reading


def settle(folder: Path, batch: str) -> None:
    """Shrink the journal of a batch that the ledger has taken over to the one line that closes it."""
    descriptor = _locked(folder / (batch + _SUFFIX))
    if descriptor is None:
        return
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, b'["settled"]\n')
    finally:
        os.close(descriptor)


def was_begun(folder: Path, batch: str) -> bool:
    """Has some sender taken this batch (or control closed it)."""
    return (folder / (batch + _SUFFIX)).exists()


def sweep(folder: Path, *, older_than_s: float) -> None:
    """Delete closed journals of batches that no sender may begin any more because their time is over."""
    limit = time.time() - older_than_s
    for path in folder.glob("*" + _SUFFIX):
        if path.stat().st_mtime < limit and path.read_bytes().endswith(b'["settled"]\n'):
            path.unlink(missing_ok=True)


def _locked(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _read(descriptor: int) -> Reading:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        data = file.read()
    receipts: dict[int, Receipt] = {}
    dots: set[int] = set()
    boot = boot_id()
    # What follows the last line break was torn by the death of its writer: it says nothing.
    for raw in data.split(b"\n")[:-1]:
        try:
            kind, *rest = json.loads(raw)
        except ValueError:
            continue  # overwritten by a crash of the machine; the boot id then says not to trust the rest
        if kind == "begin":
            boot = rest[0]
        elif kind == "dot":
            dots.add(rest[0])
        elif kind == "done":
            receipts[rest[0]] = Receipt.from_json(rest)
    return Reading(tuple(receipts.values()), frozenset(dots - set(receipts)), boot == boot_id())
