"""`comms members`: bring lists in, count them, look at one person."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from audiences.importing import detect, plain
from audiences.importing import mapping as columns
from audiences.importing.base import ImportResult
from audiences.importing.log import PastImport
from comms.cli import lists
from comms.cli.output import (
    NO,
    AssociationOption,
    JsonFlag,
    confirm,
    counted,
    open_workspace,
    print_json,
    progress,
    say,
    stop,
    table,
)
from comms.cli.private_feeds import feed
from comms.cli.signup import invite
from comms.engine import audience, rights, segments

app = typer.Typer(no_args_is_help=True, help="The members of an association.")
app.command("invite")(invite)
app.command("feed")(feed)

MOST_REASONS_SHOWN = 20
MOST_NUMBER = 2**63 - 1
"""That a row of a database can have."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="An export of a membership or newsletter tool, or any CSV, TSV, XLSX.")],
    association: AssociationOption = None,
    source: Annotated[
        str, typer.Option(help=f"What wrote the file: {detect.AUTO}, {', '.join(sorted(detect.SOURCES))}.")
    ] = detect.AUTO,
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Says which column is what; see `comms members mapping`.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add and update members from a file, in one transaction.

    Who opted out before stays out, whatever the file says.
    """
    with open_workspace() as workspace, progress("importing") as update:
        slug = workspace.association(association).slug
        result = audience.import_members(
            workspace, file, slug, source=source, mapping=mapping, dry_run=dry_run, progress=update
        )
    if as_json:
        print_json(
            {
                "added": result.added,
                "updated": result.updated,
                "unchanged": result.unchanged,
                "refused": [{"line": r.line, "reason": r.reason} for r in result.refused],
                "consent_kept": [{"line": r.line, "reason": r.reason} for r in result.consent_kept],
                "suppressed": result.suppressed,
                "without_address": result.without_address,
                "source": result.source,
                "sureness": round(result.sureness, 2),
                "changes": [asdict(change) for change in result.changes],
                "import": result.number,
                "dry_run": dry_run,
            }
        )
    else:
        _say_imported(file, slug, result, dry_run=dry_run)


def _say_imported(file: Path, slug: str, result: ImportResult, *, dry_run: bool) -> None:
    would = "would be " if dry_run else ""
    source_known = detect.SOURCES.get(result.source)
    if source_known is None or source_known.NAME == plain.NAME:
        say(f"{escape(file.name)} read as a plain table")
    else:
        say(f"{escape(file.name)} read as {source_known.LABEL} ({result.sureness:.0%} sure)")
    say(
        f"{slug}: {result.added:,} {would}added, {result.updated:,} {would}updated, "
        f"{result.unchanged:,} unchanged, {len(result.refused):,} refused"
    )
    if result.suppressed:
        say(
            f"  {counted(result.suppressed, 'address', 'addresses')} {would}newly suppressed:"
            " bounced, complained or blocked"
        )
    _say_without_address(result)
    if dry_run:
        for change in result.changes[:MOST_REASONS_SHOWN]:
            was = f"{change.before!r} -> " if change.before else ""
            say(escape(f"  {file}:{change.line}: {change.address}: {change.field}: {was}{change.after!r}"))
        if len(result.changes) > MOST_REASONS_SHOWN:
            say("  ... and more changes (with --json)")
    for title, notes in (("refused", result.refused), ("consent left as it was", result.consent_kept)):
        for note in notes[:MOST_REASONS_SHOWN]:
            say(f"  {escape(str(file))}:{note.line}: {title}: {escape(note.reason)}")
        if len(notes) > MOST_REASONS_SHOWN:
            say(f"  ... and {len(notes) - MOST_REASONS_SHOWN:,} more {title} (all with --json)")


def _say_without_address(result: ImportResult) -> None:
    rows = counted(result.without_address, "row has", "rows have")
    if result.without_address and result.without_address == result.rows - len(result.refused):
        say("  no column holds e-mail addresses: what is in the file is kept, and nobody in it can be written to")
    elif result.without_address:
        say(f"  {rows} no e-mail address: kept, and nobody there can be written to")


@app.command()
def mapping(
    file: Annotated[Path, typer.Argument(help="A table that no source recognises.")],
) -> None:
    """Print a mapping file for a table, with a guess for each column, to fill in and import with --mapping."""
    typer.echo(columns.guess(file), nl=False)


@app.command()
def imports(association: AssociationOption = None, as_json: JsonFlag = False) -> None:
    """List what was imported, oldest first."""
    with open_workspace() as workspace:
        past = audience.past_imports(workspace, workspace.association(association).slug)
    if as_json:
        print_json([asdict(one) for one in past])
        return
    rows = [[str(p.number), p.at[:16], p.file, f"{p.added:,}", f"{p.updated:,}", _undoing(p)] for p in past]
    table("", ["import", "when (UTC)", "file", "added", "updated", "undone"], rows, right=(0, 3, 4))


def _undoing(past: PastImport) -> str:
    return past.undone_at or ("can not be any more" if past.forgotten_at else "")


@app.command("undo-import")
def undo_import(
    number: Annotated[
        int, typer.Argument(metavar="ID", max=MOST_NUMBER, help="The import's number; see `comms members imports`.")
    ],
    association: AssociationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Take an import back: whom it added goes, what it changed becomes what it was, its consent counts no more."""
    with open_workspace() as workspace:
        undone = audience.undo_import(workspace, number, workspace.association(association).slug)
    if as_json:
        print_json(asdict(undone))
        return
    say(f"Undone: {undone.removed:,} removed, {undone.restored:,} as they were before.")
    if undone.kept:
        say(f"{counted(undone.kept, 'member was', 'members were')} touched by something else since, and kept.")


