"""The values that a template asks of a campaign: declared in its leading comment, given under `newsletter.slots`.

    {# A call for proposals. slots: deadline date, amount text "Amount" optional #}

Each has a name, a type, perhaps a label in quotes (else the name is one), and perhaps the word `optional`. They are
the same for every reader. Knows no file; how they look is the template's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal, cast, get_args

from babel.numbers import format_decimal

from campaigns.models import Campaign
from campaigns.moments import MomentError, read_day
from campaigns.urls import link_fault
from comms.language import dates
from comms.language.tags import locale_of
from comms.language.words import Words
from comms.rendering.errors import TemplateError, TemplateProblem
from comms.rendering.source import TemplateSource

SlotType = Literal["text", "date", "number", "link"]
TYPES: tuple[SlotType, ...] = get_args(SlotType)
KEY = "newsletter.slots"
"""Where a campaign gives the values."""

_COMMENT = re.compile(r"\s*\{#-?(.*?)-?#\}", re.DOTALL)
_MARK = re.compile(r"\bslots:")
_ENTRY = re.compile(
    r'\s*(?P<name>[a-z][a-z0-9_]{0,39})\s+(?P<type>[a-z]+)(?:\s+"(?P<label>[^"{}]{1,80})")?(?P<optional>\s+optional)?\s*'
)
_MAILBOX = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,253}\.[A-Za-z]{2,63}")
_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,6})?")
_SAMPLES: dict[SlotType, str] = {
    "text": "Words",
    "date": "2027-03-01",
    "number": "45",
    "link": "https://example.org/page",
}


@dataclass(frozen=True, slots=True)
class TemplateSlot:
    """One value that a template takes."""

    name: str
    type: SlotType
    label: str
    """What it is, as readers see it before the value."""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a template says of itself in its leading comment."""

    description: str
    slots: tuple[TemplateSlot, ...]


def declaration(template: str, text: str) -> Declaration:
    """What the text of the template declares; nothing when it begins with no comment.

    Raises TemplateError, with its line, for a slot that can not be read.
    """
    comment = _COMMENT.match(text)
    if comment is None:
        return Declaration("", ())
    mark = _MARK.search(comment[1])
    words = comment[1][: mark.start()] if mark else comment[1]
    slots: dict[str, TemplateSlot] = {}
    for offset, entry in _entries(comment[1], mark.end()) if mark else ():
        slot = _slot(entry)
        if slot is None or slot.name in slots:
            line = 1 + text.count("\n", 0, comment.start(1) + offset)
            said = "is declared twice" if slot else "is no slot"
            hint = f'write it like: deadline date "Deadline", amount text optional; types are {", ".join(TYPES)}'
            raise TemplateError(template, line, f"`{entry.strip()[:80]}` {said}", hint=hint)
        slots[slot.name] = slot
    return Declaration(" ".join(words.split()), tuple(slots.values()))


def declared(template: TemplateSource) -> tuple[TemplateSlot, ...]:
    """The values that a template takes. Raises TemplateError like `declaration`."""
    return declaration(template.name, template.text).slots


def values(slots: Sequence[TemplateSlot], campaign: Campaign) -> dict[str, str]:
    """Name -> what readers see, in the campaign's language; empty for what is optional and not given.

    Raises TemplateError for the first of `problems`.
    """
    for _, problem in problems(slots, campaign):
        raise TemplateError.of("the campaign", problem)
    given = campaign.newsletter.slots if campaign.newsletter else {}
    return {slot.name: _shown(slot.type, given.get(slot.name, ""), campaign.language) for slot in slots}


def facts(slots: Sequence[TemplateSlot], shown: dict[str, str], words: Words) -> list[dict[str, Any]]:
    """The values that are given, in the order of the declaration, as blocks of a campaign hold words:
    `name`, `label` (translated where it is one of ours), `lead` (the label with its colon), `value` and `spans`."""
    return [_fact(slot, value, words) for slot in slots if (value := shown[slot.name])]


