"""Reads the offers of other engines and answers them, all the time, in a thread of its own beside control."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import structlog

from comms.engine.aside import Stopped, aside
from comms.engine.following import feeds, telling
from comms.engine.workspace import Workspace

log = structlog.get_logger(__name__)

EVERY_S = 2.0
"""Seconds between two looks at what is due; how often each feed is, `feeds` says."""


def follower(open_workspace: Callable[[], Workspace]) -> AbstractContextManager[None]:
    """Follows for the time of a block; see `aside`."""

    def work(workspace: Workspace, stopped: Stopped) -> None:
        for reading in feeds.read(workspace, stopped=stopped):
            if reading.asked and reading.follow.fault and reading.follow.failures <= 1:
                log.warning("an engine can not be followed", name=reading.follow.name, reason=reading.follow.fault)
        for told in telling.tell(workspace, stopped=stopped):
            log.info("relay", campaign=told.campaign, told=told.taken, reason=told.refusal)

    return aside(open_workspace, work, name="follower", every_s=EVERY_S)
