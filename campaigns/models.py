"""What a campaign is, as frozen data. Reading files into it is `definition.py` and `blocks.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal

# --- inline text ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plain:
    """Literal text, as the author typed it."""

    text: str


@dataclass(frozen=True, slots=True)
class Expression:
    """A Jinja output expression, with its braces: `{{ member.first_name or "colleague" }}`."""

    source: str
    line: int


@dataclass(frozen=True, slots=True)
class Strong:
    children: Inline


@dataclass(frozen=True, slots=True)
class Emphasis:
    children: Inline


@dataclass(frozen=True, slots=True)
class Code:
    children: Inline


@dataclass(frozen=True, slots=True)
class LineBreak:
    """A forced line break within a paragraph."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link; `url` may hold Jinja expressions."""

    url: str
    children: Inline


Span = Plain | Expression | Strong | Emphasis | Code | LineBreak | Link
Inline = tuple[Span, ...]

# --- blocks -----------------------------------------------------------------------------------


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
            yield from _deep(inline)
        case _:
            pass


def _deep(inline: Inline) -> Iterator[Span]:
    for span in inline:
        yield span
        match span:
            case Strong(children) | Emphasis(children) | Code(children) | Link(children=children):
                yield from _deep(children)
            case _:
                pass


# --- the definition ---------------------------------------------------------------------------

VARIANT_MARK = "\x1e"
"""Parts the files of a definition where they are one text (U+001E, record separator): no file may hold it."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom the campaign is for: subscribers of `topic` (any topic when None) for whom `segment` holds."""

    topic: str | None = None
    segment: str | None = None
    segment_line: int = 0
    """Line of the file on which the segment rule starts; 0 when it has none."""


@dataclass(frozen=True, slots=True)
class NewsletterPart:
    """`subject` and `preview` are Jinja text; `template` names a template of the workspace or ours.

    `slots` are the values that the template asks for, as written: what they must be only the template knows.
    """

    subject: str
    preview: str = ""
    template: str = "announcement"
    subject_line: int = 0
    preview_line: int = 0
    slots: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ignore_cap: bool = False
    """Does it go even to members who had as many newsletters lately as the settings allow."""
    doubt: Literal["resend", "hold"] | None = None
    """What becomes of a mail that may have arrived; None: what the settings say."""
    attachments: tuple[str, ...] = ()
    """Files of the media folder, by name."""
    inline_images: bool = False
    """Do images of the media folder go with each mail, in place of links to them."""


@dataclass(frozen=True, slots=True)
class FeedPart:
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A wall-clock time without zone, and the zone to read it in.

    `timezone` is an IANA name, or "member" for each member's own zone.
    """

    at: datetime
    timezone: str
    repeat: str = ""
    """The rule by which it goes out again and again, at this time of day (RFC 5545 RRULE); empty for once."""


@dataclass(frozen=True, slots=True)
class RelayPart:
    """To whom a campaign is offered, and between which days, by each association's own calendar."""

    associations: tuple[str, ...] = ()
    """("all",) or slugs."""
    kinds: tuple[str, ...] = ()
    """Of these kinds (`library`, `museum` ...), beside those that are named."""
    respond_by: date | None = None
    not_before: date | None = None
    """The embargo: nothing of it goes out before that day."""
    not_after: date | None = None
    """The last day on which it may go out."""
    topics: tuple[str, ...] = ()
    """What it is about, for associations that accept some things without being asked."""


@dataclass(frozen=True, slots=True)
class PostOptions:
    """What the posts of a campaign have in common."""

    image: str | None = None
    """Like an image's `src`; empty for none at all, None for the first image of the text."""
    image_alt: str = ""
    """Empty only for an image declared decorative, or where the text describes it."""
    image_decorative: bool = False
    warning: str = ""
    """What readers see before they open the post, where a network has that."""
    x_without_link: bool = False
    """`{{ url }}` stays out of the post on X, where posts with a link cost more."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """One message to the world, as its definition file says it."""

    id: str
    title: str
    language: str
    """BCP 47 tag."""
    blocks: Blocks
    source: str
    """The whole file, verbatim; of a variant, its own."""
    association: str | None = None
    """Slug of the sending association; the host when None."""
    audience: Audience = field(default_factory=Audience)
    newsletter: NewsletterPart | None = None
    feed: FeedPart | None = None
    social: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Network name -> post text; `{{ url }}` in it becomes the campaign's public address, and a line `---` ends a part
    of a thread. Empty: a text is made of title, summary and address."""
    post_options: PostOptions = field(default_factory=PostOptions)
    schedule: Schedule | None = None
    relay: RelayPart | None = None
    tags: tuple[str, ...] = ()
    key_lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Dotted key of the front matter -> its line, for messages of later checks ("social.x": 17)."""
    variant: str = ""
    """Of a variant, the BCP 47 tag that its file is named by, which is its language; empty for the campaign itself."""
    variants: Mapping[str, Campaign] = field(default_factory=lambda: MappingProxyType({}))
    """Tag -> the campaign as readers of another language get it."""

    @property
    def definition(self) -> str:
        """All its files as one text, as `definition.read` takes it: what is stored, and what is approved."""
        others = (f"{VARIANT_MARK}{tag}\n{variant.source}" for tag, variant in self.variants.items())
        return "".join((self.source, *others))


NETWORKS = ("x", "mastodon", "bluesky", "linkedin")
"""Social networks that a definition may address."""
