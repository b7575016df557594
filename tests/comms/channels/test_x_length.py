"""Counting as X does, against the cases that twitter-text publishes (conformance/validate.yml, Apache-2.0)."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.channels.x_length import weighted_length

KANA = "あいうえおかきくけこ"
LONG = "somesuperlongurl" * 180
SCOTLAND_LIKE = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        pytest.param("Hi http://test.co", 26, id="text and address"),
        pytest.param("http://test.co", 23, id="address alone"),
        pytest.param("285 chars-" + "xxxxxxxxxx-" * 25, 285, id="long text"),
        pytest.param("285 chars- http://www.twitter.com/jack " + "xxxxxxxxxx-" * 24, 299, id="address inside"),
        pytest.param("xxxxxxxxxx-" * 24 + " http://www.twitter.com/jack ", 289, id="address at the end"),
        pytest.param("https://www.twitter.com/aloha " * 10, 240, id="ten addresses"),
        pytest.param("故" * 160, 320, id="Chinese"),
        pytest.param("the" + "故" * 160, 323, id="mixed scripts"),
        pytest.param("😷" * 160, 320, id="emoji"),
        pytest.param("282 chars-" + "xxxxxxxxxx-" * 24 + "xxxxxA\u0301x", 281, id="normalised"),
        pytest.param("A\u0301B", 2, id="one character after normalising"),
        pytest.param("A\u05e9\u05bc\u05c1", 4, id="three characters after normalising"),
        pytest.param("H🐱☺👨‍👩‍👧‍👦", 7, id="joined family"),
        pytest.param("😷👾😡🔥💩", 10, id="five emoji"),
        pytest.param("🙋🏽👨‍🎤", 4, id="skin tone and profession"),
        pytest.param("👨‍👩‍👧‍👦" * 140, 280, id="140 families"),
        pytest.param(f"Unicode 10.0 emoji: 🤪; 🧕; 🧕🏾; {SCOTLAND_LIKE}", 34, id="flag of a region"),
        pytest.param("Unicode 9.0 emoji: 🤠; 💃; 💃🏾", 29, id="Unicode 9"),
        pytest.param("1\u20e3 #\ufe0f\u20e3 🇨🇦", 8, id="keycaps and a country"),
        pytest.param("\u00a9 \u00a9\ufe0f", 4, id="copyright as text and as emoji"),
        pytest.param("\u2000\u2001\u200a\u200b ‐ – — ‖ ‘ ’ “ ” ′ ″ ‷", 26, id="punctuation"),
        pytest.param(f"Long and short: https://{LONG}.com/foo https://validurl.com", None, id="label too long"),
        pytest.param("randomurl" * 6 + "randomurls.com", 68, id="64 characters in a label"),
        pytest.param(KANA * 12 + " http://" + KANA * 5 + "あいう.com", 358, id="punycode too long"),
        pytest.param(KANA * 12 + " http://" + KANA * 5 + "あい.com", 264, id="punycode just fits"),
        pytest.param("ABC\u202a\uffffABC\ufffe", 12, id="directional marks"),
        pytest.param("\u2066\u202ahttp://foobar.پاکستان/\u202c\u2069", 31, id="address between marks"),
        pytest.param("Test https://test.com test https://test.com test.com test", 86, id="without scheme"),
    ],
)
def test_the_published_cases_count_as_published(text: str, length: int | None) -> None:
    if length is None:
        length = len("Long and short: https://") + len(LONG) + len(".com/foo ") + 23
    assert weighted_length(text) == length


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("(https://example.org/a_(b))", "()"),
        ("See https://example.org/a.", "See ."),
        ("https://example.org/?q=a&b=c#d, then", ", then"),
        ("https://example.org:8080/x!", "!"),
        ("„https://example.org/“", "„“"),
        ("HTTPS://EXAMPLE.ORG/X", ""),
        ("見てhttps://example.org", "見て"),
        ("https://xn--bcher-kva.example/ü", ""),
    ],
)
def test_an_address_ends_where_the_sentence_goes_on(text: str, rest: str) -> None:
    assert weighted_length(text) == 23 + weighted_length(rest)


@pytest.mark.parametrize(
    "text",
    ["a@example.org", "node.js", "e.g. this", "3.14", "http://localhost/x", "end.Then", "#example.org", "v1.2.3"],
)
def test_what_only_looks_like_an_address_counts_as_text(text: str) -> None:
    assert weighted_length(text) == len(text)


@given(st.text())
def test_counting_never_fails_and_does_not_depend_on_composition(text: str) -> None:
    assert weighted_length(text) == weighted_length(unicodedata.normalize("NFD", text))


@given(st.text(st.characters(codec="ascii", exclude_characters=".:")))
def test_plain_ascii_counts_one_each(text: str) -> None:
    assert weighted_length(text) == len(text)


@pytest.mark.parametrize(
    "piece",
    ["a", "a.", "https://", "https://a.b/(", "a.co/)", "1\u20e3", "\u200d", "😀\u200d", "\U0001f3f4", "http://a."],
)
def test_a_megabyte_is_counted_without_delay(piece: str) -> None:
    started = time.monotonic()
    weighted_length(piece * (1_000_000 // len(piece)))
    assert time.monotonic() - started < 5
