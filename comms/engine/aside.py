"""Work that is done all the time in a thread of its own beside control, and is never in its way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from comms.db import storage_errors
from comms.engine.workspace import Workspace
from comms.errors import CommsError

log = structlog.get_logger(__name__)

Stopped = Callable[[], bool]


@contextmanager
def aside(
    open_workspace: Callable[[], Workspace], work: Callable[[Workspace, Stopped], None], *, name: str, every_s: float
) -> Iterator[None]:
    """Does `work` for the time of a block, again and again, `every_s` seconds after the time before.

    `open_workspace` opens it anew: a Workspace belongs to its thread. An error is logged; the next time comes.
    """
    stopped = threading.Event()

    def run() -> None:
        with open_workspace() as workspace:
            while not stopped.is_set():
                try:
                    with storage_errors(workspace.host_path):
                        work(workspace, stopped.is_set)
                except CommsError as error:
                    log.error("it is not done now", what=name, reason=error.message)
                stopped.wait(every_s)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        # A request that is under way is not waited for long: what it would have brought comes the next time.
        stopped.set()
        thread.join(timeout=5)
