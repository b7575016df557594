"""A campaign's definition file to a Campaign, or to everything that is wrong with it, each with its line.

It joins the hands that do the work: `frontmatter` and `schema` for the keys, `blocks` for the text,
`expressions` for the Jinja. Whether the association, topic or segment exists is for others to say.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType

from campaigns import frontmatter, schema
from campaigns.blocks import parse_body
from campaigns.characters import HINT, clean, faults
from campaigns.errors import DefinitionError, Problem
from campaigns.expressions import PUBLIC, READER, flaws
from campaigns.frontmatter import FIELD, FrontMatter, Parts, Value
from campaigns.models import (
    NETWORKS,
    Audience,
    Blocks,
    Campaign,
    FeedPart,
    NewsletterPart,
    RelayPart,
    Schedule,
)
from campaigns.recurrence import LONGEST_ID, RepeatError, read_repeat

MAX_BYTES = 1_000_000

_PARTS = ("newsletter", "feed", "social")
_JINJA_TEXTS = {
    "newsletter.subject": READER,
    "newsletter.preview": READER,
    "feed.summary": PUBLIC,
    **{f"social.{network}": PUBLIC for network in NETWORKS},
}
"""Keys whose text is Jinja, and the names that are known in it."""

_TOO_LARGE = Problem(
    1, "file", "the file is too large", f"at most {MAX_BYTES:,} bytes; pictures go in files of their own"
)


def read(text: str, *, path: str = "campaign.md") -> Campaign:
    """The campaign that a definition file with this `text` describes; `path` is for messages only.

    Raises DefinitionError with all problems at once: of characters, YAML, keys, Jinja and Markdown.
    """
    if len(text) > MAX_BYTES:
        raise DefinitionError([_TOO_LARGE], path)
    lines = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff"))
    problems = [Problem(line, "file", message, HINT) for line, message in faults(lines)]
    parts = frontmatter.split(clean(lines))
    if isinstance(parts, Problem):
        raise DefinitionError([*problems, parts], path)
    front = frontmatter.parse(parts.front, parts.front_line)
    blocks, body_problems = parse_body(parts.body, first_line=parts.body_line)
    problems.extend((*front.problems, *body_problems))
    definition = None
    if front.data or not front.problems:
        definition, found = schema.validate(front)
        blamed = {problem.field for problem in front.problems}
        problems.extend(problem for problem in found if problem.field not in blamed)
        problems.extend((*_part_problems(front, parts, blocks), *_jinja_problems(front)))
        problems.extend(_repeat_problems(definition, front) if definition else ())
    if problems or definition is None:
        raise DefinitionError(problems, path)
    return _campaign(definition, front, blocks, text)


def read_file(path: str | os.PathLike[str]) -> Campaign:
    """The campaign in a file, which is UTF-8 with or without byte order mark.

    Raises DefinitionError, also when the file can not be opened or is not UTF-8.
    """
    name = os.fspath(path)
    try:
        with Path(name).open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or "not a file name"
        hint = "check the name, and that you may read the file"
        raise DefinitionError([Problem(0, "file", f"can not be read: {reason}", hint)], name) from error
    if len(data) > MAX_BYTES:
        raise DefinitionError([_TOO_LARGE], name)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n?|\n", data[: error.start])) + 1
        message = f"not UTF-8: byte 0x{data[error.start]:02X} at position {error.start + 1:,} of the file"
        hint = "save the file again with the encoding UTF-8"
        raise DefinitionError([Problem(line, "file", message, hint)], name) from error
    return read(text, path=name)


def _part_problems(front: FrontMatter, parts: Parts, blocks: Blocks) -> Iterator[Problem]:
    """What no single key can be blamed for."""
    if not any(part in front.data for part in _PARTS):
        message = "the campaign goes nowhere: it has no newsletter, feed or social"
        yield Problem(1, FIELD, message, "add `newsletter:` with a `subject:`, or `feed:`, or `social:`")
    if "newsletter" in front.data and not blocks and not parts.body.strip():
        yield Problem(parts.body_line - 1, "body", "the newsletter has no text", "write it below the second `---`")


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


def _jinja_problems(front: FrontMatter) -> Iterator[Problem]:
    for key, names in _JINJA_TEXTS.items():
        text = _value(front, key)
        if not isinstance(text, str):
            continue
        start = front.value_lines[key]
        for flaw in flaws(text, names=names):
            line = start + flaw.line - 1 if key in front.verbatim else start
            yield Problem(line, key, flaw.message, flaw.hint)
    title = front.data.get("title")
    if isinstance(title, str) and ("{{" in title or "{%" in title):
        hint = "write words that fit every reader"
        yield Problem(front.line("title"), "title", "an expression in the title, which is the same for everyone", hint)


def _value(front: FrontMatter, key: str) -> Value:
    section, _, name = key.partition(".")
    inner = front.data.get(section)
    return inner.get(name) if isinstance(inner, dict) else None


def _campaign(definition: schema.Definition, front: FrontMatter, blocks: Blocks, source: str) -> Campaign:
    relay = definition.relay
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
        social=MappingProxyType(definition.social.model_dump(exclude_none=True) if definition.social else {}),
        schedule=_schedule(definition.schedule) if definition.schedule else None,
        relay=RelayPart(tuple(relay.associations), relay.respond_by) if relay else None,
        tags=tuple(definition.tags),
        key_lines=MappingProxyType(dict(front.key_lines)),
    )


def _schedule(section: schema.ScheduleSection) -> Schedule:
    repeat = read_repeat(section.repeat, section.at) if section.repeat else ""
    return Schedule(section.at, section.timezone, repeat)


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
    )
