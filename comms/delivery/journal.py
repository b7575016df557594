"""A sender's own record of a batch, one file each: what it is about to do, and what the server answered.

    ["begin", boot]                 which start of the machine the lines belong to
    ["dot", item, ...]              about to hand the item over: from here on it may have arrived
    ["done", item, outcome, ...]    the answer
    ["settled"]                     the ledger has it all; nobody may begin this batch again

The sender holds an exclusive lock on the file for as long as it works, so whoever gets the lock knows that
no living sender holds the batch. Lines are plain appends: the kernel keeps them through `kill -9`; only a
machine that stopped can lose them, which the boot id tells. So that it is there to tell, and so that a queue
which comes back with tasks it had given out already starts nothing anew, the first line is on the disk before
anything else happens, and stays there.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from json.encoder import encode_basestring_ascii as _quoted
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from comms.delivery.batches import Receipt

_SUFFIX = ".journal"
_SETTLED = b'["settled"]\n'


@cache
def boot_id() -> str:
    """Changes with every start of the machine; on systems that do not tell, a constant."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


class OpenJournal(Protocol):
    """The journal of a batch that this process is working on, wherever it is kept.

    A line that can not be written raises OSError, and so does every line after it.
    """

    def about_to(self, item: int) -> None:
        """Say, before the final dot, that the item may have arrived from now on."""

    def done(self, receipt: Receipt) -> None:
        """Say what the server answered."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class SenderJournals(Protocol):
    """Journals as a sender sees them."""

    def begin(self, batch: str, items: Sequence[int], handed_by: str) -> OpenJournal | None:
        """Take a batch of `items`, in the order in which they go out; None when another has it, had it, or control
        has given it up. `handed_by` names the start of the queue's server that handed it out. Raises OSError."""


class Journals(Protocol):
    """Journals as control sees them."""

    def was_begun(self, batch: str) -> bool:
        """Has some sender taken this batch (or control closed it)."""

    def reclaim(self, batch: str, handed_at: float) -> Reading | None:
        """Read the journal of a batch, handed out at that Unix time, and close it to everyone; None while a living
        sender works on it. A batch that was never begun reads as empty, and can not be begun any more."""

    def settle(self, batch: str) -> None:
        """Keep closed, and otherwise forget, the journal of a batch that the ledger has taken over."""


