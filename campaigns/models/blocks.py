"""The blocks that a campaign's text is made of, and how to walk through them. Reading them is `campaigns/blocks.py`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from campaigns.models.inline import Inline, Link, Plain, Span, deep


@dataclass(frozen=True, slots=True)
class Heading:
    """`level` is 1 to 4, as in the Markdown."""

    level: int
    content: Inline
    line: int


@dataclass(frozen=True, slots=True)
class Text:
    content: Inline
    line: int


@dataclass(frozen=True, slots=True)
class ListBlock:
    """Each item is a sequence of blocks: a `Text`, perhaps followed by a nested `ListBlock`."""

    items: tuple[Blocks, ...]
    line: int
    start: int | None = None
    """First number of an ordered list; None for bullets."""


@dataclass(frozen=True, slots=True)
class Quote:
    blocks: Blocks
    line: int
    attribution: str = ""
    """Who said it, and as what; empty when the text tells."""


@dataclass(frozen=True, slots=True)
class Image:
    """`alt` is empty only for an image declared decorative."""

    src: str
    alt: str
    line: int
    caption: str = ""
    url: str = ""
    """Where a click on the image leads; empty for nowhere."""
    decorative: bool = False


@dataclass(frozen=True, slots=True)
class Button:
    url: str
    label: Inline
    line: int


@dataclass(frozen=True, slots=True)
class Divider:
    line: int


@dataclass(frozen=True, slots=True)
class Columns:
    """Two to four columns side by side, stacked on a phone."""

    columns: tuple[Blocks, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, perhaps with words about them: paragraphs and lists."""

    name: str
    blocks: Blocks
    line: int
    role: str = ""
    photo: str = ""
    """Like an image's `src`; empty for none."""
    url: str = ""
    """How to reach them; empty for nowhere."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A figure as people say it (`45`, `1.2 million`, `3 in 4`), and what it counts."""

    number: str
    label: Inline
    line: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that takes place, perhaps with words about it: paragraphs and lists.

    `start` and `end` are wall-clock times without zone, to be read in `timezone`, an IANA name.
    """

    title: str
    start: datetime
    timezone: str
    blocks: Blocks
    line: int
    end: datetime | None = None
    place: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """A question, and two to eight different answers to choose one from."""

    question: str
    answers: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class When:
    """`blocks` for members for whom `rule` holds, `otherwise` for all others and where no member reads."""

    rule: str
    """Text in the segment language; whether it is a rule is for others to say."""
    blocks: Blocks
    line: int
    otherwise: Blocks = ()


OWN = "own"
"""As the source of a feed: the entries of the association whose campaign it is."""


@dataclass(frozen=True, slots=True)
class FeedItem:
    """An item of somebody else's feed: plain words and whole addresses; what it lacks is empty."""

    title: str
    url: str
    summary: str = ""
    image: str = ""
    identity: str = ""
    """By which it is known again, whatever becomes of its words."""


@dataclass(frozen=True, slots=True)
class FeedItems:
    """The latest items of a feed, each as a heading and what else is to be shown of it.

    Which these are is known when the campaign is prepared; until then `items` is empty.
    """

    source: str
    """Name or address of the source; `OWN` for what the campaign's association itself published."""
    line: int
    count: int = 5
    days: int | None = None
    """Only what came out within so many days; None: however old it is."""
    unseen: bool = False
    """Only what no earlier occurrence of a campaign that repeats has shown."""
    show: tuple[str, ...] = ("title", "summary")
    """Of `title`, `summary` and `image`."""
    topic: str = ""
    """A member sees it who subscribed to this; empty: everyone does."""
    opening: Blocks = ()
    """Headings, paragraphs and lists above the items, shown where there are any."""
    items: tuple[FeedItem, ...] = ()
    missed: tuple[FeedItem, ...] = ()
    """Shown within the last week, when those who want the topic weekly got nothing: for them, beside `items`."""

    @property
    def blocks(self) -> Blocks:
        """What everyone sees, or every subscriber of `topic`."""
        return self._below(self.opening, self.items)

    @property
    def more(self) -> Blocks:
        """What those see in addition who want the topic weekly."""
        return self._below(() if self.items else self.opening, self.missed)

    def _below(self, opening: Blocks, items: tuple[FeedItem, ...]) -> Blocks:
        # Pictures are decorative: feeds describe them rarely, and the title stands beside.
        shown = tuple(block for item in items for block in self._shown(item))
        return (*opening, *shown) if shown else ()

    def _shown(self, item: FeedItem) -> Iterator[Block]:
        title: Inline = (Plain(item.title),)
        yield Heading(3, (Link(item.url, title),) if item.url else title, self.line)
        if "image" in self.show and item.image:
            yield Image(item.image, "", self.line, url=item.url, decorative=True)
        if "summary" in self.show and item.summary:
            yield Text((Plain(item.summary),), self.line)


@dataclass(frozen=True, slots=True)
class Slot:
    """A place that a relaying association may fill; until then it holds `blocks`."""

    name: str
    """Unique within its campaign."""
    purpose: str
    """What belongs there, in words for the association; may be empty."""
    blocks: Blocks
    line: int


@dataclass(frozen=True, slots=True)
class Locked:
    """What a relaying association may not change."""

    blocks: Blocks
    line: int


Block = (
    Heading | Text | ListBlock | Quote | Image | Button | Divider | Columns
    | Person | Statistic | Event | Poll | When | FeedItems | Slot | Locked
)  # fmt: skip
Blocks = tuple[Block, ...]


def walk(blocks: Blocks) -> Iterator[Block]:
    """Every block in reading order, those inside others included."""
    for block in blocks:
        yield block
        for part in parts(block):
            yield from walk(part)


def parts(block: Block) -> tuple[Blocks, ...]:
    """What a block holds: the items of a list, both sides of a condition; empty for a block that holds none.

    Of a feed without items what would stand above them: it may yet be shown.
    """
    match block:
        case ListBlock(items=several) | Columns(columns=several):
            return several
        case When(blocks=inner, otherwise=otherwise):
            return inner, otherwise
        case FeedItems():
            return (block.blocks, block.more) if block.items or block.missed else (block.opening,)
        case Quote() | Person() | Event() | Slot() | Locked():
            return (block.blocks,)
        case _:
            return ()


def spans(blocks: Blocks) -> Iterator[Span]:
    """Every inline span of every block, those inside links and emphasis included."""
    for block in walk(blocks):
        yield from own_spans(block)


def own_spans(block: Block) -> Iterator[Span]:
    """The inline spans of one block, without those of the blocks that it holds."""
    match block:
        case Heading(content=inline) | Text(content=inline) | Button(label=inline) | Statistic(label=inline):
            yield from deep(inline)
        case _:
            pass
