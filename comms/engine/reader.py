"""Reads the feeds of others that are due, all the time, in a thread of its own beside control."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import structlog

from comms.engine import sources
from comms.engine.aside import Stopped, aside
from comms.engine.workspace import Workspace
from comms.reading.fetch import Fetcher

log = structlog.get_logger(__name__)

EVERY_S = 60.0
"""Seconds between two looks at what is due; how often each feed is, `comms.reading.manners` says."""


def reader(open_workspace: Callable[[], Workspace], *, by: Fetcher | None = None) -> AbstractContextManager[None]:
    """Reads for the time of a block; see `aside`."""

    def read(workspace: Workspace, stopped: Stopped) -> None:
        readings = sources.read(workspace, by=by, stopped=stopped)
        for source in (reading.source for reading in readings if reading.asked):
            if source.fault and source.failures <= 1:
                log.warning("a feed can not be read", source=source.name, reason=source.fault)

    return aside(open_workspace, read, name="feed-reader", every_s=EVERY_S)
