"""The part of an offer's page that takes the figures of associations with a tool of their own. Writes nothing down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData

from campaigns.figures import FIELDS, Fault, ToldFigures, read
from comms.engine.relaying import figures
from comms.engine.relaying.seating import Sitting
from comms.engine.workspace import Workspace
from comms.language.words import Words, marked
from comms.web import forms

_LABELS: Mapping[str, str] = MappingProxyType(
    {
        "copies": marked("Mails that your tool sent"),
        "people": marked("Different people who got one"),
        "clicks": marked("Clicks on links"),
        "replies": marked("Answers that people wrote"),
    }
)
_HELP: Mapping[str, str] = MappingProxyType(
    {
        "people": marked("Left blank, as many as mails."),
        "clicks": marked("Without those of programs, if your tool knows them. Left blank, none."),
        "replies": marked("Without automatic ones. Left blank, none."),
    }
)

_LONGEST = 200
"""Characters of a field that are looked at, and shown again. No number has as many."""


@dataclass(frozen=True, slots=True)
class Number:
    """A field of the form."""

    name: str
    label: str
    help: str
    value: str
    """As it was typed, or as it is known; empty while nothing is."""
    problem: str
    """Why that can not be; empty when it can."""


@dataclass(frozen=True, slots=True)
class FiguresView:
    """What the page shows of an association's figures."""

    numbers: tuple[Number, ...]
    is_open: bool
    """Can they still be changed."""
    told_at: datetime | None
    """When they were told last, by the association's clock; None before."""
    told_by: str

    @property
    def first_wrong(self) -> str:
        """Name of the first field with something wrong; empty when there is none."""
        return next((each.name for each in self.numbers if each.problem), "")


def view(
    workspace: Workspace, sitting: Sitting, words: Words, given: Mapping[str, str] | None = None
) -> FiguresView | None:
    """None where the association has no figures to tell. `given` is what was sent and not kept: it stays there."""
    row = sitting.relay
    if not figures.is_asked(workspace, row):
        return None
    known = figures.known(workspace, row)
    values = given if given is not None else _as_typed(known.figures if known else None)
    found = read(given) if given is not None else ()
    wrong = {fault.field: fault for fault in found} if isinstance(found, tuple) else {}
    zone = ZoneInfo(workspace.association(row.association).timezone)
    return FiguresView(
        numbers=tuple(
            Number(
                name,
                words.translated(_LABELS[name]),
                words.translated(_HELP.get(name, "")),
                values.get(name, ""),
                _said(wrong.get(name), words),
            )
            for name in FIELDS
        ),
        is_open=not figures.is_closed(workspace, row),
        told_at=known.at.astimezone(zone) if known else None,
        told_by=known.who if known else "",
    )


def typed(form: FormData) -> dict[str, str]:
    """What stands in the fields of the form."""
    return {name: forms.text(form, name)[:_LONGEST] for name in FIELDS}


def _as_typed(told: ToldFigures | None) -> dict[str, str]:
    return {name: str(getattr(told, name)) for name in FIELDS} if told else {}


def _said(fault: Fault | None, words: Words) -> str:
    if fault is None:
        return ""
    return words.gettext(
        "Write a whole number from %(least)s to %(most)s.",
        least=words.number(fault.least),
        most=words.number(fault.most),
    )
