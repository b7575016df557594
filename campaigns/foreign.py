"""A definition that came from another engine -> the same one as this workspace can use it. Pure; trusts no word of it.

Lines of the front matter are changed where they stand, so that a correction differs here by what it differs there. The
result is read once more and compared with what was meant: text that could be understood in two ways is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from campaigns import definition, frontmatter, gathering, variants
from campaigns.errors import CampaignError, DefinitionError, Problem, shown
from campaigns.models import VARIANT_MARK, Campaign, Image, Person, walk

FALLBACK = "announcement"
"""The template for campaigns whose own is not here."""
_UNCLEAR = "its front matter is written in a way that can not be taken over"


class ForeignError(CampaignError):
    """An offer that can not be used here; its message says why, for people."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files of the sender's media folder that a definition names, as it names them."""

    attached: tuple[str, ...]
    pictures: tuple[str, ...]


def files_of(campaign: Campaign) -> Files:
    """What would have to come with a campaign, in reading order, variants last."""
    parts = _parts(campaign)
    attached = (name for part in parts if part.newsletter for name in part.newsletter.attachments)
    return Files(tuple(dict.fromkeys(attached)), tuple(dict.fromkeys(src for part in parts for src in _pictures(part))))


def read(text: str) -> Campaign:
    """The campaign as those who offer it wrote it, `text` as `Campaign.definition` joins it. Raises ForeignError, also
    for what does not travel."""
    campaign = _read(text, "its definition can not be used")
    if campaign.relay is None or campaign.newsletter is None:
        raise ForeignError("it has no newsletter that could be relayed")
    if campaign.schedule is not None and campaign.schedule.repeat:
        raise ForeignError("it repeats")
    return campaign


def localised(
    original: Campaign,
    campaign_id: str,
    *,
    templates: Collection[str],
    media: str,
    files: Mapping[str, str] = MappingProxyType({}),
    gathered: str = "",
) -> Campaign:
    """The campaign that `read` gave under an id of this workspace, by nobody of it, with a template that is here.

    `templates` are the names of those that are here; `media` is the address of the sender's media folder, ending in
    `/`, at which its other pictures are shown; `files` says of those that came with it under which names they are here;
    `gathered` are the items of the feeds that it shows, as the sender's engine wrote them down. Raises ForeignError.
    """
    if missing := [name for name in files_of(original).attached if name not in files]:
        raise ForeignError(f"its file {shown(missing[0])!r} does not come with it")
    change = _Change(campaign_id, templates, files)
    own, others = variants.split(original.definition.replace("\r\n", "\n"))
    sources = {src: files.get(src) or media + src.lstrip("/") for src in files_of(original).pictures}
    changed = "".join(
        (
            _edited(own, change.edits(original)),
            *(f"{VARIANT_MARK}{tag}\n{_edited(text, change.edits_of_variant(original, text))}" for tag, text in others),
        )
    )
    found = _read(_with_pictures(changed, sources), _UNCLEAR)
    wanted = change.made(original)
    if [_told(part) for part in _parts(found)] != [_told(part) for part in _parts(wanted)]:
        raise ForeignError(_UNCLEAR)
    if left := [src for src in files_of(found).pictures if src not in files.values()]:
        raise ForeignError(f"its picture {shown(min(left))!r} is named in a way that can not be taken over")
    if gathering.feeds(found) and not gathered:
        raise ForeignError("it gathers what is new from feeds that this workspace does not read")
    try:
        return gathering.checked(found, gathered)
    except ValueError as error:
        raise ForeignError(f"what it gathered from feeds can not be used: {error}") from error


