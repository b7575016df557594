"""A campaign's posts as networks get them: which texts and image, under whose account, through which channel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from audiences.models import Association
from campaigns.models import Campaign, Expression, Image, Text, own_spans, walk
from comms.channels import expressions
from comms.channels.base import Card, SocialChannel
from comms.channels.linkedin_text import NO_THREADS
from comms.channels.mastodon_length import MastodonLimits
from comms.channels.measures import X_POST, X_POST_WITH_LINK, Measure, measure
from comms.channels.outbox import OutboxChannel
from comms.channels.sessions import Sessions
from comms.channels.social_text import derived, has_link, links_with_utm, social_text, thread, with_utm
from comms.config import Bluesky, LinkedIn, Mastodon, X
from comms.engine import editions
from comms.engine.pictures import is_ours
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.planning import PostPlan
from comms.preflight.passages import words_of

_SECRETS = {
    "x": ("api_key", "api_secret", "access_token", "access_secret"),
    "mastodon": ("url", "access_token"),
    "bluesky": ("handle", "app_password"),
    "linkedin": ("organization", "access_token"),
}
"""Settings without which a network has no account."""
NAMES = {"x": "X", "mastodon": "Mastodon", "bluesky": "Bluesky", "linkedin": "LinkedIn"}
"""As people write them."""
_SHORTEST_PARAGRAPH = 40
"""Characters below which a paragraph is a salutation rather than what a text is about."""
_ASK_FOR_S = (2.0, 3.0)


@dataclass(frozen=True, slots=True)
class PostText:
    """One part of a post, which is the whole of it unless the author made a thread."""

    network: str
    part: int
    text: str


@dataclass(frozen=True, slots=True)
class PostImage:
    """The image that goes with a campaign's posts."""

    src: str
    alt: str
    decorative: bool


def texts(workspace: Workspace, campaign: Campaign, association: Association) -> tuple[PostText, ...]:
    """Every part of every post, complete. Raises ExpressionError, which names the key."""
    return tuple(part for network in campaign.social for part in text_parts(workspace, campaign, association, network))


def text_parts(workspace: Workspace, campaign: Campaign, association: Association, network: str) -> Iterator[PostText]:
    """The parts of the post on one network. Raises ExpressionError, which names the key, and UsageError for a thread
    where the network has none."""
    without_link = network == "x" and campaign.post_options.x_without_link
    url = "" if without_link else with_utm(editions.public_url(workspace, campaign, association), network, campaign.id)
    values = editions.public_values(campaign, association, url)
    written = campaign.social[network]
    if not written:
        text = derived(campaign.title, summary(campaign, values), url, campaign.tags, rules(workspace, network))
        yield PostText(network, 1, text)
        return
    if network == "linkedin" and len(thread(written)) > 1:
        raise UsageError(NO_THREADS, hint="Write the post as one text, without a line ---.")
    hosts = {urlsplit(each).hostname for each in (workspace.settings.site.url, association.homepage)} - {None}
    for number, part in enumerate(thread(written), 1):
        text = social_text(network, part, url, values=values)
        text = links_with_utm(text, network, campaign.id, {host for host in hosts if host})
        yield PostText(network, number, text.strip() if without_link else text)


def rules(workspace: Workspace, network: str) -> Measure:
    """How the network counts; a connected Mastodon instance is asked for its own rules, once by each process."""
    settings = workspace.settings.mastodon
    connected = network == "mastodon" and account(workspace, network)
    return measure(network, _instance(settings.url) if connected else None)


@lru_cache(maxsize=8)
def _instance(url: str) -> MastodonLimits | None:
    from comms.channels.mastodon import instance_limits

    return instance_limits(url, _ASK_FOR_S)


