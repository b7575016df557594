"""What the forms on the page of an offer ask for, done for the seat whose link it is. Makes no page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from starlette.datastructures import FormData

from campaigns import relay as rules
from campaigns.figures import ToldFigures, read
from campaigns.relay import RelayState
from campaigns.relays import RelayRow
from comms.engine.relaying import answering, correcting, linking, looking, making, telling
from comms.engine.relaying import figures as kept
from comms.engine.relaying.seating import Sitting
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.language.words import marked
from comms.web import forms, relay_figures
from comms.web.relay_view import AT, mark, shown_time

SLOT, WAS = "slot-", "was-"
"""Before the name of an open place: the field with its text, and that which tells the text it was shown with."""
DONE: Mapping[str, str] = MappingProxyType(
    {
        "saved": marked("Saved. Look at the preview, then accept."),
        "time": marked("The time is changed."),
        "accepted": marked("Thank you. It is accepted."),
        "first": marked("Thank you. A colleague of yours is asked to agree, too."),
        "declined": marked("You have declined. Thank you for saying so."),
        "asked": marked("Your question is on its way. The answer comes by mail."),
        "passed": marked("The link is on its way to your colleague."),
        "wait": marked("Your colleague got a link only minutes ago. Please wait ten minutes, then try again."),
        "corrected": marked("The correction is on your page and in your feed."),
        "figures": marked("Thank you. Your figures are taken down."),
        "seen": "",
    }
)
"""What was done -> how the page says it afterwards."""
_BOTH = marked("A colleague changed the same words meanwhile. Nothing of yours is saved yet: compare, then save.")
_TIME = marked("It can not go out at that time. Choose one that is still to come, within the days of the offer.")
_QUESTION = marked("There is no question yet. Write what you would like to know.")
_COLLEAGUE = marked("Choose a colleague.")
_FIGURES = marked("These figures can not be, and were not taken down. What is wrong stands below each number.")
_CLOSED = marked("The campaign is closed, and its figures do not change any more.")


class RefusedError(Exception):
    """A form that can not be followed; nothing was changed. `texts`, `at` and `figures` are what was typed, to be shown
    again."""

    def __init__(
        self,
        problem: str,
        *,
        status: int = 400,
        texts: Mapping[str, str] | None = None,
        at: str | None = None,
        figures: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.status = status
        self.texts = texts or {}
        self.at = at
        self.figures = figures


Answer = Callable[[Workspace, Sitting, FormData], str]
"""Does what a form says and returns which of `DONE` that was. Raises RefusedError, StateError."""


def is_known(workspace: Workspace, sitting: Sitting, form: FormData) -> bool:
    """Did the page, from which a form comes, show what would go out now."""
    desk = looking.desk(workspace, sitting.relay)
    shown = forms.text(form, "version"), forms.text(form, "fingerprint")
    return shown == (str(desk.offer.version), desk.fingerprint)


def typed(form: FormData) -> dict[str, str]:
    """Slot -> the text that was sent for it, with the line ends that we keep."""
    names = (name for name in form if name.startswith(SLOT))
    return {name.removeprefix(SLOT): forms.text(form, name).replace("\r\n", "\n") for name in names}


def answer(workspace: Workspace, sitting: Sitting, form: FormData) -> str:
    """Keep the words and the hour; with the button to accept, agree to what was looked at.

    Words that were not in the preview yet are kept, and have to be looked at before they are agreed to.
    """
    row, seat, texts = sitting.relay, sitting.seat, typed(form)
    fresh = _changed(workspace, sitting, form, texts)
    row = answering.adapt(workspace, row, fresh, who=seat.name) if fresh else row
    row = _timed(workspace, Sitting(row, seat), form, texts)
    if forms.text(form, "do") != "accept" or fresh:
        return "saved"
    shown = forms.text(form, "fingerprint")
    done = answering.accept(workspace, row, who=seat.name, seat=seat, fingerprint=shown)
    return "first" if done.state is RelayState.AWAITING else "accepted"


def seen(workspace: Workspace, sitting: Sitting, form: FormData) -> str:
    """Somebody looks at the page in a browser."""
    answering.see(workspace, sitting.relay, sitting.seat)
    return "seen"


def choose_time(workspace: Workspace, sitting: Sitting, form: FormData) -> str:
    """Another hour for what is accepted already."""
    _timed(workspace, sitting, form, {})
    return "time"


def decline(workspace: Workspace, sitting: Sitting, form: FormData) -> str:
    """Say no, with a reason or without."""
    answering.decline(workspace, sitting.relay, forms.text(form, "reason"), who=sitting.seat.name)
    return "declined"


def question(workspace: Workspace, sitting: Sitting, form: FormData) -> str:
    """Ask the coalition."""
    try:
        answering.ask(workspace, sitting.relay, forms.text(form, "question"), seat=sitting.seat)
    except UsageError:
        raise RefusedError(_QUESTION) from None
    return "asked"


def colleague(workspace: Workspace, sitting: Sitting, form: FormData) -> str:
    """Mail another seat its own link."""
    chosen = forms.text(form, "seat")
    number = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 18 else 0
    try:
        mailed = linking.pass_on(workspace, sitting.relay, sitting.seat, number)
    except UsageError:
        raise RefusedError(_COLLEAGUE) from None
    return "passed" if mailed else "wait"


def correction(workspace: Workspace, sitting: Sitting, form: FormData) -> str:
    """Put a correction on the association's page after the newsletter was sent."""
    correcting.publish(workspace, sitting.relay, who=sitting.seat.name)
    return "corrected"


def figures(workspace: Workspace, sitting: Sitting, form: FormData) -> str:
    """Take down what became of a sending with a tool of the association's own, in place of what was told before."""
    row, typed_in = sitting.relay, relay_figures.typed(form)
    told = read(typed_in)
    if kept.is_closed(workspace, row):
        raise RefusedError(_CLOSED, status=409)
    if not kept.is_asked(workspace, row):
        raise StateError(f"{row.association} has no figures to tell of {row.campaign}.")
    if not isinstance(told, ToldFigures):
        raise RefusedError(_FIGURES, figures=typed_in)
    telling.tell(workspace, row.campaign, row.association, told, who=sitting.seat.name, how="by form")
    return "figures"


def _changed(workspace: Workspace, sitting: Sitting, form: FormData, texts: Mapping[str, str]) -> dict[str, str]:
    """Slot -> text, of those that are not kept already. Raises RefusedError where a colleague changed one since."""
    campaign = making.current(workspace, sitting.relay.campaign)
    kept, known = sitting.relay.adaptation.texts, {slot.name for slot in rules.open_places(campaign)}
    changed = {
        name: text for name, text in texts.items() if name in known and text.strip() != kept.get(name, "").strip()
    }
    if any(forms.text(form, f"{WAS}{name}") != mark(kept.get(name, "")) for name in changed):
        raise RefusedError(_BOTH, status=409, texts=texts)
    return changed


def _timed(workspace: Workspace, sitting: Sitting, form: FormData, texts: Mapping[str, str]) -> RelayRow:
    """The relay with the hour that was chosen; as it is where the form says none, or the one that was shown."""
    row, chosen = sitting.relay, forms.text(form, "at").strip()
    if "at" not in form or chosen == shown_time(looking.desk(workspace, row)):
        return row
    try:
        at = datetime.strptime(chosen, AT) if chosen else None  # noqa: DTZ007 - by the association's own clock
        return answering.choose_time(workspace, row, at, who=sitting.seat.name)
    except (ValueError, UsageError):
        raise RefusedError(_TIME, texts=texts, at=chosen) from None
