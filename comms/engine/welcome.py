"""The letter to somebody who has just confirmed a sign-up, in our words or in the association's own.

Its own words are text files, `letters/<association>/welcome.md` in the workspace, and `welcome.<language>.md` beside it
for other languages: a heading, which is the subject too, and paragraphs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import structlog

from audiences.models import Association, Member
from comms.engine import letter_words, letters, tokens
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.language.tags import nearby
from comms.rendering.clean import one_line
from comms.rendering.letter import LetterContent

log = structlog.get_logger(__name__)

TEMPLATE = "welcome"
FOLDER = "letters"
VALID = timedelta(days=7)
"""How long a mail server may take to accept it."""
LARGEST = 20_000
"""Bytes of a file with words."""
_PARAGRAPHS = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


@dataclass(frozen=True, slots=True)
class OwnWords:
    """What an association says itself."""

    heading: str
    paragraphs: tuple[str, ...]
    language: str


def post(workspace: Workspace, owner: Association, member: Member, topics: list[str]) -> None:
    """Queue the letter, within the caller's transaction; none where the association wants none, or the address is
    suppressed. `topics` are the titles of what the member gets."""
    if not owner.welcome or member.address is None or workspace.people(owner.slug).suppressions_of(member.address):
        return
    try:
        content = content_for(workspace, owner, member, topics)
    except UsageError as error:
        log.error("our own words are in the welcome", association=owner.slug, reason=error.message)
        content = content_for(workspace, owner, member, topics, plain=True)
    letters.post(workspace, owner.slug, TEMPLATE, member.address, content, expires_at=workspace.now() + VALID)


def content_for(
    workspace: Workspace, owner: Association, member: Member, topics: list[str], *, plain: bool = False
) -> LetterContent:
    """What the letter says to a member; `plain`: in our words, whatever the association has written.

    Raises UsageError for words of the association's that can not be used.
    """
    assert member.id is not None
    assert member.address is not None
    url = tokens.for_person(workspace, owner.slug, member.id, member.address)
    found = None if plain else own_words(workspace, owner, member.language)
    words = workspace.catalogues.words(*((found.language,) if found else (member.language, owner.language)))
    own = (found.heading, found.paragraphs, found.language) if found else None
    return letter_words.welcome(words, owner.name, topics, url=url, own=own)


def own_words(workspace: Workspace, owner: Association, language: str | None) -> OwnWords | None:
    """What the association says in the nearest language that it has words for; None where it has written none.

    `welcome.md` is for everyone for whom there is no other. Raises UsageError for a file that can not be used.
    """
    # By what lies in the folder, not by a name made of the tag: nobody checks what an import calls a language.
    written = {path.name.lower(): path for path in (workspace.folder / FOLDER / owner.slug).glob(f"{TEMPLATE}*.md")}
    for tag in nearby(language) if language else ():
        if path := written.get(f"{TEMPLATE}.{tag}.md"):
            return _read(path, tag)
    path = written.get(f"{TEMPLATE}.md")
    return _read(path, owner.language) if path else None


def faults(workspace: Workspace) -> list[str]:
    """What is wrong with the words of associations: those are not used."""
    found = []
    for path in sorted((workspace.folder / FOLDER).glob(f"*/{TEMPLATE}*.md")):
        try:
            _read(path, "")
        except UsageError as error:
            found.append(f"{error.message} {error.hint}")
    return found


def _read(path: Path, language: str) -> OwnWords:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        text = data.decode("utf-8-sig").replace("\r\n", "\n").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can not be read: {error}.", hint="Save it as text in UTF-8.") from error
    if len(data) > LARGEST:
        raise UsageError(f"{path} has more than {LARGEST:,} bytes.", hint="A welcome is a few lines.")
    first, *others = _PARAGRAPHS.split(text)
    heading = one_line(first.lstrip("#")) if first.startswith("#") else ""
    paragraphs = tuple(filter(None, map(one_line, others)))
    if not heading or not paragraphs:
        hint = "Begin it with a line like `# Welcome`, then an empty line, then the text."
        raise UsageError(f"{path} has no heading, or no text below it.", hint=hint)
    return OwnWords(heading, paragraphs, language)
