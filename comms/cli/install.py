"""`comms init`, `doctor`, `backup`, `restore`: the installation itself."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from audiences.models import Association
from comms.cli.output import NO, JsonFlag, open_workspace, print_json, say, stop, workspace_folder
from comms.engine import maintenance, setup
from comms.engine import restore as restoring
from comms.errors import UsageError


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")],
    name: Annotated[str, typer.Option(help="Name of the coalition that runs this installation.")],
    slug: Annotated[str | None, typer.Option(help="Its short name; made from the name when left out.")] = None,
    sender: Annotated[
        str | None, typer.Option("--from", metavar="ADDRESS", help="Address that its newsletters come from.")
    ] = None,
    postal_address: Annotated[str, typer.Option(help="Its postal address.")] = setup.POSTAL_PLACEHOLDER,
    homepage: Annotated[str, typer.Option(help="Its web address.")] = "",
    language: Annotated[str, typer.Option(help="Its language tag.")] = "en",
    timezone: Annotated[str, typer.Option(help="Its IANA time zone.")] = "UTC",
    as_json: JsonFlag = False,
) -> None:
    """Make a workspace that works at once: host association, keys, example campaign and template."""
    short = slug or setup.slug_of(name)
    if not short:
        raise UsageError(f"no short name can be made from {name!r}.", hint="Give one with --slug, such as: coalition")
    host = Association(
        short, name, sender or f"newsletter@{short}.example", postal_address,
        homepage=homepage, language=language, timezone=timezone,
    )  # fmt: skip
    with setup.create_workspace(folder, host) as workspace:
        path = workspace.folder
    if as_json:
        print_json({"workspace": str(path), "host": short})
        return
    say(f"Made the workspace {escape(str(path))}; its host association is {short}. Next:")
    say(f"  comms -w {escape(str(folder))} members import FILE.csv")
    say(f"  comms -w {escape(str(folder))} campaign check {escape(str(folder / 'campaigns' / 'welcome.md'))}")
    say("Mail server and public address stand in comms.toml; `comms doctor` says what is still missing.")


def doctor(
    online: Annotated[
        bool, typer.Option("--online", help="Also compare the clock with that of the public address.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say what is wrong with this installation, and how to mend it. Exit code 1 when something is."""
    with open_workspace() as workspace:
        findings = list(maintenance.examine(workspace, online=online))
    if as_json:
        print_json([{"ok": f.ok, "what": f.what, "mend": "" if f.ok else f.mend} for f in findings])
    else:
        for finding in findings:
            say(f"{'[green]ok[/]  ' if finding.ok else '[red]mend[/]'}  {escape(finding.what)}")
            if not finding.ok:
                say(f"      {escape(finding.mend)}")
    if not all(finding.ok for finding in findings):
        stop(NO)


def backup(
    file: Annotated[Path, typer.Argument(help="A new file, such as comms-2027-02-01.tar.gz.")],
    as_json: JsonFlag = False,
) -> None:
    """Write everything into one archive, while comms runs. It holds members' data and the workspace key."""
    with open_workspace() as workspace:
        size = maintenance.back_up(workspace, file)
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        say(f"{escape(str(file))}: {size:,} bytes")


def restore(
    file: Annotated[Path, typer.Argument(help="An archive made by `comms backup`.")],
    folder: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="The folder; else the workspace that -w names.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Lay a backup out as the workspace; what stands there is set aside, and what people said since is carried over.

    Nothing is sent: campaigns that were under way when the backup was made are paused.
    """
    done = restoring.restore(file, (folder or workspace_folder()).resolve())
    if as_json:
        print_json(asdict(done))
        return
    say(f"Restored into {escape(str(done.folder))}.")
    if done.before:
        say(f"What stood there is now {escape(str(done.before))}; {done.carried:,} opt-outs, suppressions and")
        say("deliveries that the backup did not know were carried over from it.")
    if done.in_doubt:
        say(f"{done.in_doubt:,} newsletters were being sent when the backup was made: held as uncertain.")
    for campaign in done.paused:
        say(f"  {campaign} was under way and is paused.")
        if done.before:
            say("  Resume it when you like: who has it is known, and what is not known is held as uncertain.")
        else:
            say("  Resume it only if nothing was sent after the backup: else some would get it twice.")
