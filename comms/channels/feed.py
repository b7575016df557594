"""Feeds: our own model of a feed and its entries, written as RSS 2.0 and Atom; reads and serves nothing.

feedgen writes the two formats behind the model. What it gets wrong is mended here, one function each: Atom links
lose their relation (`_mend_atom_links`), RSS names the last link as the homepage (`_mend_rss_links`), dates are the
time of writing and are formatted by changing the process's locale (`_mend_rss_dates`), authors without an address
vanish from RSS (`dc:creator`), duplicate ids, bad characters, naive dates and relative addresses pass or crash
(`_checked`), and plain titles are taken for HTML (`_with_plain_titles`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from feedgen.feed import FeedGenerator
from lxml import etree

from comms.channels.markup import absolute_url, clean_line, clean_text, plain_text, sanitise
from comms.errors import CommsError

_ATOM = "{http://www.w3.org/2005/Atom}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_RSS_TYPE = "application/rss+xml"
_ATOM_TYPE = "application/atom+xml"
_GENERATOR = "comms"
_EXCERPT = 300


class FeedError(CommsError, ValueError):
    """A feed that can not be written as it stands; the message names the entry and what to change."""


@dataclass(frozen=True, slots=True)
class FeedUrls:
    """Where each form of the feed is found."""

    rss: str
    atom: str


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
    hub: str | None = None
    """Address of a WebSub hub."""


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


def to_rss(info: FeedInfo, entries: Iterable[FeedEntry]) -> bytes:
    """The feed as RSS 2.0 (rssboard.org/rss-specification), newest entry first; equal input gives equal bytes.

    Raises FeedError for ids that are no tag URIs or occur twice, unusable addresses and times without zone.
    """
    info, newest_first = _checked(info, entries)
    generator = _generator(info)
    generator.load_extension("dc", atom=False)
    # feedgen has no way to leave this date out, and formats it by switching the locale of the whole process.
    generator._FeedGenerator__rss_lastBuildDate = None
    generator.description(info.description or info.title)
    for entry in newest_first:
        item = generator.add_entry(order="append")
        item.title(entry.title)
        item.guid(entry.id, permalink=False)
        item.link(href=entry.url)
        item.category([{"term": tag} for tag in entry.tags])
        item.dc.dc_creator(entry.author or None)
        if entry.content_html:
            item.content(entry.content_html)
        # RSS readers take a description for HTML, so plain text is written as such.
        summary = entry.summary or _excerpt(entry.content_html)
        item.description(escape(summary, quote=False) or None, isSummary=True)
    channel = _parsed(generator.rss_str())[0]
    _mend_rss_links(channel, info)
    _mend_rss_dates(channel, info, newest_first)
    _add_languages(channel.getparent(), channel.findall("item"), info, newest_first)
    return _with_plain_titles(_serialised(channel.getparent()))


def to_atom(info: FeedInfo, entries: Iterable[FeedEntry]) -> bytes:
    """The feed as Atom 1.0 (RFC 4287), newest entry first; equal input gives equal bytes.

    Raises FeedError for ids that are no tag URIs or occur twice, unusable addresses and times without zone.
    """
    info, newest_first = _checked(info, entries)
    generator = _generator(info)
    generator.id(info.id)
    generator.subtitle(info.description or None)
    generator.updated(_updated(info, newest_first))
    generator.author({"name": info.author})
    generator.link(href=info.self_urls.atom, rel="self", type=_ATOM_TYPE)
    if info.hub:
        generator.link(href=info.hub, rel="hub")
    for entry in newest_first:
        item = generator.add_entry(order="append")
        item.id(entry.id)
        item.title(entry.title)
        item.link(href=entry.url)
        item.published(entry.published)
        item.updated(entry.updated)
        item.category([{"term": tag} for tag in entry.tags])
        item.summary(entry.summary or None)
        if entry.author:
            item.author({"name": entry.author})
        if entry.content_html:
            item.content(entry.content_html, type="html")
    feed = _parsed(generator.atom_str())
    items = feed.findall(f"{_ATOM}entry")
    for item in items:
        _mend_atom_links(item)
    _add_languages(feed, items, info, newest_first)
    return _serialised(feed)


def _generator(info: FeedInfo) -> Any:
    """What both formats share; feedgen has no types."""
    generator: Any = FeedGenerator()  # type: ignore[no-untyped-call]
    generator.title(info.title)
    generator.language(info.language)
    generator.generator(_GENERATOR)
    generator.link(href=info.homepage, rel="alternate", type="text/html")
    return generator


def _updated(info: FeedInfo, entries: Sequence[FeedEntry]) -> datetime:
    """The newest change; for a feed without entries, the day its id was made."""
    return max((entry.updated for entry in entries), default=_tag_day(info.id, "the feed"))


def _excerpt(content: str) -> str:
    text = plain_text(content)
    if len(text) <= _EXCERPT:
        return text
    return f"{text[:_EXCERPT].rsplit(' ', 1)[0]}…"


# --- mending feedgen --------------------------------------------------------------------------


def _mend_atom_links(entry: etree._Element) -> None:
    """feedgen writes nothing but `href`, so that two links of an entry would both be its page."""
    for link in entry.findall(f"{_ATOM}link"):
        link.set("rel", "alternate")
        link.set("type", "text/html")


def _mend_rss_links(channel: etree._Element, info: FeedInfo) -> None:
    """feedgen takes the last link it was given for the homepage, and writes no hub."""
    homepage = channel.find("link")
    assert homepage is not None
    homepage.text = info.homepage
    links = [{"href": info.self_urls.rss, "rel": "self", "type": _RSS_TYPE}]
    if info.hub:
        links.append({"href": info.hub, "rel": "hub"})
    for position, attributes in enumerate(links, start=channel.index(homepage) + 1):
        channel.insert(position, etree.Element(f"{_ATOM}link", attributes))


def _mend_rss_dates(channel: etree._Element, info: FeedInfo, entries: Sequence[FeedEntry]) -> None:
    """RFC 822 dates as RSS 2.0 wants them, written without the process's locale."""
    built = etree.Element("lastBuildDate")
    built.text = format_datetime(_updated(info, entries))
    items = channel.findall("item")
    channel.insert(channel.index(items[0]) if items else len(channel), built)
    for item, entry in zip(items, entries, strict=True):
        etree.SubElement(item, "pubDate").text = format_datetime(entry.published)


