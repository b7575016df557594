"""The public feeds of a workspace as bytes and as files: which there are, and what stands in each. Serves nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Literal, cast
from unicodedata import normalize
from urllib.parse import quote

from audiences.models import Association
from campaigns.entries import Choice, Entries
from campaigns.store import EntryRow
from comms.channels.feed import to_atom, to_rss
from comms.channels.feed_json import to_json
from comms.channels.feed_model import Enclosure, FeedEntry, FeedInfo, FeedUrls, Place, Withdrawal
from comms.channels.markup import absolute_url
from comms.config import Settings
from comms.db import Moment
from comms.engine import hubs, languages
from comms.engine.editions import ID_YEAR, page_url, site_name
from comms.engine.workspace import SLUG, Workspace
from comms.errors import StorageError, UsageError

Format = Literal["rss", "atom", "json"]
MEDIA_TYPES: Mapping[Format, str] = {
    "rss": "application/rss+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}
NEWEST = 100
"""Entries in the document that readers subscribe to, and in each archive document."""
EDITED = 20
"""Older entries that stand there once more because they were corrected or withdrawn (RFC 5005 section 4)."""
ALL = Choice()
_NAME = re.compile(
    r"(?P<association>[a-z0-9-]{1,64})(?P<path>(?:/[^/.]+){0,2})(?:\.(?P<page>[1-9][0-9]{0,5}))?"
    rf"\.(?P<kind>{'|'.join(MEDIA_TYPES)})",
    re.ASCII,
)
_WRITERS = {"rss": to_rss, "atom": to_atom, "json": to_json}
_NO_SLUG = re.compile(r"[\W_]+")
_LONGEST_SLUG = 40
"""Letters of four bytes each still fit into the name of a file."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One feed of an association: what it takes in, where it lies, and what people call it."""

    choice: Choice
    path: str
    """Behind `/feeds/<association>`, without ending: empty for everything, else `/news`, `/tag/grants`."""
    title: str
    """The topic, language or tag; empty for the feed of everything."""


@dataclass(frozen=True, slots=True)
class PublicFeed:
    """One feed as bytes. `updated` is when an entry last changed, None while there is none."""

    body: bytes
    updated: datetime | None


@dataclass(frozen=True, slots=True)
class Name:
    """What the address of a feed says, whether there is one or not."""

    association: str
    path: str
    """See `Channel`."""
    kind: Format
    page: int | None
    """Number of an archive document; None for the one that readers subscribe to."""


# --- which there are --------------------------------------------------------------------------


def find(workspace: Workspace, slug: str) -> Association | None:
    """The association, None when there is none."""
    try:
        return workspace.association(slug)
    except UsageError:
        return None


def channels(workspace: Workspace, owner: Association) -> dict[str, Channel]:
    """Path -> feed: of everything, of each topic, and of each language and tag that entries have.

    Languages have feeds of their own once there are two.
    """
    entries = Entries(workspace.host.db)
    found = [Channel(ALL, "", "")]
    topics = _topics(workspace, owner, entries)
    found += [Channel(Choice("topic", (slug,)), f"/{slug}", title) for slug, title in topics.items()]
    spoken = entries.languages(owner.slug)
    if len(spoken) > 1:
        found += [Channel(Choice("language", (tag,)), f"/language/{tag}", languages.name(tag)) for tag in spoken]
    tags: dict[str, list[str]] = {}
    for tag in entries.tags(owner.slug):
        tags.setdefault(slug_of(tag), []).append(tag)
    tags.pop("", None)
    found += [Channel(Choice("tag", tuple(same)), f"/tag/{slug}", same[0]) for slug, same in tags.items()]
    return {channel.path: channel for channel in found}


def named(text: str) -> Name | None:
    """What stands behind `/feeds/` in an address, such as `coalition/news.2.atom`; None for what can be no feed."""
    match = _NAME.fullmatch(text)
    if match is None:
        return None
    page = int(match["page"]) if match["page"] else None
    return Name(match["association"], match["path"], cast(Format, match["kind"]), page)


