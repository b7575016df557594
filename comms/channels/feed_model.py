"""What a feed is, as frozen data, and what makes it fit to publish; writes no format.

Duplicate ids, bad characters, times without zone and relative addresses are refused or mended here, once for all
formats.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from comms.channels.markup import absolute_url, clean_line, clean_text, plain_text, sanitise
from comms.errors import CommsError


class FeedError(CommsError, ValueError):
    """A feed that can not be written as it stands; the message names the entry and what to change."""


@dataclass(frozen=True, slots=True)
class FeedUrls:
    """Where each form of the feed is found."""

    rss: str
    atom: str
    json: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands in an archived feed (RFC 5005 section 4)."""

    previous: FeedUrls | None = None
    """The archive document with the entries before these; None for the oldest."""
    current: FeedUrls | None = None
    """For an archive document: the one that readers subscribe to. None for that one itself."""


@dataclass(frozen=True, slots=True)
class FeedInfo:
    """One feed. `id` is a tag URI (RFC 4151) and never changes; addresses are absolute."""

    id: str
    title: str
    homepage: str
    self_urls: FeedUrls
    language: str
    """BCP 47 tag."""
    description: str
    author: str
    """Name of the association that speaks."""
    hubs: tuple[str, ...] = ()
    """Addresses of WebSub hubs."""
    place: Place = Place()


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that belongs to an entry: a picture or an attachment. `length` is in bytes."""

    url: str
    type: str
    length: int


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One entry. `id` (a tag URI) and `published` never change, `updated` only when the entry is really edited.

    Title, summary and author are plain text; the content is HTML. Times are aware. Addresses may be relative to the
    feed's homepage.
    """

    id: str
    url: str
    title: str
    summary: str
    content_html: str
    published: datetime
    updated: datetime
    author: str
    language: str
    tags: tuple[str, ...] = ()
    enclosure: Enclosure | None = None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """An entry that is there no more (RFC 6721): its id, since when, and why, as plain text."""

    id: str
    at: datetime
    reason: str


# --- checking ---------------------------------------------------------------------------------

_EXCERPT = 300
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*")
_TAG_URI = re.compile(
    r"tag:(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
    r",(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?"
    r":[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*(?:#[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?"
)


def checked(info: FeedInfo, entries: Iterable[FeedEntry]) -> tuple[FeedInfo, list[FeedEntry]]:
    """The same feed, clean: texts that XML can hold, absolute addresses, UTC, harmless HTML, newest entry first.

    Raises FeedError for ids that are no tag URIs or occur twice, unusable addresses and times without zone.
    """
    _tag_day(info.id, "the feed")
    title = clean_line(info.title) or info.homepage
    feed = replace(
        info,
        title=title,
        homepage=_address(info.homepage, "", "the feed's homepage"),
        self_urls=_clean_urls(info.self_urls),
        place=Place(*(_clean_urls(urls) if urls else None for urls in (info.place.previous, info.place.current))),
        language=clean_line(info.language),
        description=clean_line(info.description),
        author=clean_line(info.author) or title,
        hubs=tuple(_address(hub, "", "the feed's hub") for hub in info.hubs),
    )
    clean = [_clean_entry(entry, feed.homepage) for entry in entries]
    seen: set[str] = set()
    for entry in clean:
        if entry.id in seen:
            raise FeedError(f"Two entries have the id {entry.id}.", hint="Every entry needs an id of its own.")
        seen.add(entry.id)
    clean.sort(key=lambda entry: entry.id)
    clean.sort(key=lambda entry: entry.published, reverse=True)
    return feed, clean


def gone(withdrawals: Iterable[Withdrawal]) -> list[Withdrawal]:
    """The same withdrawals, clean, the newest first. Raises FeedError as `checked` does."""
    found = []
    for each in withdrawals:
        where = f"the withdrawn entry {clean_line(each.id)}"
        _tag_day(each.id, where)
        found.append(Withdrawal(each.id, _utc(each.at, where), clean_line(each.reason)))
    found.sort(key=lambda each: each.id)
    found.sort(key=lambda each: each.at, reverse=True)
    return found


def newest_change(info: FeedInfo, entries: Sequence[FeedEntry], withdrawals: Sequence[Withdrawal]) -> datetime:
    """When the feed last changed; for one without entries, the day its id was made."""
    moments = [entry.updated for entry in entries] + [each.at for each in withdrawals]
    return max(moments, default=_tag_day(info.id, "the feed"))


def excerpt(content: str) -> str:
    """The first words of an entry's content."""
    text = plain_text(content)
    if len(text) <= _EXCERPT:
        return text
    return f"{text[:_EXCERPT].rsplit(' ', 1)[0]}…"


def _clean_urls(urls: FeedUrls) -> FeedUrls:
    return FeedUrls(
        rss=_address(urls.rss, "", "the feed's RSS address"),
        atom=_address(urls.atom, "", "the feed's Atom address"),
        json=_address(urls.json, "", "the feed's JSON address"),
    )


def _clean_entry(entry: FeedEntry, homepage: str) -> FeedEntry:
    where = f"the entry {clean_line(entry.id)}"
    _tag_day(entry.id, where)
    url = _address(entry.url, homepage, where)
    return replace(
        entry,
        url=url,
        title=clean_line(entry.title) or url,
        summary=clean_text(entry.summary).strip(),
        content_html=sanitise(entry.content_html, homepage),
        published=_utc(entry.published, where),
        updated=_utc(entry.updated, where),
        author=clean_line(entry.author),
        language=clean_line(entry.language),
        tags=tuple(dict.fromkeys(tag for tag in map(clean_line, entry.tags) if tag)),
        enclosure=_clean_enclosure(entry.enclosure, homepage, where) if entry.enclosure else None,
    )


def _clean_enclosure(enclosure: Enclosure, homepage: str, where: str) -> Enclosure:
    if enclosure.length < 0 or not _MEDIA_TYPE.fullmatch(enclosure.type):
        raise FeedError(
            f"The enclosure of {where} has no length in bytes or no media type.",
            hint="Give both as they are, such as 48213 and image/jpeg.",
        )
    return replace(enclosure, url=_address(enclosure.url, homepage, f"the enclosure of {where}"))


def _tag_day(tag: str, where: str) -> datetime:
    match = _TAG_URI.fullmatch(tag)
    try:
        if match:
            return datetime(int(match["year"]), int(match["month"] or 1), int(match["day"] or 1), tzinfo=UTC)
    except ValueError:
        pass
    raise FeedError(
        f"The id of {where} is no tag URI: {clean_line(tag)[:100]!r}.",
        hint="Write it as tag:example.org,2027:name and never change it.",
    )


def _address(text: str, base: str, where: str) -> str:
    url = absolute_url(text, base)
    if url is None:
        raise FeedError(
            f"The address of {where} can not be used: {clean_line(text)[:100]!r}.",
            hint="Write it in full, beginning with https://.",
        )
    return url


def _utc(time: datetime, where: str) -> datetime:
    if time.utcoffset() is None:
        raise FeedError(f"A time of {where} has no time zone: {time.isoformat()}.", hint="Give an aware time.")
    return time.astimezone(UTC).replace(microsecond=0)
