"""Hides the Jinja of a Markdown text behind plain words before parsing, and brings it back after.

Markdown knows no Jinja: it would cut links at the spaces of `{{ url }}` and read `*` and `_` in it as
emphasis. A carrier is a word of lower-case letters and digits, which Markdown carries through anything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from campaigns.errors import Problem, shown
from campaigns.expressions import MAX_EXPRESSION, expression_flaws
from campaigns.models import Expression, Plain

MAX_EXPRESSIONS = 2_000

_OPENING = re.compile(r"(?<!\\)(\\*)(\{\{|\{%|\{#)")
_CLOSING = {"{%": "%}", "{#": "#}"}
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
_INSIDE = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[(\[{]|\}\}|[)\]}]""", re.DOTALL)
_STATEMENT_HINT = (
    "statements belong in templates; for words that depend on the reader write"
    ' {{ "a" if member.x else "b" }}; for the braces themselves put \\ before them'
)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A text whose Jinja is hidden. `lines[n]` is the line of the file on which line n of `text` starts."""

    text: str
    lines: tuple[int, ...]
    carried: tuple[Expression | Plain, ...]
    carrier: re.Pattern[str]
    problems: tuple[Problem, ...] = ()

    def spans(self, text: str) -> Iterator[Expression | Plain]:
        """A piece of the parsed text with its Jinja back: literal text and expressions in turn."""
        position = 0
        for found in self.carrier.finditer(text):
            if found.start() > position:
                yield Plain(text[position : found.start()])
            yield self.carried[int(found[1])]
            position = found.end()
        if position < len(text):
            yield Plain(text[position:])

    def literal(self, text: str) -> tuple[str, bool]:
        """The text as one string, and whether it holds an expression (which then stands in it verbatim)."""
        spans = tuple(self.spans(text))
        words = (span.source if isinstance(span, Expression) else span.text for span in spans)
        return "".join(words), any(isinstance(span, Expression) for span in spans)

    def url(self, text: str) -> str:
        """The text as a URL: expressions verbatim, braces that are no expression percent-encoded."""
        return "".join(
            span.source if isinstance(span, Expression) else span.text.replace("{", "%7B").replace("}", "%7D")
            for span in self.spans(text)
        )


@dataclass(slots=True)
class _Work:
    """What has been gathered so far while going through the text."""

    text: str
    line: int
    prefix: str
    pieces: list[str] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    carried: list[Expression | Plain] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    position: int = 0

    def pass_on(self, end: int) -> None:
        """Take the text up to `end` as it is."""
        piece = self.text[self.position : end]
        for _ in range(piece.count("\n")):
            self.line += 1
            self.lines.append(self.line)
        self.pieces.append(piece)
        self.position = end

    def carry(self, end: int, load: Expression | Plain) -> None:
        """Put a carrier in the place of the text up to `end`; line breaks in it are lost to the parser."""
        self.pieces.append(f"{self.prefix}{len(self.carried)}z")
        self.carried.append(load)
        self.line += self.text.count("\n", self.position, end)
        self.position = end

    def problem(self, message: str, hint: str) -> None:
        self.problems.append(Problem(self.line, "body", message, hint))


def hide(markdown: str, first_line: int) -> Hidden:
    """`markdown` with each `{{ ... }}` behind a carrier; `first_line` is its first line in the file.

    A brace pair after a backslash is literal. Statements, comments, and expressions that are open,
    too long or not usable are problems. An expression ends in the paragraph in which it starts.
    """
    work = _Work(markdown, first_line, _prefix(markdown), lines=[first_line])
    while found := _OPENING.search(markdown, work.position):
        if len(work.carried) >= MAX_EXPRESSIONS:
            work.problem(f"more than {MAX_EXPRESSIONS:,} braces with Jinja", "a message needs far fewer")
            break
        escaped = len(found[1]) % 2 == 1
        work.pass_on(found.start(2) - escaped)
        if escaped:
            work.carry(found.end(), Plain(found[2]))
        elif found[2] == "{{":
            _expression(work)
        else:
            _statement(work, found[2])
    work.pass_on(len(markdown))
    return Hidden(
        text="".join(work.pieces),
        lines=tuple(work.lines),
        carried=tuple(work.carried),
        carrier=re.compile(rf"{work.prefix}(\d+)z"),
        problems=tuple(work.problems),
    )


def _prefix(text: str) -> str:
    """A word that neither stands in `text` nor can come out of it by decoding, for it depends on all of it."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"zj{digest[:20]}x"


def _limit(text: str, start: int) -> int:
    """Where an expression or statement that opens at `start` must have ended."""
    limit = min(len(text), start + MAX_EXPRESSION)
    paragraph = _PARAGRAPH_END.search(text, start, limit)
    return paragraph.start() if paragraph else limit


def _expression(work: _Work) -> None:
    start = work.position
    end = _expression_end(work.text, start, _limit(work.text, start))
    if end is None:
        work.problem(
            "`{{` without `}}`",
            f"close it in the same paragraph and within {MAX_EXPRESSION:,} characters;"
            " for the braces themselves write \\{{",
        )
        work.carry(start + 2, Plain("{{"))
        return
    source = work.text[start:end]
    for flaw in expression_flaws(source):
        work.problems.append(Problem(work.line + flaw.line - 1, "body", flaw.message, flaw.hint))
    work.carry(end, Expression(source, work.line))


def _expression_end(text: str, start: int, limit: int) -> int | None:
    """Index after the `}}` that ends the expression, as Jinja finds it: not in quotes, not in brackets.

    Where quotes or brackets do not match, the nearest `}}`: the check of the expression then says so.
    """
    nearest = text.find("}}", start, limit)
    if nearest < 0:
        return None
    depth = 0
    position = start + 2
    while found := _INSIDE.search(text, position, limit):
        mark = found[0]
        position = found.end()
        if mark == "}}" and depth == 0:
            return position
        if mark in "([{":
            depth += 1
        elif mark == "}}":
            position -= 1  # the first of the two closes an inner brace
            depth -= 1
        elif mark in ")]}":
            depth = max(depth - 1, 0)
    return nearest + 2


def _statement(work: _Work, opening: str) -> None:
    start = work.position
    closing = work.text.find(_CLOSING[opening], start + 2, _limit(work.text, start))
    end = closing + 2 if closing >= 0 else start + 2
    work.problem(f"`{shown(work.text[start:end])}` is a Jinja statement or comment", _STATEMENT_HINT)
    work.carry(end, Plain(work.text[start:end]))
