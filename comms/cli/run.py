"""`comms run`, `comms worker`, `comms web`: the processes that stay."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from comms.cli.output import open_workspace, say, workspace_folder
from comms.engine.control import Control, ControlLock
from comms.engine.doors.watch import doors
from comms.errors import StateError
from comms.web.server import serve
from comms.worker import HueyQueue, run_sender, senders


def run() -> None:
    """Run control, senders and the web face in one command, until Ctrl-C or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    with open_workspace() as workspace:
        lock = ControlLock(workspace.folder)
        if not lock.take():
            raise StateError("comms runs in this workspace already.", hint="One control process is enough.")
        site = workspace.settings.site
        server = serve(workspace.folder, site.host, site.port)
        server.start()
        try:
            with doors(workspace), senders(workspace) as pool:
                say(f"comms runs: {pool.size} senders, web face on http://{site.host}:{site.port} ({site.url})")
                pool.keep()
                control = Control(workspace, HueyQueue(workspace), pool.size)
                control.run(stop.is_set, pool.keep)
                say("stopping: what is on the wire goes out first")
        finally:
            server.stop()
            lock.release()


def worker(
    tethered: Annotated[bool, typer.Option("--tethered", hidden=True)] = False,
) -> None:
    """Be one more sender, until Ctrl-C or SIGTERM."""
    run_sender(workspace_folder(), tethered=tethered)


def web(
    host: Annotated[str | None, typer.Option(help="Interface to listen on; else [site] host.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; else [site] port.")] = None,
) -> None:
    """Serve the web face alone: feeds, pages, unsubscribe and tracking links."""
    with open_workspace() as workspace:
        site = workspace.settings.site
        server = serve(workspace.folder, host or site.host, port or site.port)
        say(f"web face on http://{host or site.host}:{port or site.port}")
        server.run()