def holds(channel: Channel, row: EntryRow) -> bool:
    """Does the entry stand in this feed."""
    match channel.choice.kind:
        case "all":
            return True
        case "topic":
            return row.topic in channel.choice.values
        case "language":
            return row.language in channel.choice.values
        case "tag":
            return not set(row.tags).isdisjoint(channel.choice.values)


def slug_of(tag: str) -> str:
    """A tag as it stands in addresses: small letters and digits of any script, hyphens; empty for one without."""
    return _NO_SLUG.sub("-", normalize("NFKC", tag).casefold())[:_LONGEST_SLUG].strip("-")


def _topics(workspace: Workspace, owner: Association, entries: Entries) -> dict[str, str]:
    """Topics that have a feed -> title: those the association made public, and those it published in."""
    known = {topic.slug: topic for topic in workspace.people(owner.slug).topics()}
    slugs = {slug for slug, topic in known.items() if topic.public} | set(entries.topics(owner.slug))
    titles = {slug: known[slug].title if slug in known else slug for slug in sorted(slugs)}
    return {slug: title or slug for slug, title in titles.items() if SLUG.fullmatch(slug)}


def stamp(workspace: Workspace, association: str) -> str | None:
    """A text that is another one whenever a feed of the association may be; None when there is no association.

    Cheap to ask, so that a reader who has the feed already is answered without writing it.
    """
    owner = find(workspace, association)
    if owner is None:
        return None
    topics = [(topic.slug, topic.title, topic.public) for topic in workspace.people(owner.slug).topics()]
    return f"{Entries(workspace.host.db).revision()} {topics}"


def moment(workspace: Workspace, association: str) -> Moment:
    """For as long as it lasts, `stamp` stays the same; ending, it need not have changed.

    Raises UsageError when there is no such association.
    """
    return Moment.of(workspace.host.db, workspace.association_db(association))


# --- one feed ---------------------------------------------------------------------------------


def feed(workspace: Workspace, association: str, path: str, kind: Format, page: int | None = None) -> PublicFeed | None:
    """The feed at a path (see `Channel`), or one of its archive documents; None when there is no such feed.

    Archive documents are numbered from 1, the oldest, and come into being when they are full: `page` then always has
    the same entries. The same entries give the same bytes. Raises FeedError for an entry that can not be published.
    """
    owner = find(workspace, association)
    channel = channels(workspace, owner).get(path) if owner else None
    if owner is None or channel is None:
        return None
    entries = Entries(workspace.host.db)
    complete = max(entries.count(owner.slug, channel.choice) - 1, 0) // NEWEST
    if page is None:
        rows = entries.newest(owner.slug, channel.choice, limit=NEWEST, edited=EDITED)
    elif 1 <= page <= complete:
        rows = entries.stretch(owner.slug, channel.choice, page, NEWEST)
    else:
        return None
    info = _info(workspace, owner, channel, page, complete)
    return document(workspace, owner, info, rows, kind)


def document(
    workspace: Workspace, owner: Association, info: FeedInfo, rows: list[EntryRow], kind: Format
) -> PublicFeed:
    """A feed with these entries, those that were withdrawn as the format can say it."""
    shown = [feed_entry(workspace, owner, row) for row in rows if row.withdrawn is None]
    gone = [Withdrawal(row.tag_uri, row.withdrawn, row.note) for row in rows if row.withdrawn is not None]
    changes = [row.withdrawn or row.updated for row in rows]
    return PublicFeed(_WRITERS[kind](info, shown, gone), max(changes, default=None))


def single_entry(workspace: Workspace, owner: Association, row: EntryRow) -> bytes:
    """An Atom feed of this one entry, which need not be published: for previews."""
    info = _info(workspace, owner, Channel(ALL, "", ""), None, 0)
    return to_atom(info, [feed_entry(workspace, owner, row)])


def write_feeds(workspace: Workspace, folder: Path) -> list[Path]:
    """Write every public feed as `<association>.rss`, `<association>/<topic>.atom` ..., its archive documents as
    `<association>/<topic>.1.atom`; returns the files.

    Each file is replaced whole or not at all, and left alone when nothing changed. Raises StorageError when
    the folder can not be written to.
    """
    written = []
    try:
        for owner in workspace.associations():
            for path, page, kind in _documents(workspace, owner):
                public = feed(workspace, owner.slug, path, kind, page)
                assert public is not None
                file = folder / f"{owner.slug}{path}{f'.{page}' if page else ''}.{kind}"
                _replace(file, public.body)
                written.append(file)
    except OSError as error:
        raise StorageError(f"the feeds can not be written to {folder}: {error}.") from error
    return written