@app.command()
def count(
    rule: Annotated[str, typer.Argument(help="A segment rule, such as 'state in (WA, OR)'; 'everyone' for all.")],
    association: AssociationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Count the members for whom a rule holds. Exit code 1 when there are none."""
    with open_workspace() as workspace:
        number = segments.count_members(workspace, rule, workspace.association(association).slug)
    if as_json:
        print_json({"count": number})
    else:
        say(f"{number:,}")
    if not number:
        stop(NO)


@app.command()
def show(
    address: Annotated[str, typer.Argument(help="The member's e-mail address.")],
    association: AssociationOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Show everything held of one member, and whether a newsletter may go to them now."""
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        view = audience.show_member(workspace, address, slug)
    if view is None:
        if as_json:
            print_json({"address": address, "found": False, "mailable": False})
        else:
            say(f"{slug} has no member with the address {escape(address)}")
        stop(NO)
    if as_json:
        print_json(view.to_json())
        return
    verdict = "yes" if view.mailable else f"no: {view.reason.replace('_', ' ')}"
    say(f"[bold]{escape(view.member.address or '')}[/] at {slug}")
    say(f"may get newsletters: {verdict}")
    table("", ["attribute", "value"], [[name, str(value)] for name, value in sorted(view.member.attributes.items())])
    rows = [
        [f"{c.at:%Y-%m-%d}", c.topic, c.state, c.basis or "", f"{c.source}, {c.confirmed}" if c.confirmed else c.source]
        for c in view.log
    ]
    table("consent", ["when", "topic", "what", "basis", "evidence"], rows)


@app.command()
def export(
    address: Annotated[str, typer.Argument(help="The member's e-mail address.")],
    association: AssociationOption = None,
) -> None:
    """Print everything held of one member as JSON, as the person may ask for it. Exit code 1 when nothing is."""
    with open_workspace() as workspace:
        held = rights.export_member(workspace, address, workspace.association(association).slug)
    print_json(held if held is not None else {"address": address, "found": False})
    if held is None:
        stop(NO)


@app.command()
def erase(
    address: Annotated[str, typer.Argument(help="The member's e-mail address.")],
    association: AssociationOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do it without asking.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Forget one member for good: rows gone, counts kept, the address never written to again. Can not be undone."""
    if not yes:
        confirm(f"Erase everything held of {address}?", as_json=as_json)
    with open_workspace() as workspace:
        slug = workspace.association(association).slug
        receipt = rights.erase_member(workspace, address, slug)
    if as_json:
        print_json(receipt.to_json() if receipt else {"association": slug, "members": 0})
    elif receipt:
        say(
            f"Erased at {receipt.at:%Y-%m-%d %H:%M} UTC: one member of {slug} with "
            f"{counted(receipt.consent_records, 'consent record', 'consent records')}; "
            f"{counted(receipt.deliveries_anonymised, 'newsletter', 'newsletters')} now count for nobody."
        )
    else:
        say(f"{slug} has no such member. The address will not be written to, should a list bring it.")
    if receipt is None:
        stop(NO)


app.command("export-list")(lists.export_list_command)
app.command()(lists.succeed)