def problems(slots: Sequence[TemplateSlot], campaign: Campaign) -> Iterator[tuple[str, TemplateProblem]]:
    """Everything wrong with what the campaign gives, each with its key in the front matter."""
    given, lines = campaign.newsletter.slots if campaign.newsletter else {}, campaign.key_lines
    template = campaign.newsletter.template if campaign.newsletter else ""
    above = lines.get(KEY) or lines.get("newsletter.template") or lines.get("newsletter", 0)
    known = {slot.name: slot for slot in slots}
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            there_are = f"it takes {', '.join(known)}" if known else "it takes none: remove the key"
            hint = f"did you mean `{near[0]}`?" if near else there_are
            message = f"the template {template} has no slot `{name[:60]}`"
            yield f"{KEY}.{name}", TemplateProblem(lines.get(f"{KEY}.{name}", above), message, hint)
    for slot in slots:
        if slot.name in given:
            if fault := _fault(slot.type, given[slot.name]):
                yield f"{KEY}.{slot.name}", TemplateProblem(lines.get(f"{KEY}.{slot.name}", above), *fault)
        elif not slot.optional:
            message = f"the template {template} needs `{slot.name}` ({slot.type})"
            hint = f"add below `newsletter:` a key `slots:` with `{slot.name}: {_SAMPLES[slot.type]}`"
            yield KEY, TemplateProblem(above, message, hint)


def samples(slots: Sequence[TemplateSlot]) -> dict[str, str]:
    """A value for each, to show the template with."""
    return {slot.name: _SAMPLES[slot.type] for slot in slots}


def _entries(comment: str, start: int) -> Iterator[tuple[int, str]]:
    """What stands between the commas, which labels may hold too; each with its offset."""
    for found in re.finditer(r'(?:[^",]|"[^"]*"?)+', comment[start:]):
        leading = len(found[0]) - len(found[0].lstrip())
        if found[0].strip():
            yield start + found.start() + leading, found[0]


def _slot(entry: str) -> TemplateSlot | None:
    found = _ENTRY.fullmatch(entry)
    if found is None or found["type"] not in TYPES:
        return None
    label = found["label"] or found["name"].replace("_", " ").capitalize()
    return TemplateSlot(found["name"], cast(SlotType, found["type"]), " ".join(label.split()), bool(found["optional"]))


def _fault(kind: SlotType, value: str) -> tuple[str, str] | None:
    """Message and hint."""
    if "{{" in value or "{%" in value:
        return "an expression in a slot, which is the same for everyone", "write words that fit every reader"
    match kind:
        case "date":
            try:
                read_day(value)
            except MomentError as error:
                return error.message, error.hint
        case "number" if not _NUMBER.fullmatch(value):
            return f"`{value[:60]}` is not a number", "write it like 45 or 12.5, without a sign for thousands"
        case "link":
            return link_fault(value)
        case _:
            pass
    return None


def _shown(kind: SlotType, value: str, language: str) -> str:
    if value and kind == "date":
        return dates.day(read_day(value), locale_of(language))
    if value and kind == "number":
        return str(format_decimal(Decimal(value), locale=locale_of(language)))
    return value


def _fact(slot: TemplateSlot, value: str, words: Words) -> dict[str, Any]:
    label = words.translated(slot.label)
    lead = words.gettext("%(label)s:", label=label)
    return {"name": slot.name, "label": label, "lead": lead, "value": value, "spans": _spans(slot.type, value)}


def _spans(kind: SlotType, value: str) -> list[dict[str, Any]]:
    """A mail address is a link, too: some mail programs make it one of their own, in a colour of their own."""
    text = {"kind": "text", "text": value}
    url = value if kind == "link" else f"mailto:{value}" if kind == "text" and _MAILBOX.fullmatch(value) else ""
    return [{"kind": "link", "url": url, "spans": [text]}] if url else [text]
