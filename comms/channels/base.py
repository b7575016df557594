"""What a social channel is: the post it takes, the results it gives, and the contract it keeps.

A channel puts one text on one network, once. The contract:

- it never raises for anything a network can do: every answer, silence or broken line is a result;
- it never sleeps and never tries again by itself: a rate limit is a result that says when;
- it sends at most one request that could create a post, in bounded time;
- the caller has committed the post's row, with its text and key, before it calls.

A result says what is known, not what is hoped: `Refused` only where the network certainly has no post,
`Unknown` wherever it may have one. What is `Unknown` is looked for (`AskableChannel`) before anything else, and only
put there again where a repeat can make no second post; else a person decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class SocialImage:
    """An image to go with a post; `alt` is empty only for one declared decorative."""

    data: bytes
    media_type: str
    alt: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a network shows of the page that a post links to."""

    url: str
    title: str
    description: str


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    since: datetime = EPOCH
    """Aware; when it was first tried. The network has no such post from before."""
    reply_to: str = ""
    """Remote id of the part of a thread before this one; empty for a post of its own."""
    root: str = ""
    """Remote id of the first part of the thread; empty for a post of its own."""
    card: Card | None = None
    warning: str = ""
    """What readers see before they open the post, where the network has that."""


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
    retry_at: datetime | None = None
    """Aware; when the network may be asked again, where it said so."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """No network was asked: the post was written to `path` instead."""

    path: Path


PostResult = Posted | Refused | Unknown | Simulated


@dataclass(frozen=True, slots=True)
class Done:
    """The network did what was asked of a post that it has, or had done it before."""


ChangeResult = Done | Refused | Unknown


@dataclass(frozen=True, slots=True)
class Figures:
    """What readers of a network did with a post, so far; None where the network does not count it."""

    replies: int | None
    shares: int | None
    likes: int | None


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


@runtime_checkable
class AskableChannel(SocialChannel, Protocol):
    """A channel whose network can be asked for a post of which nobody knows whether it is there."""

    @property
    def settles_after(self) -> timedelta:
        """How long a request that was cut off may still be carried out: not being found proves nothing until then."""

    @property
    def repeatable_for(self) -> timedelta:
        """How long after the first try `publish` may be called once more for a post that was looked for and not
        found, because the network makes no second one of it; zero: never."""

    def find(self, post: SocialPost) -> Posted | Unknown | None:
        """The post, if the network has it; None when it has not, or not yet. Creates nothing."""


@runtime_checkable
class DeletingChannel(Protocol):
    """A channel whose network lets go of posts."""

    def delete(self, remote_id: str) -> ChangeResult:
        """Take a post away; done, too, when it is gone already. May be asked again whatever the answer was."""


@runtime_checkable
class EditingChannel(SocialChannel, Protocol):
    """A channel whose network lets the text of a post be changed."""

    def edit(self, remote_id: str, text: str) -> ChangeResult:
        """Give a post another text; all else of it stays. May be asked again whatever the answer was."""


@runtime_checkable
class CountingChannel(Protocol):
    """A channel whose network says what readers did with a post."""

    def figures(self, remote_id: str) -> Figures | Unknown | None:
        """What readers did so far; None when the network has no such post any more."""


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
