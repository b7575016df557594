"""RSS and Atom: what feedgen alone gets wrong, and that ours is right."""

from __future__ import annotations

import locale
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

import feedparser
import pytest
from feedgen.feed import FeedGenerator
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from comms.channels.feed import to_atom, to_rss
from comms.channels.feed_model import FeedEntry, FeedError, FeedInfo, FeedUrls

ATOM = "{http://www.w3.org/2005/Atom}"
DC = "{http://purl.org/dc/elements/1.1/}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
ROOT = Path(__file__).parents[3]
START = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)

Writer = Callable[[FeedInfo, Iterable[FeedEntry]], bytes]
both = pytest.mark.parametrize("write", [to_rss, to_atom])


def make_info(**changes: object) -> FeedInfo:
    info = FeedInfo(
        id="tag:coalition.example,2027:news",
        title="Coalition news",
        homepage="https://coalition.example/",
        self_urls=FeedUrls(*(f"https://coalition.example/news.{kind}" for kind in ("rss", "atom", "json"))),
        language="en",
        description="What the Coalition does",
        author="The Coalition",
    )
    return replace(info, **changes)  # type: ignore[arg-type]


def make_entry(number: int = 1, **changes: object) -> FeedEntry:
    when = START + timedelta(days=number)
    entry = FeedEntry(
        id=f"tag:coalition.example,2027-02-01:campaign-{number}",
        url=f"https://coalition.example/c/{number}",
        title=f"Campaign {number}",
        summary="In short",
        content_html="<p>At length</p>",
        published=when,
        updated=when,
        author="Ann Author",
        language="en",
        tags=("news",),
    )
    return replace(entry, **changes)  # type: ignore[arg-type]


def entries_of(xml: bytes) -> list[etree._Element]:
    root = etree.fromstring(xml)
    return root.findall(f"{ATOM}entry") or root.findall("channel/item")


def ids_of(xml: bytes) -> list[str]:
    return [entry.findtext("guid") or entry.findtext(f"{ATOM}id") or "" for entry in entries_of(xml)]


# --- feedgen's faults, one by one -------------------------------------------------------------


def test_feedgen_alone_loses_the_relation_of_an_entrys_link_and_ours_keeps_it() -> None:
    bare = FeedGenerator()
    bare.id("tag:a.example,2027:x")
    bare.title("t")
    item = bare.add_entry()
    item.id("tag:a.example,2027:y")
    item.title("t")
    item.link(href="https://a.example/", rel="alternate", type="text/html")
    assert dict(entries_of(bare.atom_str())[0].find(f"{ATOM}link").attrib) == {"href": "https://a.example/"}
    (entry,) = entries_of(to_atom(make_info(), [make_entry()]))
    links = [dict(link.attrib) for link in entry.findall(f"{ATOM}link")]
    assert links == [{"href": "https://coalition.example/c/1", "rel": "alternate", "type": "text/html"}]


def test_the_rss_channel_links_to_the_homepage_also_with_a_hub() -> None:
    bare = FeedGenerator()
    bare.title("t")
    bare.description("d")
    bare.link(href="https://a.example/", rel="alternate")
    bare.link(href="https://hub.example/", rel="hub")
    assert etree.fromstring(bare.rss_str()).findtext("channel/link") == "https://hub.example/"
    channel = etree.fromstring(to_rss(make_info(hubs=("https://hub.example/",)), []))[0]
    assert [link.text for link in channel.findall("link")] == ["https://coalition.example/"]
    assert [dict(link.attrib) for link in channel.findall(f"{ATOM}link")] == [
        {"href": "https://coalition.example/news.rss", "rel": "self", "type": "application/rss+xml"},
        {"href": "https://hub.example/", "rel": "hub"},
    ]


def test_the_atom_feed_names_homepage_itself_and_hub() -> None:
    feed = etree.fromstring(to_atom(make_info(hubs=("https://hub.example/",)), []))
    assert {(link.get("rel"), link.get("href")) for link in feed.findall(f"{ATOM}link")} == {
        ("alternate", "https://coalition.example/"),
        ("self", "https://coalition.example/news.atom"),
        ("hub", "https://hub.example/"),
    }


