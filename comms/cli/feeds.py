"""`comms feed`: our feeds as files; the feeds of others, reading them, and their items."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from comms.cli.entries import correct, withdraw
from comms.cli.output import (
    NO,
    JsonFlag,
    confirm,
    counted,
    open_workspace,
    print_json,
    progress,
    say,
    stop,
    table,
    who,
)
from comms.cli.subscribers import subscribers
from comms.engine import feeds
from comms.engine import sources as engine

app = typer.Typer(no_args_is_help=True, help="Our feeds, and those of others.")
app.command()(correct)
app.command()(withdraw)
app.command()(subscribers)

SourceName = Annotated[str, typer.Argument(metavar="NAME|URL", help="The source's name, or its address.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done; ask nobody, change nothing.")]


@app.command()
def build(folder: Annotated[Path, typer.Argument(metavar="DIR")], as_json: JsonFlag = False) -> None:
    """Write every public feed as files; files that did not change keep their bytes."""
    with open_workspace() as workspace:
        files = feeds.write_feeds(workspace, folder)
    if as_json:
        print_json({"files": [str(path) for path in files]})
    else:
        for path in files:
            say(escape(str(path)))


@app.command()
def sources(as_json: JsonFlag = False) -> None:
    """List the feeds of others that are read here, and how the last reading went."""
    with open_workspace() as workspace:
        rows, kept = engine.store(workspace).all(), engine.store(workspace).count_items()
    if as_json:
        print_json([{**engine.shown(row), "items": kept.get(row.id, 0)} for row in rows])
    elif not rows:
        say("No feeds of others are read. Add one with: comms feed add URL")
    else:
        cells = [
            [row.name, row.title, f"{kept.get(row.id, 0):,}", _moment(row.read_at), row.fault or _next(row.next_at)]
            for row in rows
        ]
        table("", ["name", "title", "items", "last read (UTC)", ""], cells, right=(2,))


@app.command()
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Address of a feed in RSS or Atom.")],
    name: Annotated[str, typer.Option(help="Short name for campaigns; else made of the site's name.")] = "",
    title: Annotated[str, typer.Option(help="What people read; else what the feed says.")] = "",
    as_json: JsonFlag = False,
) -> None:
    """Read a feed from now on, and for the first time at once. Exit code 1 when it can not be read yet."""
    with open_workspace() as workspace:
        source = engine.add(workspace, url, name=name, title=title, who=who())
        (reading,) = engine.read(workspace, [source.name])
    if as_json:
        print_json(reading.to_json())
    else:
        say(f"Added as {escape(source.name)}.")
        _say_reading(reading)
    if reading.source.fault:
        stop(NO)


@app.command()
def remove(
    name: SourceName,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Read a feed no more, and forget its items. What was sent with them stays as it is."""
    with open_workspace() as workspace:
        source = engine.find(workspace, name)
        if not yes:
            confirm(f"Read {source.name} no more, and forget its items?", as_json=as_json)
        engine.remove(workspace, source.name, who=who())
    if as_json:
        print_json({"removed": source.name})
    else:
        say(f"{escape(source.name)} is read no more.")


@app.command()
def read(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME|URL]...", help="Which; all when left out.")
    ] = None,
    dry_run: DryRun = False,
    as_json: JsonFlag = False,
) -> None:
    """Ask for the feeds that may be asked for now. `comms run` does it by itself. Exit code 1 when one fails.

    A feed is asked for once an hour at most, by whoever: what is not due yet is left alone.
    """
    with open_workspace() as workspace, progress("reading") as update:
        if dry_run:
            due, waiting = engine.due(workspace, names or ())
            readings = [engine.Reading(each, asked=True) for each in due]
            readings += [engine.Reading(each, asked=False) for each in waiting]
        else:
            readings = engine.read(workspace, names or (), progress=update)
    if as_json:
        print_json({"dry_run": dry_run, "sources": [reading.to_json() for reading in readings]})
    elif not readings:
        say("No feeds of others are read. Add one with: comms feed add URL")
    else:
        for reading in readings:
            if dry_run and reading.asked:
                say(f"{escape(reading.source.name)}: would be asked for")
            else:
                _say_reading(reading)
    if not dry_run and any(reading.asked and reading.source.fault for reading in readings):
        stop(NO)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An OPML file, as feed readers export it.")],
    dry_run: DryRun = False,
    as_json: JsonFlag = False,
) -> None:
    """Add every feed that an OPML file names. They are read by the next `comms feed read`, or by `comms run`."""
    with open_workspace() as workspace:
        imported = engine.import_opml(workspace, file, who=who(), dry_run=dry_run)
    if as_json:
        print_json({**imported.to_json(), "dry_run": dry_run})
        return
    would = "would be " if dry_run else ""
    say(f"{counted(len(imported.added), 'feed', 'feeds')} {would}added, {len(imported.known):,} there already")
    for line, reason in imported.refused:
        say(f"  line {line:,}: {escape(reason)}")


@app.command()
def items(
    name: SourceName,
    count: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """List what was read in a feed, the latest first. Exit code 1 when there is nothing."""
    with open_workspace() as workspace:
        found = engine.store(workspace).items(engine.find(workspace, name), limit=count)
    if as_json:
        keys = ("title", "url", "summary", "image", "appeared_at", "edited_at")
        print_json([{key: getattr(item, key) for key in keys} for item in found])
    for item in () if as_json else found:
        say(f"{item.appeared_at:%Y-%m-%d}  {escape(item.title)}\n            {escape(item.url)}")
    if not found:
        if not as_json:
            say("Nothing was read in it yet.")
        stop(NO)


def _say_reading(reading: engine.Reading) -> None:
    source = reading.source
    name = escape(source.name)
    if not reading.asked:
        say(f"{name}: {escape(source.fault) if source.gone else f'not due; {_next(source.next_at)}'}")
    elif source.fault:
        say(f"{name}: {escape(source.fault)}; {_next(source.next_at)}")
    else:
        say(f"{name}: {counted(reading.new, 'new item', 'new items')}, {reading.edited:,} changed")


def _moment(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def _next(moment: datetime | None) -> str:
    return f"next not before {moment:%Y-%m-%d %H:%M} UTC" if moment else "next at any time"
