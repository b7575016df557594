"""A list of feeds as OPML 2.0 (opml.org/spec2.opml), which feed readers take in one go; reads and serves nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from comms.channels.markup import absolute_url, clean_line


@dataclass(frozen=True, slots=True)
class Subscription:
    """One feed in the list. Addresses are absolute; `homepage` may be empty."""

    title: str
    feed: str
    homepage: str
    language: str


def to_opml(title: str, groups: Iterable[tuple[str, Iterable[Subscription]]]) -> bytes:
    """Feeds in named groups, in the order given; equal input gives equal bytes.

    Feeds whose address can not be used are left out. There is no date in it, so that nothing changes by itself.
    """
    root = etree.Element("opml", version="2.0")
    etree.SubElement(etree.SubElement(root, "head"), "title").text = clean_line(title)
    body = etree.SubElement(root, "body")
    for name, subscriptions in groups:
        group = etree.SubElement(body, "outline", text=clean_line(name) or "Feeds")
        for each in subscriptions:
            address = absolute_url(each.feed, "")
            if address is None:
                continue
            words = clean_line(each.title) or address
            outline = etree.SubElement(group, "outline", type="rss", text=words, title=words, xmlUrl=address)
            if homepage := absolute_url(each.homepage, ""):
                outline.set("htmlUrl", homepage)
            if each.language:
                outline.set("language", clean_line(each.language))
    xml: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return xml
