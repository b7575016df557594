"""Writes a campaign's blocks as simple HTML for feed readers and archive pages; knows no template, no member."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import assert_never
from urllib.parse import quote

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
from comms.channels.expressions import ExpressionError, evaluate
from comms.channels.markup import WEB, absolute_url, clean_text

_LINKS = WEB | {"mailto", "tel"}
_EXPRESSION = re.compile(r"\{\{(?:[^\"'}]|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\}(?!\}))*\}\}", re.DOTALL)


def content_from_blocks(blocks: Blocks, *, url: str, media_url: str, values: Mapping[str, object]) -> str:
    """The body of a campaign as HTML, with absolute addresses and without any reader's data.

    `url` is the campaign's public address, `media_url` the folder that relative images lie in, `values` the plain
    data of `campaign` and `association`. Expressions are read as by nobody: fallbacks apply, and what has none shows
    as "…". Headings begin at level 2, below the entry's title. Raises ExpressionError, with the line, for an
    expression that can not be evaluated.
    """
    return _Writer(url, media_url, values).blocks(blocks)


class _Writer:
    def __init__(self, url: str, media_url: str, values: Mapping[str, object]) -> None:
        self._url = url
        self._media_url = media_url if media_url.endswith("/") else f"{media_url}/"
        self._values = {**values, "url": url}
        self._line = 0

    def blocks(self, blocks: Blocks) -> str:
        return "\n".join(self._block(block) for block in blocks)

    def _block(self, block: Block) -> str:
        self._line = block.line
        match block:
            case Heading(level=level, content=content):
                return f"<h{level + 1}>{self._inline(content)}</h{level + 1}>"
            case Text(content=content):
                return f"<p>{self._inline(content)}</p>"
            case ListBlock():
                return self._list(block)
            case Quote(blocks=inner):
                return f"<blockquote>\n{self.blocks(inner)}\n</blockquote>"
            case Image():
                return self._image(block)
            case Button(url=url, label=label):
                return f"<p>{self._link(url, self._inline(label))}</p>"
            case Divider():
                return "<hr>"
            case Columns(columns=columns):
                return "\n".join(f"<div>\n{self.blocks(column)}\n</div>" for column in columns)
            case _:
                assert_never(block)

    def _list(self, block: ListBlock) -> str:
        items = "\n".join(f"<li>{self._item(item)}</li>" for item in block.items)
        if block.start is None:
            return f"<ul>\n{items}\n</ul>"
        start = "" if block.start == 1 else f' start="{block.start}"'
        return f"<ol{start}>\n{items}\n</ol>"

    def _item(self, blocks: Blocks) -> str:
        match blocks:
            case (Text(content=content, line=line), *rest):
                self._line = line
                text = self._inline(content)
                return f"{text}\n{self.blocks(tuple(rest))}" if rest else text
            case _:
                return self.blocks(blocks)

    def _image(self, image: Image) -> str:
        source = self._address(image.src, self._media_url, WEB)
        caption = f"\n<figcaption>{self._escaped(image.caption)}</figcaption>" if image.caption else ""
        if source is None:
            shown = self._escaped(image.alt)
        else:
            shown = f'<img src="{escape(source)}" alt="{escape(clean_text(image.alt))}">'
        linked = self._link(image.url, shown) if image.url else shown
        return f"<figure>{linked}{caption}</figure>"

    def _inline(self, spans: Inline) -> str:
        return "".join(self._span(span) for span in spans)

    def _span(self, span: Span) -> str:
        match span:
            case Plain(text=text):
                return self._escaped(text)
            case Expression(source=source, line=line):
                return self._escaped(self._evaluated(source, line))
            case Strong(children=children):
                return f"<strong>{self._inline(children)}</strong>"
            case Emphasis(children=children):
                return f"<em>{self._inline(children)}</em>"
            case Code(children=children):
                return f"<code>{self._inline(children)}</code>"
            case LineBreak():
                return "<br>"
            case Link(url=url, children=children):
                return self._link(url, self._inline(children))
            case _:
                assert_never(span)

    def _link(self, url: str, inner: str) -> str:
        """A link, or its words alone where the address exists for one reader only."""
        address = self._address(url, self._url, _LINKS)
        return inner if address is None else f'<a href="{escape(address)}">{inner}</a>'

    def _address(self, raw: str, base: str, schemes: frozenset[str]) -> str | None:
        if whole := _EXPRESSION.fullmatch(raw.strip()):
            text = self._evaluated(whole.group(), self._line, blank=True)
        else:
            text = _EXPRESSION.sub(
                lambda part: quote(clean_text(self._evaluated(part.group(), self._line, blank=True)), safe=""),
                raw,
            )
        return absolute_url(text, base, schemes=schemes) if text.strip() else None

    def _evaluated(self, source: str, line: int, *, blank: bool = False) -> str:
        try:
            return evaluate(source, self._values, blank=blank)
        except ExpressionError as error:
            raise ExpressionError(f"line {line}: {error.message}", hint=error.hint) from error

    @staticmethod
    def _escaped(text: str) -> str:
        return escape(clean_text(text), quote=False)
