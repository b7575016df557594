"""Announces what changed all the time, in a thread of its own beside control, so that nothing waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import structlog

from comms.engine.announcing import AT_A_TIME, Announcer
from comms.engine.workspace import Workspace
from comms.errors import CommsError
from comms.outside.websub import Caller

log = structlog.get_logger(__name__)

IDLE_S, BUSY_S, BLOCKED_S = 1.0, 0.05, 30.0
"""Seconds between two steps: with nothing under way, with something, and when the database can not be used."""


@contextmanager
def announcer(open_workspace: Callable[[], Workspace], *, caller: Caller | None = None) -> Iterator[None]:
    """Announces for the time of a block. `open_workspace` opens it anew: a Workspace belongs to its thread."""
    stopped = threading.Event()
    thread = threading.Thread(target=_run, args=(open_workspace, caller, stopped), name="announcer", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join(timeout=5)


def _run(open_workspace: Callable[[], Workspace], caller: Caller | None, stopped: threading.Event) -> None:
    pool = ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="announcer")
    try:
        with open_workspace() as workspace:
            work = Announcer(workspace, caller or Caller(workspace.settings.site.url), pool)
            while not stopped.is_set():
                pause = IDLE_S
                try:
                    pause = BUSY_S if work.step() else IDLE_S
                except CommsError as error:
                    log.error("subscribers are not told now", reason=error.message)
                    pause = BLOCKED_S
                stopped.wait(pause)
    finally:
        # What is under way ends by itself, within `PATIENCE`. How, is not written down, and so it is done once more.
        pool.shutdown(wait=False, cancel_futures=True)
