"""The words and links of a campaign with the lines they stand on. It judges nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

from campaigns.models import (
    Block,
    Button,
    Campaign,
    Code,
    Emphasis,
    Event,
    Expression,
    Heading,
    Image,
    Inline,
    LineBreak,
    Link,
    Person,
    Plain,
    Poll,
    Quote,
    Statistic,
    Strong,
    Text,
    own_spans,
    walk,
)

BODY = "body"
VALUE = "\ufffc"
"""Stands in a passage for an expression."""
_REACH = 200
"""Lines below a block's first in which its words are looked for."""
_ADDRESS = re.compile(r"https?://[^\s<>\"'{}]+[^\s<>\"'{}.,;:!?)]")


@dataclass(frozen=True, slots=True)
class Passage:
    """Words that belong together; `line` is where they begin."""

    line: int
    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Place:
    """A link and the words that it is under; `text` is empty for one without words of its own."""

    url: str
    text: str
    line: int
    field: str = BODY


def passages(campaign: Campaign) -> Iterator[Passage]:
    """Everything that people wrote for readers: the texts of the front matter, then the body."""
    lines = campaign.key_lines
    yield Passage(lines.get("title", 0), "title", campaign.title)
    if (newsletter := campaign.newsletter) is not None:
        yield Passage(newsletter.subject_line, "newsletter.subject", newsletter.subject)
        yield Passage(newsletter.preview_line, "newsletter.preview", newsletter.preview)
    if campaign.feed is not None:
        yield Passage(lines.get("feed.summary", 0), "feed.summary", campaign.feed.summary)
    for network, text in campaign.social.items():
        yield Passage(lines.get(f"social.{network}", 0), f"social.{network}", text)
    for block in walk(campaign.blocks):
        for text in _texts(block):
            yield Passage(block.line, BODY, text)


def links(campaign: Campaign) -> Iterator[Place]:
    """Every address that a reader of the body or of a post can follow."""
    for block in walk(campaign.blocks):
        for url, text in _links(block):
            yield Place(url, text, line_of(campaign, block.line, url, unquote(url), text))
    for passage in passages(campaign):
        if passage.field.startswith("social.") or passage.field == "feed.summary":
            for found in _ADDRESS.finditer(passage.text):
                yield Place(found[0], "", line_of(campaign, passage.line, found[0]), passage.field)


def line_of(campaign: Campaign, start: int, *wanted: str) -> int:
    """The first line from `start` on that holds one of the texts, which are tried in turn; else `start`."""
    rows = _rows(campaign.source)[max(start - 1, 0) : start - 1 + _REACH] if start else ()
    for text in filter(None, wanted):
        for number, row in enumerate(rows, start):
            if text in row:
                return number
    return start


def words_of(inline: Inline) -> str:
    """The text of spans as a reader sees it, with `VALUE` for each expression."""
    found = []
    for span in inline:
        match span:
            case Plain(text=text):
                found.append(text)
            case Expression():
                found.append(VALUE)
            case LineBreak():
                found.append("\n")
            case Emphasis(children):
                inner = words_of(children)
                # Markdown takes `*|NAME|*`, a merge field of Mailchimp's, for emphasis.
                found.append(f"*{inner}*" if inner.startswith("|") and inner.endswith("|") else inner)
            case Strong(children) | Code(children) | Link(children=children):
                found.append(words_of(children))
    return "".join(found)


@lru_cache(maxsize=4)
def _rows(source: str) -> tuple[str, ...]:
    return tuple(source.replace("\r\n", "\n").replace("\r", "\n").split("\n"))


def _texts(block: Block) -> tuple[str, ...]:
    match block:
        case Heading(content=inline) | Text(content=inline) | Button(label=inline):
            return (words_of(inline),)
        case Statistic(number=number, label=inline):
            return (number, words_of(inline))
        case Image(alt=alt, caption=caption):
            return (alt, caption)
        case Person(name=name, role=role):
            return (name, role)
        case Event(title=title, place=place):
            return (title, place)
        case Quote(attribution=attribution):
            return (attribution,)
        case Poll(question=question, answers=answers):
            return (question, *answers)
        case _:
            return ()


def _links(block: Block) -> Iterator[tuple[str, str]]:
    """(address, words) of one block, without those of the blocks that it holds."""
    for span in own_spans(block):
        if isinstance(span, Link):
            yield span.url, words_of(span.children)
    match block:
        case Button(url=url, label=label):
            yield url, words_of(label)
        case Image(url=url) | Person(url=url) | Event(url=url) if url:
            yield url, ""
        case _:
            pass
