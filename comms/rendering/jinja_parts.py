"""Takes Jinja source apart into text, expressions and statements, without running or judging any of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import jinja2

Token = tuple[str, str]
"""Kind and text of a Jinja token, as `Environment.lex` gives them."""

Kind = Literal["text", "output", "statement", "silent"]

_ENDS: dict[str, Kind] = {"variable_end": "output", "block_end": "statement", "comment_end": "silent"}
_BEGINS = frozenset({"variable_begin", "block_begin", "comment_begin"})
_SILENT = frozenset({"raw_begin", "raw_end"})
_KEYWORDS = frozenset(
    "and or not in is if else elif true false none True False None recursive ignore missing with "
    "without context as import".split()
)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of source. `silent` is what prints nothing: comments and the marks around raw text."""

    kind: Kind
    source: str
    line: int
    tokens: tuple[Token, ...] = ()

    @property
    def keyword(self) -> str:
        """First word of a statement."""
        return self.tokens[0][1] if self.kind == "statement" and self.tokens else ""


def normalise(source: str) -> str:
    """The source with line ends as Jinja's lexer sees them."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def split(environment: jinja2.Environment, source: str, name: str) -> list[Part]:
    """The parts of the source in order; joined they give `normalise(source)`.

    Raises jinja2.TemplateSyntaxError.
    """
    source = normalise(source)
    parts: list[Part] = []
    line = 1
    for kind, start, end, tokens in _spans(environment, source, name):
        if end > start:
            parts.append(Part(kind, source[start:end], line, tokens))
            line += source.count("\n", start, end)
    return parts


def _spans(
    environment: jinja2.Environment, source: str, name: str
) -> Iterator[tuple[Kind, int, int, tuple[Token, ...]]]:
    position, done = 0, 0
    construct: list[Token] | None = None
    for _, kind, value in environment.lex(source, name):
        # The lexer swallows white space before a `{%-`; the source still has it.
        start = source.index(value, position)
        position = start + len(value)
        if kind in _BEGINS:
            yield "text", done, start, ()
            done, construct = start, []
        elif kind in _ENDS:
            yield _ENDS[kind], done, position, tuple(construct or ())
            done, construct = position, None
        elif kind in _SILENT:
            yield "text", done, start, ()
            yield "silent", start, position, ()
            done = position
        elif construct is not None and kind != "whitespace":
            construct.append((kind, value))
    yield "text", done, len(source), ()


def blanked(parts: Sequence[Part]) -> str:
    """The source with every Jinja construct replaced by blanks, line by line as long as before."""
    return "".join(
        part.source if part.kind == "text" else "".join("\n" if c == "\n" else " " for c in part.source)
        for part in parts
    )


def names(tokens: Sequence[Token]) -> Iterator[str]:
    """The names that an expression looks up: no attributes, filters, tests or keyword arguments."""
    previous, before = "", ""
    for index, (kind, value) in enumerate(tokens):
        if kind == "name" and value not in _KEYWORDS:
            follows = tokens[index + 1][1] if index + 1 < len(tokens) else ""
            is_test = previous == "is" or (previous == "not" and before == "is")
            if previous not in (".", "|") and not is_test and follows != "=":
                yield value
        before, previous = previous, value


def helpers(tokens: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """("filter" or "test", name) for each that an expression uses."""
    previous, before = "", ""
    for kind, value in tokens:
        if kind == "name" and value != "not":
            if previous == "|":
                yield "filter", value
            elif previous == "is" or (previous == "not" and before == "is"):
                yield "test", value
        before, previous = previous, value


def outer(tokens: Sequence[Token], mark: str) -> int:
    """Index of the first `mark` outside brackets; -1 when there is none."""
    depth = 0
    for index, (kind, value) in enumerate(tokens):
        if kind == "operator":
            depth += value in ("(", "[", "{")
            depth -= value in (")", "]", "}")
        if depth == 0 and value == mark and kind in ("operator", "name"):
            return index
    return -1
