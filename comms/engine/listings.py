"""Where the feeds of a workspace are found: for people, for feed readers (OPML), and in the heads of pages."""

from __future__ import annotations

from dataclasses import dataclass

from audiences.models import Association
from comms.channels.opml import Subscription, to_opml
from comms.engine import feeds
from comms.engine.feeds import Channel
from comms.engine.workspace import Workspace


@dataclass(frozen=True, slots=True)
class FeedListing:
    """A feed that anyone may follow."""

    title: str
    topic: str
    """The topic's, language's or tag's title; empty for the feed of everything."""
    rss: str
    atom: str
    json: str


@dataclass(frozen=True, slots=True)
class AssociationListing:
    """An association and its feeds, the one of everything first."""

    name: str
    homepage: str
    """Absolute web address, or empty."""
    language: str
    feeds: tuple[FeedListing, ...]
    """Of everything, of topics and of languages."""
    tags: tuple[FeedListing, ...]
    archive: str
    """Address of the list of all that was published."""
    sign_up: str
    """Address of its sign-up page; empty where nobody can sign up."""


def listings(workspace: Workspace) -> list[AssociationListing]:
    """Every association with its feeds, the host first."""
    return [listing(workspace, owner) for owner in workspace.associations()]


def listing(workspace: Workspace, owner: Association) -> AssociationListing:
    """One association with its feeds."""
    channels = feeds.channels(workspace, owner).values()
    found = [(channel.choice.kind, _listed(workspace, owner, channel)) for channel in channels]
    return AssociationListing(
        name=owner.name,
        homepage=feeds.homepage(owner),
        language=owner.language,
        feeds=tuple(each for kind, each in found if kind != "tag"),
        tags=tuple(each for kind, each in found if kind == "tag"),
        archive=f"{workspace.settings.site.url}/a/{owner.slug}",
        sign_up=_sign_up(workspace, owner),
    )


def opml(workspace: Workspace) -> bytes:
    """Every public feed but those of tags, as a list that feed readers take in one go (OPML 2.0)."""
    groups = [
        (each.name, [Subscription(feed.title, feed.atom, each.homepage, each.language) for feed in each.feeds])
        for each in listings(workspace)
    ]
    return to_opml(f"Feeds of {groups[0][0]}", groups)


def _listed(workspace: Workspace, owner: Association, channel: Channel) -> FeedListing:
    urls = feeds.urls(workspace, owner, channel.path)
    return FeedListing(feeds.title(owner, channel), channel.title, urls.rss, urls.atom, urls.json)


def _sign_up(workspace: Workspace, owner: Association) -> str:
    is_open = any(topic.public for topic in workspace.people(owner.slug).topics())
    return f"{workspace.settings.site.url}/subscribe/{owner.slug}" if is_open else ""
