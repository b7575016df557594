"""A campaign, and what its definition file says of each channel. Reading the file is `campaigns/definition.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal

from campaigns.models.blocks import Blocks

NETWORKS = ("x", "mastodon", "bluesky", "linkedin")
"""Social networks that a definition may address."""
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
