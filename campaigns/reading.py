"""One file of a definition, cut and read to what it says as it stands: keys, blocks, and what is wrong with both.

What the keys mean, and which must be there, `definition.py` and `variants.py` know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from campaigns import frontmatter
from campaigns.blocks import parse_body
from campaigns.characters import HINT, clean, faults
from campaigns.errors import DefinitionError, Problem
from campaigns.expressions import PUBLIC, READER, flaws
from campaigns.frontmatter import FrontMatter, Parts, Value
from campaigns.models import NETWORKS, Blocks

MAX_BYTES = 1_000_000

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


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose front matter was found. `problems` are those of characters, YAML and Markdown."""

    front: FrontMatter
    parts: Parts
    blocks: Blocks
    problems: tuple[Problem, ...]

    @property
    def can_be_validated(self) -> bool:
        """Is enough of the keys known to say more about them."""
        return bool(self.front.data) or not self.front.problems

    @property
    def has_text(self) -> bool:
        """Does anything stand below the front matter."""
        return bool(self.blocks or self.parts.body.strip())


def load(name: str) -> str:
    """The text of a file, which is UTF-8 with or without byte order mark.

    Raises DefinitionError, also when the file can not be opened or is not UTF-8.
    """
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
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = len(re.findall(rb"\r\n?|\n", data[: error.start])) + 1
        message = f"not UTF-8: byte 0x{data[error.start]:02X} at position {error.start + 1:,} of the file"
        hint = "save the file again with the encoding UTF-8"
        raise DefinitionError([Problem(line, "file", message, hint)], name) from error


def opened(text: str, path: str) -> Opened:
    """The parts of a file with this `text`; `path` is for messages only.

    Raises DefinitionError when it is too large, or has no front matter.
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
    return Opened(front, parts, blocks, (*problems, *front.problems, *body_problems))


def jinja_problems(front: FrontMatter) -> Iterator[Problem]:
    """What is wrong with the Jinja in the keys."""
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


def unblamed(front: FrontMatter, found: list[Problem]) -> Iterator[Problem]:
    """Those of the keys that YAML had no quarrel with."""
    blamed = {problem.field for problem in front.problems}
    return (problem for problem in found if problem.field not in blamed)


def _value(front: FrontMatter, key: str) -> Value:
    section, _, name = key.partition(".")
    inner = front.data.get(section)
    return inner.get(name) if isinstance(inner, dict) else None
