"""Reads the feeds of others that are due, all the time, in a thread of its own beside control."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from comms.db import storage_errors
from comms.engine import sources
from comms.engine.workspace import Workspace
from comms.errors import CommsError
from comms.reading.fetch import Fetcher

log = structlog.get_logger(__name__)

EVERY_S = 60.0
"""Seconds between two looks at what is due; how often each feed is, `comms.reading.manners` says."""


@contextmanager
def reader(open_workspace: Callable[[], Workspace], *, by: Fetcher | None = None) -> Iterator[None]:
    """Reads for the time of a block. `open_workspace` opens it anew: a Workspace belongs to its thread."""
    stopped = threading.Event()
    thread = threading.Thread(target=_run, args=(open_workspace, by, stopped), name="feed-reader", daemon=True)
    thread.start()
    try:
        yield
    finally:
        # A request that is under way is not waited for long: what it would have brought comes in an hour.
        stopped.set()
        thread.join(timeout=5)


def _run(open_workspace: Callable[[], Workspace], by: Fetcher | None, stopped: threading.Event) -> None:
    with open_workspace() as workspace:
        while not stopped.is_set():
            try:
                with storage_errors(workspace.host_path):
                    readings = sources.read(workspace, by=by, stopped=stopped.is_set)
            except CommsError as error:
                log.error("feeds are not read now", reason=error.message)
            else:
                for source in (reading.source for reading in readings if reading.asked):
                    if source.fault and source.failures <= 1:
                        log.warning("a feed can not be read", source=source.name, reason=source.fault)
            stopped.wait(EVERY_S)
