"""What the page of an offer shows to one of those who answer for an association. Asks and reckons; changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from campaigns import relay as rules
from campaigns.models import Campaign
from campaigns.relay import RelayState
from campaigns.relays import RelayRow, Seat, Step
from campaigns.schedule import MEMBER
from campaigns.slots import slots, written
from comms.engine import languages
from comms.engine.relaying import linking, looking, making, showing
from comms.engine.relaying.figures import FIGURES
from comms.engine.relaying.looking import Desk, Place
from comms.engine.relaying.seating import Sitting
from comms.engine.relaying.showing import Shown
from comms.engine.workspace import Workspace
from comms.language.words import Words, marked
from comms.rendering.errors import RenderError
from comms.web import relay_figures
from comms.web.relay_figures import FiguresView

AT = "%Y-%m-%dT%H:%M"
"""As browsers write a day and an hour (HTML, `input type=datetime-local`)."""
_STEPS: Mapping[str, str] = MappingProxyType(
    {
        RelayState.SEEN: marked("has looked at it"),
        RelayState.ADAPTING: marked("made changes"),
        RelayState.AWAITING: marked("accepted; a second person is asked"),
        RelayState.ACCEPTED: marked("accepted"),
        RelayState.SCHEDULED: marked("put it on the schedule"),
        RelayState.SENDING: marked("began to send it"),
        RelayState.SENT: marked("sent it"),
        RelayState.DECLINED: marked("declined"),
        RelayState.EXPIRED: marked("ended it, for nobody had answered in time"),
        RelayState.WITHDRAWN: marked("took it back"),
        "question": marked("asked"),
        "passed on": marked("asked a colleague to answer"),
        "corrected": marked("put the correction on the page"),
        FIGURES: marked("told figures"),
    }
)
_CORRECTED = marked("corrected it")
_OURS: Mapping[str, str] = MappingProxyType(
    {
        "comms": marked("The program"),
        "standing rule": marked("Your standing decision"),
    }
)
"""Who takes steps and is no seat."""
_CORRECTION = "corrected: "
_QUOTED = (RelayState.DECLINED, RelayState.WITHDRAWN, "question", "passed on", "corrected")
"""Steps whose detail is what a person wrote."""


@dataclass(frozen=True, slots=True)
class PlaceView:
    """An open place: what stands in it, and what would otherwise."""

    place: Place
    text: str
    """What the field holds: the words that are kept, or those that were just sent and could not be."""
    mark: str
    """Tells the words that are kept from any others."""
    stands: str
    """The coalition's own Markdown, which goes out while the field is blank."""
    before: str | None
    """The same as it was when the association last looked, where a correction changed it under the association's own
    words; else None."""
    theirs: str | None
    """What a colleague wrote meanwhile, where that goes against `text`; else None."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that happened, in the words of the page."""

    at: datetime
    who: str
    what: str
    said: str


@dataclass(frozen=True, slots=True)
class View:
    """All that the page shows."""

    desk: Desk
    seat: Seat
    colleagues: tuple[Seat, ...]
    first: Seat | None
    """Who has accepted, while a second person is asked."""
    places: tuple[PlaceView, ...]
    languages: Mapping[str, str]
    """BCP 47 tag -> name, of every language in which it can be looked at; empty while it can not be made."""
    at: str
    at_least: str
    at_most: str
    by_reader: bool
    """It goes out by each reader's own clock."""
    subject: str
    """As who knows nothing of the reader sees it; empty while it can not be made."""
    reaches: str
    """To how many members it would go, in words."""
    goes_out: datetime | None
    """When, by the association's clock; None for as soon as it is accepted."""
    days: str
    """Between which days that may be, in words."""
    is_published: bool
    """It stands in the association's feed and on its pages."""
    history: tuple[HistoryLine, ...]
    reason: str
    """Why it was declined or taken back."""
    figures: FiguresView | None
    """Where the association tells what it sent with a tool of its own."""

    @property
    def state(self) -> RelayState:
        return self.desk.relay.state

    @property
    def is_mine_to_accept(self) -> bool:
        return self.first is None or self.first.id != self.seat.id

    @property
    def agreed(self) -> bool:
        """It is accepted, and nothing of it has gone out."""
        return self.state in (RelayState.ACCEPTED, RelayState.SCHEDULED)

    @property
    def correctable(self) -> bool:
        """It was sent, and has been corrected since."""
        return self.state in (RelayState.SENDING, RelayState.SENT) and self.desk.change is not None


