"""Puts what an association wrote into the slots of a campaign, as far as that is allowed. Sends and saves nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from campaigns.blocks import parse_body
from campaigns.characters import HINT, clean, faults
from campaigns.containers import inside
from campaigns.errors import Problem, did_you_mean, shown
from campaigns.models import (
    Block,
    Blocks,
    Button,
    Campaign,
    Columns,
    Divider,
    Event,
    Heading,
    Image,
    ListBlock,
    Person,
    Quote,
    Slot,
    Statistic,
    Text,
    When,
    walk,
)

MAX_CHARACTERS = 10_000
"""Of the text for one slot."""

_PLAIN = (Heading, Text, ListBlock, Quote, Image, Button, Divider, Person, Statistic, Event)
"""What may stand in a slot: what shows something and decides nothing."""


def slots(campaign: Campaign) -> tuple[Slot, ...]:
    """The slots of a campaign in reading order."""
    return tuple(block for block in walk(campaign.blocks) if isinstance(block, Slot))


def written(campaign: Campaign, slot: Slot) -> str:
    """The Markdown that the campaign itself has in one of its slots."""
    return "\n".join(inside(campaign.source.splitlines()[slot.line :])).strip()


def filled(campaign: Campaign, texts: Mapping[str, str]) -> Campaign | tuple[Problem, ...]:
    """The campaign with Markdown in its slots, or everything that is wrong with the texts.

    `texts` maps names of slots to Markdown; a slot that is not among them keeps what it holds, and one whose
    text is blank becomes empty. Slots stay slots, so that they can be filled again. The lines of problems, and
    of the blocks put in, count from 1 within each text; a problem's field is `slot <name>`.
    """
    known = {slot.name for slot in slots(campaign)}
    contents: dict[str, Blocks] = {}
    problems: list[Problem] = []
    for name, text in texts.items():
        if name in known:
            contents[name], found = _content(text)
            problems += (replace(problem, field=f"slot {name}") for problem in found)
        else:
            hint = did_you_mean(name, known, f"there are: {', '.join(sorted(known))}" if known else "there is none")
            problems.append(Problem(1, "slots", f"the campaign has no slot `{shown(name)}`", hint))
    return tuple(problems) or replace(campaign, blocks=_with(campaign.blocks, contents))


def _content(text: str) -> tuple[Blocks, list[Problem]]:
    if len(text) > MAX_CHARACTERS:
        return (), [Problem(1, "body", "the text is too long", f"at most {MAX_CHARACTERS:,} characters")]
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    problems = [Problem(line, "body", message, HINT) for line, message in faults(lines)]
    blocks, found = parse_body(clean(lines), first_line=1)
    return blocks, [*problems, *found, *_too_much(blocks)]


def _too_much(blocks: Blocks) -> Iterator[Problem]:
    for block in walk(blocks):
        if not isinstance(block, _PLAIN):
            message = f"a slot can not hold what `::: {type(block).__name__.lower()}` makes"
            hint = "write headings, text, lists, quotations, images, buttons, people, figures and events"
            yield Problem(block.line, "body", message, hint)


def _with(blocks: Blocks, contents: Mapping[str, Blocks]) -> Blocks:
    return tuple(_changed(block, contents) for block in blocks)


def _changed(block: Block, contents: Mapping[str, Blocks]) -> Block:
    match block:
        case Slot(name=name):
            return replace(block, blocks=contents.get(name, block.blocks))
        case Columns(columns=columns):
            return replace(block, columns=tuple(_with(column, contents) for column in columns))
        case When(blocks=blocks, otherwise=otherwise):
            return replace(block, blocks=_with(blocks, contents), otherwise=_with(otherwise, contents))
        case _:
            return block
