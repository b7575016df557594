"""The mails of a relay: the offer, reminders, a second pair of eyes, corrections, questions. Written in one language:
that of the association, where there are words for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from campaigns.models import Campaign
from campaigns.relay import Difference
from campaigns.relays import RelayRow, Seat
from comms.db import storage_errors
from comms.engine import editions, letters
from comms.engine.relaying import making, peers, seating
from comms.engine.workspace import Workspace
from comms.language.words import Words
from comms.rendering.clean import one_line
from comms.rendering.letter import LetterContent

OFFER, LINK = "offer", "link"
"""Templates: what is said of an offer, and links that somebody asked for."""
VALID = timedelta(days=7)
"""How long a mail server may take to accept one."""
_LINES_SHOWN = 12


def offer(workspace: Workspace, row: RelayRow, campaign: Campaign) -> None:
    """Tell every seat of an association what is offered."""
    for seat in workspace.relays.seats(row.association):
        words, name = _words(workspace, row), workspace.association(row.association).name
        paragraphs = [
            words.gettext(
                "%(host)s offers “%(title)s” for %(association)s to send to its own members, under its own name. Your "
                "list stays with you: nobody else sees it.",
                host=editions.author_name(workspace, campaign), title=campaign.title, association=name,
            ),
            *_by_own_tool(workspace, row, words),
            *_by_when(words, campaign),
        ]  # fmt: skip
        _post(
            workspace, row, seat, campaign, words,
            subject=words.gettext("For %(association)s: %(title)s", association=name, title=campaign.title),
            heading=words.gettext("Will you pass this on?"),
            paragraphs=paragraphs,
            button=words.gettext("Look at it and answer"),
        )  # fmt: skip


def remind(workspace: Workspace, row: RelayRow, campaign: Campaign, days: int) -> None:
    """Remind every seat of an association that has not answered."""
    for seat in workspace.relays.seats(row.association):
        words = _words(workspace, row)
        _post(
            workspace, row, seat, campaign, words,
            subject=words.ngettext(
                "%(num)s day left: %(title)s", "%(num)s days left: %(title)s", days, title=campaign.title
            ),
            heading=words.gettext("Will you pass this on?"),
            paragraphs=[
                words.gettext("Nobody of %(association)s has answered yet. A no is one click, too.",
                              association=workspace.association(row.association).name),
                *_by_when(words, campaign),
            ],
            button=words.gettext("Look at it and answer"),
        )  # fmt: skip


def ask_second(workspace: Workspace, row: RelayRow, first: Seat) -> None:
    """Ask the other seats to look, too."""
    campaign = making.current(workspace, row.campaign)
    for seat in workspace.relays.seats(row.association):
        if seat.id == first.id:
            continue
        words = _words(workspace, row)
        _post(
            workspace, row, seat, campaign, words,
            subject=words.gettext("Please look, too: %(title)s", title=campaign.title),
            heading=words.gettext("A second pair of eyes"),
            paragraphs=[
                words.gettext(
                    "%(name)s has accepted “%(title)s” for %(association)s. It goes out when you have agreed, too.",
                    name=first.name, title=campaign.title, association=workspace.association(row.association).name,
                )
            ],
            button=words.gettext("Look at it and answer"),
        )  # fmt: skip


def corrected(workspace: Workspace, row: RelayRow, note: str, change: Difference, *, asks: bool, sent: bool) -> None:
    """Tell every seat of an association what was corrected, and whether somebody has to say yes once more."""
    campaign = making.current(workspace, row.campaign)
    for seat in workspace.relays.seats(row.association):
        words = _words(workspace, row)
        if sent:
            what = words.gettext("You have sent it already. You can put the correction on the page and into the feed.")
        elif asks:
            what = words.gettext("What you had agreed to was another text: nothing is sent before you say yes again.")
        else:
            what = words.gettext("What you send has the correction in it. You need do nothing.")
        _post(
            workspace, row, seat, campaign, words,
            subject=words.gettext("Corrected: %(title)s", title=campaign.title),
            heading=words.gettext("There is a correction"),
            paragraphs=[f"{one_line(note)}", what],
            points=[one_line(line) for line in change.lines if line[:1] in "+-"][:_LINES_SHOWN],
            button=words.gettext("Look at it"),
        )  # fmt: skip


def recalled(workspace: Workspace, row: RelayRow, reason: str) -> None:
    """Tell every seat of an association that an offer was taken back."""
    campaign = making.current(workspace, row.campaign)
    for seat in workspace.relays.seats(row.association):
        words = _words(workspace, row)
        _post(
            workspace, row, seat, campaign, words,
            subject=words.gettext("Recalled: %(title)s", title=campaign.title),
            heading=words.gettext("This was recalled"),
            paragraphs=[
                words.gettext("%(host)s has taken “%(title)s” back. What was not sent yet is not sent.",
                              host=editions.author_name(workspace, campaign), title=campaign.title),
                one_line(reason),
            ],
            button=words.gettext("Look at it"),
        )  # fmt: skip


def set_told(workspace: Workspace, row: RelayRow, due: int) -> None:
    """Write down of what the seats of an association were told, as `OfferRow.due` counts."""
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        workspace.relays.set_told(row.id, due)


def link_again(workspace: Workspace, row: RelayRow, seat: Seat, *, asked_by: Seat) -> None:
    """Mail a seat its own link, because its link is over, or because a colleague asked for it."""
    campaign, words = making.current(workspace, row.campaign), _words(workspace, row)
    name = workspace.association(row.association).name
    if asked_by.id == seat.id:
        told = words.gettext(
            "Here is a new link to “%(title)s”. Earlier ones need no longer work.", title=campaign.title
        )
    else:
        told = words.gettext(
            "%(name)s asks you to look at “%(title)s” and to answer for %(association)s.",
            name=asked_by.name, title=campaign.title, association=name,
        )  # fmt: skip
    _post(
        workspace, row, seat, campaign, words,
        subject=words.gettext("Your link: %(title)s", title=campaign.title),
        heading=words.gettext("Your link"),
        paragraphs=[told],
        button=words.gettext("Look at it and answer"),
        template=LINK,
    )  # fmt: skip


def question(workspace: Workspace, row: RelayRow, seat: Seat, text: str) -> None:
    """Mail somebody's question to the coalition."""
    host, campaign = workspace.association(None), making.current(workspace, row.campaign)
    words = workspace.catalogues.words(host.language)
    name = workspace.association(row.association).name
    content = LetterContent(
        subject=words.gettext("A question about %(title)s", title=campaign.title),
        heading=words.gettext("%(name)s asks", name=seat.name),
        paragraphs=tuple(one_line(part) for part in text.split("\n") if part.strip()),
        points=(f"{name}: {seat.address}",),
        button=words.gettext("Answer by mail"),
        url=f"mailto:{seat.address}",
        language=words.language,
    )
    _queue(workspace, host.reply_to or host.sender_address, content)


