"""People and what they agreed to, as frozen data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

AttributeValue = str | int | Decimal
"""What a member's attribute can be: text (dates are ISO text, `2025-01-31`) or a number."""

ANY_TOPIC = "*"
"""In a consent record: every newsletter of the association, rather than one topic."""

TRACKING = "tracking"
"""The purpose of a consent record that allows opens and clicks to be recorded by name."""


@dataclass(frozen=True, slots=True)
class Member:
    """One person or mailbox as one association knows it."""

    address: str | None
    """Normalised e-mail address; None for a person who gave none."""
    attributes: Mapping[str, AttributeValue] = field(default_factory=lambda: MappingProxyType({}))
    language: str | None = None
    """BCP 47 tag."""
    timezone: str | None = None
    """IANA zone name."""
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Brand:
    """How an association looks; colours are CSS hex."""

    accent: str = "#1f4e79"
    background: str = "#f4f1ea"
    logo_url: str = ""
    logo_alt: str = ""
    typeface: str = "mixed"
    """`mixed`: headings with serifs, text without; else `sans` or `serif`."""
    footer: str = ""
    """A line at the foot of every mail, such as a charity number; empty for none."""


@dataclass(frozen=True, slots=True)
class Association:
    slug: str
    name: str
    sender_address: str
    postal_address: str
    sender_name: str = ""
    """Display name of the From header; the association's name when empty."""
    reply_to: str = ""
    homepage: str = ""
    language: str = "en"
    timezone: str = "UTC"
    send_window: str = ""
    """When in the week its newsletters leave, such as `Mon-Fri 08:00-18:00` by its clock; empty for always."""
    brand: Brand = field(default_factory=Brand)
    welcome: bool = True
    """Does a letter go to who has just signed up."""
    kind: str = ""
    """What it is an association of, in one word such as `library` or `museum`; empty when nobody said."""
    region: str = ""
    """Where its members are, such as a state (`US-ME`); empty when nobody said."""


class Frequency(StrEnum):
    """How often, at most, newsletters of a topic come."""

    EACH = "each"
    """Every one, as it is sent."""
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Topic:
    slug: str
    title: str
    frequency: Frequency = Frequency.EACH
    """For everyone who chose no other for themselves."""
    public: bool = True
    """Is it offered to everyone: on the sign-up page, and as a feed before anything was published in it."""


class ConsentState(StrEnum):
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"


class Basis(StrEnum):
    """Why we may write. Of rising strength: an import never replaces a withdrawal with any of them."""

    MEMBERSHIP = "membership"
    IMPLIED = "implied"
    EXPRESS = "express"


class Consent(NamedTuple):
    """One line of the append-only consent log."""

    topic: str
    """A topic's slug, `ANY_TOPIC`, or `TRACKING`."""
    state: ConsentState
    at: datetime
    """When the person decided (aware); the import's time when the source does not say."""
    source: str
    """Evidence: file and line, form, one-click unsubscribe, ..."""
    basis: Basis | None = None
    """None for a withdrawal."""
    wording: str = ""
    """Which text the person agreed to."""
    request_address: str | None = None
    """IP address that the request came from, where there was one."""
    confirmed: str | None = None
    """How the person showed that the mailbox is theirs: `link in the mail of 2027-01-05T10:00Z`."""


class SuppressionScope(StrEnum):
    ASSOCIATION = "association"
    RELAYS = "relays"
    ALL = "all"


_NOT_WORD = re.compile(r"\W+")


def attribute_name(header: str) -> str:
    """The name under which a column is kept and written in rules: `Population Served` -> `population_served`.

    Unicode letters stay; everything else becomes one underscore. Empty when nothing is left.
    """
    folded = unicodedata.normalize("NFKC", header).casefold()
    name = _NOT_WORD.sub("_", folded).strip("_")
    return f"_{name}" if name[:1].isdigit() else name
