"""What a social channel is: the post it takes, the results it gives, and the contract it keeps.

A channel puts one text on one network, once. The contract:

- it never raises for anything a network can do: every answer, silence or broken line is a result;
- it never sleeps and never tries again by itself: a rate limit is a result that says when;
- it sends at most one request that could create a post, in bounded time;
- the caller has committed the post's row, with its text and key, before it calls.

A result says what is known, not what is hoped: `Refused` only where the network certainly has no post,
`Unknown` wherever it may have one. An `Unknown` is never posted again without a person's word.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SocialImage:
    """An image to go with a post; `alt` is empty only for one declared decorative."""

    data: bytes
    media_type: str
    alt: str


@dataclass(frozen=True, slots=True)
class SocialPost:
    """One text for one network, complete: nothing is added to it on the way."""

    network: str
    text: str
    language: str
    """BCP 47 tag."""
    key: str
    """Names this post for ever; two calls with one key mean the same post."""
    images: tuple[SocialImage, ...] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """The network has the post and said so."""

    remote_id: str
    url: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The network has no new post. `permanent`: the same call would be refused again."""

    reason: str
    permanent: bool
    retry_at: datetime | None = None
    """Aware; not before then. None when the network did not say, and when `permanent`."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The network may or may not have the post: time-outs, cut lines and server errors after sending."""

    reason: str


@dataclass(frozen=True, slots=True)
class Simulated:
    """No network was asked: the post was written to `path` instead."""

    path: Path


PostResult = Posted | Refused | Unknown | Simulated


class SocialChannel(Protocol):
    """One account on one network."""

    @property
    def name(self) -> str:
        """The network, as `campaigns.models.NETWORKS` spells it."""

    @property
    def limit(self) -> int:
        """The longest text the network takes, as `count` measures it."""

    def count(self, text: str) -> int:
        """The text's length, as the network counts."""

    def publish(self, post: SocialPost) -> PostResult:
        """Put the post on the network, or say why it is not there."""


_BROKEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def refusal_before_sending(post: SocialPost, count: Callable[[str], int], limit: int) -> Refused | None:
    """Why this text need not be tried: empty, broken characters, or longer than `limit`; None when it is fine."""
    if not post.text.strip():
        return Refused("The post is empty: give it a text.", permanent=True)
    if broken := _BROKEN.search(post.text):
        where = f"U+{ord(broken.group()):04X} at character {broken.start() + 1}"
        return Refused(f"The text holds a character that can not be posted ({where}): remove it.", permanent=True)
    if (length := count(post.text)) > limit:
        size = f"The text is {length} long as {post.network} counts; {limit} is the most."
        return Refused(f"{size} Shorten it by {length - limit}.", permanent=True)
    return None