def _post(
    workspace: Workspace,
    row: RelayRow,
    seat: Seat,
    campaign: Campaign,
    words: Words,
    *,
    subject: str,
    heading: str,
    paragraphs: Iterable[str],
    button: str,
    points: Iterable[str] = (),
    template: str = OFFER,
) -> None:
    if peers.is_peer(workspace, row.association):
        return  # its own engine tells those who speak for it
    association = workspace.association(row.association).name
    content = LetterContent(
        subject=subject,
        heading=heading,
        paragraphs=tuple(part for part in paragraphs if part),
        points=tuple(points),
        button=button,
        url=seating.link(workspace, row, seat, campaign),
        notes=(
            words.gettext("The link is yours: whoever has it can answer for %(association)s.", association=association),
        ),
        why=words.gettext("You get this because you speak for %(association)s.", association=association),
        language=words.language,
    )
    _queue(workspace, seat.address, content, template)


def _queue(workspace: Workspace, address: str, content: LetterContent, template: str = OFFER) -> None:
    host = workspace.association(None).slug
    with workspace.association_db(host).atomic():
        letters.post(workspace, host, template, address, content, expires_at=workspace.now() + VALID)


def _by_when(words: Words, campaign: Campaign) -> list[str]:
    part = campaign.relay
    assert part is not None
    found = []
    if part.respond_by:
        found.append(
            words.gettext("Please answer by %(day)s. Silence sends nothing.", day=_day(words, part.respond_by))
        )
    if part.not_before or part.not_after:
        first, last = part.not_before, part.not_after
        if first and last:
            found.append(words.gettext("It may go out from %(first)s to %(last)s.", first=_day(words, first),
                                       last=_day(words, last)))  # fmt: skip
        elif first:
            found.append(words.gettext("It may go out from %(first)s on.", first=_day(words, first)))
        elif last:
            found.append(words.gettext("It may go out until %(last)s.", last=_day(words, last)))
    return found


def _by_own_tool(workspace: Workspace, row: RelayRow, words: Words) -> list[str]:
    if not workspace.relays.rule(row.association).own_tool:
        return []
    return [
        words.gettext(
            "You send with a tool of your own, so nothing goes out from here. Keep this mail: once you have sent "
            "it, the page behind the link below takes your figures."
        )
    ]


def _day(words: Words, day: date) -> str:
    return str(words.day(day))


def _words(workspace: Workspace, row: RelayRow) -> Words:
    return workspace.catalogues.words(workspace.association(row.association).language)
