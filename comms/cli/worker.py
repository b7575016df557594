"""`comms worker`: senders alone, on this machine or another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from comms import keys
from comms.cli.output import say, workspace_folder
from comms.cli.signals import stop_on_signals
from comms.errors import UsageError
from comms.worker import QUEUE_VARIABLE, run_sender, run_sender_elsewhere, run_senders_elsewhere


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
            help="On another machine: the Redis that `queue.url` of the workspace names.",
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
    stop = stop_on_signals()
    say(f"sending for the workspace of {key_file}, until Ctrl-C")
    run_senders_elsewhere(queue, key_file, size, stop)
