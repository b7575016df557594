"""Keeps the sessions of network accounts, sealed, so that processes share one login; knows no network.

A lock is held while a session is read and made anew, for refresh tokens work once: two processes that used the same
one would lock each other out.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from comms.files import write_whole
from comms.keys import TamperedError, WorkspaceKey

_THREADS = threading.Lock()
"""A lock on a file holds between processes alone."""


class Drawer(Protocol):
    """The session of one account, while its lock is held."""

    def read(self) -> dict[str, str]:
        """The session; empty when there is none."""

    def write(self, session: dict[str, str]) -> None:
        """Keep a session instead of the one before."""


class Sessions(Protocol):
    def held(self, account: str) -> contextlib.AbstractContextManager[Drawer]:
        """The drawer of an account, for this thread of this process alone; waits until it is free."""


class MemorySessions:
    """Sessions of this process alone, as a sender on another machine keeps them."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[str, str]] = {}

    @contextlib.contextmanager
    def held(self, account: str) -> Iterator[Drawer]:
        with _THREADS:
            yield _MemoryDrawer(self._kept, account)


class _MemoryDrawer:
    def __init__(self, kept: dict[str, dict[str, str]], account: str) -> None:
        self._kept, self._account = kept, account

    def read(self) -> dict[str, str]:
        return dict(self._kept.get(self._account, {}))

    def write(self, session: dict[str, str]) -> None:
        self._kept[self._account] = dict(session)


class SealedSessions:
    """Sessions in a folder that the processes of a workspace share, sealed with its key."""

    def __init__(self, folder: Path, key: WorkspaceKey) -> None:
        """The folder is made when first needed."""
        self._folder, self._key = folder, key

    @contextlib.contextmanager
    def held(self, account: str) -> Iterator[Drawer]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        stem = hashlib.sha256(account.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        with _THREADS:
            descriptor = os.open(self._folder / f"{stem}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                yield _SealedDrawer(self._folder / f"{stem}.session", self._key)
            finally:
                os.close(descriptor)


class _SealedDrawer:
    def __init__(self, path: Path, key: WorkspaceKey) -> None:
        self._path, self._key = path, key

    def read(self) -> dict[str, str]:
        try:
            session = json.loads(self._key.unseal(self._path.read_bytes()))
        except (OSError, TamperedError, ValueError):  # none yet, or of a workspace that had another key
            return {}
        return session if isinstance(session, dict) else {}

    def write(self, session: dict[str, str]) -> None:
        with contextlib.suppress(OSError):  # a full disk costs a login, no post
            write_whole(self._path, self._key.seal(json.dumps(session).encode()))
