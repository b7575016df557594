"""LinkedIn's text format: every character is seen by readers, as the grammar of a server reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.channels.linkedin_text import is_same, linkedin_length, little_text, plain_text
from comms.channels.measures import measure
from tests.support.fake_linkedin import shown

NO_SURROGATES = st.text(st.characters(exclude_categories=["Cs"]))


@given(NO_SURROGATES | st.text("\\|{}@[]()<>#*_~ a1é\n"))
def test_readers_see_every_character_of_any_text_and_it_is_read_back_the_same(text: str) -> None:
    assert shown(little_text(text)) == text
    assert plain_text(little_text(text)) == text


@pytest.mark.parametrize(
    ("text", "little"),
    [
        ("Hello (world)", "Hello \\(world\\)"),
        ("#SmallArchives and #Ünïcode", "{hashtag|\\#|SmallArchives} and {hashtag|\\#|Ünïcode}"),
        ("#1 of C# and a#b", "\\#1 of C\\# and a\\#b"),
        ("#open_access", "\\#open\\_access"),
        ("@[Eddy](urn:li:person:1)", "\\@\\[Eddy\\]\\(urn:li:person:1\\)"),
        ("See https://example.org/a_b?c=(d)#Part now", "See https://example.org/a\\_b?c=\\(d\\)\\#Part now"),
        ("{hashtag|#|trick}", "\\{hashtag\\|\\#\\|trick\\}"),
    ],
)
def test_hashtags_are_hashtags_and_all_else_is_escaped(text: str, little: str) -> None:
    assert little_text(text) == little


def test_what_others_wrote_on_the_page_can_be_read() -> None:
    assert plain_text("Ask @[The Library](urn:li:organization:12) {hashtag|#|Archives}") == "Ask The Library #Archives"


def test_length_is_that_of_the_servers_strings() -> None:
    assert [linkedin_length(text) for text in ("abc", "é", "😀", "👨‍👩‍👧", "\ud800")] == [3, 1, 2, 8, 1]
    rules = measure("linkedin")
    assert rules.takes("a" * 3_000)
    assert not rules.takes("a" * 3_001)
    assert not rules.takes("😀" * 1_501)


def test_a_post_is_known_again_with_other_spaces_and_shortened_addresses() -> None:
    written = "Read this:  https://example.org/a/long/address?utm_source=linkedin\n\n#Archives"
    assert is_same(written, "Read this: https://lnkd.in/gYDpC24R #Archives")
    assert not is_same(written, "Read this: https://lnkd.in/gYDpC24R #Libraries")
    assert not is_same(written, "Read this: https://example.org/another #Archives")
    assert not is_same(written, "Read this:")
    assert not is_same("Read this", "Read this https://lnkd.in/gYDpC24R")
