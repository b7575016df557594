"""The public side of a workspace: feeds, the pages of their entries, and where to find them. Serves nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from audiences.models import Association
from campaigns.store import EntryRow
from comms.channels.feed import FeedEntry, FeedInfo, FeedUrls, to_atom, to_rss
from comms.channels.markup import absolute_url, sanitise
from comms.engine.editions import ID_YEAR, site_name
from comms.engine.workspace import SLUG, Workspace
from comms.errors import StorageError, UsageError

Format = Literal["rss", "atom"]
FORMATS: tuple[Format, ...] = ("rss", "atom")


@dataclass(frozen=True, slots=True)
class PublicFeed:
    """One feed as bytes. `updated` is when an entry last changed, None while there is none."""

    body: bytes
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class FeedListing:
    """A feed that anyone may follow."""

    title: str
    topic: str
    """The topic's title; empty for the feed of everything."""
    rss: str
    atom: str


@dataclass(frozen=True, slots=True)
class AssociationListing:
    """An association and its feeds, the one of everything first."""

    name: str
    homepage: str
    """Absolute web address, or empty."""
    feeds: tuple[FeedListing, ...]
    sign_up: str
    """Address of its sign-up page; empty where nobody can sign up."""


@dataclass(frozen=True, slots=True)
class EntryPage:
    """An entry as a page of its own. `content` is harmless HTML with absolute addresses."""

    association: str
    homepage: str
    title: str
    summary: str
    content: str
    url: str
    """The page's one public address."""
    language: str
    tags: tuple[str, ...]
    published: datetime
    updated: datetime
    feeds: tuple[FeedListing, ...]
    sign_up: str
    """Address of the association's sign-up page; empty where nobody can sign up."""


def feed(workspace: Workspace, association: str, topic: str | None, kind: Format) -> PublicFeed | None:
    """A feed of an association, of one topic or of everything; None when there is no such feed.

    The same entries give the same bytes. Raises FeedError for an entry that can not be published.
    """
    owner = _find(workspace, association)
    if owner is None or (topic is not None and topic not in _topics(workspace, owner)):
        return None
    rows = workspace.host.entries(owner.slug, topic)
    entries = [_feed_entry(workspace, owner, row) for row in rows]
    write = to_rss if kind == "rss" else to_atom
    body = write(_info(workspace, owner, topic), entries)
    return PublicFeed(body, max((row.updated for row in rows), default=None))


def single_entry(workspace: Workspace, owner: Association, row: EntryRow) -> bytes:
    """An Atom feed of this one entry, which need not be published: for previews."""
    return to_atom(_info(workspace, owner, None), [_feed_entry(workspace, owner, row)])


def listings(workspace: Workspace) -> list[AssociationListing]:
    """Every association with its feeds, the host first."""
    return [
        AssociationListing(owner.name, _homepage(owner), _listed(workspace, owner), _sign_up(workspace, owner))
        for owner in workspace.associations()
    ]


def entry_page(workspace: Workspace, association: str, campaign: str) -> EntryPage | None:
    """The page of one entry; None when there is none."""
    owner = _find(workspace, association)
    row = workspace.host.entry(association, campaign) if owner else None
    if owner is None or row is None:
        return None
    url = _entry_url(workspace, row)
    return EntryPage(
        association=owner.name,
        homepage=_homepage(owner),
        title=row.title,
        summary=row.summary,
        content=sanitise(row.content, url),
        url=url,
        language=row.language,
        tags=row.tags,
        published=row.published,
        updated=row.updated,
        feeds=_listed(workspace, owner),
        sign_up=_sign_up(workspace, owner),
    )


