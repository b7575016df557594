"""Counts a text's length as Mastodon does; knows nothing of posting.

Rules: Mastodon's `StatusLengthValidator`: characters that readers see (grapheme clusters), each `http(s)://` address as
the number that the instance names, `@user@host` as `@user`; a content warning counts with the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from comms.channels.x_length import addresses

_REMOTE_MENTION = re.compile(r"(?<![\w/])(@\w+(?:[.-]+\w+)*)@[\w.-]+\w", re.ASCII)


@dataclass(frozen=True, slots=True)
class MastodonLimits:
    """What an instance allows, as `/api/v2/instance` says it; Mastodon's own where nobody asked."""

    characters: int = 500
    per_url: int = 23
    """Characters for which each address counts."""


def mastodon_length(text: str, *, per_url: int) -> int:
    """The length of `text` as an instance counts it that takes each address for `per_url` characters."""
    total = position = 0
    for start, end in addresses(text):
        if text[start:end].lower().startswith(("http://", "https://")):
            total += _plain(text[position:start]) + per_url
            position = end
    return total + _plain(text[position:])


def graphemes(text: str) -> int:
    """Characters as readers see them (Unicode UAX #29)."""
    # Here, because commands that count nothing would pay for it.
    import regex

    return len(regex.findall(r"\X", text))  # type: ignore[no-untyped-call]


def _plain(text: str) -> int:
    return graphemes(shown_mentions(text))


def shown_mentions(text: str) -> str:
    """`text` with each `@user@host` as readers see it: `@user`."""
    return _REMOTE_MENTION.sub(r"\1", text)
