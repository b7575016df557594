"""Finds tags, attributes and comments in MJML and HTML. It judges nothing and decodes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["open", "close", "comment", "text", "stray"]

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
"""HTML elements that have no end tag (HTML Living Standard section 13.1.2)."""
_RAW_TEXT = frozenset({"style", "script", "mj-style"})

# Possessive throughout: each character is looked at once, whatever is fed to it.
_ATTRIBUTES = r"""(?:[^<>"']++|"[^"]*+"|'[^']*+')*+"""
_TAG = re.compile(rf"<(?P<close>/?)(?P<name>[A-Za-z][\w:.-]*+)(?P<attributes>{_ATTRIBUTES})>")
_ATTRIBUTE = re.compile(r"""([^\s=/"'<>]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"'<>]++))?""")
_CONDITION = re.compile(r"<!--\[if[^\]]*+\]>(?:<!-->)?|<!--<!\[endif\]-->|<!\[endif\]-->", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attribute:
    """`value` is the source between the quotes; `start` and `end` enclose it, quotes included."""

    name: str
    value: str
    start: int
    end: int
    quoted: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of source. `stray` is a `<` that starts nothing, or a comment
    without end; `closed` is `<x/>` or a void element."""

    kind: Kind
    start: int
    end: int
    name: str = ""
    attributes: tuple[Attribute, ...] = ()
    closed: bool = False


def scan(source: str, *, into_conditions: bool = False) -> Iterator[Piece]:
    """The pieces of the source in order, without gaps.

    With `into_conditions` what Outlook's conditional comments hold is markup, else part of the comment.
    """
    position = 0
    while position < len(source):
        start = source.find("<", position)
        if start < 0:
            break
        if start > position:
            yield Piece("text", position, start)
        piece = _piece_at(source, start, into_conditions=into_conditions)
        yield piece
        position = piece.end
        if piece.kind == "open" and not piece.closed and piece.name in _RAW_TEXT:
            end = _end_of_raw_text(source, position, piece.name)
            if end > position:
                yield Piece("text", position, end)
            position = end
    if position < len(source):
        yield Piece("text", position, len(source))


def numbered(source: str) -> Iterator[tuple[int, Piece]]:
    """The pieces of the source, each with the 1-based line it begins in."""
    line, position = 1, 0
    for piece in scan(source):
        line += source.count("\n", position, piece.start)
        position = piece.start
        yield line, piece


def edited(source: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """The source with each stretch from start to end replaced; edits come in order and do not overlap."""
    parts: list[str] = []
    position = 0
    for start, end, replacement in edits:
        parts += (source[position:start], replacement)
        position = end
    parts.append(source[position:])
    return "".join(parts)


def _piece_at(source: str, start: int, *, into_conditions: bool) -> Piece:
    if source.startswith(("<!", "<?"), start):
        condition = _CONDITION.match(source, start) if into_conditions else None
        if condition:
            return Piece("comment", start, condition.end())
        mark = "-->" if source.startswith("<!--", start) else ">"
        end = source.find(mark, start + 2)
        return Piece("comment", start, end + len(mark)) if end >= 0 else Piece("stray", start, len(source))
    tag = _TAG.match(source, start)
    if tag is None:
        return Piece("stray", start, start + 1)
    name = tag["name"].lower()
    if tag["close"]:
        return Piece("close", start, tag.end(), name)
    attributes = tuple(_attributes(tag["attributes"], tag.start("attributes")))
    closed = name in VOID or tag["attributes"].endswith("/")
    return Piece("open", start, tag.end(), name, attributes, closed)


def _attributes(source: str, offset: int) -> Iterator[Attribute]:
    for found in _ATTRIBUTE.finditer(source):
        value = found[2] or ""
        quoted = value[:1] in ('"', "'") and value != ""
        start, end = found.span(2) if found[2] else (found.end(), found.end())
        yield Attribute(found[1].lower(), value[1:-1] if quoted else value, offset + start, offset + end, quoted)


def _end_of_raw_text(source: str, position: int, name: str) -> int:
    found = re.compile(rf"</{re.escape(name)}\b", re.IGNORECASE).search(source, position)
    return found.start() if found else len(source)
