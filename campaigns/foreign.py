"""A definition that came from another engine -> the same one as this workspace can use it. Pure; trusts no word of it.

Lines of the front matter are changed where they stand, so that a correction differs here by what it differs there. The
result is read once more and compared with what was meant: text that could be understood in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from campaigns import definition, frontmatter, variants
from campaigns.errors import CampaignError, DefinitionError, Problem, shown
from campaigns.gathering import feeds
from campaigns.models import VARIANT_MARK, Campaign, Image, Person, walk

FALLBACK = "announcement"
"""The template for campaigns whose own is not here."""
_UNCLEAR = "its front matter is written in a way that can not be taken over"


class ForeignError(CampaignError):
    """An offer that can not be used here; its message says why, for people."""


def localised(text: str, campaign_id: str, *, templates: Collection[str], media: str) -> Campaign:
    """The campaign under an id of this workspace, by nobody of it, with a template that is here.

    `text` is as `Campaign.definition` joins it; `templates` are the names of those that are here; `media` is the
    address of the sender's media folder, ending in `/`, at which its pictures are shown. Raises ForeignError.
    """
    original = _read(text, "its definition can not be used")
    _refuse(original)
    edits, wanted = {"campaign": f"campaign: {campaign_id}"}, replace(original, id=campaign_id, association=None)
    if original.association is not None:
        edits["association"] = ""
    part = original.newsletter
    if part is not None and part.template not in templates:
        edits |= {"newsletter.template": f"template: {FALLBACK}", "newsletter.slots": ""}
        wanted = replace(wanted, newsletter=replace(part, template=FALLBACK, slots=MappingProxyType({})))
    own, others = variants.split(text.replace("\r\n", "\n"))
    changed = "".join((_edited(own, edits), *(f"{VARIANT_MARK}{tag}\n{each}" for tag, each in others)))
    found = _read(_with_addresses(changed, _pictures(original), media), _UNCLEAR)
    if _told(found) != _told(wanted):
        raise ForeignError(_UNCLEAR)
    if left := _pictures(found):
        raise ForeignError(f"its picture {shown(min(left))!r} is named in a way that can not be taken over")
    return found


def _read(text: str, fault: str) -> Campaign:
    try:
        return definition.read(text, path="offer")
    except (DefinitionError, RecursionError) as error:
        first = error.problems[0] if isinstance(error, DefinitionError) else "it is nested too deeply"
        raise ForeignError(f"{fault}: {shown(str(first), 300)}") from error


def _refuse(campaign: Campaign) -> None:
    """Raises ForeignError for what does not travel."""
    if campaign.relay is None or campaign.newsletter is None:
        raise ForeignError("it has no newsletter that could be relayed")
    if campaign.schedule is not None and campaign.schedule.repeat:
        raise ForeignError("it repeats")
    if any(part.newsletter.attachments for part in _parts(campaign) if part.newsletter):
        raise ForeignError("files go with its mail, and files do not travel with an offer")
    if any(True for part in _parts(campaign) for _ in feeds(part)):
        raise ForeignError("it gathers what is new from feeds that this workspace does not read")


def _parts(campaign: Campaign) -> tuple[Campaign, ...]:
    return (campaign, *campaign.variants.values())


def _told(campaign: Campaign) -> tuple[Any, ...]:
    """What the front matter says, without the lines on which it does."""
    part = campaign.newsletter
    return (
        campaign.id, campaign.title, campaign.language, campaign.association, campaign.feed, dict(campaign.social),
        campaign.schedule, campaign.relay, campaign.tags, replace(campaign.audience, segment_line=0),
        replace(part, subject_line=0, preview_line=0, slots=dict(part.slots)) if part else None,
    )  # fmt: skip


def _edited(text: str, edits: Mapping[str, str]) -> str:
    """The file with whole keys replaced, each with all that belongs to it; an empty text takes one away."""
    parts = frontmatter.split(text)
    if isinstance(parts, Problem):
        raise ForeignError(_UNCLEAR)
    lines, keys = text.split("\n"), frontmatter.parse(parts.front, parts.front_line).key_lines
    starts = sorted(set(keys.values()))
    # From the end, so that the numbers of lines before stay good.
    for key, line in sorted(keys.items(), key=lambda item: -item[1]):
        if key not in edits:
            continue
        inner = {number for name, number in keys.items() if name.startswith(f"{key}.")}
        end = next((number for number in starts if number > line and number not in inner), parts.body_line - 1)
        indent = lines[line - 1][: len(lines[line - 1]) - len(lines[line - 1].lstrip())]
        lines[line - 1 : end - 1] = [f"{indent}{edits[key]}"] if edits[key] else []
    return "\n".join(lines)


def _pictures(campaign: Campaign) -> frozenset[str]:
    """Pictures of the sender's media folder, as the text names them."""
    return frozenset(src for part in _parts(campaign) for src in _sources(part) if src and not urlsplit(src).scheme)


def _sources(campaign: Campaign) -> Iterator[str]:
    for block in walk(campaign.blocks):
        match block:
            case Image(src=src) | Person(photo=src):
                yield src
            case _:
                pass


def _with_addresses(text: str, pictures: Collection[str], media: str) -> str:
    """The text with full addresses in place of the names of these pictures."""
    for src in pictures:
        name, address = re.escape(src), media + src.lstrip("/")
        text = re.sub(
            rf"(\]\(<?|^[ \t]*photo:[ \t]*){name}(?=[)> \t]|$)",
            lambda found, to=address: found[1] + to,  # type: ignore[misc]
            text,
            flags=re.MULTILINE,
        )
    return text
