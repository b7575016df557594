"""From the text in the definition to the text that is posted."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.channels.expressions import ExpressionError
from comms.channels.measures import measure
from comms.channels.social_text import derived, hashtag, links_with_utm, social_text, thread, with_utm

URL = "https://example.org/c/1?a=b&c=d"


@pytest.mark.parametrize(
    ("text", "posted"),
    [
        ("Read {{ url }} #Libraries", f"Read {URL} #Libraries"),
        ("No link at all\n", "No link at all\n"),
        ("{{ campaign.title }} by {{ association.name }}", "Tom & <Jerry> by {{ 7 }}"),
        ("{% if campaign.title %}yes{% endif %}", "yes"),
        ('it\'s "quoted" & <b>', 'it\'s "quoted" & <b>'),
    ],
)
def test_only_the_expressions_are_replaced(text: str, posted: str) -> None:
    values = {"campaign": {"title": "Tom & <Jerry>"}, "association": {"name": "{{ 7 }}"}}
    assert social_text("x", text, URL, values=values) == posted


@pytest.mark.parametrize(
    "text",
    [
        "{{ member.first_name }}",
        "{{ member.first_name or 'you' }}",
        "{{ links.unsubscribe }}",
        "{{ campaign.absent }}",
        "{{ nobody }}",
        "{{ url",
        "{% for c in url %}{{ c }}{% endfor %}",
        "{{ 'x' * 1000000000 }}",
        "{{ url.__class__.__mro__ }}",
        "{{ url|attr('__class__') }}",
        "{{ self }}",
        "{{ lipsum.__globals__ }}",
        "{{ '{0.__class__}'.format(url) }}",
        "{% set a = 1 %}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    ],
)
def test_everything_else_is_refused_under_the_name_of_its_key(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"^social\.mastodon: "):
        social_text("mastodon", text, URL, values={"campaign": {}, "member": {"first_name": "Ann"}})


@given(st.text())
def test_no_text_raises_anything_else(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        social_text("x", text, URL)


@given(st.text().filter(lambda text: not set(text) & set("{}\r")))
def test_text_without_braces_is_posted_as_it_is(text: str) -> None:
    assert social_text("x", text, URL) == text


@given(
    st.sampled_from(["x", "mastodon", "bluesky", "linkedin"]),
    st.text(st.characters(exclude_categories=["C", "Z"]) | st.just(" "), min_size=1, max_size=400).filter(str.strip),
    st.text(st.characters(exclude_categories=["C"]), max_size=600),
    st.lists(st.text(max_size=20), max_size=5),
)
@settings(deadline=None, max_examples=60)
def test_a_derived_text_fits_and_keeps_the_address(network: str, title: str, summary: str, tags: list[str]) -> None:
    rules = measure(network)
    text = derived(title, summary, URL, tags, rules)
    assert rules.takes(text)
    assert f"\n\n{URL}" in text


def test_a_derived_text_is_cut_at_a_word_and_ends_with_hashtags() -> None:
    rules = measure("bluesky")
    short = derived("A title", "A summary.", URL, ["small archives", "IIIF", "2027"], rules)
    assert short == f"A title\n\nA summary.\n\n{URL}\n\n#SmallArchives #IIIF"
    long = derived("A title", "word, " * 200, URL, ["small archives"], rules)
    assert f"word, word…\n\n{URL}" in long
    assert rules.count(long) <= 300


@pytest.mark.parametrize(
    ("words", "tag"),
    [("small archives", "#SmallArchives"), ("open-access", "#OpenAccess"), ("IIIF", "#IIIF"), ("2027", ""), ("!", "")],
)
def test_hashtags_are_written_so_that_they_can_be_read_aloud(words: str, tag: str) -> None:
    assert hashtag(words) == tag


def test_parts_of_a_thread_end_at_lines() -> None:
    assert thread("one") == ("one",)
    assert thread("one\n---\ntwo\n\n--- \n\n---\nthree\n") == ("one", "two", "three")
    assert thread("not --- here") == ("not --- here",)


def test_parameters_of_statistics_are_added_and_never_replaced() -> None:
    made = with_utm("https://example.org/a?utm_source=mine&b=%20#part", "x", "news")
    assert made == "https://example.org/a?utm_source=mine&b=%20&utm_medium=social&utm_campaign=news#part"


def test_only_links_to_our_own_sites_are_marked() -> None:
    text = "https://news.example.org/a, https://elsewhere.example/b and news.example.org"
    made = links_with_utm(text, "x", "n", {"news.example.org"})
    utm = "?utm_source=x&utm_medium=social&utm_campaign=n"
    assert made == f"https://news.example.org/a{utm}, https://elsewhere.example/b and news.example.org"
