"""`comms relay show | adapt | accept | decline | publish`: an association's side of a relay, on the command line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from campaigns.moments import MomentError, read_moment
from campaigns.relays import RelayRow, Seat
from comms.cli.output import NO, JsonFlag, open_workspace, print_json, say, stop, table, who
from comms.engine.relaying import answering, correcting, looking, seating, showing
from comms.engine.relaying.looking import Desk
from comms.engine.sending import Prepared
from comms.engine.workspace import Workspace
from comms.errors import UsageError

Campaign = Annotated[str, typer.Argument(metavar="CAMPAIGN", help="The campaign's id.")]
For = Annotated[str, typer.Option("--association", "-a", metavar="SLUG", help="For which association.")]
As = Annotated[
    str | None, typer.Option("--as", metavar="ADDRESS", help="Who answers: somebody who has a seat; else staff does.")
]


def show(
    campaign: Campaign,
    association: For,
    out: Annotated[Path | None, typer.Option(help="Folder for the newsletter as it would be sent, as HTML.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """What an association would send, to how many, when; and what was changed since it last looked."""
    with open_workspace() as workspace:
        desk = looking.desk(workspace, answering.find(workspace, campaign, association))
        if out is not None and desk.preview is not None:
            _write(workspace, desk.preview, out)
    if as_json:
        print_json(desk.to_json())
        return
    _show(desk)
    if out is not None:
        say(f"  the newsletter: {escape(str(out / 'newsletter.html'))}")


def adapt(
    campaign: Campaign,
    association: For,
    text: Annotated[
        list[str] | None, typer.Option(metavar="PLACE=WORDS", help="Words for an open place, as Markdown; empty: none.")
    ] = None,
    file: Annotated[list[str] | None, typer.Option(metavar="PLACE=FILE", help="The same, from a text file.")] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When, by the association's clock: `2027-02-01 09:00`; or: proposed."),
    ] = None,
    as_: As = None,
    as_json: JsonFlag = False,
) -> None:
    """Put an association's own words and time in. Shows what is wrong with them; exit code 1 then."""
    texts = {**_pairs(text, "--text"), **{name: _read(path) for name, path in _pairs(file, "--file").items()}}
    if not texts and at is None:
        raise UsageError("there is nothing to change.", hint="Say --text PLACE=WORDS, --file PLACE=FILE or --at TIME.")
    with open_workspace() as workspace:
        row = answering.find(workspace, campaign, association)
        name = _actor(workspace, row, as_)[0]
        if texts:
            row = answering.adapt(workspace, row, texts, who=name)
        if at is not None:
            row = answering.choose_time(workspace, row, _moment(at), who=name)
        desk = looking.desk(workspace, row)
    if as_json:
        print_json(desk.to_json())
    else:
        _show(desk)
    if desk.obstacle:
        stop(NO)


def accept(campaign: Campaign, association: For, as_: As = None, as_json: JsonFlag = False) -> None:
    """Agree to send it, as `comms relay show` shows it."""
    with open_workspace() as workspace:
        row = answering.find(workspace, campaign, association)
        name, seat = _actor(workspace, row, as_)
        desk = looking.desk(workspace, answering.accept(workspace, row, who=name, seat=seat))
    _told(desk, as_json=as_json)


def decline(
    campaign: Campaign,
    association: For,
    reason: Annotated[str, typer.Option(help="Why; the coalition sees it.")] = "",
    as_: As = None,
    as_json: JsonFlag = False,
) -> None:
    """Say no, or take a yes back before it is sent."""
    with open_workspace() as workspace:
        row = answering.find(workspace, campaign, association)
        name, _ = _actor(workspace, row, as_)
        desk = looking.desk(workspace, answering.decline(workspace, row, reason, who=name))
    _told(desk, as_json=as_json)


def publish(campaign: Campaign, association: For, as_: As = None, as_json: JsonFlag = False) -> None:
    """Put the latest correction on the page and into the feed of an association that has sent it."""
    with open_workspace() as workspace:
        row = answering.find(workspace, campaign, association)
        name, _ = _actor(workspace, row, as_)
        desk = looking.desk(workspace, correcting.publish(workspace, row, who=name))
    _told(desk, as_json=as_json)


# --- parts ------------------------------------------------------------------------------------


def _actor(workspace: Workspace, row: RelayRow, address: str | None) -> tuple[str, Seat | None]:
    if address is None:
        return who(), None
    seat = seating.find(workspace, row.association, address)
    return seat.name, seat


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    found = {}
    for pair in given or ():
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{option} {pair[:60]!r} names no place.", hint=f'As in: {option} near-you="..."')
        found[name.strip()] = value
    return found


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can not be read: {error}.", hint="Save it as plain text in UTF-8.") from error


def _moment(text: str) -> datetime | None:
    if text.strip() == "proposed":
        return None
    try:
        return read_moment(text)
    except MomentError as error:
        raise UsageError(f"--at {text!r}: {error.message}.", hint=error.hint) from error


def _write(workspace: Workspace, ready: Prepared, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "newsletter.html").write_text(showing.newsletter(workspace, ready), encoding="utf-8")


def _told(desk: Desk, *, as_json: bool) -> None:
    if as_json:
        print_json(desk.to_json())
        return
    state = desk.relay.state.value.replace("_", " ")
    say(f"{escape(desk.offer.campaign)} is {state} by {escape(desk.association.name)}.")
    if desk.due_at and desk.relay.state.value == "scheduled":
        say(f"It goes out {desk.at:%A %Y-%m-%d %H:%M} by its clock ({desk.association.timezone}).")


def _show(desk: Desk) -> None:
    say(f"[bold]{escape(desk.offer.title)}[/], offered by {escape(desk.host)} to {escape(desk.association.name)}")
    part = desk.part
    for words, day in (
        ("answer until", part.respond_by),
        ("goes out from", part.not_before),
        ("until", part.not_after),
    ):
        if day:
            say(f"  {words} {day}")
    if desk.audience is not None:
        say(f"  goes to {desk.audience:,} members at most: who has it from another association is left out")
    when = f"{desk.at:%A %Y-%m-%d %H:%M} ({desk.association.timezone})" if desk.at else "as soon as it is accepted"
    say(f"  goes out {when}, subject: {escape(desk.subject)}")
    for place in desk.places:
        state = f"own words, {len(place.text)} characters" if place.text else "as the campaign has it"
        say(f"  place [bold]{escape(place.name)}[/] ({escape(place.purpose)}): {state}")
        for problem in place.problems:
            say(f"    [red]{escape(problem)}[/]")
    if desk.obstacle:
        say(f"  [red]can not be sent:[/] {escape(desk.obstacle)}")
    if desk.change is not None:
        say("  [bold]changed since you looked:[/]")
        for line in desk.change.lines:
            say(f"    {escape(line)}")
        for name in desk.change.slots_moved:
            say(f"    [yellow]the campaign's own words in {escape(name)} were changed; yours stay[/]")
        for name in desk.change.slots_gone:
            say(f"    [yellow]the place {escape(name)} is gone; your words are kept, and not sent[/]")
    rows = [[f"{step.at:%Y-%m-%d %H:%M}", step.who, step.state.replace("_", " "), step.detail] for step in desk.steps]
    table("", ["When (UTC)", "Who", "What", ""], rows)
