"""Feeds as RSS 2.0 and Atom, from our own model; reads and serves nothing.

feedgen writes the two formats. What it gets wrong is mended here, one function each: Atom links lose their relation
(`_mend_atom_links`), RSS names the last link as the homepage (`_mend_rss_links`), dates are the time of writing and are
formatted by changing the process's locale (`_mend_rss_dates`), authors without an address vanish from RSS
(`dc:creator`), and plain titles are taken for HTML (`_with_plain_titles`). What would crash it never gets so far
(`feed_model.checked`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.utils import format_datetime
from html import escape
from typing import Any

from feedgen.feed import FeedGenerator
from lxml import etree

from comms.channels.feed_model import FeedEntry, FeedInfo, Withdrawal, checked, excerpt, gone, newest_change

_ATOM = "{http://www.w3.org/2005/Atom}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_HISTORY = "http://purl.org/syndication/history/1.0"
_TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
_RSS_TYPE = "application/rss+xml"
_ATOM_TYPE = "application/atom+xml"
_GENERATOR = "comms"


def to_rss(info: FeedInfo, entries: Iterable[FeedEntry], withdrawals: Iterable[Withdrawal] = ()) -> bytes:
    """The feed as RSS 2.0 (rssboard.org/rss-specification), newest entry first; equal input gives equal bytes.

    RSS has no words for what was withdrawn: only the feed's date tells that something changed. Raises FeedError for
    ids that are no tag URIs or occur twice, unusable addresses and times without zone.
    """
    info, newest_first = checked(info, entries)
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
        summary = entry.summary or excerpt(entry.content_html)
        item.description(escape(summary, quote=False) or None, isSummary=True)
    channel = _parsed(generator.rss_str())[0]
    _mend_rss_links(channel, info)
    _mend_rss_dates(channel, newest_change(info, newest_first, gone(withdrawals)), newest_first)
    _add_rss_enclosures(channel, newest_first)
    _add_languages(channel.getparent(), channel.findall("item"), info, newest_first)
    return _with_plain_titles(_serialised(channel.getparent()))


def to_atom(info: FeedInfo, entries: Iterable[FeedEntry], withdrawals: Iterable[Withdrawal] = ()) -> bytes:
    """The feed as Atom 1.0 (RFC 4287), newest entry first; equal input gives equal bytes.

    What was withdrawn stands behind the entries as `at:deleted-entry` (RFC 6721). Raises FeedError for ids that are
    no tag URIs or occur twice, unusable addresses and times without zone.
    """
    info, newest_first = checked(info, entries)
    withdrawn = gone(withdrawals)
    generator = _generator(info)
    generator.id(info.id)
    generator.subtitle(info.description or None)
    generator.updated(newest_change(info, newest_first, withdrawn))
    generator.author({"name": info.author})
    generator.link(href=info.self_urls.atom, rel="self", type=_ATOM_TYPE)
    for hub in info.hubs:
        generator.link(href=hub, rel="hub")
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
    _add_place(feed, items[0] if items else None, info, _ATOM_TYPE)
    for item, entry in zip(items, newest_first, strict=True):
        _mend_atom_links(item)
        _add_atom_enclosure(item, entry)
    for each in withdrawn:
        feed.append(_tombstone(each))
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
    links += [{"href": hub, "rel": "hub"} for hub in info.hubs]
    for position, attributes in enumerate(links, start=channel.index(homepage) + 1):
        channel.insert(position, etree.Element(f"{_ATOM}link", attributes))
    _add_place(channel, channel.find("item"), info, _RSS_TYPE)


def _mend_rss_dates(channel: etree._Element, changed: datetime, entries: Sequence[FeedEntry]) -> None:
    """RFC 822 dates as RSS 2.0 wants them, written without the process's locale."""
    built = etree.Element("lastBuildDate")
    built.text = format_datetime(changed)
    items = channel.findall("item")
    channel.insert(channel.index(items[0]) if items else len(channel), built)
    for item, entry in zip(items, entries, strict=True):
        etree.SubElement(item, "pubDate").text = format_datetime(entry.published)


# --- what feedgen does not know ---------------------------------------------------------------


def _add_place(parent: etree._Element, first: etree._Element | None, info: FeedInfo, kind: str) -> None:
    """Where the document stands in the archive, in front of the entries (RFC 5005 section 4; for RSS, appendix A)."""
    place, is_rss = info.place, kind == _RSS_TYPE
    parts = [
        etree.Element(f"{_ATOM}link", {"rel": relation, "type": kind, "href": urls.rss if is_rss else urls.atom})
        for relation, urls in (("current", place.current), ("prev-archive", place.previous))
        if urls is not None
    ]
    if place.current is not None:
        parts.append(etree.Element(f"{{{_HISTORY}}}archive", nsmap={"fh": _HISTORY}))
    start = len(parent) if first is None else parent.index(first)
    for position, part in enumerate(parts, start=start):
        parent.insert(position, part)


def _add_rss_enclosures(channel: etree._Element, entries: Sequence[FeedEntry]) -> None:
    for item, entry in zip(channel.findall("item"), entries, strict=True):
        if file := entry.enclosure:
            etree.SubElement(item, "enclosure", {"url": file.url, "length": str(file.length), "type": file.type})


def _add_atom_enclosure(item: etree._Element, entry: FeedEntry) -> None:
    if file := entry.enclosure:
        attributes = {"rel": "enclosure", "href": file.url, "type": file.type, "length": str(file.length)}
        etree.SubElement(item, f"{_ATOM}link", attributes)


def _tombstone(withdrawal: Withdrawal) -> etree._Element:
    """RFC 6721 section 3."""
    attributes = {"ref": withdrawal.id, "when": withdrawal.at.isoformat()}
    element = etree.Element(f"{{{_TOMBSTONES}}}deleted-entry", attributes, nsmap={"at": _TOMBSTONES})
    if withdrawal.reason:
        etree.SubElement(element, f"{{{_TOMBSTONES}}}comment").text = withdrawal.reason
    return element


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
