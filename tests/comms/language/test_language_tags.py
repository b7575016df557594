"""Language tags: what browsers send can be anything, and gives an order or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.language.tags import accepted, beside, direction, locale_of, nearby


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("da, en-GB;q=0.8, en;q=0.7", ("da", "en-GB", "en")),  # RFC 9110 section 12.5.4
        ("en;q=0.7, es", ("es", "en")),
        ("fr;q=0, es;q=0.001", ("es",)),
        ("es ; q=0.5 ,\tfr", ("fr", "es")),
        ("es,fr", ("es", "fr")),
        ("*", ()),
        ("es;q=2, fr;level=1, de", ("de",)),
        (",,es,,", ("es",)),
        ("", ()),
        ("es, es;q=0", ("es",)),
        ("e" * 9, ()),
    ],
)
def test_what_a_browser_asks_for_is_ordered_by_its_weights(header: str, tags: tuple[str, ...]) -> None:
    assert accepted(header) == tags


@given(
    st.text() | st.lists(st.sampled_from(["es", "fr-CA", ";", "q=", "0.5", ",", " ", "*", "\x00", "é"])).map("".join)
)
def test_no_header_breaks_anything(header: str) -> None:
    found = accepted(header)
    assert len(found) <= 30
    for tag in found:
        assert locale_of(tag)
        assert direction(tag) in ("ltr", "rtl")


def test_a_header_without_end_costs_nothing() -> None:
    assert accepted("es;q=0.1," * 1_000_000) == ("es",)


@given(st.text(max_size=60))
def test_every_text_has_something_near_it_and_a_way_to_write_dates(text: str) -> None:
    near = list(nearby(text))
    assert near
    assert len(near) <= text.count("-") + text.count("_") + 1
    assert locale_of(text)


def test_lookup_goes_from_the_whole_tag_to_the_language() -> None:
    assert list(nearby("zh-Hant-TW")) == ["zh-hant-tw", "zh-hant", "zh"]
    assert list(nearby("en-x-pig")) == ["en-x-pig", "en"]


def test_words_in_another_language_say_which_and_in_which_direction() -> None:
    assert beside("en", "ar") == ' lang="en" dir="ltr"'
    assert beside("ar", "en") == ' lang="ar" dir="rtl"'
    assert beside("es", "es-MX") == ""
    assert beside("", "es") == ""
    assert beside('"><script>', "es").count("<") == 0
