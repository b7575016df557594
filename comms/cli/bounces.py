"""`comms bounces`: what returned mails, complaints and automatic answers say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from comms.cli.output import NO, JsonFlag, counted, print_json, progress, say, show_error, stop
from comms.engagement.bounces import Verdict, read_bounce
from comms.engagement.bounces.sources import Message, Unreadable, files_in, messages_in

app = typer.Typer(no_args_is_help=True, help="Bounces, complaints and automatic answers.")

_EXPLAIN = "Name a message (.eml), an mbox, a folder or a maildir; - reads standard input."
_LONGEST_REASON = 160


@app.callback()
def _bounces() -> None:
    """Keeps `read` a command of its own while it is the only one."""


@app.command()
def read(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="Messages (.eml), mbox files, folders, maildirs; - for standard input."),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Say of each message whom it is about, what became of it, and why. Exit code 1 when one can not be read."""
    rows: list[dict[str, Any]] = []
    unread: list[Unreadable] = []
    names = files_in(files)
    with progress("reading", len(names)) as update:
        for done, name in enumerate(names, start=1):
            for found in messages_in(name):
                if isinstance(found, Unreadable):
                    unread.append(found)
                else:
                    rows += _rows(found, read_bounce(found.data))
            update(done)
    for each in unread:
        show_error(f"{each.file}: {each.why}.", _EXPLAIN, as_json=False)
    if as_json:
        print_json(rows)
    else:
        _show(rows)
    if unread or not names:
        stop(NO)


def _rows(message: Message, verdict: Verdict) -> list[dict[str, Any]]:
    """One row a recipient; one without recipient where the message names none."""
    about = verdict.recipients or (None,)
    return [
        {
            "file": message.file,
            "recipient": each.recipient if each else None,
            "class": str((each or verdict).of_class),
            "status": (each or verdict).status,
            "reason": (each or verdict).reason,
            "kind": str((each or verdict).kind),
            "written_to": (each.written_to or None) if each else None,
            "message": message.number,
        }
        for each in about
    ]


def _show(rows: list[dict[str, Any]]) -> None:
    if not rows:
        say("No messages found.")
        return
    # The rows of a table would cut what matters, the address and the server's words, to the width of the terminal.
    for row in rows:
        kind = f" ({row['kind']})" if row["kind"] != row["class"] else ""
        say(f"[bold]{escape(row['recipient'] or 'nobody named')}[/]  {row['class']}{kind}  {row['status']}".rstrip())
        say(f"    {escape(Path(row['file']).name)}: {escape(row['reason'][:_LONGEST_REASON])}".rstrip(": "))
    counts = Counter(row["class"] for row in rows)
    say(
        f"{counted(len(rows), 'recipient', 'recipients')}: "
        + ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
    )