class FileJournals:
    """Journals in a folder that control and its senders share."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, batch: str, items: Sequence[int], handed_by: str) -> OpenJournal | None:
        return Journal.begin(self.folder, batch)

    def was_begun(self, batch: str) -> bool:
        return was_begun(self.folder, batch)

    def reclaim(self, batch: str, handed_at: float) -> Reading | None:
        return reclaim(self.folder, batch)

    def settle(self, batch: str) -> None:
        settle(self.folder, batch)


class Journal:
    """The journal of a batch that this process is working on, in a file.

    A line that can not be written raises OSError, and so does every line after it.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._broken = ""

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
            journal._append(_begin_line())
            _to_disk(descriptor, folder)
        except OSError:
            journal.close()
            raise
        return journal

    def about_to(self, item: int) -> None:
        """Say, before the final dot, that the item may have arrived from now on."""
        self._append(b'["dot", %d]\n' % item)

    def done(self, receipt: Receipt) -> None:
        """Say what the server answered."""
        self._append(done_line(receipt))

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(self, data: bytes) -> None:
        # At once, although several lines could share a call: a call costs less than a microsecond, and a line that
        # waits in this process dies with it.
        if self._broken:
            raise OSError(self._broken)
        try:
            written = os.write(self._descriptor, data)
        except OSError as error:
            self._broken = f"the journal can not be written: {error.strerror}"
            raise
        if written != len(data):  # a full disk may take a part
            # Never a line after it: the two would run together, and neither could be read.
            self._broken = f"the journal took {written} of {len(data)} bytes; is the disk full?"
            os.ftruncate(self._descriptor, os.fstat(self._descriptor).st_size - written)
            raise OSError(self._broken)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the journal of a batch that nobody works on any more proves."""

    receipts: tuple[Receipt, ...]
    handed_over: frozenset[int]
    """Items that may have arrived and have no answer."""
    trustworthy: bool
    """False when the machine was started anew since, or the file is damaged: an item without any line may have
    arrived as well."""


def reclaim(folder: Path, batch: str) -> Reading | None:
    """Read the journal of a batch and close it to everyone; None while a living sender works on it.

    A batch that was never begun reads as empty, and can not be begun any more.
    """
    descriptor = _locked(folder / (batch + _SUFFIX))
    if descriptor is None:
        return None
    try:
        data = _content(descriptor)
        if torn := len(data) - (data.rfind(b"\n") + 1):
            os.ftruncate(descriptor, len(data) - torn)
        os.write(descriptor, _SETTLED)
        # Before the ledger gives its deliveries to another batch.
        _to_disk(descriptor, folder)
    finally:
        os.close(descriptor)
    return read(data)


def settle(folder: Path, batch: str) -> None:
    """Shrink the journal of a batch that the ledger has taken over to what keeps it closed."""
    descriptor = _locked(folder / (batch + _SUFFIX))
    if descriptor is None:
        return
    try:
        # Not to nothing: a machine that stops now could leave it so, as if nobody had begun.
        first, newline, _ = _content(descriptor).partition(b"\n")
        os.ftruncate(descriptor, len(first + newline))
        if first + newline != _SETTLED:
            os.write(descriptor, _SETTLED)
    finally:
        os.close(descriptor)


def was_begun(folder: Path, batch: str) -> bool:
    """Has some sender taken this batch (or control closed it)."""
    return (folder / (batch + _SUFFIX)).exists()


def sweep(folder: Path, *, older_than_s: float) -> None:
    """Delete closed journals of batches that no sender may begin any more because their time is over."""
    limit = time.time() - older_than_s
    for path in folder.glob("*" + _SUFFIX):
        if path.stat().st_mtime < limit and path.read_bytes().endswith(_SETTLED):
            path.unlink(missing_ok=True)


def _locked(path: Path) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _to_disk(descriptor: int, folder: Path) -> None:
    """Wait until the file, and its name in the folder, would survive a power cut."""
    os.fsync(descriptor)
    directory = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _content(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(os.dup(descriptor), "rb") as file:
        return file.read()


def read(data: bytes) -> Reading:
    """What the bytes of a journal prove. Never raises: a line that is none of ours proves nothing."""
    # What follows the last line break was torn by the death of its writer: it says nothing.
    lines = data.split(b"\n")[:-1]
    # Whoever sends has written the first line; without one nobody did.
    trustworthy = not lines or lines[0] + b"\n" in (_begin_line(), _SETTLED)
    return read_lines(lines[1:], trustworthy=trustworthy)


def read_lines(lines: Iterable[bytes], *, trustworthy: bool) -> Reading:
    """What the lines after the first prove, if the first can be trusted. Never raises, as `read`."""
    receipts: dict[int, Receipt] = {}
    dots: set[int] = set()
    for raw in lines:
        try:
            match json.loads(raw):
                case ["dot", *items] if items and all(type(item) is int for item in items):
                    dots.update(items)
                    for item in items:
                        receipts.pop(item, None)  # tried anew after an answer, such as by another server
                case ["done", *rest]:
                    receipt = Receipt.from_json(rest)
                    receipts[receipt.item] = receipt
                case ["settled"]:
                    pass
                case _:
                    trustworthy = False
        except (ValueError, TypeError, RecursionError):
            trustworthy = False  # damaged, by a disk or a hand
    return Reading(tuple(receipts.values()), frozenset(dots - set(receipts)), trustworthy)


def _begin_line() -> bytes:
    return line("begin", boot_id())


def done_line(receipt: Receipt) -> bytes:
    """The line that holds a receipt."""
    if receipt.details:
        return line("done", *receipt.to_json())
    # What `line` gives for it, in a quarter of the time: one for every mail.
    item, outcome, code, text, _ = receipt
    return f'["done", {item}, "{outcome}", {code}, {_quoted(text)}, {{}}]\n'.encode("ascii")


def line(*values: Any) -> bytes:
    """One line of a journal."""
    return json.dumps(values).encode() + b"\n"
