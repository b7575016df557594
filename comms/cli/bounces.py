"""`comms bounces`: what returned mails, complaints and automatic answers say, and what follows from them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from comms.cli.output import (
    NO,
    AssociationOption,
    JsonFlag,
    counted,
    open_workspace,
    print_json,
    progress,
    say,
    show_error,
    stop,
)
from comms.engagement.bounces import Verdict, read_bounce
from comms.engagement.bounces.sources import Message, Unreadable, files_in, messages_in
from comms.engine import bounces
from comms.engine.bounces import Accepted, Effect

app = typer.Typer(no_args_is_help=True, help="Bounces, complaints and automatic answers.")

_EXPLAIN = "Name a message (.eml), an mbox, a folder or a maildir; - reads standard input."
_LONGEST_REASON = 160
_MOST_LISTED = 50
_EFFECTS = {
    Effect.SUPPRESSED: "not written to any more: {why}",
    Effect.UNSUBSCRIBED: "unsubscribed",
    Effect.RECORDED: "noted",
    Effect.KNOWN: "noted before",
    Effect.IGNORED: "says nothing that counts",
    Effect.UNMATCHED: "not shown to be about a mail of ours; nothing was done",
}
Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="Messages (.eml), mbox files, folders, maildirs; - for standard input."),
]


@app.command()
def read(
    files: Files,
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


@app.command()
def accept(
    files: Files,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="The address that they were returned to, if known.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Take returned mail in by hand, as the doors do: note it, and suppress addresses where that is due.

    Exit code 1 when a file can not be read, or none of them is about a mail of ours.
    """
    done: list[tuple[str, Accepted]] = []
    unread: list[Unreadable] = []
    names = files_in(files)
    with open_workspace() as workspace, progress("taking in", len(names)) as update:
        for number, name in enumerate(names, start=1):
            for found in messages_in(name):
                if isinstance(found, Unreadable):
                    unread.append(found)
                else:
                    done.append((found.file, bounces.accept(workspace, found.data, to, dry_run=dry_run)))
            update(number)
    for each in unread:
        show_error(f"{each.file}: {each.why}.", _EXPLAIN, as_json=False)
    if as_json:
        print_json([{"file": file, **accepted.to_json()} for file, accepted in done])
    else:
        _show_accepted(done, dry_run=dry_run)
    if unread or not any(accepted.delivery for _, accepted in done):
        stop(NO)


@app.command("list")
def listing(
    association: AssociationOption = None,
    days: Annotated[int, typer.Option(help="How far to look back.", min=1, max=3650)] = 30,
    as_json: JsonFlag = False,
) -> None:
    """Show what came back to an association lately: how many of each kind, and the newest of them."""
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        overview = bounces.overview(workspace, slug, timedelta(days=days), _MOST_LISTED)
    if as_json:
        print_json(overview.to_json())
        return
    if not overview.counts:
        say(f"Nothing came back to {slug} in the last {counted(days, 'day', 'days')}.")
        return
    for past in overview.newest:
        suppressed = f"  [red]not written to any more: {escape(past.suppressed)}[/]" if past.suppressed else ""
        address = escape(past.address or "(erased)")
        say(f"{past.at[:16].replace('T', ' ')}  [bold]{address}[/]  {past.kind}  {past.status}{suppressed}")
        say(f"    {escape(past.campaign)}: {escape(past.reason[:_LONGEST_REASON])}".rstrip(": "))
    total = sum(overview.counts.values())
    say(f"{counted(total, 'mail', 'mails')}: " + ", ".join(f"{n:,} {kind}" for kind, n in overview.counts.items()))


def _show_accepted(done: list[tuple[str, Accepted]], *, dry_run: bool) -> None:
    if not done:
        say("No messages found.")
        return
    for file, accepted in done:
        kind = accepted.kind.value
        say(f"[bold]{escape(accepted.recipient or 'nobody named')}[/]  {kind}  {accepted.status}".rstrip())
        said = _EFFECTS[accepted.effect].format(why=accepted.suppressed)
        about = f"{accepted.association}, {accepted.campaign}: " if accepted.association else ""
        say(f"    {escape(Path(file).name)}: {escape(about)}{said}")
    counts = Counter(accepted.effect.value for _, accepted in done)
    would = "nothing was done; " if dry_run else ""
    say(would + ", ".join(f"{count:,} {name}" for name, count in counts.most_common()))


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
