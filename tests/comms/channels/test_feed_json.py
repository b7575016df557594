"""JSON Feed: against the format's own rules, as a schema, and what came back of what went in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from test_feed import START, TITLES, make_entry, make_info
from test_feed_rules import HOSTILE

from comms.channels.feed_json import to_json
from comms.channels.feed_model import Enclosure, FeedError, FeedUrls, Place

URL = {"type": "string", "pattern": "^https?://[^\\s/]+"}
TEXT = {"type": "string", "minLength": 1}
MOMENT = {
    "type": "string",
    "pattern": r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"(\.\d+)?(Z|[+-]\d\d:\d\d)$",
}
LANGUAGE = {"type": "string", "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$"}
AUTHORS = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {"name": TEXT, "url": URL, "avatar": URL},
        "additionalProperties": False,
        "minProperties": 1,
    },
}
ATTACHMENT = {
    "type": "object",
    "required": ["url", "mime_type"],
    "properties": {
        "url": URL,
        "mime_type": {"type": "string", "pattern": "^[a-z]+/[a-z0-9.+-]+$"},
        "title": TEXT,
        "size_in_bytes": {"type": "integer", "minimum": 0},
        "duration_in_seconds": {"type": "number", "minimum": 0},
    },
    "additionalProperties": False,
}
ITEM = {
    "type": "object",
    "required": ["id"],
    "anyOf": [{"required": ["content_html"]}, {"required": ["content_text"]}],
    "properties": {
        "id": TEXT,
        "url": URL,
        "external_url": URL,
        "title": TEXT,
        "content_html": TEXT,
        "content_text": TEXT,
        "summary": TEXT,
        "image": URL,
        "banner_image": URL,
        "date_published": MOMENT,
        "date_modified": MOMENT,
        "authors": AUTHORS,
        "tags": {"type": "array", "items": TEXT, "uniqueItems": True},
        "language": LANGUAGE,
        "attachments": {"type": "array", "items": ATTACHMENT},
    },
    "additionalProperties": False,
}
FEED = {
    "type": "object",
    "required": ["version", "title", "items"],
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": TEXT,
        "home_page_url": URL,
        "feed_url": URL,
        "description": TEXT,
        "user_comment": TEXT,
        "next_url": URL,
        "icon": URL,
        "favicon": URL,
        "authors": AUTHORS,
        "language": LANGUAGE,
        "expired": {"type": "boolean"},
        "hubs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "url"],
                "properties": {"type": TEXT, "url": URL},
                "additionalProperties": False,
            },
        },
        "items": {"type": "array", "items": ITEM},
    },
    "additionalProperties": False,
}
"""What jsonfeed.org/version/1.1 says, stricter in one thing: what it does not name may not stand there."""

PICTURE = Enclosure("https://coalition.example/media/door.jpg", "image/jpeg", 48_213)
PAPER = Enclosure("/media/programme.pdf", "application/pdf", 9_000)
OLDER = FeedUrls(*(f"https://coalition.example/news.3.{kind}" for kind in ("rss", "atom", "json")))


def faults(document: bytes) -> list[str]:
    """What the schema has against it, and the two rules that a schema can not say."""
    read = json.loads(document)
    found = [error.message for error in Draft202012Validator(FEED).iter_errors(read)]
    ids = [item.get("id") for item in read.get("items", [])]
    if len(ids) != len(set(ids)):
        found.append("two items have one id")
    if read.get("next_url") == read.get("feed_url"):
        found.append("next_url is feed_url")
    return found


def items_of(document: bytes) -> list[dict[str, Any]]:
    return list(json.loads(document)["items"])


def test_our_json_feed_keeps_the_rules_of_the_format() -> None:
    info = make_info(hubs=("https://hub.example/",), place=Place(previous=OLDER))
    entries = [*HOSTILE, make_entry(5, enclosure=PICTURE), make_entry(6, enclosure=PAPER)]
    assert faults(to_json(info, entries)) == []
    assert faults(to_json(make_info(description="", title="", author=""), [])) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version": "https://jsonfeed.org/version/1.1"', b'"version": "1.1"'),
        (b'"url": "https://coalition.example/c/1"', b'"url": "/c/1"'),
        (b'"date_published": "2027-02-02T09:00:00Z"', b'"date_published": "2 Feb 2027"'),
        (b'"id": "tag:coalition.example,2027-02-01:campaign-1"', b'"id": 1'),
        (b"2027-02-01:campaign-2", b"2027-02-01:campaign-1"),
        (b'"content_html"', b'"content"'),
        (b'"title": "Coalition news"', b'"title": ""'),
    ],
)  # fmt: skip
def test_the_rules_notice_what_they_are_for(old: bytes, new: bytes) -> None:
    document = to_json(make_info(), [make_entry(1), make_entry(2)])
    assert old in document
    assert faults(document.replace(old, new))


def test_an_item_says_everything_that_the_entry_says() -> None:
    (item,) = items_of(to_json(make_info(), [make_entry(language="ar", enclosure=PICTURE)]))
    assert item == {
        "id": "tag:coalition.example,2027-02-01:campaign-1",
        "url": "https://coalition.example/c/1",
        "title": "Campaign 1",
        "content_html": "<p>At length</p>",
        "summary": "In short",
        "image": "https://coalition.example/media/door.jpg",
        "date_published": "2027-02-02T09:00:00Z",
        "date_modified": "2027-02-02T09:00:00Z",
        "authors": [{"name": "Ann Author"}],
        "tags": ["news"],
        "language": "ar",
        "attachments": [
            {"url": PICTURE.url, "mime_type": "image/jpeg", "size_in_bytes": 48_213},
        ],
    }


def test_an_attachment_is_no_picture_and_gets_a_whole_address() -> None:
    (item,) = items_of(to_json(make_info(), [make_entry(enclosure=PAPER)]))
    assert "image" not in item
    assert item["attachments"][0]["url"] == "https://coalition.example/media/programme.pdf"


def test_an_item_without_text_says_its_summary_or_its_title() -> None:
    entries = [make_entry(1, content_html=""), make_entry(2, content_html="", summary="")]
    assert [item["content_text"] for item in items_of(to_json(make_info(), entries))] == ["Campaign 2", "In short"]


def test_titles_come_back_as_they_went_in() -> None:
    entries = [make_entry(number, title=title) for number, title in enumerate(TITLES, start=1)]
    assert [item["title"] for item in reversed(items_of(to_json(make_info(), entries)))] == list(TITLES.values())


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_text_gives_a_valid_feed(title: str, summary: str, content: str) -> None:
    entry = make_entry(title=title, summary=summary, content_html=content, author=title, tags=(summary,))
    document = to_json(make_info(title=summary, description=title, author=content), [entry])
    document.decode("utf-8")  # no lone surrogate
    assert faults(document) == []


def test_the_same_entries_give_the_same_bytes_in_whatever_order() -> None:
    entries = [make_entry(number, published=START) for number in range(5)]
    assert to_json(make_info(), entries) == to_json(make_info(), entries[::-1])


def test_what_the_other_formats_refuse_is_refused_here_too() -> None:
    with pytest.raises(FeedError, match="no tag URI"):
        to_json(make_info(), [make_entry(id="campaign-1")])
    with pytest.raises(FeedError, match="no length in bytes or no media type"):
        to_json(make_info(), [make_entry(enclosure=Enclosure("https://a.example/x", "picture", 1))])
