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
    Event,
    Expression,
    FeedItems,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    ListBlock,
    Locked,
    Person,
    Plain,
    Poll,
    Quote,
    Slot,
    Span,
    Statistic,
    Strong,
    Text,
    When,
)
from comms.calendar import calendar_label, numbered_events, occasion
from comms.channels.expressions import ExpressionError, evaluate
from comms.channels.markup import WEB, absolute_url, clean_text
from comms.language.numbers import figure
from comms.language.tags import locale_of
from comms.surroundings import NOTHING_AROUND, Surroundings

_LINKS = WEB | {"mailto", "tel"}
_EXPRESSION = re.compile(r"\{\{(?:[^\"'}]|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\}(?!\}))*\}\}", re.DOTALL)


def content_from_blocks(
    blocks: Blocks,
    *,
    url: str,
    media_url: str,
    values: Mapping[str, object],
    around: Surroundings = NOTHING_AROUND,
    language: str = "en",
) -> str:
    """The body of a campaign as HTML, with absolute addresses and without any reader's data.

    `url` is the campaign's public address, `media_url` the folder that relative images lie in, `values` the plain
    data of `campaign` and `association`. Expressions are read as by nobody: fallbacks apply, and what has none shows
    as "…"; no condition holds for nobody. Headings begin at level 2, below the entry's title. Raises
    ExpressionError, with the line, for an expression that can not be evaluated.
    """
    return _Writer(url, media_url, values, around, numbered_events(blocks), language).blocks(blocks)


class _Writer:
    def __init__(
        self,
        url: str,
        media_url: str,
        values: Mapping[str, object],
        around: Surroundings,
        events: Mapping[Event, int],
        language: str,
    ) -> None:
        self._around = around
        self._events = events
        self._language = language
        self._url = url
        self._media_url = media_url if media_url.endswith("/") else f"{media_url}/"
        self._values = {**values, "url": url}
        self._line = 0

    def blocks(self, blocks: Blocks) -> str:
        return "\n".join(filter(None, map(self._block, blocks)))

    def _block(self, block: Block) -> str:
        self._line = block.line
        match block:
            case Heading(level=level, content=content):
                return f"<h{level + 1}>{self._inline(content)}</h{level + 1}>"
            case Text(content=content):
                return f"<p>{self._inline(content)}</p>"
            case ListBlock():
                return self._list(block)
            case Quote():
                return self._quote(block)
            case Image():
                return self._image(block)
            case Button(url=url, label=label):
                return f"<p>{self._link(url, self._inline(label))}</p>"
            case Divider():
                return "<hr>"
            case Columns(columns=columns):
                return "\n".join(f"<div>\n{self.blocks(column)}\n</div>" for column in columns)
            case Person():
                return self._person(block)
            case Statistic(number=number, label=label):
                shown = figure(number, locale_of(self._language))
                return f"<p><strong>{self._escaped(shown)}</strong> {self._inline(label)}</p>"
            case Event():
                return self._event(block)
            case Poll(question=question, answers=answers):
                items = "\n".join(f"<li>{self._escaped(answer)}</li>" for answer in answers)
                return f"<p><strong>{self._escaped(question)}</strong></p>\n<ul>\n{items}\n</ul>"
            case When(otherwise=inner) | FeedItems(blocks=inner) | Slot(blocks=inner) | Locked(blocks=inner):
                return self.blocks(inner)
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

    def _quote(self, quotation: Quote) -> str:
        words = f"<blockquote>\n{self.blocks(quotation.blocks)}\n</blockquote>"
        if not quotation.attribution:
            return words
        return f"<figure>\n{words}\n<figcaption>{self._escaped(quotation.attribution)}</figcaption>\n</figure>"

    def _person(self, person: Person) -> str:
        photo = ""
        if person.photo:
            known = self._around.portraits.get(person.photo)
            source = known.url if known else self._address(person.photo, self._media_url, WEB)
            photo = f'<img src="{escape(source)}" alt="" width="72" height="72"><br>' if source else ""
        role = f"<br>{self._escaped(person.role)}" if person.role else ""
        name = f"<strong>{self._escaped(person.name)}</strong>"
        linked = self._link(person.url, name) if person.url else name
        return f"<div>\n{self._with_more(f'<p>{photo}{linked}{role}</p>', person.blocks)}\n</div>"

    def _event(self, event: Event) -> str:
        time = occasion(event, self._language)
        title = f"<strong>{self._escaped(event.title)}</strong>"
        linked = self._link(event.url, title) if event.url else title
        when = f'<time datetime="{time.machine}">{self._escaped(time.words)}</time>'
        place = f"<br>{self._escaped(event.place)}" if event.place else ""
        parts = [self._with_more(f"<p>{linked}<br>{when}{place}</p>", event.blocks)]
        if self._around.calendar_url:
            file = escape(f"{self._around.calendar_url}/{self._events[event]}.ics")
            words = self._around.catalogues.words(self._language)
            label = escape(calendar_label(words))
            parts.append(f'<p><a href="{file}"{words.beside(self._language)}>{label}</a></p>')
        return "\n".join(("<div>", *parts, "</div>"))

    def _with_more(self, first: str, blocks: Blocks) -> str:
        return f"{first}\n{self.blocks(blocks)}" if blocks else first

    def _image(self, image: Image) -> str:
        known = self._around.images.get(image.src)
        source = known.url if known else self._address(image.src, self._media_url, WEB)
        size = f' width="{known.width}" height="{known.height}"' if known else ""
        caption = f"\n<figcaption>{self._escaped(image.caption)}</figcaption>" if image.caption else ""
        if source is None:
            shown = self._escaped(image.alt)
        else:
            shown = f'<img src="{escape(source)}" alt="{escape(clean_text(image.alt))}"{size}>'
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
