"""The list of feeds, by the rules of OPML 2.0."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from comms.channels.opml import Subscription, to_opml

DATA = Path(__file__).parents[4] / "shared" / "data" / "feeds"
NEWS = Subscription("News & more", "https://a.example/news.atom", "https://a.example/", "en")


def messages(xml: bytes) -> set[str]:
    """What is wrong with it (opml.org/spec2.opml), by the W3C validator's names where it has one."""
    root = etree.fromstring(xml)
    if root.tag != "opml" or [part.tag for part in root if isinstance(part.tag, str)] != ["head", "body"]:
        return {"MissingElement"}
    found = set() if root.get("version") in ("1.0", "1.1", "2.0") else {"InvalidOPMLVersion"}
    outlines = list(root.iter("outline"))
    if not root.findall("body/outline"):
        found.add("MissingElement")
    for outline in outlines:
        if not outline.get("text"):
            found.add("MissingAttribute")
        if outline.get("type") == "rss":
            if not str(outline.get("xmlUrl", "")).startswith(("http://", "https://")):
                found.add("MissingXmlURL")
            if outline.get("language", "en") in ("", "unknown"):
                found.add("InvalidLanguage")
        elif outline.get("xmlUrl"):
            found.add("MissingOutlineType")
    return found


def test_a_list_of_ours_draws_no_message_and_names_every_feed() -> None:
    xml = to_opml("Feeds of A", [("A", [NEWS]), ("B", [Subscription("", "https://b.example/x", "", "")])])
    assert messages(xml) == set()
    outlines = [dict(outline.attrib) for outline in etree.fromstring(xml).iter("outline")]
    assert outlines == [
        {"text": "A"},
        {
            "type": "rss",
            "text": "News & more",
            "title": "News & more",
            "xmlUrl": "https://a.example/news.atom",
            "htmlUrl": "https://a.example/",
            "language": "en",
        },
        {"text": "B"},
        {"type": "rss", "text": "https://b.example/x", "title": "https://b.example/x", "xmlUrl": "https://b.example/x"},
    ]


def test_a_feed_whose_address_can_not_be_used_is_left_out() -> None:
    xml = to_opml("x", [("A", [Subscription("bad", "javascript:alert(1)", "", "")])])
    assert b"javascript" not in xml


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_text_gives_a_sound_list(title: str, group: str, homepage: str) -> None:
    assert messages(to_opml(title, [(group, [Subscription(title, NEWS.feed, homepage, "en")])])) == set()


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "expected"), [("fv_subscriptionList", {"InvalidLanguage"}), ("glam_libraries", {"MissingOutlineType"})]
)
def test_the_checks_agree_with_published_lists(data: Path, name: str, expected: set[str]) -> None:
    assert messages((data / "feeds" / f"{name}.opml").read_bytes()) == expected
