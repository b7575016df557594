"""Which senders live on this machine, and how it is with their mail servers: one locked file for each.

    senders/<pid>.json    {"since": Unix time, "relays": [...]}

The kernel gives up the lock with the process, however it ends, so nobody is taken for alive who is not. Senders on
other machines are not seen here.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from comms.delivery.relays import Standing

FOLDER = "senders"
_SUFFIX = ".json"
_LARGEST = 100_000


class Presence:
    """The entry of this process, while it is open. Telling more is best effort: mail does not wait for it.

    Raises OSError when the entry can not be made.
    """

    def __init__(self, workspace: Path) -> None:
        folder = workspace / FOLDER
        folder.mkdir(mode=0o700, exist_ok=True)
        self._path = folder / f"{os.getpid()}{_SUFFIX}"
        self._since = time.time()
        self._told = b""
        part = folder / f".{os.getpid()}"
        self._descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)  # before it has the name by which it is found
        part.replace(self._path)
        self.tell(())

    def tell(self, relays: Sequence[Standing]) -> None:
        """How it is with the mail servers now."""
        data = json.dumps({"since": round(self._since), "relays": [each.to_json() for each in relays]}).encode()
        if data == self._told:
            return
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, data, 0)
            os.ftruncate(self._descriptor, len(data))
            self._told = data

    def __enter__(self) -> Presence:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._path.unlink(missing_ok=True)
        os.close(self._descriptor)


@dataclass(frozen=True, slots=True)
class LivingSender:
    """A sender process of this machine."""

    pid: int
    relays: tuple[Standing, ...]
    """Empty until it has sent something."""


def living(workspace: Path) -> list[LivingSender]:
    """Every sender that lives now; what those left behind who died is cleared away."""
    return list(_living(workspace / FOLDER))


def _living(folder: Path) -> Iterator[LivingSender]:
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue  # it ended in this moment
        try:
            if _is_locked(descriptor):
                yield LivingSender(int(path.stem) if path.stem.isdigit() else 0, _relays(os.read(descriptor, _LARGEST)))
            else:
                path.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def _relays(data: bytes) -> tuple[Standing, ...]:
    try:
        return tuple(Standing(**each) for each in json.loads(data)["relays"])
    except (ValueError, TypeError, KeyError, RecursionError):  # read while it was written, or of another version
        return ()
