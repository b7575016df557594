"""What a campaign is, as frozen data. Reading files into it is `definition.py` and `blocks.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

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


Block = Heading | Text | ListBlock | Quote | Image | Button | Divider | Columns
Blocks = tuple[Block, ...]


def walk(blocks: Blocks) -> Iterator[Block]:
    """Every block in reading order, those inside lists, quotes and columns included."""
    for block in blocks:
        yield block
        match block:
            case ListBlock(items=parts) | Columns(columns=parts):
                for part in parts:
                    yield from walk(part)
            case Quote(blocks=inner):
                yield from walk(inner)
            case _:
                pass


def spans(blocks: Blocks) -> Iterator[Span]:
    """Every inline span of every block, those inside links and emphasis included."""
    for block in walk(blocks):
        match block:
            case Heading(content=inline) | Text(content=inline) | Button(label=inline):
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


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom the campaign is for: subscribers of `topic` (any topic when None) for whom `segment` holds."""

    topic: str | None = None
    segment: str | None = None
    segment_line: int = 0
    """Line of the file on which the segment rule starts; 0 when it has none."""


@dataclass(frozen=True, slots=True)
class NewsletterPart:
    """`subject` and `preview` are Jinja text; `template` names a template of the workspace or ours."""

    subject: str
    preview: str = ""
    template: str = "announcement"
    subject_line: int = 0
    preview_line: int = 0


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


@dataclass(frozen=True, slots=True)
class RelayPart:
    """`associations` is ("all",) or slugs."""

    associations: tuple[str, ...]
    respond_by: date | None = None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One message to the world, as its definition file says it."""

    id: str
    title: str
    language: str
    """BCP 47 tag."""
    blocks: Blocks
    source: str
    """The whole file, verbatim."""
    association: str | None = None
    """Slug of the sending association; the host when None."""
    audience: Audience = field(default_factory=Audience)
    newsletter: NewsletterPart | None = None
    feed: FeedPart | None = None
    social: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Network name -> post text; `{{ url }}` in it becomes the campaign's public address."""
    schedule: Schedule | None = None
    relay: RelayPart | None = None
    tags: tuple[str, ...] = ()
    key_lines: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    """Dotted key of the front matter -> its line, for messages of later checks ("social.x": 17)."""


NETWORKS = ("x", "mastodon", "bluesky", "linkedin")
"""Social networks that a definition may address."""
