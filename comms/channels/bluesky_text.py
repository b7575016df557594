"""What Bluesky wants to know of a text: how long it is, and where links, mentions and hashtags stand. Pure.

Rules: the lexicon app.bsky.feed.post (300 graphemes and 3,000 bytes) and app.bsky.richtext.facet, whose places are
bytes of UTF-8. What counts as a mention or hashtag is as in Bluesky's own `detectFacets`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from comms.channels.mastodon_length import graphemes

BLUESKY_LIMIT = 300
_BYTES_FOR_EACH = 10
"""3,000 bytes for 300 characters."""
_LONGEST_TAG = 64

_LINK = re.compile(r"(?:(?<=\s)|(?<=\()|^)https?://[^\s<>\"]+", re.IGNORECASE)
_MENTION = re.compile(
    r"(?:(?<=\s)|(?<=\()|^)@([a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*"
    r"\.[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)\b"
)
_INVISIBLE = "\u00ad\u2060\u200a\u200b\u200c\u200d\u20e2"
_TAG = re.compile(rf"(?:(?<=\s)|^)[#＃](?!\ufe0f)([^\s{_INVISIBLE}]+)")
_CLOSING = ".,;:!?\"'»”’…"


@dataclass(frozen=True, slots=True)
class Facet:
    """A stretch of a text: its bytes from `start` up to `end` are a link, mention or hashtag."""

    start: int
    end: int
    kind: Literal["link", "mention", "tag"]
    value: str
    """The address; the handle without `@`; the hashtag without `#`."""


def bluesky_length(text: str) -> int:
    """Characters as readers see them, or a tenth of the bytes where that is more: both have a limit."""
    return max(graphemes(text), -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_FOR_EACH))


def facets(text: str) -> tuple[Facet, ...]:
    """Every link, mention and hashtag of `text`, in order; none lies in another."""
    found = [*_links(text), *_mentions(text), *_tags(text)]
    found.sort()
    kept: list[Facet] = []
    position = 0
    for start, end, kind, value in found:
        if start >= position:
            kept.append(Facet(_bytes(text[:start]), _bytes(text[:end]), kind, value))
            position = end
    return tuple(kept)


_Found = tuple[int, int, Literal["link", "mention", "tag"], str]


def _links(text: str) -> list[_Found]:
    found: list[_Found] = []
    for match in _LINK.finditer(text):
        url = match.group().rstrip(_CLOSING)
        if url.endswith(")") and "(" not in url:
            url = url[:-1].rstrip(_CLOSING)
        if not url.endswith("//"):
            found.append((match.start(), match.start() + len(url), "link", url))
    return found


def _mentions(text: str) -> list[_Found]:
    return [(match.start(), match.end(), "mention", match[1].lower()) for match in _MENTION.finditer(text)]


def _tags(text: str) -> list[_Found]:
    found: list[_Found] = []
    for match in _TAG.finditer(text):
        tag = re.sub(r"[^\w]+$", "", match[1])
        if tag and not tag.isdigit() and len(tag) <= _LONGEST_TAG and any(c.isalnum() for c in tag):
            found.append((match.start(), match.start() + 1 + len(tag), "tag", tag))
    return found


def _bytes(text: str) -> int:
    return len(text.encode())