def _add_languages(
    root: etree._Element, items: Sequence[etree._Element], info: FeedInfo, entries: Sequence[FeedEntry]
) -> None:
    root.set(_XML_LANG, info.language)
    for item, entry in zip(items, entries, strict=True):
        if entry.language and entry.language != info.language:
            item.set(_XML_LANG, entry.language)


_TITLE = re.compile(rb"(?<=<title>)[^<]+")
_HEXADECIMAL = {b"&amp;": b"&#x26;", b"&lt;": b"&#x3C;", b"&gt;": b"&#x3E;"}
_ENTITY = re.compile(b"|".join(_HEXADECIMAL))


def _with_plain_titles(rss: bytes) -> bytes:
    """Titles as the RSS profile writes plain text (rssboard.org/rss-profile, "Character Data")."""
    return _TITLE.sub(lambda title: _ENTITY.sub(lambda entity: _HEXADECIMAL[entity.group()], title.group()), rss)


def _parsed(xml: bytes) -> etree._Element:
    return etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))


def _serialised(root: etree._Element) -> bytes:
    xml: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return xml


# --- checking ---------------------------------------------------------------------------------

_TAG_URI = re.compile(
    r"tag:(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
    r",(?P<year>[0-9]{4})(?:-(?P<month>[0-9]{2})(?:-(?P<day>[0-9]{2}))?)?"
    r":[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*(?:#[A-Za-z0-9._~!$&'()*+,;=:@/?%-]*)?"
)


def _checked(info: FeedInfo, entries: Iterable[FeedEntry]) -> tuple[FeedInfo, list[FeedEntry]]:
    """The same feed, clean: texts that XML can hold, absolute addresses, UTC, harmless HTML, newest entry first."""
    _tag_day(info.id, "the feed")
    title = clean_line(info.title) or info.homepage
    feed = replace(
        info,
        title=title,
        homepage=_address(info.homepage, "", "the feed's homepage"),
        self_urls=FeedUrls(
            rss=_address(info.self_urls.rss, "", "the feed's RSS address"),
            atom=_address(info.self_urls.atom, "", "the feed's Atom address"),
        ),
        language=clean_line(info.language),
        description=clean_line(info.description),
        author=clean_line(info.author) or title,
        hub=_address(info.hub, "", "the feed's hub") if info.hub else None,
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
    )


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
