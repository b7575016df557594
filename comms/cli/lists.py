"""Commands of `comms members` that move lists and memberships: take a list along, hand a membership over."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.markup import escape

from comms.cli.output import (
    NO,
    AssociationOption,
    JsonFlag,
    counted,
    err,
    open_workspace,
    print_json,
    progress,
    say,
    stop,
    table,
    who,
)
from comms.engine import succession
from comms.engine.exporting import Exported, Format, export_list
from comms.errors import UsageError

STANDARD_OUTPUT = Path("-")


def export_list_command(
    file: Annotated[Path, typer.Argument(help="A new file; `-` for standard output.")],
    association: AssociationOption = None,
    segment: Annotated[
        str | None, typer.Option(metavar="RULE", help="Only the members for whom a segment rule holds.")
    ] = None,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="`comms`: a CSV with everything, which `members import` reads back; `mailchimp`: the tables of a "
            "Mailchimp audience as one ZIP, or of the subscribed alone as CSV.",
        ),
    ] = Format.COMMS,
    as_json: JsonFlag = False,
) -> None:
    """Write a list into a file for another system. Whoever takes one is noted in the audit log."""
    if file == STANDARD_OUTPUT and as_json:
        raise UsageError("the list and --json can not both go to standard output.", hint="Name a file.")
    with open_workspace() as workspace, progress("exporting") as update:
        slug = workspace.association(association).slug
        target = _standard_output() if file == STANDARD_OUTPUT else file
        exported = export_list(workspace, target, slug, rule=segment, form=form, who=who(), progress=update)
    if as_json:
        print_json({"file": str(file), "association": slug, "format": form.value, **exported.to_json()})
    else:
        _say_exported(exported, file)


def _standard_output() -> IO[str]:
    """Standard output as a list is written, whatever the terminal's encoding is."""
    assert isinstance(sys.stdout, io.TextIOWrapper)
    sys.stdout.reconfigure(encoding="utf-8", errors="replace", newline="")
    return sys.stdout


def _say_exported(exported: Exported, file: Path) -> None:
    """On standard error, so that a list on standard output is a list and nothing else."""
    where = "standard output" if file == STANDARD_OUTPUT else str(file)
    tables = ", ".join(f"{number:,} {status}" for status, number in exported.tables.items())
    words = counted(exported.members, "member", "members")
    err.print(f"{words} written to {escape(where)}{f': {tables}' if tables else ''}")
    for reason, number in exported.left_out.items():
        err.print(f"  {number:,} left out: {reason}")


def succeed(
    address: Annotated[str, typer.Argument(help="The address of the post-holder who leaves.")],
    association: AssociationOption = None,
    new_address: Annotated[
        str | None, typer.Option(metavar="NEW", help="The successor's own address; left out when the mailbox stays.")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="What is known of the successor: first_name=Ana ..."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it; without it, what would change is shown.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Hand a membership over to a successor: its facts and newsletters pass on, what is the person's own does not."""
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        done = succession.succeed(
            workspace, address, slug, new_address=new_address, values=_pairs(values or []), apply=yes, who=who()
        )
    if done is None:
        if as_json:
            print_json({"address": address, "found": False})
        else:
            say(f"{slug} has no member with the address {escape(address)}")
        stop(NO)
    if as_json:
        print_json(succession.to_json(done, applied=yes))
        return
    rows = [[change.who.value, change.field, change.before, change.after] for change in done.changes]
    table("Changed" if yes else "Would change", ["who", "field", "before", "after"], rows)
    for topic, reason in done.refused:
        say(f"  not taken over: {escape(topic)}: {reason}")
    if not yes:
        say("Nothing was done yet; --yes does it.")


def _pairs(words: list[str]) -> dict[str, str]:
    """`name=value` words as names and values. Raises UsageError for one without `=`."""
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{word!r} sets nothing.", hint="Write --set NAME=VALUE, such as --set first_name=Ana.")
        pairs[name.strip()] = value
    return pairs
