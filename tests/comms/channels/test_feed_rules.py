"""The W3C feed validator's rules that concern our feeds, as checks; they are first tried on its own test cases."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import etree, html
from test_feed import make_entry, make_info

from comms.channels.feed import to_atom, to_rss

DATA = Path(__file__).parents[4] / "shared" / "data" / "feeds"
ATOM = "{http://www.w3.org/2005/Atom}"
XML = "{http://www.w3.org/XML/1998/namespace}"
RFC822 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d:\d\d (GMT|[+-]\d{4})"
)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
CHANNEL = set(
    "title link description language copyright managingEditor webMaster pubDate lastBuildDate category generator "
    "docs cloud ttl image rating textInput skipHours skipDays item".split()
)
ITEM = set("title link description author category comments enclosure guid pubDate source".split())


def rss_messages(xml: bytes) -> set[str]:
    """The validator's names of what is wrong with an RSS 2.0 feed."""
    root = etree.fromstring(xml)
    channel = root.find("channel")
    if root.tag != "rss" or root.get("version") != "2.0" or channel is None:
        return {"MissingChannel"}
    found = {"MissingElement" for name in ("title", "link", "description") if channel.find(name) is None}
    if not [link for link in channel.findall(f"{ATOM}link") if link.get("rel") == "self"]:
        found.add("MissingSelf")
    found |= _core_elements(channel, CHANNEL)
    found |= {"InvalidFullLink" for link in channel.iter("link") if not _is_absolute(link.text)}
    found |= {"InvalidLanguage" for tag in channel.findall("language") if not LANGUAGE.fullmatch(tag.text or "")}
    guids = [guid.text for guid in channel.findall("item/guid")]
    if len(guids) != len(set(guids)):
        found.add("DuplicateValue")
    for item in channel.findall("item"):
        found |= _core_elements(item, ITEM)
        if item.find("title") is None and item.find("description") is None:
            found.add("ItemMustContainTitleOrDescription")
        guid = item.find("guid")
        if guid is None:
            found.add("MissingGuid")
        elif guid.get("isPermaLink", "true") == "true" and not (guid.text or "").startswith(("http:", "https:")):
            found.add("InvalidHttpGUID")
    for date in channel.iter("pubDate", "lastBuildDate"):
        if not RFC822.fullmatch(date.text or ""):
            found.add("ProblematicalRFC822Date")
    for text in channel.iter("description", "{http://purl.org/rss/1.0/modules/content/}encoded"):
        found |= _html_messages(text.text or "")
    return found


def atom_messages(xml: bytes) -> set[str]:
    """The validator's names of what is wrong with an Atom feed (RFC 4287 section 4)."""
    feed = etree.fromstring(xml)
    if feed.tag != f"{ATOM}feed":
        return {"UndefinedElement"}
    found: set[str] = set()
    for part in [feed, *feed.findall(f"{ATOM}entry")]:
        for name in ("id", "title", "updated"):
            if len(part.findall(f"{ATOM}{name}")) != 1:
                found.add("MissingElement")
        links = part.findall(f"{ATOM}link")
        kinds = [(link.get("rel", "alternate"), link.get("type"), link.get("hreflang")) for link in links]
        if len(kinds) != len(set(kinds)):
            found.add("DuplicateAtomLink")
        found |= {"InvalidFullLink" for link in links if not _is_absolute(link.get("href"))}
    if not [link for link in feed.findall(f"{ATOM}link") if link.get("rel") == "self"]:
        found.add("MissingSelf")
    entries = feed.findall(f"{ATOM}entry")
    if feed.find(f"{ATOM}author") is None and [entry for entry in entries if entry.find(f"{ATOM}author") is None]:
        found.add("MissingElement")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    if len(ids) != len(set(ids)):
        found.add("DuplicateEntries")
    updated = [entry.findtext(f"{ATOM}updated") for entry in entries]
    if len(updated) != len(set(updated)):
        found.add("DuplicateUpdated")
    for date in feed.iter(f"{ATOM}updated", f"{ATOM}published"):
        if not RFC3339.fullmatch(date.text or ""):
            found.add("InvalidRFC3339Date")
    for content in feed.iter(f"{ATOM}content"):
        if content.get("type") not in ("text", "html", "xhtml"):
            found.add("InvalidMIMEType")
        found |= _html_messages(content.text or "")
    found |= {"InvalidLanguage" for part in feed.iter() if not LANGUAGE.fullmatch(part.get(f"{XML}lang", "en"))}
    return found