@dataclass(frozen=True, slots=True)
class _Change:
    """What is written otherwise here."""

    campaign_id: str
    templates: Collection[str]
    files: Mapping[str, str]

    def edits(self, campaign: Campaign) -> dict[str, str]:
        """Key of the front matter -> its new line, of the campaign's own file; an empty one takes the key away."""
        part, edits = campaign.newsletter, {"campaign": f"campaign: {self.campaign_id}"}
        assert part is not None, "no other is taken"
        if campaign.association is not None:
            edits["association"] = ""
        if part.template not in self.templates:
            edits |= {"newsletter.template": f"template: {FALLBACK}", "newsletter.slots": ""}
        return edits | self._attachments(part.attachments)

    def edits_of_variant(self, campaign: Campaign, text: str) -> dict[str, str]:
        """The same, of the file of a variant, which may say less."""
        parts = frontmatter.split(text)
        if isinstance(parts, Problem):
            raise ForeignError(_UNCLEAR)
        front, edits = frontmatter.parse(parts.front, parts.front_line), {"campaign": ""}
        section = front.data.get("newsletter")
        if not isinstance(section, dict):
            return edits
        assert campaign.newsletter is not None, "no other is taken"
        gone = {"slots"} if campaign.newsletter.template not in self.templates else set[str]()
        if not set(section) - gone:
            return edits | {"newsletter": ""}
        edits |= {f"newsletter.{key}": "" for key in gone}
        names = section.get("attachments")
        return edits | self._attachments(tuple(map(str, names)) if isinstance(names, list) else ())

    def made(self, campaign: Campaign) -> Campaign:
        """What the changed text is to say."""
        parts = {tag: self._made(each) for tag, each in campaign.variants.items()}
        return replace(self._made(campaign), variants=MappingProxyType(parts))

    def _made(self, campaign: Campaign) -> Campaign:
        part = campaign.newsletter
        assert part is not None, "no other is taken"
        part = replace(part, attachments=tuple(self.files[name] for name in part.attachments))
        if part.template not in self.templates:
            part = replace(part, template=FALLBACK, slots=MappingProxyType({}))
        return replace(campaign, id=self.campaign_id, association=None, newsletter=part)

    def _attachments(self, names: tuple[str, ...]) -> dict[str, str]:
        if not names:
            return {}
        kept = json.dumps([self.files[name] for name in names])
        return {"newsletter.attachments": f"attachments: {kept}"}


def _read(text: str, fault: str) -> Campaign:
    try:
        return definition.read(text, path="offer")
    except (DefinitionError, RecursionError) as error:
        first = error.problems[0] if isinstance(error, DefinitionError) else "it is nested too deeply"
        raise ForeignError(f"{fault}: {shown(str(first), 300)}") from error


def _parts(campaign: Campaign) -> tuple[Campaign, ...]:
    return (campaign, *campaign.variants.values())


def _told(campaign: Campaign) -> tuple[Any, ...]:
    """What the front matter says, without the lines on which it does."""
    part = campaign.newsletter
    return (
        campaign.id, campaign.title, campaign.language, campaign.association, campaign.feed, dict(campaign.social),
        campaign.schedule, campaign.relay, campaign.tags, campaign.variant, replace(campaign.audience, segment_line=0),
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


def _pictures(campaign: Campaign) -> tuple[str, ...]:
    """Pictures of the sender's media folder, as the text names them."""
    return tuple(src for src in _sources(campaign) if src and not urlsplit(src).scheme)


def _sources(campaign: Campaign) -> Iterator[str]:
    for block in walk(campaign.blocks):
        match block:
            case Image(src=src) | Person(photo=src):
                yield src
            case _:
                pass


def _with_pictures(text: str, pictures: Mapping[str, str]) -> str:
    """The text with other names in place of those of pictures."""
    if not pictures:
        return text
    # At once, and the longest first: a name may begin like another, or be what another becomes.
    names = "|".join(re.escape(name) for name in sorted(pictures, key=len, reverse=True))
    return re.sub(
        rf"(\]\(<?|^[ \t]*photo:[ \t]*)({names})(?=[)> \t]|$)",
        lambda found: found[1] + pictures[found[2]],
        text,
        flags=re.MULTILINE,
    )
