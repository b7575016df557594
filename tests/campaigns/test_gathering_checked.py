"""Items of feeds that another engine wrote down are what `kept` writes of this campaign, or refused."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from campaigns import definition, gathering
from campaigns.models import FeedItem, FeedItems

TEXT = """\
---
campaign: digest
title: A digest
language: en
newsletter:
  subject: News
---

::: feed blog
count: 2
:::

::: feed own
count: 1
topic: jobs
:::
"""
CAMPAIGN = definition.read(TEXT)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=20)
ADDRESSES = st.sampled_from(["", "https://c.example/a?b=1&c=%22", "http://c.example:8000/"])
ITEMS = st.builds(FeedItem, WORDS, ADDRESSES, WORDS, ADDRESSES, WORDS)


@given(st.lists(ITEMS, max_size=2), st.lists(ITEMS, max_size=1), st.lists(ITEMS, max_size=1))
def test_what_was_kept_is_shown_as_it_was(
    first: list[FeedItem], second: list[FeedItem], missed: list[FeedItem]
) -> None:
    shown = iter(((first, []), (second, missed)))

    def fill(block: FeedItems) -> FeedItems:
        items, more = next(shown)
        return replace(block, items=tuple(items), missed=tuple(more))

    full = gathering.gathered(CAMPAIGN, fill)
    assert gathering.checked(CAMPAIGN, gathering.kept(full)) == full


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["items", "missed", "title"]), inner),
    max_leaves=10,
)


@given(st.text(max_size=60) | JSON.map(json.dumps))
@example("")
@example("[" * 100_000)
@example("1" * 10_000)
@example('[[], {"items": [], "missed": 7}]')
@example('[[], {"items": []}]')
def test_anything_else_is_refused(text: str) -> None:
    try:
        found = gathering.checked(CAMPAIGN, text)
    except ValueError:
        return
    assert gathering.kept(found) == text


@pytest.mark.parametrize(
    "item",
    [
        FeedItem("x", "javascript:alert(1)"),
        FeedItem("x", "//c.example/"),
        FeedItem("x", "https://c.example/ onclick"),
        FeedItem("x", 'https://c.example/"'),
        FeedItem("x", "", image="data:image/png;base64,AA"),
        FeedItem("x\x1b[31m", ""),
        FeedItem("x", "", "\u202eyes"),
        FeedItem("x", "", "y" * 20_001),
    ],
)
def test_an_item_that_could_do_more_than_be_read_is_refused(item: FeedItem) -> None:
    full = gathering.gathered(CAMPAIGN, lambda block: replace(block, items=(item,)))
    with pytest.raises(ValueError):
        gathering.checked(CAMPAIGN, gathering.kept(full))
