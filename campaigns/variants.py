"""The files beside a campaign's own that say it in other languages: which they are, and what they make of it.

welcome.md       the campaign
welcome.es.md    what differs for readers of Spanish: subject, preview, slots, the text
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from campaigns import languages, reading, schema
from campaigns.errors import DefinitionError, Problem
from campaigns.frontmatter import FIELD, NO_KEYS, FrontMatter
from campaigns.models import VARIANT_MARK, Blocks, Campaign, FeedPart, NewsletterPart
from campaigns.schema import LANGUAGE_TAG, VariantDefinition

SUFFIX = ".md"
MOST = 50
"""Languages of one campaign beside its own."""
_JOINT = re.compile(f"{VARIANT_MARK}({LANGUAGE_TAG.pattern})\n")


@dataclass(frozen=True, slots=True)
class VariantFile:
    """The file of a variant, not read yet. `name` is for messages only."""

    tag: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Variant:
    """What the file of a variant says."""

    file: VariantFile
    definition: VariantDefinition
    front: FrontMatter
    blocks: Blocks


@dataclass(frozen=True, slots=True)
class Beside:
    """Files beside a campaign's own that are named after it."""

    files: tuple[tuple[str, Path], ...] = ()
    """Variants, as (tag, file), by tag."""
    strays: tuple[Path, ...] = ()
    """Those whose name has no language tag: they are no part of the campaign."""


