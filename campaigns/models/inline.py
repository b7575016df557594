"""Running text: the spans that a heading, a paragraph or a button is made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plain:
    """Literal text, as the author typed it."""

    text: str


@dataclass(frozen=True, slots=True)
class Expression:
    """A Jinja output expression, with its braces: `{{ member.first_name or "colleague" }}`."""

    source: str
    line: int


@dataclass(frozen=True, slots=True)
class Strong:
    children: Inline


@dataclass(frozen=True, slots=True)
class Emphasis:
    children: Inline


@dataclass(frozen=True, slots=True)
class Code:
    children: Inline


@dataclass(frozen=True, slots=True)
class LineBreak:
    """A forced line break within a paragraph."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link; `url` may hold Jinja expressions."""

    url: str
    children: Inline


Span = Plain | Expression | Strong | Emphasis | Code | LineBreak | Link
Inline = tuple[Span, ...]


def deep(inline: Inline) -> Iterator[Span]:
    """Every span, those inside links and emphasis included."""
    for span in inline:
        yield span
        match span:
            case Strong(children) | Emphasis(children) | Code(children) | Link(children=children):
                yield from deep(children)
            case _:
                pass
