"""Markdown-it's inline tokens to spans, with the problems of links, images and tags in running text.

What stands around the text (paragraph, heading, button) is the business of `blocks.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from markdown_it.common.normalize_url import normalizeLink
from markdown_it.token import Token

from campaigns.carriers import Hidden
from campaigns.containers import Report
from campaigns.errors import shown
from campaigns.models import Code, Emphasis, Expression, Inline, LineBreak, Link, Plain, Span, Strong
from campaigns.urls import Verdict, link_fault

MAX_DEPTH = 20

_TAG = re.compile(r"</?[A-Za-z][A-Za-z0-9-]*(?:\s[^<>]*)?/?>|<!--")
_NOT_TYPED = "\ufffc"
"""Stands for text that the author escaped, and for what is no text, while looking for tags."""


@dataclass(slots=True)
class _Open:
    """An element that is open, with what it holds so far."""

    token: Token | None
    spans: list[Span] = field(default_factory=list)

    def add(self, span: Span) -> None:
        if isinstance(span, Plain) and self.spans and isinstance(self.spans[-1], Plain):
            self.spans[-1] = Plain(self.spans[-1].text + span.text)
        else:
            self.spans.append(span)


class InlineReader:
    """Reads the inline tokens of one body; problems go to `report`."""

    def __init__(self, hidden: Hidden, report: Report) -> None:
        self._hidden = hidden
        self._report = report

    def read(self, inline: Token) -> Inline:
        """The spans of markdown-it's token `inline`, which is the text of one block."""
        tokens = inline.children or []
        row = inline.map[0] if inline.map else 0
        self._report_tags(tokens, row)
        stack = [_Open(None)]
        too_deep = 0
        for token in tokens:
            line = self._hidden.lines[row]
            if token.nesting == 1:
                if len(stack) > MAX_DEPTH or too_deep:
                    too_deep += 1
                    self._report(line, "emphasis and links are nested too deeply", "make it simpler")
                else:
                    stack.append(_Open(token))
            elif token.nesting == -1:
                if too_deep:
                    too_deep -= 1
                else:
                    done = stack.pop()
                    stack[-1].add(self._element(done, line))
            else:
                row += token.type in ("softbreak", "hardbreak")
                for span in self._leaf(token, line):
                    stack[-1].add(span)
        return tuple(stack[0].spans)

    def url(self, href: str, line: int) -> str:
        """The address with its expressions back; a fault of it is reported."""
        url = self._hidden.url(href)
        self._tell(link_fault(url), line)
        return url

    def address(self, typed: str, line: int) -> str:
        """As `url`, for an address that stands outside running text, as it was typed."""
        return self.url(normalizeLink(typed), line)

    def _tell(self, verdict: Verdict, line: int) -> None:
        if verdict is not None:
            self._report(line, *verdict)

    def _element(self, done: _Open, line: int) -> Span:
        assert done.token is not None
        children = tuple(done.spans)
        if done.token.type == "strong_open":
            return Strong(children)
        if done.token.type == "em_open":
            return Emphasis(children)
        url = self.url(str(done.token.attrs.get("href", "")), line)
        if not any(not isinstance(span, Plain) or span.text.strip() for span in children):
            self._report(line, f"the link to `{shown(url)}` has no text", "put words between the brackets")
        return Link(url, children)

    def _leaf(self, token: Token, line: int) -> Sequence[Span]:
        match token.type:
            case "text" | "text_special":
                return tuple(self._hidden.spans(token.content))
            case "code_inline":
                code = _Open(None)
                for span in self._hidden.spans(token.content):
                    code.add(span)
                return (Code(tuple(code.spans)),)
            case "softbreak":
                return (Plain(" "),)
            case "hardbreak":
                return (LineBreak(),)
            case "image":
                hint = "put it on a line of its own, with an empty line before and after"
                self._report(line, "an image stands within running text", hint)
                return ()
        raise AssertionError(f"markdown-it made an inline token unknown here: {token.type}")

    def _report_tags(self, tokens: Sequence[Token], row: int) -> None:
        typed = "".join(_typed(token) for token in tokens)
        for found in _TAG.finditer(typed):
            tag = "".join(
                span.source if isinstance(span, Expression) else span.text for span in self._hidden.spans(found[0])
            )
            hint = "write Markdown instead, or \\< for the sign itself"
            line = self._hidden.lines[row + typed.count("\n", 0, found.start())]
            self._report(line, f"`{shown(tag)}` looks like HTML, which is not used here", hint)


def _typed(token: Token) -> str:
    """What of the token could be part of a tag."""
    if token.type == "text":
        return token.content
    return "\n" if token.type in ("softbreak", "hardbreak") else _NOT_TYPED


def text_of(tokens: Sequence[Token] | None) -> str:
    """The words of `tokens` without their form, as for an image's description."""
    words = []
    for token in tokens or ():
        if token.type in ("text", "text_special", "code_inline"):
            words.append(token.content)
        elif token.type in ("softbreak", "hardbreak"):
            words.append(" ")
    return "".join(words)
