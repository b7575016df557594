"""How commands speak: tables and sentences for people, one JSON document with `--json`, errors with a way on."""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from comms.engine.workspace import Workspace

OK, NO, WRONG_USAGE = 0, 1, 2

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
AssociationOption = Annotated[
    str | None, typer.Option("--association", "-a", metavar="SLUG", help="Which association; the host when left out.")
]


def workspace_folder() -> Path:
    """The folder that `-w` or COMMS_WORKSPACE names, else the current one."""
    return Path(os.environ.get("COMMS_WORKSPACE") or ".")


def who() -> str:
    """Who acts, for the audit log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def open_workspace() -> Workspace:
    """The workspace there."""
    return Workspace(workspace_folder())


def print_json(data: Any) -> None:
    """One document on standard output, whatever script its text is in."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2, default=str) + "\n")


def say(text: str = "") -> None:
    """A line for people. Text that people wrote goes through `escape` first."""
    out.print(text)


def table(title: str, columns: list[str], rows: list[list[str]], *, right: tuple[int, ...] = ()) -> None:
    """A plain table; `right` are the columns to align right."""
    grid = Table(title=escape(title) if title else None, title_justify="left", box=None, pad_edge=False)
    for position, column in enumerate(columns):
        grid.add_column(escape(column), justify="right" if position in right else "left", header_style="bold")
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    out.print(grid)


def counted(number: int, one: str, many: str) -> str:
    """`1 feed entry`, `2 feed entries`."""
    return f"{number:,} {one if number == 1 else many}"


def stop(code: int) -> NoReturn:
    """End the command with this exit code."""
    raise typer.Exit(code)


def show_error(message: str, hint: str, *, as_json: bool) -> None:
    """An error on standard error; with `--json` as a document on standard output."""
    if as_json:
        print_json({"error": message, "hint": hint})
        return
    err.print(f"[bold red]error:[/] {escape(message)}")
    if hint:
        err.print(f"  {escape(hint)}")


@contextlib.contextmanager
def progress(text: str, total: int | None = None) -> Iterator[Any]:
    """A progress bar on a terminal, nothing elsewhere. Yields `update(done, total=None, text=None)`."""
    if not err.is_terminal:
        yield lambda done, total=None, text=None: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err, transient=True) as bar:
        task = bar.add_task(text, total=total)

        def update(done: int, total: int | None = None, text: str | None = None) -> None:
            bar.update(task, completed=done, total=total, description=text)

        yield update


def confirm(question: str, *, as_json: bool = False) -> None:
    """Ask before what can not be taken back. Where nobody can answer, ask for `--yes` instead."""
    if as_json or not sys.stdin.isatty():
        show_error("this needs a yes, and nobody is there to give it.", "Add --yes to the command.", as_json=as_json)
        stop(WRONG_USAGE)
    if not typer.confirm(question):
        say("Nothing was done.")
        stop(NO)