def view(
    workspace: Workspace,
    sitting: Sitting,
    words: Words,
    *,
    typed: Mapping[str, str] = MappingProxyType({}),
    at: str | None = None,
    numbers: Mapping[str, str] | None = None,
) -> View:
    """`typed` are texts, `at` is a time, and `numbers` are figures that were sent and not kept: they stay in their
    fields."""
    row, seat = sitting.relay, sitting.seat
    desk = looking.desk(workspace, row)
    colleagues = tuple(linking.colleagues(workspace, seat))
    approved = row.approved_by if row.state is RelayState.AWAITING else None
    schedule = desk.campaign.schedule
    first, last = desk.part.not_before, desk.part.not_after
    soonest = desk.now.replace(tzinfo=None)
    at_least = max(soonest, datetime.combine(first, time.min)) if first else soonest
    shown = showing.editions(workspace, row, desk)
    return View(
        desk=desk,
        seat=seat,
        colleagues=colleagues,
        first=next((each for each in (seat, *colleagues) if each.id == approved), None),
        places=tuple(_places(workspace, desk, typed)),
        languages={tag: languages.name(tag) for tag in shown},
        at=at if at is not None else shown_time(desk),
        at_least=f"{at_least:{AT}}",
        at_most=f"{datetime.combine(last, time(23, 59)):{AT}}" if last else "",
        by_reader=schedule is not None and schedule.timezone == MEMBER,
        subject=_subject(workspace, desk, next(iter(shown.values()), None)),
        reaches=_reaches(desk.audience, words),
        goes_out=due(desk),
        days=_days(desk, words),
        is_published=_is_published(workspace, row),
        history=tuple(_history(desk.steps, words, ZoneInfo(desk.association.timezone))),
        reason=desk.offer.reason or row.reason,
        figures=relay_figures.view(workspace, sitting, words, numbers),
    )


def due(desk: Desk) -> datetime | None:
    """When it would go out, by the association's clock; None for as soon as it is accepted."""
    at = desk.relay.adaptation.send_at or rules.proposed(desk.campaign)
    return at if at and at > desk.now.replace(tzinfo=None) else None


def shown_time(desk: Desk) -> str:
    """The hour in the field; empty for as soon as it is accepted."""
    at = due(desk)
    return f"{at:{AT}}" if at else ""


def mark(text: str) -> str:
    """Tells one text from others."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _places(workspace: Workspace, desk: Desk, typed: Mapping[str, str]) -> Iterator[PlaceView]:
    change = desk.change
    old = making.offered(workspace, desk.relay.campaign, desk.relay.version) if change else desk.campaign
    now, before = _written(desk.campaign), _written(old)
    for place in desk.places:
        name = place.name
        yield PlaceView(
            place=place,
            text=typed.get(name, place.text),
            mark=mark(place.text),
            stands=now[name],
            before=before.get(name) if change and name in change.slots_moved else None,
            theirs=place.text if name in typed and typed[name] != place.text else None,
        )


def _subject(workspace: Workspace, desk: Desk, shown: Shown | None) -> str:
    try:
        return showing.rendered(workspace, desk.association, shown, "").subject if shown else ""
    except RenderError:
        return ""


def _reaches(audience: int | None, words: Words) -> str:
    if audience is None:
        return words.gettext("It can not be counted yet.")
    if not audience:
        return words.gettext("Nobody: none of your members has agreed to get such mails.")
    return words.ngettext("%(num)s of your members", "%(num)s of your members", audience)


def _days(desk: Desk, words: Words) -> str:
    first, last = desk.part.not_before, desk.part.not_after
    if first and last:
        said = words.gettext("It may go out from %(first)s to %(last)s.", first=words.day(first), last=words.day(last))
    elif first:
        said = words.gettext("It may go out from %(first)s on.", first=words.day(first))
    elif last:
        said = words.gettext("It may go out until %(last)s.", last=words.day(last))
    else:
        said = ""
    proposed = rules.proposed(desk.campaign)
    if proposed and proposed > desk.now.replace(tzinfo=None):
        blank = words.gettext("Left empty, it goes out as proposed: %(moment)s.", moment=words.moment(proposed))
    else:
        blank = words.gettext("Left empty, it goes out as soon as it is accepted.")
    return f"{said} {blank}".strip()


def _is_published(workspace: Workspace, row: RelayRow) -> bool:
    entry = workspace.host.entry(row.association, rules.edition_id(row.campaign, row.association))
    return entry is not None and entry.withdrawn is None


def _written(campaign: Campaign) -> dict[str, str]:
    return {slot.name: written(campaign, slot) for slot in slots(campaign)}


def _history(steps: tuple[Step, ...], words: Words, zone: ZoneInfo) -> Iterator[HistoryLine]:
    """Latest first; what one person did several times in a row stands there once."""
    last: tuple[Any, ...] = ()
    for step in reversed(steps):
        who = words.translated(_OURS.get(step.who, step.who)) if step.who in _OURS else step.who
        corrected = step.detail.startswith(_CORRECTION)
        what = words.translated(_CORRECTED if corrected else _STEPS.get(step.state, step.state))
        said = step.detail.removeprefix(_CORRECTION) if corrected or step.state in _QUOTED else ""
        if (who, what, said) != last:
            yield HistoryLine(step.at.astimezone(zone), who, what, said)
        last = (who, what, said)
