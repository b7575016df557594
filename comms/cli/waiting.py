"""Stays with a campaign until it is over, sending it in this process as long as there is no `comms run`."""

from __future__ import annotations

import time
from collections.abc import Callable

from rich.markup import escape

from comms.cli.output import err, progress
from comms.engine import reporting, sending
from comms.engine.control import Control, ControlLock
from comms.engine.workspace import Workspace
from comms.queues import queue_of
from comms.worker import senders

LOOK_EVERY_S = 0.5


def wait_for(workspace: Workspace, campaign_id: str) -> None:
    """Return when the campaign is over, or paused. Ctrl-C leaves what is not sent yet to `comms run`."""
    lock, run = ControlLock(workspace.folder), ControlLock.of_run(workspace.folder)
    with progress(campaign_id) as update:
        told: set[str] = set()
        show = _Throttled(lambda: _show(workspace, campaign_id, update, told))
        while not is_over(workspace, campaign_id):
            if not run.is_held() and lock.take():
                try:
                    _control(workspace, lambda: run.is_held() or is_over(workspace, campaign_id), show)
                finally:
                    lock.release()
            else:
                show()
                time.sleep(LOOK_EVERY_S)
        _show(workspace, campaign_id, update, told)


def _control(workspace: Workspace, is_over: Callable[[], bool], show: Callable[[], None]) -> None:
    with senders(workspace) as pool:
        control = Control(workspace, queue_of(workspace), pool.size)

        def after_step() -> None:
            pool.keep()
            show()

        pool.keep()
        control.run(is_over, after_step)


def is_over(workspace: Workspace, campaign_id: str) -> bool:
    """Is nothing more to come of the campaign, unless somebody resumes it."""
    row = sending.find(workspace, campaign_id)
    return row.state in (*sending.OVER, "paused") and not sending.is_busy(workspace, row)


def _show(workspace: Workspace, campaign_id: str, update: Callable[..., None], told: set[str]) -> None:
    """Move the bar; say each reason for which the server defers once, for a wait may be long."""
    data = reporting.status(workspace, campaign_id)
    still_open = sum(data.deliveries[state] for state in ("ready", "claimed", "deferred"))
    update(data.audience - still_open, data.audience)
    if data.deliveries["deferred"]:
        for reason, number in sending.deferrals(workspace, campaign_id).items():
            if reason not in told:
                told.add(reason)
                err.print(escape(f"{campaign_id}: {number:,} put off, tried again by and by: {reason}"))


class _Throttled:
    """Calls through at most every half second: counting a large ledger is not free."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._next = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            self._action()
            self._next = time.monotonic() + LOOK_EVERY_S