def write_feeds(workspace: Workspace, folder: Path) -> list[Path]:
    """Write every public feed as `<association>.rss`, `<association>/<topic>.atom` ...; returns the files.

    Each file is replaced whole or not at all, and left alone when nothing changed. Raises StorageError when
    the folder can not be written to.
    """
    written = []
    try:
        for owner in workspace.associations():
            for topic in (None, *_topics(workspace, owner)):
                for kind in FORMATS:
                    public = feed(workspace, owner.slug, topic, kind)
                    assert public is not None
                    path = folder / f"{owner.slug}{f'/{topic}' if topic else ''}.{kind}"
                    _replace(path, public.body)
                    written.append(path)
    except OSError as error:
        raise StorageError(f"the feeds can not be written to {folder}: {error}.") from error
    return written


def _replace(path: Path, body: bytes) -> None:
    if path.is_file() and path.read_bytes() == body:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


# --- what feeds are made of -------------------------------------------------------------------


def _find(workspace: Workspace, slug: str) -> Association | None:
    try:
        return workspace.association(slug)
    except UsageError:
        return None


def _topics(workspace: Workspace, owner: Association) -> dict[str, str]:
    """Topics that have a feed -> title: those the association made public, and those it published in."""
    known = {topic.slug: topic for topic in workspace.people(owner.slug).topics()}
    slugs = {slug for slug, topic in known.items() if topic.public} | set(workspace.host.entry_topics(owner.slug))
    titles = {slug: known[slug].title if slug in known else slug for slug in sorted(slugs)}
    return {slug: title or slug for slug, title in titles.items() if SLUG.fullmatch(slug)}


def _listed(workspace: Workspace, owner: Association) -> tuple[FeedListing, ...]:
    return tuple(_listing(workspace, owner, topic) for topic in _with_all(_topics(workspace, owner)))


def _with_all(topics: dict[str, str]) -> Iterator[tuple[str, str] | None]:
    yield None
    yield from topics.items()


def _listing(workspace: Workspace, owner: Association, topic: tuple[str, str] | None) -> FeedListing:
    urls = _urls(workspace, owner, topic[0] if topic else None)
    title = topic[1] if topic else ""
    return FeedListing(f"{owner.name}: {title}" if title else owner.name, title, urls.rss, urls.atom)


def _urls(workspace: Workspace, owner: Association, topic: str | None) -> FeedUrls:
    stem = f"{workspace.settings.site.url}/feeds/{owner.slug}{f'/{topic}' if topic else ''}"
    return FeedUrls(rss=f"{stem}.rss", atom=f"{stem}.atom")


def _info(workspace: Workspace, owner: Association, topic: str | None) -> FeedInfo:
    title = _topics(workspace, owner)[topic] if topic else ""
    return FeedInfo(
        id=f"tag:{site_name(workspace)},{ID_YEAR}:feed/{owner.slug}{f'/{topic}' if topic else ''}",
        title=f"{owner.name}: {title}" if title else owner.name,
        homepage=_homepage(owner) or f"{workspace.settings.site.url}/",
        self_urls=_urls(workspace, owner, topic),
        language=owner.language,
        description=f"{title} from {owner.name}" if title else f"News from {owner.name}",
        author=owner.name,
    )


def _feed_entry(workspace: Workspace, owner: Association, row: EntryRow) -> FeedEntry:
    return FeedEntry(
        id=row.tag_uri,
        url=_entry_url(workspace, row),
        title=row.title,
        summary=row.summary,
        content_html=row.content,
        published=row.published,
        updated=row.updated,
        author=owner.name,
        language=row.language,
        tags=row.tags,
    )


def _entry_url(workspace: Workspace, row: EntryRow) -> str:
    return f"{workspace.settings.site.url}/a/{row.association}/{row.campaign}"


def _sign_up(workspace: Workspace, owner: Association) -> str:
    is_open = any(topic.public for topic in workspace.people(owner.slug).topics())
    return f"{workspace.settings.site.url}/subscribe/{owner.slug}" if is_open else ""


def _homepage(owner: Association) -> str:
    return absolute_url(owner.homepage, "") or ""
