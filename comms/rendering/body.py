"""A campaign's blocks as plain data for templates. How they look is the template's business.

Each block is a dict with `kind` and what belongs to it:

    heading    level, spans
    text       spans
    list       ordered, start, entries (each a list of blocks)
    quote      blocks
    image      src, alt, caption, url
    button     url, spans
    divider
    columns    columns (each a list of blocks)

In `sections` a run of headings, text and lists is one block more, `prose` with its `blocks`: what is set
together costs a mail far fewer bytes.

Each span of running text is one of these:

    text       text             what people read; for a member's value the carrier that stands for it
    strong     spans
    emphasis   spans
    code       spans
    break
    link       url, spans
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any
from urllib.parse import quote, urlsplit

from campaigns.models import (
    Block,
    Blocks,
    Button,
    Code,
    Columns,
    Divider,
    Emphasis,
    Expression,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Plain,
    Quote,
    Span,
    Strong,
    Text,
)

Data = dict[str, Any]
Carry = Callable[[str, int], str]
"""Jinja text and its line -> text with carriers."""


_PROSE = frozenset({"heading", "text", "list"})


class BodyData:
    """Turns blocks into data. `carry` hides Jinja; `media_url` is where relative images live."""

    def __init__(self, carry: Carry, media_url: str) -> None:
        self._carry = carry
        self._media_url = media_url

    def blocks(self, blocks: Blocks) -> list[Data]:
        """The blocks in order."""
        return [self._block(block) for block in blocks]

    def sections(self, blocks: Blocks) -> Iterator[Data]:
        """The blocks grouped for a page: runs of `{"kind": "flow", "blocks"}`, and columns by themselves."""
        for is_columns, run in groupby(self.blocks(blocks), lambda block: block["kind"] == "columns"):
            if not is_columns:
                yield {"kind": "flow", "blocks": _with_prose(run)}
                continue
            for block in run:
                yield block | {"columns": [_with_prose(column) for column in block["columns"]]}

    def media(self, src: str) -> str:
        """An image's whole address; relative ones are files of the media folder."""
        if not src or urlsplit(src).scheme:
            return src
        return f"{self._media_url.rstrip('/')}/{quote(src.lstrip('/'), safe='/%')}"

    def _block(self, block: Block) -> Data:
        match block:
            case Heading(level=level, content=content, line=line):
                return {"kind": "heading", "level": level, "spans": self._spans(content, line)}
            case Text(content=content, line=line):
                return {"kind": "text", "spans": self._spans(content, line)}
            case ListBlock(items=items, start=start):
                entries = [self.blocks(item) for item in items]
                return {"kind": "list", "ordered": start is not None, "start": start or 1, "entries": entries}
            case Quote(blocks=blocks):
                return {"kind": "quote", "blocks": self.blocks(blocks)}
            case Image(src=src, alt=alt, caption=caption, url=url, line=line):
                link = self._carry(url, line)
                return {"kind": "image", "src": self.media(src), "alt": alt, "caption": caption, "url": link}
            case Button(url=url, label=label, line=line):
                return {"kind": "button", "url": self._carry(url, line), "spans": self._spans(label, line)}
            case Divider():
                return {"kind": "divider"}
            case Columns(columns=columns):
                return {"kind": "columns", "columns": [self.blocks(column) for column in columns]}

    def _spans(self, content: Inline, line: int) -> list[Data]:
        return [self._span(span, line) for span in content]

    def _span(self, span: Span, line: int) -> Data:
        match span:
            case Plain(text=text):
                return {"kind": "text", "text": text}
            case Expression(source=source, line=own_line):
                return {"kind": "text", "text": self._carry(source, own_line)}
            case Strong(children=children):
                return {"kind": "strong", "spans": self._spans(children, line)}
            case Emphasis(children=children):
                return {"kind": "emphasis", "spans": self._spans(children, line)}
            case Code(children=children):
                return {"kind": "code", "spans": self._spans(children, line)}
            case LineBreak():
                return {"kind": "break"}
            case Link(url=url, children=children):
                return {"kind": "link", "url": self._carry(url, line), "spans": self._spans(children, line)}


def _with_prose(blocks: Iterable[Data]) -> list[Data]:
    grouped: list[Data] = []
    for is_prose, run in groupby(blocks, lambda block: block["kind"] in _PROSE):
        group = list(run)
        grouped += [{"kind": "prose", "blocks": group}] if is_prose else group
    return grouped
