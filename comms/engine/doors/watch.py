"""Keeps the doors that the settings name: the listener is there all the time, the others are looked at each minute."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import structlog

from comms.engine.doors.imap import Mailbox
from comms.engine.doors.listener import Listener
from comms.engine.doors.maildir import Maildir
from comms.engine.workspace import Workspace
from comms.errors import CommsError

log = structlog.get_logger(__name__)

EVERY_S = 60.0


class Door(Protocol):
    """A place to look at from time to time."""

    name: str

    def collect(self) -> int:
        """Keep what is new there; returns how much. Raises CommsError or OSError when it can not be looked at."""


class Watch:
    """Looks at doors, in a thread of its own between `start` and `stop`. A door that fails is tried again."""

    def __init__(self, doors: list[Door], *, every_s: float = EVERY_S) -> None:
        self._doors = doors
        self._every_s = every_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="doors", daemon=True)
        self._faults: dict[str, str] = {}
        """What was last said of a door, so that it is said once."""

    def start(self) -> None:
        if self._doors:
            self._thread.start()

    def stop(self) -> None:
        """Ends after the message that is being kept; nothing is lost when it does not."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def look(self) -> None:
        """Look at each door once."""
        for door in self._doors:
            if self._stopped.is_set():
                return
            try:
                door.collect()
            except (CommsError, OSError) as error:
                reason = str(error)
                if self._faults.get(door.name) != reason:
                    log.error("a door for returned mail can not be looked at", door=door.name, reason=reason)
                self._faults[door.name] = reason
            else:
                self._faults.pop(door.name, None)

    def _run(self) -> None:
        self.look()
        while not self._stopped.wait(self._every_s):
            self.look()


@contextmanager
def doors(workspace: Workspace) -> Iterator[None]:
    """The doors of a workspace for the time of a block. Raises ConfigError when one can not be opened at all."""
    settings, folder = workspace.settings.bounces, workspace.folder
    watched: list[Door] = []
    if settings.maildir:
        watched.append(Maildir(folder / Path(settings.maildir).expanduser(), folder))
    if settings.imap_host:
        watched.append(Mailbox(settings, folder))
    watch = Watch(watched)
    listener = Listener(settings.listen, folder, workspace.links.signer.returns) if settings.listen else None
    try:
        watch.start()
        if listener is not None:
            listener.start()
        yield
    finally:
        watch.stop()
        if listener is not None:
            listener.stop()