@both
def test_the_feeds_date_is_the_newest_change_and_not_now(write: Writer) -> None:
    edited = make_entry(1, updated=START + timedelta(days=40))
    root = etree.fromstring(write(make_info(), [edited, make_entry(2)]))
    said = root.findtext("channel/lastBuildDate") or root.findtext(f"{ATOM}updated") or ""
    when = datetime.fromisoformat(said) if write is to_atom else parsedate_to_datetime(said)
    assert when == START + timedelta(days=40)


@both
@pytest.mark.parametrize(("day", "moment"), [("2027", "2027-01-01"), ("2027-03", "2027-03-01"), ("2027-03-04",) * 2])
def test_a_feed_without_entries_is_dated_by_its_id(write: Writer, day: str, moment: str) -> None:
    root = etree.fromstring(write(make_info(id=f"tag:coalition.example,{day}:news"), []))
    said = root.findtext("channel/lastBuildDate") or root.findtext(f"{ATOM}updated") or ""
    when = datetime.fromisoformat(said) if write is to_atom else parsedate_to_datetime(said)
    assert when.date().isoformat() == moment


@both
def test_newest_first_whatever_the_order_given_and_ties_by_id(write: Writer) -> None:
    entries = [make_entry(number, published=START + timedelta(days=number // 2)) for number in range(1, 8)]
    random.Random(7).shuffle(entries)
    expected = sorted(range(1, 8), key=lambda number: (-(number // 2), number))
    assert ids_of(write(make_info(), entries)) == [
        f"tag:coalition.example,2027-02-01:campaign-{number}" for number in expected
    ]


@both
def test_two_entries_with_one_id_are_refused(write: Writer) -> None:
    with pytest.raises(FeedError, match="Two entries have the id tag:coalition"):
        write(make_info(), [make_entry(1), make_entry(2, id=make_entry(1).id)])


def test_rss_names_authors_without_an_address() -> None:
    bare = FeedGenerator()
    item = bare.add_entry()
    item.title("t")
    item.author({"name": "Ann Author"})
    assert b"Ann" not in etree.tostring(item.rss_entry())
    (entry,) = entries_of(to_rss(make_info(), [make_entry()]))
    assert entry.findtext(f"{DC}creator") == "Ann Author"
    assert entry.find("author") is None


def test_atom_content_is_typed_as_html() -> None:
    (entry,) = entries_of(to_atom(make_info(), [make_entry()]))
    content = entry.find(f"{ATOM}content")
    assert content is not None
    assert (content.get("type"), content.text) == ("html", "<p>At length</p>")


def test_rss_carries_full_content_beside_the_summary() -> None:
    (entry,) = entries_of(to_rss(make_info(), [make_entry(summary="Tom & <b>")]))
    assert entry.findtext(CONTENT) == "<p>At length</p>"
    assert entry.findtext("description") == "Tom &amp; &lt;b&gt;"


def test_rss_without_a_summary_describes_itself_by_the_first_words() -> None:
    long = make_entry(summary="", content_html=f"<p>Tom &amp; Ann</p><p>{'word ' * 100}</p>")
    (entry,) = entries_of(to_rss(make_info(), [long]))
    description = entry.findtext("description") or ""
    assert description.startswith("Tom &amp; Ann word word")
    assert description.endswith("word…")
    assert len(description) < 310
    assert entry.findtext(CONTENT)


@both
@pytest.mark.parametrize("bad", ["\x0b", "\x00", "\ufffe", "\uffff", "\ud800", "\x1b[31m", "\x80"])
def test_bad_characters_cost_no_entry(write: Writer, bad: str) -> None:
    fields = dict.fromkeys(("title", "summary", "content_html", "author", "language"), f"a{bad}b")
    entries = [make_entry(1, **fields, tags=(f"a{bad}b",)), make_entry(2)]
    info = make_info(**dict.fromkeys(("title", "description", "author", "language"), f"a{bad}b"))
    parsed = feedparser.parse(write(info, entries))
    assert not parsed.bozo
    assert len(parsed.entries) == 2
    assert parsed.entries[1].title.startswith("a")
    assert parsed.feed.title.endswith("b")


def test_feedgen_alone_is_killed_by_one_bad_title() -> None:
    item = FeedGenerator().add_entry()
    item.title("a\x0bb")
    with pytest.raises(ValueError, match="XML compatible"):
        item.rss_entry()


@both
def test_no_address_in_the_feed_is_relative(write: Writer) -> None:
    content = "<a href='/a'>a</a><img src='b.png' srcset='c.png 2x' alt=''>"
    xml = write(make_info(homepage="https://coalition.example/news/"), [make_entry(url="../c/1", content_html=content)])
    (entry,) = entries_of(xml)
    link = entry.find("link") if write is to_rss else entry.find(f"{ATOM}link")
    assert link is not None
    assert (link.text or link.get("href")) == "https://coalition.example/c/1"
    written = entry.findtext(CONTENT) or entry.findtext(f"{ATOM}content") or ""
    assert 'href="https://coalition.example/a"' in written
    assert 'src="https://coalition.example/news/b.png"' in written
    assert 'srcset="https://coalition.example/news/c.png 2x"' in written


@both
def test_the_content_is_sanitised(write: Writer) -> None:
    xml = write(make_info(), [make_entry(content_html="<p onclick='x'>a<script>alert(1)</script></p>")])
    (entry,) = entries_of(xml)
    assert (entry.findtext(CONTENT) or entry.findtext(f"{ATOM}content")) == "<p>a</p>"


def test_guids_are_no_addresses() -> None:
    (entry,) = entries_of(to_rss(make_info(), [make_entry()]))
    guid = entry.find("guid")
    assert guid is not None
    assert (guid.text, guid.get("isPermaLink")) == ("tag:coalition.example,2027-02-01:campaign-1", "false")


@both
def test_languages_are_said_where_they_hold(write: Writer) -> None:
    root = etree.fromstring(write(make_info(language="en"), [make_entry(1), make_entry(2, language="ar")]))
    assert root.get(LANG) == "en"
    assert [entry.get(LANG) for entry in entries_of(etree.tostring(root))] == ["ar", None]


@both
def test_the_generator_is_ours(write: Writer) -> None:
    xml = write(make_info(), [])
    assert b"<generator>comms</generator>" in xml
    assert b"feedgen" not in xml


def test_rss_titles_use_hexadecimal_references() -> None:
    xml = to_rss(make_info(title="A & B"), [make_entry(title="<b> & </b>")])
    assert b"<title>A &#x26; B</title>" in xml
    assert b"<title>&#x3C;b&#x3E; &#x26; &#x3C;/b&#x3E;</title>" in xml


# --- bytes ------------------------------------------------------------------------------------

SCRIPT = """
import sys
sys.path[:0] = [{tests!r}, {root!r}]
import locale, time
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
from test_feed import make_entry, make_info
from comms.channels.feed import to_atom, to_rss
entries = [make_entry(number) for number in range(1, 13)]
sys.stdout.buffer.write(to_rss(make_info(), entries) + to_atom(make_info(), entries))
"""


@pytest.mark.parametrize(
    "environment",
    [
        {"TZ": "Pacific/Kiritimati", "LC_ALL": "C"},
        {"TZ": "America/Los_Angeles", "LC_ALL": "de_DE.UTF-8", "PYTHONHASHSEED": "1"},
        {"TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "2"},
    ],
)
def test_the_bytes_are_the_same_in_another_place_and_language(environment: dict[str, str]) -> None:
    script = SCRIPT.format(tests=str(Path(__file__).parent), root=str(ROOT))
    elsewhere = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, env={**os.environ, **environment}, cwd=ROOT
    )
    assert elsewhere.returncode == 0, elsewhere.stderr.decode()
    entries = [make_entry(number) for number in range(1, 13)]
    assert elsewhere.stdout == to_rss(make_info(), entries) + to_atom(make_info(), entries)


@both
def test_the_locale_of_the_process_is_never_touched(write: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the locale was changed")

    monkeypatch.setattr(locale, "setlocale", refuse)
    write(make_info(), [make_entry()])


@both
def test_the_same_moment_in_another_zone_gives_the_same_bytes(write: Writer) -> None:
    here = START.astimezone(timezone(timedelta(hours=5, minutes=45)))
    one = write(make_info(), [make_entry(published=START, updated=START)])
    other = write(make_info(), [make_entry(published=here.replace(microsecond=7), updated=here)])
    assert one == other


@both
def test_an_edit_keeps_id_and_publication(write: Writer) -> None:
    before, after = make_entry(), make_entry(title="Corrected", updated=START + timedelta(days=9))
    old, new = (feedparser.parse(write(make_info(), [entry])).entries[0] for entry in (before, after))
    assert (old.id, old.published) == (new.id, new.published)
    assert old.title != new.title


# --- reading back -----------------------------------------------------------------------------

TITLES = {
    "control\x0bcharacter\x00s": "control characters",
    "lone \ud800 surrogate": "lone \ufffd surrogate",
    "closing ]]> cdata": "closing ]]> cdata",
    "emoji 👩‍👩‍👧 🇨🇦": "emoji 👩‍👩‍👧 🇨🇦",
    "שלום עולם — مرحبا": "שלום עולם — مرحبا",
    "&lt;b&gt; is how to write <b>": "&lt;b&gt; is how to write <b>",
    "<b>bold</b> & more": "<b>bold</b> & more",
    "AT&T; &amp; &#38;": "AT&T; &amp; &#38;",
    "e\u0301 कि ไทย": "e\u0301 कि ไทย",
    "  spaced \n out ": "spaced out",
}


@both
def test_feedparser_reads_back_what_went_in(write: Writer) -> None:
    entries = [make_entry(number, title=title) for number, title in enumerate(TITLES, start=1)]
    parsed = feedparser.parse(write(make_info(), entries))
    assert not parsed.bozo
    assert [entry.title for entry in reversed(parsed.entries)] == list(TITLES.values())
    first = parsed.entries[-1]
    assert first.link == "https://coalition.example/c/1"
    assert first.author == "Ann Author"
    assert [tag.term for tag in first.tags] == ["news"]
    assert first.content[0].value == "<p>At length</p>"
    assert datetime(*first.published_parsed[:6], tzinfo=UTC) == START + timedelta(days=1)


@both
@settings(max_examples=60)
@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_any_text_gives_a_well_formed_feed(write: Writer, title: str, summary: str, content: str) -> None:
    entry = make_entry(title=title, summary=summary, content_html=content, author=title, tags=(summary,))
    info = make_info(title=summary, description=title, author=content)
    assert len(entries_of(write(info, [entry]))) == 1


@both
def test_a_megabyte_in_every_field_is_written(write: Writer) -> None:
    big = "word & <p> " * 100_000
    assert len(entries_of(write(make_info(), [make_entry(title=big, summary=big, content_html=big, author=big)]))) == 1


# --- refusals ---------------------------------------------------------------------------------


@both
@pytest.mark.parametrize(
    "bad",
    ["", "campaign-1", "https://a.example/1", "tag:a.example:x", "tag:a.example,27:x", "tag:a.example,2027-13:x",
     "tag:,2027:x", "tag:a.example,2027:a b", "tag:a.example,2027:\x00", "urn:uuid:1", "tag:a.example,0000:x"],
)  # fmt: skip
def test_an_id_that_is_no_tag_uri_is_refused_by_name(write: Writer, bad: str) -> None:
    with pytest.raises(FeedError, match="no tag URI"):
        write(make_info(), [make_entry(id=bad)])
    with pytest.raises(FeedError, match="The id of the feed is no tag URI"):
        write(make_info(id=bad), [])


@both
@pytest.mark.parametrize("bad", ["", "/news", "ftp://a.example/", "javascript:alert(1)", "https://", "https://[bad"])
def test_addresses_of_the_feed_must_be_whole(write: Writer, bad: str) -> None:
    for change in ({"homepage": bad}, {"self_urls": FeedUrls(bad, bad, bad)}):
        with pytest.raises(FeedError, match="can not be used"):
            write(make_info(**change), [])


@both
def test_an_entry_without_a_web_address_is_refused_by_name(write: Writer) -> None:
    with pytest.raises(FeedError, match="campaign-1 can not be used"):
        write(make_info(), [make_entry(url="javascript:alert(1)")])


@both
@pytest.mark.parametrize("field", ["published", "updated"])
def test_a_time_without_zone_is_refused(write: Writer, field: str) -> None:
    with pytest.raises(FeedError, match="no time zone"):
        write(make_info(), [make_entry(**{field: datetime(2027, 2, 1)})])  # noqa: DTZ001