def _core_elements(parent: etree._Element, known: set[str]) -> set[str]:
    names = [child.tag for child in parent if isinstance(child.tag, str) and not child.tag.startswith("{")]
    once = known - {"category", "item"}
    found = {"UndefinedElement" for name in names if name not in known}
    return found | {"DuplicateElement" for name in once if names.count(name) > 1}


def _html_messages(markup: str) -> set[str]:
    if not markup.strip():
        return set()
    found = set()
    for element in html.fragment_fromstring(markup, create_parent="div").iter():
        if element.tag in ("script", "style", "iframe", "object", "embed", "form"):
            found.add("SecurityRisk")
        for name, value in element.attrib.items():
            if name.startswith("on") or name == "style":
                found.add("SecurityRiskAttr")
            if name in ("href", "src") and urlsplit(value).scheme == "":
                found.add("ContainsRelRef")
    return found


def _is_absolute(url: str | None) -> bool:
    parts = urlsplit((url or "").strip())
    return parts.scheme in ("http", "https", "urn", "tag") and bool(parts.netloc or parts.path)


HOSTILE = [
    make_entry(1, title="<b>&]]>\x0b", summary="<script>x</script> & \ud800", url="/c/1"),
    make_entry(2, content_html="<p style='x' onclick='y'>a<a href='/b'>c</a><script>d</script><iframe src=e></iframe>"),
    make_entry(3, content_html="", language="ar", tags=("one", "two", "one", "")),
    make_entry(4, summary="", author="", title=""),
]


def test_our_rss_draws_no_message() -> None:
    assert rss_messages(to_rss(make_info(hubs=("https://hub.example/",)), HOSTILE)) == set()
    assert rss_messages(to_rss(make_info(description="", title="", author=""), [])) == set()


def test_our_atom_draws_no_message() -> None:
    assert atom_messages(to_atom(make_info(hubs=("https://hub.example/",)), HOSTILE)) == set()
    assert atom_messages(to_atom(make_info(description="", title="", author=""), [])) == set()


def test_every_date_says_the_moment_it_stands_for() -> None:
    feed = etree.fromstring(to_atom(make_info(), HOSTILE))
    said = [datetime.fromisoformat(entry.findtext(f"{ATOM}published") or "") for entry in feed.findall(f"{ATOM}entry")]
    assert said == [entry.published for entry in reversed(HOSTILE)]
    assert {moment.utcoffset() for moment in said} == {timedelta(0)}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"<guid isPermaLink=\"false\">", b"<guid>", "InvalidHttpGUID"),
        (b'rel="self"', b'rel="related"', "MissingSelf"),
        (b" +0000</pubDate>", b"</pubDate>", "ProblematicalRFC822Date"),
        (b"<language>en</language>", b"<language>unknown language</language>", "InvalidLanguage"),
        (b"<generator>", b"<gadget/><generator>", "UndefinedElement"),
    ],
)  # fmt: skip
def test_the_rss_checks_notice_what_they_are_for(old: bytes, new: bytes, message: str) -> None:
    xml = to_rss(make_info(), [make_entry(1), make_entry(2)])
    assert old in xml
    assert message in rss_messages(xml.replace(old, new))


ERRORS = {
    "MissingChannel", "MissingElement", "UndefinedElement", "DuplicateElement", "InvalidFullLink", "InvalidLanguage",
    "InvalidHttpGUID", "ItemMustContainTitleOrDescription", "DuplicateValue",
}  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fv_noself", {"MissingSelf"}),
        ("fv_not_in_a_namespace", {"UndefinedElement"}),
        ("fv_rss20_spec_sample_noerror", set()),
        ("fv_rss20_with_atom_elements", set()),
        # All its dates are valid, and most of them such as older readers stumble over.
        ("fv_everything", {"ProblematicalRFC822Date"}),
    ],
)
def test_the_checks_agree_with_the_validators_own_cases(name: str, expected: set[str]) -> None:
    path = DATA / f"{name}.xml"
    if not path.is_file():
        pytest.skip("the shared sample data is not here")
    found = rss_messages(path.read_bytes())
    assert expected <= found
    assert found & ERRORS == expected & ERRORS
