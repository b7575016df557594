"""From the text in the definition to the text that is posted."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.channels.expressions import ExpressionError
from comms.channels.social_text import social_text

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
