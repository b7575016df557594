"""Whatever a feed's bytes are: items that can be shown come out, or one sentence that says why not."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.characters import faults
from campaigns.urls import image_fault, link_fault
from comms.errors import UsageError
from comms.reading.limits import MAX_ITEMS
from comms.reading.opml import read as read_opml
from comms.reading.parse import MAX_SUMMARY, MAX_TITLE, Item, NoFeedError, parse

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)


def items(body: bytes | str, content_type: str = "application/rss+xml") -> tuple[Item, ...]:
    raw = body.encode() if isinstance(body, str) else body
    return parse(raw, url="https://museum.org/blog/feed", content_type=content_type, now=NOW).items


def rss_item(inner: str) -> Item:
    (item,) = items(f"<rss version='2.0'><channel><title>News</title><item>{inner}</item></channel></rss>")
    return item


def test_real_feeds_are_read(data: Path) -> None:
    found = {}
    for file in sorted((data / "feeds").glob("*.xml")):
        feed = parse(file.read_bytes(), url="https://museum.org/", content_type="", now=NOW)
        found[file.stem] = len(feed.items)
        assert all(item.title for item in feed.items)
    assert found["caltech_library_rss"] == 5
    assert all(found.values())


def test_titles_and_summaries_are_plain_words_and_addresses_whole() -> None:
    item = rss_item(
        "<title>Maps &amp;amp; &lt;b&gt;globes&lt;/b&gt;</title><link>/maps</link>"
        "<description>&lt;p onclick='x()'&gt;Old &lt;i&gt;maps&lt;/i&gt;&lt;script&gt;alert(1)&lt;/script&gt;."
        "&lt;img src='/m.jpg'&gt;</description><pubDate>Mon, 25 Jan 2027 09:00:00 -0500</pubDate>"
    )
    assert (item.title, item.url) == ("Maps & globes", "https://museum.org/maps")
    assert item.summary.startswith("Old maps")
    assert "alert" not in item.summary
    assert item.image == "https://museum.org/m.jpg"
    assert item.published == datetime(2027, 1, 25, 14, tzinfo=UTC)


def test_plain_text_of_atom_keeps_its_signs() -> None:
    (item,) = items(
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>tag:a</id><title>AT&amp;T &lt;3</title>"
        "<link href='https://museum.org/1'/><summary>1 &lt; 2</summary></entry></feed>"
    )
    assert (item.title, item.summary) == ("AT&T <3", "1 < 2")


def test_what_is_long_is_cut_between_words() -> None:
    item = rss_item(f"<title>{'word ' * 250_000}</title><description>{'and so on ' * 100_000}</description>")
    assert len(item.title) <= MAX_TITLE
    assert len(item.summary) <= MAX_SUMMARY
    assert item.title.endswith("word…")


@pytest.mark.parametrize("date", ["Fri, 01 Jan 2100 00:00:00 GMT", "0001-01-01", "tomorrow", "99999999999999999999"])
def test_a_date_that_can_not_be_right_is_none(date: str) -> None:
    assert rss_item(f"<title>x</title><pubDate>{date}</pubDate>").published is None


def test_an_item_is_the_same_by_its_id_then_its_address_then_its_words() -> None:
    by_id = [rss_item(f"<guid>a</guid><title>{title}</title>") for title in ("One", "Two")]
    by_link = [rss_item(f"<link>https://museum.org/1</link><title>{title}</title>") for title in ("One", "Two")]
    by_words = [rss_item(f"<title>{title}</title>") for title in ("One", "Two", "One")]
    assert by_id[0].identity == by_id[1].identity
    assert by_link[0].identity == by_link[1].identity
    assert by_words[0].identity == by_words[2].identity != by_words[1].identity


def test_an_item_that_stands_twice_comes_once_as_it_stands_first() -> None:
    twice = "<item><guid>a</guid><title>New</title></item><item><guid>b</guid><title>Other</title></item>"
    found = items(f"<rss version='2.0'><channel>{twice}<item><guid>a</guid><title>Old</title></item></channel></rss>")
    assert sorted(item.title for item in found) == ["New", "Other"]


def test_no_more_items_are_taken_than_can_be_kept() -> None:
    many = "".join(f"<item><guid>{n}</guid><title>{n}</title></item>" for n in range(1_000))
    assert len(items(f"<rss version='2.0'><channel>{many}</channel></rss>")) == MAX_ITEMS


@pytest.mark.parametrize(
    "picture",
    [
        "<description>&lt;img src='https://stats.example/pixel.gif' width='1' height='1'&gt;</description>",
        "<description>&lt;img src='https://a.example/x.gif' width=1 height=1&gt;</description>",
        "<description>&lt;img src='javascript:x'&gt;</description>",
        "<description>&lt;img src='data:image/png;base64,xx'&gt;</description>",
        "<enclosure url='https://museum.org/talk.mp3' type='audio/mpeg' length='1'/>",
    ],
)
def test_counters_and_what_is_no_picture_are_not_taken_for_one(picture: str) -> None:
    assert rss_item(f"<title>x</title>{picture}").image == ""


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-8-sig"])
def test_encodings_that_are_declared_wrongly_are_read_all_the_same(encoding: str) -> None:
    declared = "utf-8" if encoding == "latin-1" else encoding.removesuffix("-sig")
    text = (
        f"<?xml version='1.0' encoding='{declared}'?><rss version='2.0'><channel><item><title>café</title></item>"
        "</channel></rss>"
    )
    (item,) = items(text.encode(encoding))
    assert item.title == "café"


def test_an_entity_bomb_stays_small_and_reads_no_file() -> None:
    lines = ["<!ENTITY a0 'ha'>", "<!ENTITY file SYSTEM 'file:///etc/passwd'>"]
    lines += [f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12)]
    body = f"<!DOCTYPE rss [{''.join(lines)}]><rss version='2.0'><channel><item><title>x &a11; &file;</title></item>"
    body += "</channel></rss>"
    for item in items(body):
        assert len(item.title) <= MAX_TITLE
        assert "root:" not in item.title


@pytest.mark.parametrize("body", ["", "no feed", "<html><body>A page</body></html>", "\x00" * 1_000, "{}"])
def test_what_is_no_feed_is_said_to_be_none(body: str) -> None:
    with pytest.raises(NoFeedError):
        items(body, "text/html")


def test_a_feed_that_takes_too_long_costs_no_more_than_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comms.reading.parse.WALL_S", 1.0)
    started = time.monotonic()
    with pytest.raises(NoFeedError, match="taken apart"):
        items("<rss version='2.0'><channel>" + "<a>" * 800_000)
    assert time.monotonic() - started < 10


texts = st.text(max_size=60) | st.sampled_from(
    ["{{ 7 * 7 }}", "{% raw %}", "]]>", "<![CDATA[", "&#x1F600;", "\u202eevil", "http://[", "//x/{{ a }}", "a\ud800"]
)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(texts, texts, texts, st.binary(max_size=40)), min_size=1, max_size=4), st.binary(max_size=60))
def test_hostile_feeds_give_items_that_a_campaign_can_hold(
    parts: list[tuple[str, str, str, bytes]], rest: bytes
) -> None:
    body = b"<rss version='2.0'><channel>"
    for title, link, words, raw in parts:
        text = f"<item><title>{escape(title)}</title><link>{escape(link)}</link><description>{words}</description>"
        body += text.encode("utf-8", "surrogatepass") + raw + b"</item>"
    try:
        found = items(body + rest)
    except NoFeedError:
        return
    for item in found:
        for text in (item.title, item.summary):
            assert not list(faults(text))
            assert "\n" not in text
        assert not item.url or (link_fault(item.url) is None and "{" not in item.url)
        assert not item.image or image_fault(item.image) is None


# --- lists of feeds -----------------------------------------------------------------------------


def test_a_list_of_feeds_is_read_with_lines(data: Path) -> None:
    named = read_opml((data / "feeds" / "glam_libraries.opml").read_bytes())
    assert len(named) == 34
    assert named[0].title == "Aaron Tay's Musings about Librarianship"
    assert (named[0].url, named[0].line) == ("https://aarontay.substack.com/feed", 8)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html/>",
        "<opml><body><outline xmlUrl='x'>",
        "<!DOCTYPE opml [<!ENTITY a 'b'>]><opml><body><outline xmlUrl='&a;'/></body></opml>",
        "<!DOCTYPE opml [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><opml><body>&f;</body></opml>",
        "<opml>" * 100_000,
    ],
)
def test_what_is_no_list_of_feeds_is_refused_in_one_sentence(body: str) -> None:
    with pytest.raises(UsageError):
        read_opml(body.encode())
