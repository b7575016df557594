"""A campaign's definition files to a Campaign, or to everything that is wrong with them, each with its line.

It joins the hands that do the work: `reading` for a file as it stands, `schema` for the keys, `variants` for the
files that hold other languages. Whether the association, topic or segment exists is for others to say.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from campaigns import reading, schema, variants
from campaigns.errors import DefinitionError, Problem
from campaigns.frontmatter import FIELD, FrontMatter
from campaigns.models import (
    Audience,
    Blocks,
    Campaign,
    FeedPart,
    NewsletterPart,
    PostOptions,
    RelayPart,
    Schedule,
)
from campaigns.reading import Opened
from campaigns.recurrence import LONGEST_ID, RepeatError, read_repeat
from campaigns.variants import VariantFile

_PARTS = ("newsletter", "feed", "social")


def read(text: str, *, path: str = "campaign.md") -> Campaign:
    """The campaign that a definition with this `text` describes: of one file, or of several as `Campaign.definition`
    joins them. `path` is for messages only.

    Raises DefinitionError with all problems at once: of characters, YAML, keys, Jinja and Markdown.
    """
    own, others = variants.split(text)
    return _joined(own, path, [VariantFile(tag, f"{path}, {tag}", each) for tag, each in others])


def read_file(path: str | os.PathLike[str]) -> Campaign:
    """The campaign in a file, with its variants in the files beside it, all UTF-8 with or without byte order mark.

    Raises DefinitionError, also when a file can not be opened or is not UTF-8.
    """
    name = os.fspath(path)
    text = reading.load(name)
    if problem := variants.misnamed(Path(name)):
        raise DefinitionError([problem], name)
    files, problems = list[VariantFile](), list[Problem]()
    for tag, file in variants.beside(Path(name)).files:
        try:
            files.append(VariantFile(tag, str(file), reading.load(str(file))))
            problems.extend(variants.doubts(files[-1]))
        except DefinitionError as error:
            problems.extend(replace(problem, file=str(file)) for problem in error.problems)
    return _joined(text, name, files, problems)


def _joined(text: str, path: str, files: list[VariantFile], problems: Iterable[Problem] = ()) -> Campaign:
    """The campaign of one file with the variants of others; `problems` are those of files that are not among them."""
    found, campaign, made = list(problems), None, dict[str, Campaign]()
    try:
        campaign = _read(text, path)
    except DefinitionError as error:
        found += error.problems
    found += variants.collisions(files)
    for file in files:
        try:
            variant = variants.read(file)
        except DefinitionError as error:
            found += error.problems
            continue
        if campaign is not None:
            found += variants.conflicts(campaign, variant)
            made[file.tag] = variants.applied(campaign, variant)
    if found or campaign is None:
        raise DefinitionError(found, path)
    return replace(campaign, variants=MappingProxyType(made)) if made else campaign


def _read(text: str, path: str) -> Campaign:
    """The campaign of one file, without variants."""
    opened = reading.opened(text, path)
    problems, front = list(opened.problems), opened.front
    definition = None
    if opened.can_be_validated:
        definition, found = schema.validate(front, schema.Definition)
        problems.extend(reading.unblamed(front, found))
        problems.extend((*_part_problems(opened), *reading.jinja_problems(front)))
        problems.extend(_repeat_problems(definition, front) if definition else ())
    if problems or definition is None:
        raise DefinitionError(problems, path)
    return _campaign(definition, front, opened.blocks, text)


def _part_problems(opened: Opened) -> Iterator[Problem]:
    """What no single key can be blamed for."""
    front = opened.front
    if not any(part in front.data for part in _PARTS):
        message = "the campaign goes nowhere: it has no newsletter, feed or social"
        yield Problem(1, FIELD, message, "add `newsletter:` with a `subject:`, or `feed:`, or `social:`")
    if "newsletter" in front.data and not opened.has_text:
        line = opened.parts.body_line - 1
        yield Problem(line, "body", "the newsletter has no text", "write it below the second `---`")


def _repeat_problems(definition: schema.Definition, front: FrontMatter) -> Iterator[Problem]:
    """What repeating asks of keys beside it."""
    section = definition.schedule
    if section is None or section.repeat is None:
        return
    try:
        read_repeat(section.repeat, section.at)
    except RepeatError as error:
        yield Problem(front.value_lines["schedule.repeat"], "schedule.repeat", error.message, error.hint)
    if len(definition.campaign) > LONGEST_ID:
        message = "the id is too long for a campaign that repeats"
        yield Problem(front.line("campaign"), "campaign", message, f"at most {LONGEST_ID}: each day is added to it")


def _campaign(definition: schema.Definition, front: FrontMatter, blocks: Blocks, source: str) -> Campaign:
    return Campaign(
        id=definition.campaign,
        title=definition.title,
        language=definition.language,
        blocks=blocks,
        source=source,
        association=definition.association,
        audience=_audience(definition.audience, front),
        newsletter=_newsletter(definition.newsletter, front) if definition.newsletter else None,
        feed=FeedPart(definition.feed.summary or "") if definition.feed else None,
        social=MappingProxyType(definition.social.texts() if definition.social else {}),
        post_options=_post_options(definition.social) if definition.social else PostOptions(),
        schedule=_schedule(definition.schedule) if definition.schedule else None,
        relay=_relay(definition.relay) if definition.relay else None,
        tags=tuple(definition.tags),
        key_lines=MappingProxyType(dict(front.key_lines)),
    )


def _relay(section: schema.RelaySection) -> RelayPart:
    return RelayPart(
        associations=tuple(section.associations or ()),
        kinds=tuple(section.kinds),
        respond_by=section.respond_by,
        not_before=section.not_before,
        not_after=section.not_after,
        topics=tuple(section.topics),
    )


def _schedule(section: schema.ScheduleSection) -> Schedule:
    repeat = read_repeat(section.repeat, section.at) if section.repeat else ""
    return Schedule(section.at, section.timezone, repeat)


def _post_options(section: schema.SocialSection) -> PostOptions:
    return PostOptions(
        image="" if section.image == schema.NO_IMAGE else section.image,
        image_alt=section.image_alt or "",
        image_decorative=section.image_decorative,
        warning=section.warning or "",
        x_without_link=section.x_without_link,
    )


def _audience(section: schema.AudienceSection, front: FrontMatter) -> Audience:
    line = front.value_lines["audience.segment"] if section.segment else 0
    return Audience(section.topic, section.segment, segment_line=line)


def _newsletter(section: schema.NewsletterSection, front: FrontMatter) -> NewsletterPart:
    return NewsletterPart(
        subject=section.subject,
        preview=section.preview or "",
        template=section.template,
        subject_line=front.value_lines["newsletter.subject"],
        preview_line=front.value_lines["newsletter.preview"] if section.preview else 0,
        slots=MappingProxyType(dict(section.slots)),
        ignore_cap=section.ignore_cap,
        doubt=section.doubt,
        attachments=tuple(section.attachments),
        inline_images=section.inline_images,
    )
