"""Enclosures, archive documents (RFC 5005) and withdrawn entries (RFC 6721) in RSS and Atom."""

from __future__ import annotations

from datetime import timedelta

import feedparser
import pytest
from lxml import etree
from test_feed import ATOM, START, Writer, both, make_entry, make_info
from test_feed_rules import atom_messages, rss_messages

from comms.channels.feed import to_atom, to_rss
from comms.channels.feed_model import Enclosure, FeedError, FeedUrls, Place, Withdrawal

ARCHIVE = "{http://purl.org/syndication/history/1.0}archive"
GONE = "{http://purl.org/atompub/tombstones/1.0}"
FILE = Enclosure("https://coalition.example/media/door.jpg", "image/jpeg", 48_213)


def urls(stem: str) -> FeedUrls:
    return FeedUrls(*(f"https://coalition.example/{stem}.{kind}" for kind in ("rss", "atom", "json")))


CURRENT, OLDEST = urls("news"), urls("news.1")
WITHDRAWN = Withdrawal("tag:coalition.example,2027-02-01:campaign-9", START + timedelta(days=90), "A mistake & more")


def links(xml: bytes) -> dict[str, str]:
    root = etree.fromstring(xml)
    parent = root if root.tag == f"{ATOM}feed" else root[0]
    return {str(link.get("rel")): str(link.get("href")) for link in parent.findall(f"{ATOM}link")}


@both
def test_an_enclosure_keeps_its_address_length_and_type(write: Writer) -> None:
    (entry,) = feedparser.parse(write(make_info(), [make_entry(enclosure=FILE)])).entries
    assert entry.link == "https://coalition.example/c/1"
    (enclosure,) = entry.enclosures
    assert (enclosure.href, enclosure.length, enclosure.type) == (FILE.url, "48213", "image/jpeg")


@both
def test_a_subscription_document_leads_to_the_archive_and_is_none_itself(write: Writer) -> None:
    xml = write(make_info(place=Place(previous=OLDEST)), [make_entry()])
    assert links(xml)["prev-archive"] == (OLDEST.atom if write is to_atom else OLDEST.rss)
    assert "current" not in links(xml)
    assert etree.fromstring(xml).find(f".//{ARCHIVE}") is None


@both
def test_an_archive_document_says_so_and_leads_back(write: Writer) -> None:
    xml = write(make_info(self_urls=OLDEST, place=Place(current=CURRENT)), [make_entry()])
    assert etree.fromstring(xml).find(f".//{ARCHIVE}") is not None
    assert links(xml)["current"] == (CURRENT.atom if write is to_atom else CURRENT.rss)
    assert "prev-archive" not in links(xml)


@both
def test_a_document_with_all_of_it_draws_no_message(write: Writer) -> None:
    info = make_info(self_urls=urls("news.2"), place=Place(previous=OLDEST, current=CURRENT))
    xml = to_atom(info, [make_entry(enclosure=FILE)], [WITHDRAWN])
    assert atom_messages(xml) == set()
    assert rss_messages(to_rss(info, [make_entry(enclosure=FILE)], [WITHDRAWN])) == set()
    assert not feedparser.parse(write(info, [make_entry(enclosure=FILE)], [WITHDRAWN])).bozo  # type: ignore[call-arg]


def test_a_withdrawn_entry_is_a_tombstone_with_its_reason() -> None:
    feed = etree.fromstring(to_atom(make_info(), [make_entry()], [WITHDRAWN]))
    (stone,) = feed.findall(f"{GONE}deleted-entry")
    assert dict(stone.attrib) == {"ref": WITHDRAWN.id, "when": "2027-05-02T09:00:00+00:00"}
    assert stone.findtext(f"{GONE}comment") == "A mistake & more"
    assert feed.findtext(f"{ATOM}updated") == "2027-05-02T09:00:00+00:00"


def test_rss_tells_of_a_withdrawal_by_its_date_alone() -> None:
    before, after = to_rss(make_info(), [make_entry()]), to_rss(make_info(), [make_entry()], [WITHDRAWN])
    assert b"campaign-9" not in after
    assert b"<lastBuildDate>Sun, 02 May 2027" in after
    assert before != after


def test_a_withdrawal_without_a_sound_id_is_refused() -> None:
    with pytest.raises(FeedError, match="no tag URI"):
        to_atom(make_info(), [], [Withdrawal("nine", START, "")])
