"""A campaign's blocks as plain data for templates. Rows and stories are `layout.py`; how they look, the template's.

Each block is a dict with `kind` and what belongs to it:

    heading    level, spans
    text       spans
    list       ordered, start, entries (each a list of blocks)
    quote      blocks, attribution
    image      src, alt, caption, url, width, height
    button     url, spans
    divider
    columns    columns (each a list of blocks)
    person     name, role, photo, url, url_label, blocks
    statistic  number, spans
    event      title, when, month, day, place, url, calendar, calendar_label, blocks
    poll       question, answers (each with text and url)
    when       test, otherwise_mark, end, blocks, otherwise (both lists of blocks)

What is not given is empty text; sizes are in pixels, 0 when not known. The three marks of `when` are carriers: what
stands between them is for some members only. Slots and locked parts are what they hold, items of feeds what was found:
where they are for the subscribers of a topic, within a `when`.

Each span of running text is one of these:

    text       text             what people read; for a member's value the carrier that stands for it
    strong     spans
    emphasis   spans
    code       spans
    break
    link       url, spans
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

from campaigns.gathering import section_topics
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
    walk,
)
from comms.calendar import calendar_label, numbered_events, occasion
from comms.language.numbers import figure
from comms.language.tags import locale_of
from comms.rendering.conditions import flag, section_flag
from comms.surroundings import NOTHING_AROUND, Surroundings

Data = dict[str, Any]
Carry = Callable[[str, int], str]
"""Jinja text and its line -> text with carriers."""


_SCHEME = re.compile(r"(?:https?://(?:www\.)?|mailto:|tel:)", re.IGNORECASE)


class BodyData:
    """Turns blocks into data. `carry` hides Jinja, `media_url` is where relative images live.

    Events, polls and conditions are numbered as they stand in `blocks`, of which all others are a part.
    """

    def __init__(
        self,
        carry: Carry,
        media_url: str,
        around: Surroundings = NOTHING_AROUND,
        blocks: Blocks = (),
        *,
        language: str = "en",
    ) -> None:
        self._carry = carry
        self._media_url = media_url
        self._around = around
        self._language = language
        self._events = numbered_events(blocks)
        self._polls = numbered_polls(blocks)
        self._rules = numbered_rules(blocks)
        self._topics = section_topics(blocks)

    def blocks(self, blocks: Blocks) -> list[Data]:
        """The blocks in order."""
        return [data for block in blocks for data in self._flat(block)]

    def _flat(self, block: Block) -> list[Data]:
        match block:
            case FeedItems(topic=topic) if topic in self._topics:
                return self._section(block, self._topics.index(topic))
            case FeedItems() | Slot() | Locked():
                return self.blocks(block.blocks)
            case _:
                return [self._block(block)]

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
            case Quote(blocks=blocks, attribution=attribution):
                return {"kind": "quote", "blocks": self.blocks(blocks), "attribution": attribution}
            case Image():
                return self._image(block)
            case Button(url=url, label=label, line=line):
                return {"kind": "button", "url": self._carry(url, line), "spans": self._spans(label, line)}
            case Divider():
                return {"kind": "divider"}
            case Columns(columns=columns):
                return {"kind": "columns", "columns": [self.blocks(column) for column in columns]}
            case Person():
                return self._person(block)
            case Statistic(number=number, label=label, line=line):
                shown = figure(number, locale_of(self._language))
                return {"kind": "statistic", "number": shown, "spans": self._spans(label, line)}
            case Event():
                return self._event(block)
            case Poll():
                return self._poll(block)
            case When():
                return self._conditional(flag(self._rules[block.rule]), block.blocks, block.otherwise, block.line)
            case FeedItems() | Slot() | Locked():
                raise AssertionError("these stand for what they hold")

    def _image(self, image: Image) -> Data:
        known = self._around.images.get(image.src)
        return {
            "kind": "image",
            "src": known.url if known else self.media(image.src),
            "alt": image.alt,
            "caption": image.caption,
            "url": self._carry(image.url, image.line),
            "width": known.width if known else 0,
            "height": known.height if known else 0,
        }

    def _person(self, person: Person) -> Data:
        known, url = self._around.portraits.get(person.photo), self._carry(person.url, person.line)
        return {
            "kind": "person",
            "name": person.name,
            "role": person.role,
            "photo": known.url if known else self.media(person.photo),
            "url": url,
            "url_label": _SCHEME.sub("", url).rstrip("/"),
            "blocks": self.blocks(person.blocks),
        }

    def _event(self, event: Event) -> Data:
        time, calendar_url = occasion(event, self._language), self._around.calendar_url
        return {
            "kind": "event",
            "title": event.title,
            "when": time.words,
            "month": time.month,
            "day": time.day,
            "place": event.place,
            "url": self._carry(event.url, event.line),
            "calendar": f"{calendar_url}/{self._events[event]}.ics" if calendar_url else "",
            "calendar_label": calendar_label(self._around.catalogues.words(self._language)),
            "blocks": self.blocks(event.blocks),
        }

    def _poll(self, poll: Poll) -> Data:
        link, number = self._carry("{{ links.poll }}", poll.line), self._polls[poll]
        answers = [{"text": text, "url": f"{link}/{number}/{at}"} for at, text in enumerate(poll.answers)]
        return {"kind": "poll", "question": poll.question, "answers": answers}

    def _section(self, feed: FeedItems, number: int) -> list[Data]:
        """What of a feed its subscribers see, and what those of them who want it weekly see in addition."""
        more = [self._conditional(section_flag(number, more=True), feed.more, (), feed.line)] if feed.more else []
        if not feed.blocks:
            return more
        # Within, so that below a heading it belongs to the same story.
        section = self._conditional(section_flag(number), feed.blocks, (), feed.line)
        return [section | {"blocks": [*section["blocks"], *more]}]

    def _conditional(self, name: str, blocks: Blocks, otherwise: Blocks, line: int) -> Data:
        """`blocks` for members with this flag, `otherwise` for all others."""
        return {
            "kind": "when",
            "test": self._carry(f'{{% if member["{name}"] %}}', line),
            "otherwise_mark": self._carry("{% else %}", line),
            "end": self._carry("{% endif %}", line),
            "blocks": self.blocks(blocks),
            "otherwise": self.blocks(otherwise),
        }

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


def numbered_polls(blocks: Blocks) -> dict[Poll, int]:
    """Each poll of a body -> its number, in reading order from 0."""
    return {poll: number for number, poll in enumerate(block for block in walk(blocks) if isinstance(block, Poll))}


def numbered_rules(blocks: Blocks) -> dict[str, int]:
    """Each rule of the conditions of a body -> its number, in reading order from 0."""
    rules = dict.fromkeys(block.rule for block in walk(blocks) if isinstance(block, When))
    return {rule: number for number, rule in enumerate(rules)}