def image(campaign: Campaign) -> PostImage | None:
    """The image of the campaign's posts: the one named for them, else the first of the text."""
    options = campaign.post_options
    if options.image is not None:
        named = PostImage(options.image, options.image_alt, options.image_decorative)
        return named if options.image else None
    first = next((block for block in walk(campaign.blocks) if isinstance(block, Image)), None)
    return PostImage(first.src, first.alt, first.decorative) if first else None


def card(workspace: Workspace, campaign: Campaign, association: Association, network: str) -> Card | None:
    """The card of the campaign's page; None for a campaign without one."""
    if campaign.feed is None:
        return None
    url = with_utm(editions.public_url(workspace, campaign, association), network, campaign.id)
    return Card(url, campaign.title, summary(campaign, editions.public_values(campaign, association, url)))


def planned(workspace: Workspace, campaign: Campaign, association: Association) -> list[PostPlan]:
    """The posts as a plan shows them. Raises ExpressionError."""
    found, made = image(campaign), []
    for post in texts(workspace, campaign, association):
        counted, connected = rules(workspace, post.network), bool(account(workspace, post.network))
        made.append(
            PostPlan(
                association.slug,
                post.network,
                post.text,
                counted.count(post.text),
                counted.limit,
                simulated=not connected,
                part=post.part,
                image=found.src if found and post.part == 1 and is_ours(found.src) else "",
                dollars=cost(post.network, post.text) if connected else None,
            )
        )
    return made


def cost(network: str, text: str) -> float | None:
    """Dollars that the network asks for the post; None where posting is free."""
    if network != "x":
        return None
    return X_POST_WITH_LINK if has_link(text) else X_POST


def account(workspace: Workspace, network: str) -> dict[str, Any]:
    """The settings of a network's account; empty when none is connected."""
    settings = getattr(workspace.settings, network)
    return settings.model_dump() if all(getattr(settings, name) for name in _SECRETS[network]) else {}


def can_be_asked(network: str, settings: Mapping[str, Any]) -> bool:
    """Whether the network can say if it has a post."""
    return bool(settings) and (network != "x" or bool(settings.get("read_back")))


def channel(network: str, settings: Mapping[str, Any], outbox: Path, sessions: Sessions) -> SocialChannel:
    """The channel of a network: its own with an account, else the outbox folder.

    Raises ConfigError when the account's settings can not be used.
    """
    # Modules of networks are imported here, because every command would pay for what they bring along.
    match network if settings else "":
        case "x":
            from comms.channels.x import XChannel, XCredentials

            x = X(**settings)
            credentials = XCredentials(x.api_key, x.api_secret, x.access_token, x.access_secret)
            return XChannel(credentials, api_url=x.api_url)
        case "mastodon":
            from comms.channels.mastodon import MastodonAccount, MastodonChannel

            m = Mastodon(**settings)
            return MastodonChannel(MastodonAccount(m.url, m.access_token, m.visibility))
        case "bluesky":
            from comms.channels.bluesky import BlueskyChannel
            from comms.channels.bluesky_wire import BlueskyAccount

            b = Bluesky(**settings)
            return BlueskyChannel(BlueskyAccount(b.service, b.handle, b.app_password), sessions)
        case "linkedin":
            from comms.channels.linkedin import LinkedInChannel
            from comms.channels.linkedin_wire import LinkedInAccount

            return LinkedInChannel(LinkedInAccount(**LinkedIn(**settings).model_dump()), sessions)
    return OutboxChannel(outbox, network)


def summary(campaign: Campaign, values: Mapping[str, Any]) -> str:
    """The feed's summary, else the first paragraph that is the same for everyone. Raises ExpressionError."""
    if campaign.feed is not None and campaign.feed.summary:
        return expressions.render(campaign.feed.summary, values)
    for block in walk(campaign.blocks):
        if isinstance(block, Text) and not any(isinstance(span, Expression) for span in own_spans(block)):
            words = " ".join(words_of(block.content).split())
            if len(words) >= _SHORTEST_PARAGRAPH:
                return words
    return ""
