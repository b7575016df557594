"""`comms demo`: the main job, whole, on invented data."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.output import out, progress, say
from comms.demo.show import show
from comms.engagement import terminal


def demo(
    keep: Annotated[Path | None, typer.Option("--keep", metavar="DIR", help="A new folder to keep it in.")] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Keep the web face up until Ctrl-C.")] = False,
) -> None:
    """Do the main job on invented data: one campaign to newsletter, feed and social, with its report."""
    folder = keep or Path(tempfile.mkdtemp(prefix="comms-demo-"))
    with show(folder, lambda text: say(f"[bold green]*[/] {escape(text)}"), progress) as shown:
        say()
        out.print(terminal.render(shown.report))
        say()
        say("Look at:")
        for what, path in (
            ("the mails", shown.sheet),
            ("the report", shown.report_page),
            ("the feed", shown.feeds[0]),
            ("the posts", shown.folder / "outbox"),
            ("the workspace", shown.folder),
        ):
            say(f"  {what:14}{escape(str(path))}")
        if not serve:
            say("With `comms demo --serve` the pages, feeds and links of these mails stay up.")
            return
        say(f"  {'live':14}{shown.site}  (Ctrl-C ends it)")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            say("stopped")
