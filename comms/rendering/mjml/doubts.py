"""What MJML passes over in silence: attributes without effect, bad values, text out of place.

Worth telling, and no reason to hold a mail back.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from comms.rendering.errors import TemplateProblem
from comms.rendering.markup import Attribute, Piece, numbered
from comms.rendering.mjml.table import ATTRIBUTES, TAGS, TEXT, kind

_SHOWN = 40
_STRUCTURE = TAGS - TEXT
"""Components that hold components."""


def doubts(markup: str, source: str | None = None) -> list[TemplateProblem]:
    """What has no effect, or not the one meant, in line order.

    `markup` may be `source` with blanks in place of Jinja, of the same length: a value that has some is not judged.
    """
    return sorted(_doubts(markup, markup if source is None else source))


def _doubts(markup: str, source: str) -> Iterator[TemplateProblem]:
    opened: list[str] = []
    for line, piece in numbered(markup):
        if piece.kind == "open" and piece.name in ATTRIBUTES:
            yield from _attributes(markup, source, piece, line)
        elif opened and opened[-1] in _STRUCTURE and piece.kind in ("open", "text") and piece.name[:2] != "mj":
            yield from _stray(markup[piece.start : piece.end], line, opened[-1])
        if piece.kind == "open" and not piece.closed:
            opened.append(piece.name)
        elif piece.kind == "close" and piece.name in opened:
            while opened.pop() != piece.name:
                pass


def _attributes(markup: str, source: str, piece: Piece, line: int) -> Iterator[TemplateProblem]:
    seen: set[str] = set()
    for attribute in piece.attributes:
        own_line = line + markup.count("\n", piece.start, attribute.start)
        if attribute.name in seen:
            yield TemplateProblem(own_line, f"{attribute.name} stands twice in <{piece.name}>", "keep one of them")
        seen.add(attribute.name)
        span = slice(attribute.start, attribute.end)
        yield from _judged(piece, attribute, own_line, known=markup[span] == source[span])


def _stray(text: str, line: int, parent: str) -> Iterator[TemplateProblem]:
    """Text or HTML between components, where most programs show it in the wrong place or not at all."""
    words = text.strip()
    if words:
        shown = words.split("\n")[0][:_SHOWN]
        first = line + text.count("\n", 0, text.index(words[0]))
        hint = "put it into mj-text, mj-table or mj-raw"
        yield TemplateProblem(first, f"{shown} can not stand directly in <{parent}>", hint)


def _judged(piece: Piece, attribute: Attribute, line: int, *, known: bool) -> Iterator[TemplateProblem]:
    """`known` tells whether the value stands there as it will be."""
    kinds = ATTRIBUTES[piece.name]
    if attribute.name not in kinds:
        near = get_close_matches(attribute.name, kinds, n=1)
        hint = f"did you mean {near[0]}?" if near else f"remove it; there are: {', '.join(sorted(kinds))}"
        yield TemplateProblem(line, f"<{piece.name}> knows no {attribute.name}: it has no effect", hint)
    elif known and attribute.quoted and not kind(kinds[attribute.name]).accepts(attribute.value):
        shown = attribute.value if len(attribute.value) <= _SHOWN else f"{attribute.value[:_SHOWN]}..."
        yield TemplateProblem(
            line,
            f'{attribute.name}="{shown}" of <{piece.name}> is no value that MJML takes',
            f"it takes {kind(kinds[attribute.name]).words}",
        )
