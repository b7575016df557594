"""How long a post may be on each network, and how the network counts. Pure; knows nothing of posting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from comms.channels.bluesky_text import BLUESKY_LIMIT, bluesky_length
from comms.channels.linkedin_text import LINKEDIN_LIMIT, linkedin_length
from comms.channels.mastodon_length import MastodonLimits, mastodon_length
from comms.channels.x_length import X_LIMIT, weighted_length

X_POST, X_POST_WITH_LINK = 0.015, 0.20
"""Dollars that X asks for a post since 20 April 2026 (docs.x.com, pricing)."""


@dataclass(frozen=True, slots=True)
class Measure:
    """The longest text that a network takes, as `count` measures it."""

    limit: int
    count: Callable[[str], int]

    def takes(self, text: str) -> bool:
        return self.count(text) <= self.limit


def measure(network: str, mastodon: MastodonLimits | None = None) -> Measure:
    """`network` is one of `campaigns.models.NETWORKS`; `mastodon` is what the instance allows, where it is known."""
    match network:
        case "x":
            return Measure(X_LIMIT, weighted_length)
        case "mastodon":
            limits = mastodon or MastodonLimits()
            return Measure(limits.characters, partial(mastodon_length, per_url=limits.per_url))
        case "bluesky":
            return Measure(BLUESKY_LIMIT, bluesky_length)
        case "linkedin":
            return Measure(LINKEDIN_LIMIT, linkedin_length)
    raise ValueError(f"no network: {network}")
