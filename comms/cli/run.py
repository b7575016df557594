"""`comms run`: control, senders and the web face in one."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from comms.cli.output import counted, open_workspace, say
from comms.cli.signals import stop_on_signals
from comms.engine.announcer import announcer
from comms.engine.control import Control, ControlLock
from comms.engine.counting import counter
from comms.engine.doors.watch import doors
from comms.engine.following.beside import follower
from comms.engine.reader import reader
from comms.errors import StateError, UsageError
from comms.queues import queue_of
from comms.web.server import serve
from comms.worker import senders, settle_memory

_LOOK_EVERY_S = 0.2


def run(
    no_senders: Annotated[
        bool, typer.Option("--no-senders", help="Leave sending to `comms worker` on other machines.")
    ] = False,
) -> None:
    """Run control, senders and the web face in one command, until Ctrl-C or SIGTERM."""
    stop = stop_on_signals()
    with open_workspace() as workspace:
        if no_senders and not workspace.settings.queue.url:
            raise UsageError("senders on other machines need a Redis.", hint="Set [queue] url in comms.toml.")
        mine, lock = ControlLock.of_run(workspace.folder), ControlLock(workspace.folder)
        if not mine.take():
            raise StateError("comms runs in this workspace already.", hint="One control process is enough.")
        if not _take_over(lock, stop):
            return
        site = workspace.settings.site
        server = serve(workspace.folder, site.host, site.port)
        server.start()
        try:
            with (
                doors(workspace),
                reader(open_workspace),
                counter(open_workspace),
                announcer(open_workspace),
                follower(open_workspace),
                senders(workspace, none=no_senders) as pool,
            ):
                here = f"http://{site.host}:{site.port}"
                public = f" ({site.url})" if site.url.rstrip("/") != here else ""
                say(f"comms runs: {counted(pool.size, 'sender', 'senders')}, web face on {here}{public}")
                pool.keep()
                control = Control(workspace, queue_of(workspace), pool.size)
                settle_memory()
                control.run(stop.is_set, pool.keep)
                say("stopping: what is on the wire goes out first")
        finally:
            server.stop()
            lock.release()
            mine.release()


def _take_over(lock: ControlLock, stop: threading.Event) -> bool:
    """Wait for a command that sends a campaign here, and lets go within a batch. False when asked to stop before."""
    told = False
    while not lock.take():
        if not told:
            say("a command sends a campaign in this workspace: what it began goes out first")
            told = True
        if stop.wait(_LOOK_EVERY_S):
            return False
    return True