def split(text: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A definition as `Campaign.definition` joins it: the campaign's own file, and (tag, file) of each variant."""
    own, *others = _JOINT.split(text)
    return own, tuple(zip(others[::2], others[1::2], strict=True))


def file_of(path: Path, tag: str) -> Path:
    """The file of a variant of the campaign in `path`."""
    return path.with_name(f"{path.stem}.{tag}{SUFFIX}")


def beside(path: Path) -> Beside:
    """The files that are named after the campaign file `path`, in its folder.

    Raises DefinitionError when nobody can say which there are, or there are too many.
    """
    if path.suffix != SUFFIX:
        return Beside()
    start = f"{path.stem}."
    try:
        with os.scandir(path.parent) as entries:
            named = sorted(
                (entry.name.removeprefix(start).removesuffix(SUFFIX), entry.is_file())
                for entry in entries
                if entry.name.startswith(start) and entry.name.endswith(SUFFIX) and entry.name != path.name
            )
    except OSError as error:
        message = f"its folder can not be looked through for variants: {error.strerror}"
        raise DefinitionError([Problem(0, "file", message, "check that you may read the folder")], str(path)) from error
    files = tuple((tag, file_of(path, tag)) for tag, is_file in named if is_file and LANGUAGE_TAG.fullmatch(tag))
    if len(files) > MOST:
        problem = Problem(0, "file", f"there are {len(files)} variants beside it", f"at most {MOST} languages")
        raise DefinitionError([problem], str(path))
    known = {tag for tag, _ in files}
    return Beside(files, tuple(file_of(path, rest) for rest, _ in named if rest not in known))


def misnamed(path: Path) -> Problem | None:
    """What is wrong with reading `path` as a campaign when it is a variant of another."""
    stem, _, tag = path.stem.rpartition(".")
    own = path.with_name(f"{stem}{SUFFIX}")
    if path.suffix != SUFFIX or not stem or not LANGUAGE_TAG.fullmatch(tag) or not own.is_file():
        return None
    hint = f"name {own.name}: its variants come with it. A campaign of its own needs another file name"
    return Problem(0, "file", f"is the variant for {tag} of the campaign in {own.name}", hint)


def read(file: VariantFile) -> Variant:
    """What the file says. Raises DefinitionError with all its problems, each of which names it."""
    try:
        opened = reading.opened(file.text, file.name)
        problems, front, definition = list(opened.problems), opened.front, None
        if not front.data and [problem.message for problem in front.problems] == [NO_KEYS]:
            problems, definition = [each for each in problems if each.message != NO_KEYS], VariantDefinition()
        elif opened.can_be_validated:
            definition, found = schema.validate(front, VariantDefinition)
            problems.extend((*reading.unblamed(front, found), *reading.jinja_problems(front)))
        if not opened.has_text:
            line = opened.parts.body_line - 1
            problems.append(Problem(line, "body", "the variant has no text", "write it below the second `---`"))
    except DefinitionError as error:
        raise DefinitionError(_named(error.problems, file), file.name) from error
    if problems or definition is None:
        raise DefinitionError(_named(problems, file), file.name)
    return Variant(file, definition, front, opened.blocks)


def doubts(file: VariantFile) -> Iterator[Problem]:
    """What may be no variant: `old` of `welcome.old.md` is written like a tag, and no language that we know.

    Nobody can tell it from a language with few readers, so the file has to say which it is.
    """
    if languages.is_known(file.tag) or _says(file, file.tag):
        return
    hint = (
        f"rename or move the file if it is no variant; if {file.tag} is a language, write `language: {file.tag}` in it"
    )
    yield Problem(1, "file", f"`{file.tag}` in the file's name is no language that is known here", hint, file.name)


def _says(file: VariantFile, tag: str) -> bool:
    """Does the front matter have `language:` with the tag. A file that can not be read says nothing."""
    try:
        said = reading.opened(file.text, file.name).front.data.get("language")
    except DefinitionError:
        return False
    return isinstance(said, str) and said.strip().lower() == tag.lower()


def collisions(files: Iterable[VariantFile]) -> Iterator[Problem]:
    """Several files for one language: tags that differ in capitals only (RFC 5646 section 2.1.1)."""
    files = tuple(files)
    often = Counter(file.tag.lower() for file in files)
    for file in files:
        if often[file.tag.lower()] > 1:
            message = f"there are several files for {file.tag.lower()}"
            yield Problem(1, "file", message, "keep one of those whose names differ in capitals only", file.name)


def conflicts(campaign: Campaign, variant: Variant) -> Iterator[Problem]:
    """What keeps `variant` from being one of `campaign`."""
    tag, front = variant.file.tag, variant.front
    found = []
    if variant.definition.campaign not in (None, campaign.id):
        message = f"the variant says it is of `{variant.definition.campaign}`, and the campaign is `{campaign.id}`"
        hint = "take the line out; a campaign of its own needs another file name"
        found.append(Problem(front.line("campaign"), "campaign", message, hint))
    if variant.definition.language and variant.definition.language.lower() != tag.lower():
        hint = "correct the line or the file's name, or take the line out"
        message = f"the file's name says that it is in {tag}"
        found.append(Problem(front.line("language"), "language", message, hint))
    if tag.lower() == campaign.language.lower():
        hint = f"remove the file, or correct its name or the `language:` of the campaign, {campaign.language}"
        found.append(Problem(1, "file", f"the campaign is in {tag} itself", hint))
    if campaign.newsletter is None:
        hint = "remove the file: feed entries and posts go out once, in the campaign's own language"
        found.append(Problem(1, FIELD, "a variant of a campaign without a newsletter", hint))
    return _named(found, variant.file)


def applied(campaign: Campaign, variant: Variant) -> Campaign:
    """The campaign as readers of the variant's language get it. What the variant does not say, stays as it is."""
    definition, front, mail = variant.definition, variant.front, campaign.newsletter
    social = definition.social.model_dump(exclude_none=True) if definition.social else {}
    return replace(
        campaign,
        title=definition.title or campaign.title,
        language=variant.file.tag,
        blocks=variant.blocks,
        source=variant.file.text,
        newsletter=_newsletter(mail, definition, front) if mail else None,
        feed=FeedPart(definition.feed.summary or "") if campaign.feed else None,
        social=MappingProxyType(social),
        key_lines=MappingProxyType(dict(front.key_lines)),
        variant=variant.file.tag,
    )


def _newsletter(own: NewsletterPart, definition: VariantDefinition, front: FrontMatter) -> NewsletterPart:
    said = definition.newsletter
    return replace(
        own,
        subject=said.subject or own.subject,
        preview=said.preview or own.preview,
        subject_line=front.value_lines.get("newsletter.subject", 0),
        preview_line=front.value_lines.get("newsletter.preview", 0),
        slots=MappingProxyType({**own.slots, **said.slots}),
        attachments=own.attachments if said.attachments is None else tuple(said.attachments),
    )


def _named(problems: Iterable[Problem], file: VariantFile) -> Iterator[Problem]:
    return (replace(problem, file=file.name) for problem in problems)
