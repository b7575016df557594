"""Where Bluesky finds links, mentions and hashtags, and how it counts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.channels.bluesky_text import bluesky_length, facets

_PIECES = st.sampled_from(
    [
        *("https://example.org/a?b=1#c", "http://é.example/ü", "https://", "@library.bsky.social", "@a", "@"),
        *("#Tag", "#Büche", "#12", "＃東京", "#", " ", "\n", "(", ")", ".", ",", "é", "👨\u200d👩\u200d👧", "故", "x"),
    ]
)


@settings(deadline=None)
@given(st.lists(_PIECES | st.text(max_size=5).filter(lambda t: t.isprintable()), max_size=30).map("".join))
def test_the_bytes_of_a_facet_are_its_text_and_none_lies_in_another(text: str) -> None:
    data, position = text.encode(), 0
    for facet in facets(text):
        assert position <= facet.start < facet.end <= len(data)
        position = facet.end
        stretch = data[facet.start : facet.end].decode()
        if facet.kind == "link":
            assert stretch == facet.value
        elif facet.kind == "mention":
            assert stretch.lower() == f"@{facet.value}"
        else:
            assert stretch[1:] == facet.value
            assert stretch[0] in "#＃"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://example.org/a.", [("link", "https://example.org/a")]),
        ("(https://example.org/a)", [("link", "https://example.org/a")]),
        ("https://example.org/a_(b)", [("link", "https://example.org/a_(b)")]),
        ("Hi @Library.test!", [("mention", "library.test")]),
        ("mail a@b.org", []),
        ("#One #2nd #3 #", [("tag", "One"), ("tag", "2nd")]),
        ("https://example.org/#part", [("link", "https://example.org/#part")]),
        ("é #Bücher, 👍 #故", [("tag", "Bücher"), ("tag", "故")]),
        (f"#{'x' * 65}", []),
    ],
)
def test_what_people_write_is_recognised(text: str, found: list[tuple[str, str]]) -> None:
    assert [(facet.kind, facet.value) for facet in facets(text)] == found


@pytest.mark.parametrize(
    ("text", "length"),
    [("", 0), ("abc", 3), ("é" * 300, 300), ("e\u0301", 1), ("👨‍👩‍👧‍👦" * 120, 300), ("👍🏽", 1), ("故" * 300, 300)],
)
def test_characters_are_counted_or_a_tenth_of_the_bytes(text: str, length: int) -> None:
    assert bluesky_length(text) == length


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=200))
def test_a_longer_text_never_counts_less_than_its_bytes_allow(one: str, other: str) -> None:
    both = one + other
    assert bluesky_length(both) <= bluesky_length(one) + bluesky_length(other)
    assert bluesky_length(both) * 10 >= len(both.encode("utf-8", "surrogatepass"))
