"""How Mastodon counts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.channels.mastodon_length import mastodon_length


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("plain", 5),
        ("👨‍👩‍👧 e\u0301", 3),
        ("https://example.org/" + "x" * 200, 23),
        ("https://a.de", 23),
        ("read https://example.org/a?b=c.", 29),
        ("example.org counts as written", 29),
        ("@bob@example.social hi", 7),
        ("@bob hi", 7),
        ("mail bob@example.org", 20),
    ],
)
def test_lengths_are_those_of_mastodon(text: str, length: int) -> None:
    assert mastodon_length(text, per_url=23) == length


def test_an_instance_says_what_an_address_counts() -> None:
    assert mastodon_length("https://example.org/long", per_url=25) == 25


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_characters="@.", exclude_categories=["Cs"]), max_size=100))
def test_text_without_addresses_counts_no_more_than_its_code_points(text: str) -> None:
    assert mastodon_length(text, per_url=23) <= len(text)
