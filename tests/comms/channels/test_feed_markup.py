"""Text, addresses and HTML from elsewhere."""

from __future__ import annotations

import time
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from comms.channels.markup import absolute_url, clean_line, clean_text, plain_text, sanitise

BASE = "https://example.org/news/"


class Outline(HTMLParser):
    """All start tags with their attributes, as another parser than ours sees them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("<script>alert(1)</script>a", "a"),
        ("<p onclick=alert(1)>a</p>", "<p>a</p>"),
        ("<p style='position:fixed'>a</p>", "<p>a</p>"),
        ("<a href='javascript:alert(1)'>a</a>", "<a>a</a>"),
        ("<a href='&#106;ava\nscript:alert(1)'>a</a>", "<a>a</a>"),
        ("<a href='\x01 java\tscript:alert(1)'>a</a>", "<a>a</a>"),
        ("<a href='data:text/html,x'>a</a>", "<a>a</a>"),
        ("<a href='vbscript:x'>a</a>", "<a>a</a>"),
        ("<img src=x onerror=alert(1)>", '<img src="https://example.org/news/x">'),
        ("<iframe src=//evil.example></iframe>a", "a"),
        ("<form action=/x><input name=a><b>b</b></form>a", "a"),
        ("<style>p{}</style><svg><a xlink:href='javascript:x'>s</a></svg>a", "a"),
        ("<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>a", "a"),
        ("<object data=x></object><embed src=x><base href='https://evil.example/'>a", "a"),
        ("<!-- <p> --><?php x ?><p>a</p>", "<p>a</p>"),
        ("<section><p>a</section>b", "<p>a</p>b"),
        ("</div></body></html>a", "a"),
        ("a < b &amp; c > d", "a &lt; b &amp; c &gt; d"),
        ("", ""),
        ("\x00\x0b", ""),
        ("<!-- only -->", ""),
    ],
)
def test_only_what_is_on_the_list_stays(hostile: str, harmless: str) -> None:
    assert sanitise(hostile, BASE) == harmless


@pytest.mark.parametrize(
    ("written", "absolute"),
    [
        ("<a href='../a b?q=ü#x'>a</a>", '<a href="https://example.org/a%20b?q=%C3%BC#x">a</a>'),
        ("<a href='//cdn.example/x'>a</a>", '<a href="https://cdn.example/x">a</a>'),
        ("<a href='mailto:a@example.org'>a</a>", '<a href="mailto:a@example.org">a</a>'),
        ("<a href='tel:+1-555-0100'>a</a>", '<a href="tel:+1-555-0100">a</a>'),
        (
            "<img alt='' srcset='a.png, b.png 2x,\n https://x.example/c.png 3x , javascript:x 4x, d.png bad'>",
            '<img alt="" srcset="https://example.org/news/a.png, https://example.org/news/b.png 2x, '
            'https://x.example/c.png 3x">',
        ),
        ("<a href='https://[bad'>a</a><a href='https://x:port/'>b</a>", "<a>a</a><a>b</a>"),
    ],
)
def test_every_address_becomes_absolute(written: str, absolute: str) -> None:
    assert sanitise(written, BASE) == absolute


@given(st.text() | st.text(st.sampled_from("<>/'\"=&; abimgscriptonhrefjav:\n\x00\ud800")))
def test_another_parser_finds_nothing_harmful_in_the_result(markup: str) -> None:
    result = sanitise(markup, BASE)
    for tag, attributes in Outline(result).tags:
        assert tag not in {"script", "style", "iframe", "form", "svg", "math"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in ("href", "src"):
            if value := attributes.get(name):
                assert urlsplit(value).scheme in {"http", "https", "mailto", "tel"}
    assert sanitise(result, BASE) == result


@pytest.mark.parametrize("piece", ["<b>", "<ul><li>", "<p>", "&", "<", "<a href='", "a ", "]]>", "<img srcset='a,'>"])
def test_a_megabyte_of_anything_is_survived(piece: str) -> None:
    started = time.monotonic()
    sanitise(piece * (1_000_000 // len(piece)), BASE)
    assert time.monotonic() - started < 20


def test_text_after_deep_nesting_is_kept() -> None:
    assert "kept" in sanitise("<b>" * 1000 + "deep" + "</b>" * 1000 + "<p>kept</p>", BASE)


def test_a_long_srcset_takes_no_time() -> None:
    started = time.monotonic()
    sanitise(f"<img srcset='{'a ' * 200_000}'>", BASE)
    sanitise(f"<img srcset='{', a.png 1x' * 20_000}'>", BASE)
    assert time.monotonic() - started < 5


@given(st.text(st.characters()))
def test_clean_text_always_fits_into_xml(text: str) -> None:
    element = etree.Element("a")
    element.text = clean_text(text)
    back = etree.fromstring(etree.tostring(element, encoding="UTF-8")).text or ""
    assert back == clean_text(text)


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\x0bb", "a b"),
        ("a\x00b\x1fc\x9fd", "abcd"),
        ("a\ufffeb\uffffc", "abc"),
        ("\ud83d\ude00", "😀"),
        ("\ud83d!", "\ufffd!"),
        ("  a \n\t b ", "a b"),
        ("שלום ]]> &lt;", "שלום ]]> &lt;"),
    ],
)
def test_lines_are_cleaned_and_never_lost(raw: str, clean: str) -> None:
    assert clean_line(raw) == clean


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://bücher.example/ä", "https://xn--bcher-kva.example/%C3%A4"),
        ("HTTPS://Example.ORG", "https://example.org/"),
        ("/c/1", "https://example.org/c/1"),
        ("", "https://example.org/news/"),
        ("https://example.org/%zz[1]", "https://example.org/%zz%5B1%5D"),
        ("mailto:a@example.org", None),
        ("https:///", "https://example.org/"),
        ("https://exa mple.org/", "https://exa%20mple.org/"),
        ("https://a\u2100b.example/", None),
    ],
)
def test_addresses_become_absolute_uris_or_nothing(text: str, url: str | None) -> None:
    assert absolute_url(text, BASE) == url


@given(st.text())
def test_an_absolute_address_is_ascii_and_stays_as_it_is(text: str) -> None:
    url = absolute_url(text, BASE)
    if url is not None:
        assert url.isascii()
        assert not set(url) & set(' <>"{}|\\^`')
        assert absolute_url(url, "https://other.example/") == url


def test_plain_text_keeps_the_words() -> None:
    assert plain_text('<p title="a &gt; b">Tom &amp; <b>Ann</b> &lt;3</p>') == "Tom & Ann <3"
