"""What is wrong with the build of an MJML document: its tags, and how its components stand in each other.

Each of these makes a mail that nobody meant, so that nothing with one of them is compiled. It judges no values.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from comms.rendering.errors import TemplateProblem
from comms.rendering.markup import Piece, numbered
from comms.rendering.mjml.table import CHILDREN, TAGS

MAX_DEPTH = 256
"""Elements in elements. mjml-python goes down by recursion, and thousands of them end the whole process."""


def check(source: str) -> list[TemplateProblem]:
    """What is wrong with the markup, in line order: a template, or a part of one."""
    return sorted(_problems(source))


def _problems(source: str) -> Iterator[TemplateProblem]:
    opened: list[tuple[Piece, int]] = []
    for line, piece in numbered(source):
        parent = opened[-1][0].name if opened else ""
        if piece.kind == "stray":
            yield TemplateProblem(line, "a '<' that starts no tag", "write &lt; for the sign itself")
        elif piece.kind == "open":
            yield from _tag_problems(source, piece, line)
            yield from _misplaced(piece, line, parent)
            if not piece.closed:
                opened.append((piece, line))
                if len(opened) == MAX_DEPTH:
                    message = f"elements stand in each other {MAX_DEPTH} deep"
                    yield TemplateProblem(line, message, "close those that are done")
        elif piece.kind == "close":
            yield from _close(piece.name, line, opened)
        elif source.startswith("<![CDATA[", piece.start):
            yield TemplateProblem(line, "CDATA is not used in mail", "write &lt; for < and &amp; for & instead")
    for tag, tag_line in opened:
        yield _unclosed(tag, tag_line, before="the end")


def _close(name: str, line: int, opened: list[tuple[Piece, int]]) -> Iterator[TemplateProblem]:
    """Takes the tag that `name` closes off the open ones."""
    if name.startswith("mj") and name not in TAGS:
        yield _unknown(name, line)
        if opened and get_close_matches(name, [opened[-1][0].name], cutoff=0.5):
            opened.pop()
    elif not any(candidate.name == name for candidate, _ in reversed(opened)):
        yield TemplateProblem(line, f"</{name}> closes nothing", "remove it, or open the tag")
    else:
        while opened[-1][0].name != name:
            yield _unclosed(*opened.pop(), before=f"</{name}> in line {line}")
        opened.pop()


def _tag_problems(source: str, piece: Piece, line: int) -> Iterator[TemplateProblem]:
    if piece.name == "mj-include":
        yield TemplateProblem(
            line,
            "mj-include is not used here",
            'write {% include "name.mjml" %}; the file must be in a templates folder',
        )
    elif piece.name.startswith("mj") and piece.name not in TAGS:
        yield _unknown(piece.name, line)
    elif piece.name in TAGS and not source.startswith(piece.name, piece.start + 1):
        yield TemplateProblem(line, f"{piece.name} is written with capital letters", f"write <{piece.name}>")
    for attribute in piece.attributes:
        # HTML knows attributes without a value, such as `disabled`.
        if not attribute.quoted and (attribute.value or piece.name in TAGS):
            yield TemplateProblem(
                line + source.count("\n", piece.start, attribute.start),
                f"{attribute.name} in <{piece.name}> has no value in quotes",
                f'write {attribute.name}="..."',
            )


def _misplaced(piece: Piece, line: int, parent: str) -> Iterator[TemplateProblem]:
    """A component where MJML loses the layout or the component. What has no parent here is part of another file."""
    if piece.name in TAGS and parent in TAGS and piece.name not in CHILDREN.get(parent, ()):
        yield TemplateProblem(line, f"<{piece.name}> can not stand directly in <{parent}>", _home(piece.name))


def _home(name: str) -> str:
    if name == "mjml":
        return "it stands around everything else"
    homes = sorted(tag for tag, children in CHILDREN.items() if name in children and children != TAGS)
    return f"it belongs into {' or '.join(homes) or 'mj-attributes'}"


def _unknown(name: str, line: int) -> TemplateProblem:
    near = get_close_matches(name, TAGS, n=1)
    hint = f"did you mean {near[0]}?" if near else "see the MJML documentation for its components"
    return TemplateProblem(line, f"there is no component {name}", hint)


def _unclosed(tag: Piece, line: int, *, before: str) -> TemplateProblem:
    return TemplateProblem(
        line,
        f"<{tag.name}> is not closed before {before}",
        "open and close each tag within the same branch of an if or for",
    )
