"""A campaign -> the same campaign for readers of another tool: no conditions, no polls to answer, the tool's tags.

What only our own engine could answer shows what everyone may see, as on public pages. It renders nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote

from campaigns.errors import CampaignError
from campaigns.expressions import merge_field
from campaigns.mergefields import fields_without_fallback
from campaigns.models import (
    Block,
    Blocks,
    Button,
    Campaign,
    Columns,
    Emphasis,
    Event,
    Expression,
    FeedItems,
    Heading,
    Image,
    Inline,
    Link,
    ListBlock,
    Locked,
    NewsletterPart,
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
from comms.channels.expressions import evaluate
from comms.kits.marks import Marks
from comms.kits.tools import Tool
from comms.rendering.jinja_parts import Part, split
from comms.rendering.sandbox import SafeEnvironment

NOTHING = "…"
"""Stands for a value that nobody has."""
OWN_LINKS = ("unsubscribe", "view")
"""Links of a mail that every tool has, or that we have something for."""


class Adapter:
    """Adapts one campaign. `values` is what texts may name that is the same for everyone, `url` among it.

    `gaps` are the values of members that a text needs, and that neither the tool nor a fallback gives.
    """

    def __init__(self, tool: Tool, marks: Marks, values: Mapping[str, object]) -> None:
        self._tool = tool
        self._marks = marks
        self._values = values
        self._environment = SafeEnvironment(autoescape=False)
        self.gaps: dict[str, None] = {}

    def campaign(self, campaign: Campaign, newsletter: NewsletterPart) -> Campaign:
        """The campaign with marks for tags. Raises ExpressionError for an address that can not be evaluated."""
        part = replace(newsletter, subject=self._line(newsletter.subject), preview=self._line(newsletter.preview))
        return replace(campaign, blocks=self._blocks(campaign.blocks), newsletter=part)

    def _line(self, source: str) -> str:
        """Jinja text with marks where the tool has a tag."""
        return "".join(self._part(part) for part in self._parts(source))

    def _part(self, part: Part) -> str:
        return (self._tag(part.source) or part.source) if part.kind == "output" else part.source

    def _parts(self, source: str) -> list[Part]:
        return split(self._environment, source, "the campaign")

    def _tag(self, source: str) -> str | None:
        """A mark for the tool's tag; None where there is none, and what everyone may see must do."""
        named = merge_field(source)
        tag = self._tool.tag(*named) if named else None
        if named is not None and tag is not None:
            return self._marks.add(tag, named[1] or NOTHING)
        with contextlib.suppress(CampaignError):  # one that only a template may use: rendering says what is wrong
            self.gaps.update(dict.fromkeys(fields_without_fallback(source)))
        return None

    def _blocks(self, blocks: Blocks) -> Blocks:
        return tuple(made for block in blocks for made in self._block(block))

    def _block(self, block: Block) -> Iterator[Block]:
        match block:
            case When(otherwise=inner) | FeedItems(blocks=inner) | Slot(blocks=inner) | Locked(blocks=inner):
                yield from self._blocks(inner)
            case Heading(content=content) | Text(content=content):
                yield replace(block, content=self._inline(content))
            case Statistic(label=label):
                yield replace(block, label=self._inline(label))
            case Button(url=url, label=label, line=line):
                address, words = self._address(url), self._inline(label)
                yield replace(block, url=address, label=words) if address else Text(words, line)
            case Image(url=url):
                yield replace(block, url=self._address(url))
            case ListBlock(items=items):
                yield replace(block, items=tuple(map(self._blocks, items)))
            case Columns(columns=columns):
                yield replace(block, columns=tuple(map(self._blocks, columns)))
            case Quote(blocks=inner):
                yield replace(block, blocks=self._blocks(inner))
            case Person(url=url, blocks=inner) | Event(url=url, blocks=inner):
                yield replace(block, url=self._address(url), blocks=self._blocks(inner))
            case Poll(question=question, answers=answers, line=line):
                yield Text((Strong((Plain(question),)),), line)
                yield ListBlock(tuple((Text((Plain(answer),), line),) for answer in answers), line)
            case _:
                yield block

    def _inline(self, spans: Inline) -> Inline:
        return tuple(made for span in spans for made in self._span(span))

    def _span(self, span: Span) -> Iterator[Span]:
        match span:
            case Expression(source=source):
                tag = self._tag(source)
                yield span if tag is None else Plain(tag)
            case Strong(children=children) | Emphasis(children=children):
                yield replace(span, children=self._inline(children))
            case Link(url=url, children=children):
                address, inner = self._address(url), self._inline(children)
                if address:
                    yield Link(address, inner)
                else:  # it leads somewhere for one reader only
                    yield from inner
            case _:
                yield span

    def _address(self, raw: str) -> str:
        """The address without anything of a reader in it; empty when nothing is left of it."""
        parts = self._parts(raw.strip())
        if len(parts) == 1 and any(f"links.{name}" in parts[0].source for name in OWN_LINKS):
            return raw
        alone = len(parts) == 1
        return "".join(self._evaluated(part, alone=alone) for part in parts)

    def _evaluated(self, part: Part, *, alone: bool) -> str:
        if part.kind != "output":
            return part.source if part.kind == "text" else ""
        text = evaluate(part.source, self._values, blank=True)
        return text if alone else quote(text, safe="")