def _documents(workspace: Workspace, owner: Association) -> Iterator[tuple[str, int | None, Format]]:
    entries = Entries(workspace.host.db)
    for path, channel in channels(workspace, owner).items():
        complete = max(entries.count(owner.slug, channel.choice) - 1, 0) // NEWEST
        for page in (None, *range(1, complete + 1)):
            for kind in MEDIA_TYPES:
                yield path, page, kind


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


def urls(workspace: Workspace, owner: Association, path: str, page: int | None = None) -> FeedUrls:
    """Where a feed, or an archive document of it, is found."""
    return FeedUrls(*(address(workspace.settings, Name(owner.slug, path, kind, page)) for kind in MEDIA_TYPES))


def address(settings: Settings, name: Name) -> str:
    """The one address of the feed that is called so."""
    page = f".{name.page}" if name.page else ""
    return f"{settings.site.url}/feeds/{name.association}{quote(name.path)}{page}.{name.kind}"


def content_type(kind: Format) -> str:
    """As it stands in the header of an answer."""
    return f"{MEDIA_TYPES[kind]}; charset=utf-8"


def title(owner: Association, channel: Channel) -> str:
    """What a feed is called."""
    return f"{owner.name}: {channel.title}" if channel.title else owner.name


def homepage(owner: Association) -> str:
    """The association's own site as an absolute address; empty when it has none that can be used."""
    return absolute_url(owner.homepage, "") or ""


def entry_url(workspace: Workspace, row: EntryRow) -> str:
    """The entry's one public address."""
    return page_url(workspace, row.association, row.campaign)


def _info(workspace: Workspace, owner: Association, channel: Channel, page: int | None, complete: int) -> FeedInfo:
    older = complete if page is None else page - 1
    language = channel.choice.values[0] if channel.choice.kind == "language" else owner.language
    return FeedInfo(
        id=f"tag:{site_name(workspace)},{ID_YEAR}:feed/{owner.slug}{quote(channel.path)}",
        title=title(owner, channel),
        homepage=homepage(owner) or f"{workspace.settings.site.url}/",
        self_urls=urls(workspace, owner, channel.path, page),
        language=language,
        description=_description(workspace, owner, channel, language),
        author=owner.name,
        hubs=hubs.of(workspace.settings) if page is None else (),
        place=Place(
            previous=urls(workspace, owner, channel.path, older) if older else None,
            current=urls(workspace, owner, channel.path) if page else None,
        ),
    )


def feed_entry(workspace: Workspace, owner: Association, row: EntryRow) -> FeedEntry:
    """An entry as feeds show it; what was corrected is named in front of the text."""
    note = corrected(workspace, row) if row.note else ""
    return FeedEntry(
        id=row.tag_uri,
        url=entry_url(workspace, row),
        title=row.title,
        summary=row.summary,
        content_html=f"{note}{row.content}",
        published=row.published,
        updated=row.updated,
        author=owner.name,
        language=row.language,
        tags=row.tags,
        enclosure=Enclosure(**row.enclosure) if row.enclosure else None,
    )


def corrected(workspace: Workspace, row: EntryRow) -> str:
    """The paragraph that names a correction, in the entry's language where there are words in it."""
    words = workspace.catalogues.words(row.language)
    when = escape(words.gettext("Corrected on %(day)s:", day=words.day(row.updated)))
    spoken = words.beside(row.language)
    return f"<p><em>{f'<span{spoken}>{when}</span>' if spoken else when} {escape(row.note)}</em></p>\n"


def _description(workspace: Workspace, owner: Association, channel: Channel, language: str) -> str:
    gettext = workspace.catalogues.words(language).gettext
    if channel.title:
        return gettext("%(title)s from %(association)s", title=channel.title, association=owner.name)
    return gettext("News from %(association)s", association=owner.name)
