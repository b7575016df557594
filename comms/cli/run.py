"""`comms run`, `comms worker`, `comms web`: the processes that stay."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from comms import keys
from comms.cli.output import open_workspace, say, workspace_folder
from comms.engine.control import Control, ControlLock
from comms.engine.doors.watch import doors
from comms.errors import StateError, UsageError
from comms.queues import queue_of
from comms.web.server import serve
from comms.worker import QUEUE_VARIABLE, run_sender, run_sender_elsewhere, run_senders_elsewhere, senders


def run(
    no_senders: Annotated[
        bool, typer.Option("--no-senders", help="Leave sending to `comms worker` on other machines.")
    ] = False,
) -> None:
    """Run control, senders and the web face in one command, until Ctrl-C or SIGTERM."""
    stop = _stop_on_signals()
    with open_workspace() as workspace:
        lock = ControlLock(workspace.folder)
        if no_senders and not workspace.settings.queue.url:
            raise UsageError("senders on other machines need a Redis.", hint="Set [queue] url in comms.toml.")
        if not lock.take():
            raise StateError("comms runs in this workspace already.", hint="One control process is enough.")
        site = workspace.settings.site
        server = serve(workspace.folder, site.host, site.port)
        server.start()
        try:
            with doors(workspace), senders(workspace, none=no_senders) as pool:
                say(f"comms runs: {pool.size} senders, web face on http://{site.host}:{site.port} ({site.url})")
                pool.keep()
                control = Control(workspace, queue_of(workspace), pool.size)
                control.run(stop.is_set, pool.keep)
                say("stopping: what is on the wire goes out first")
        finally:
            server.stop()
            lock.release()


def worker(
    key_file: Annotated[
        Path | None,
        typer.Option(
            "--key-file",
            metavar="FILE",
            help="On another machine: a copy of the workspace's `workspace.key`. No workspace is needed then.",
        ),
    ] = None,
    queue: Annotated[
        str,
        typer.Option(
            metavar="URL",
            envvar=QUEUE_VARIABLE,
            help="On another machine: the Redis that the workspace's [queue] url names.",
        ),
    ] = "",
    size: Annotated[
        int,
        typer.Option("--senders", min=0, max=256, help="On another machine: how many; 0 means one per processor."),
    ] = 0,
    tethered: Annotated[bool, typer.Option("--tethered", hidden=True)] = False,
) -> None:
    """Be one more sender, until Ctrl-C or SIGTERM; on another machine several, over Redis."""
    if key_file is None:
        run_sender(workspace_folder(), tethered=tethered)
        return
    if not queue.startswith(("redis://", "rediss://", "unix://")):
        raise UsageError(
            "a sender on another machine needs the Redis of the workspace.",
            hint=f"Give --queue redis://HOST:6379/0, or set {QUEUE_VARIABLE} (better, where it holds a password).",
        )
    key = keys.load_file(key_file)
    if tethered:
        run_sender_elsewhere(queue, key)
        return
    stop = _stop_on_signals()
    say(f"sending for the workspace of {key_file}, until Ctrl-C")
    run_senders_elsewhere(queue, key_file, size, stop)


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


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    return stop
