"""`comms campaign posts`: the posts of a campaign, and what can still be done about each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from campaigns.posts import PostRow
from comms.cli.output import NO, JsonFlag, confirm, counted, open_workspace, print_json, say, stop, who
from comms.engine import post_changes
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.rendering.clean import one_line

Id = Annotated[str, typer.Argument(metavar="ID", help="The campaign's id.")]


def posts(
    campaign_id: Id,
    edit: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Give this post the text of --text or --file.")
    ] = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="With --edit: the new text, whole.")] = None,
    file: Annotated[Path | None, typer.Option(metavar="FILE", help="With --edit: a file that holds it.")] = None,
    delete: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Take this post away, with what follows in its thread.")
    ] = None,
    again: Annotated[
        int | None, typer.Option(metavar="NUMBER", help="Post this one, which failed or was skipped.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --delete: say what would go, and change nothing.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """List the posts of a campaign, or change, delete or repeat one of them. Exit code 1 when there are none."""
    if sum(number is not None for number in (edit, delete, again)) > 1:
        raise UsageError("--edit, --delete and --again are different things.", hint="Choose one of them.")
    if (edit is not None) != ((text is None) != (file is None)):
        raise UsageError("--edit goes with either --text or --file.", hint="Give the post's new text, whole.")
    if dry_run and delete is None:
        raise UsageError("--dry-run goes with --delete.")
    with open_workspace() as workspace:
        if edit is not None:
            done = _edit(workspace, campaign_id, edit, text, file, yes=yes, as_json=as_json)
        elif delete is not None:
            done = _delete(workspace, campaign_id, delete, dry_run=dry_run, yes=yes, as_json=as_json)
        elif again is not None:
            done = _again(workspace, campaign_id, again, yes=yes, as_json=as_json)
        else:
            done = post_changes.listed(workspace, campaign_id)
            if not as_json:
                _show(done)
    if as_json:
        print_json({"id": campaign_id, "posts": [post_changes.to_json(post) for post in done]})
    if not done:
        stop(NO)


def _edit(
    workspace: Workspace,
    campaign_id: str,
    number: int,
    text: str | None,
    file: Path | None,
    *,
    yes: bool,
    as_json: bool,
) -> list[PostRow]:
    post = post_changes.find(workspace, campaign_id, number)
    wanted = text if text is not None else _read(file)
    if not as_json:
        _show([post])
    if not yes:
        confirm(f"Change post {number} on {post.network}?", as_json=as_json)
    done = post_changes.edit(workspace, campaign_id, number, wanted, who=who())
    if not as_json:
        say(f"Post {number} is changed: {escape(done.url)}")
    return [done]


def _delete(
    workspace: Workspace, campaign_id: str, number: int, *, dry_run: bool, yes: bool, as_json: bool
) -> list[PostRow]:
    doomed = post_changes.doomed(workspace, campaign_id, number)
    if not as_json:
        _show(doomed)
    if dry_run:
        if not as_json:
            say(f"{_counted(doomed)} would be deleted. Nothing was changed.")
        return doomed
    if not yes:
        confirm(f"Delete {_counted(doomed)}? This can not be taken back.", as_json=as_json)
    gone = post_changes.delete(workspace, campaign_id, number, who=who())
    if not as_json:
        say(f"{_counted(gone)} deleted. Mails and entries stay as they are.")
    return gone


def _again(workspace: Workspace, campaign_id: str, number: int, *, yes: bool, as_json: bool) -> list[PostRow]:
    post = post_changes.find(workspace, campaign_id, number)
    if not yes:
        confirm(f"Post number {number} on {post.network}?", as_json=as_json)
    waiting = post_changes.again(workspace, campaign_id, number, who=who())
    if not as_json:
        say(f"{_counted(waiting)} will go out while `comms run` runs.")
    return waiting


def _show(rows: list[PostRow]) -> None:
    if not rows:
        say("The campaign has no posts.")
        return
    for row in rows:
        part = f", part {row.part}" if row.part > 1 else ""
        say(f"[bold]{row.id}[/]  {row.network} by {row.association}{part}: {row.state}")
        for line in filter(None, (row.url, row.reason, *row.text.splitlines())):
            say(f"      {escape(one_line(line))}")  # one line each, so that an address can be copied


def _counted(rows: list[PostRow]) -> str:
    return counted(len(rows), "post", "posts")


def _read(file: Path | None) -> str:
    assert file is not None, "the caller has seen to it"
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no text in UTF-8.", hint="Save it as plain text, in UTF-8.") from error
