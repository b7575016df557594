"""`::: feed` says whose items to show; once they are put in they stay with the campaign, as plain words."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns import definition
from campaigns.blocks import parse_body
from campaigns.gathering import feeds, gathered, identities, is_for_all, kept, restored, section_topics
from campaigns.models import FeedItem, FeedItems, Heading, Image, Link, Plain, Text, walk

HEAD = "---\ncampaign: news\ntitle: News\nlanguage: en\nfeed:\n---\n\n"


def block(text: str) -> FeedItems:
    blocks, problems = parse_body(text, first_line=1)
    assert problems == ()
    (found,) = blocks
    assert isinstance(found, FeedItems)
    return found


def problem(text: str) -> tuple[int, str]:
    _, problems = parse_body(text, first_line=1)
    (found,) = problems
    return found.line, found.message


def test_a_name_or_an_address_is_enough() -> None:
    assert block("::: feed museum-blog\n:::") == FeedItems("museum-blog", 1, 5, None, show=("title", "summary"))
    assert block("::: feed https://museum.org/feed?a=b_c&d=*e*\n:::").source == "https://museum.org/feed?a=b_c&d=*e*"


def test_how_many_how_old_and_what_of_them_can_be_said() -> None:
    found = block("::: feed museum-blog\ncount: 3\nsince: 7d\nshow: image, title\n:::")
    assert (found.count, found.days, found.show) == (3, 7, ("title", "image"))
    assert block("::: feed museum-blog\nsince: 14 days\n:::").days == 14
    assert block("::: feed museum-blog\nsince: last\n:::").unseen


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("::: feed\n:::", 1, "name or address of the feed is missing"),
        ("::: feed a\ncount: 0\n:::", 2, "`count:` is no number from 1 to 50"),
        ("::: feed a\ncount: ５\n:::", 2, "`count:` is no number"),
        ("::: feed a\ncount: 3\nsince: Monday\n:::", 3, "`since:` is no number"),
        ("::: feed a\nshow: titel\n:::", 2, "no `titel`"),
        ("::: feed a\ntopic: Jobs & more\n:::", 2, "can not be the name of a topic"),
        (f"::: feed a\ntopic: {'x' * 65}\n:::", 2, "can not be the name of a topic"),
        ("::: when state = WA\n::: feed a\ntopic: jobs\n:::\n:::", 2, "a feed with a `topic:` within a condition"),
        ("\n".join(f"::: feed a\ntopic: t{n}\n:::" for n in range(51)), 151, "more than 50 topics"),
        ("::: feed a\nurl: x\n:::", 2, "`url:` says nothing about the feed"),
        ("::: feed {{ member.city }}\n:::", 1, "an expression"),
        ("::: feed a\n\n![](a.png){decorative}\n:::", 1, "something other than headings, paragraphs and lists"),
        ("::: slot local\n::: feed a\n:::\n:::", 2, "a feed within a slot"),
    ],
)
def test_what_is_wrong_is_named_at_its_line(text: str, line: int, words: str) -> None:
    found = problem(text)
    assert found[0] == line
    assert words in found[1]


ITEM = FeedItem("Old maps", "https://museum.org/maps", "Eighty of them.", "https://museum.org/maps.jpg")


def test_an_item_is_a_heading_that_leads_to_it_and_what_else_is_asked_for() -> None:
    shown = FeedItems("a", 4, show=("title", "summary", "image"), items=(ITEM,)).blocks
    assert shown == (
        Heading(3, (Link(ITEM.url, (Plain("Old maps"),)),), 4),
        Image(ITEM.image, "", 4, url=ITEM.url, decorative=True),
        Text((Plain("Eighty of them."),), 4),
    )
    bare = FeedItems("a", 4, items=(FeedItem("Words alone", ""),)).blocks
    assert bare == (Heading(3, (Plain("Words alone"),), 4),)


def test_what_stands_within_is_shown_above_the_items_and_only_with_them() -> None:
    found = block("::: feed museum-blog\ntopic: museums\n\n## From the museum\n\nThe latest.\n:::")
    assert found.topic == "museums"
    assert [type(each) for each in found.opening] == [Heading, Text]
    assert found.blocks == ()
    assert list(walk((found,))) == [found, *found.opening], "checked all the same"
    assert replace(found, items=(ITEM,)).blocks[:3] == (
        *found.opening,
        Heading(3, (Link(ITEM.url, (Plain("Old maps"),)),), 1),
    )


def test_what_was_missed_stands_below_what_is_new_or_alone_below_the_heading() -> None:
    opening = (Heading(2, (Plain("Museum"),), 1),)
    both = FeedItems("a", 1, opening=opening, items=(ITEM,), missed=(replace(ITEM, title="Older"),))
    assert [len(both.blocks), len(both.more)] == [3, 2]
    alone = replace(both, items=())
    assert (alone.blocks, alone.more[0]) == ((), opening[0])


@pytest.mark.parametrize(
    ("feeds", "for_all", "topics"),
    [
        ((), True, ()),
        ((FeedItems("a", 1, topic="x", items=(ITEM,)),), True, ("x",)),
        ((FeedItems("a", 1, unseen=True),), True, ()),
        ((FeedItems("a", 1, topic="x", unseen=True),), False, ()),
        ((FeedItems("a", 1, topic="x", unseen=True, items=(ITEM,)), FeedItems("b", 1, unseen=True)), False, ("x",)),
        ((FeedItems("a", 1, topic="x", unseen=True), FeedItems("b", 1, unseen=True, items=(ITEM,))), True, ()),
        ((FeedItems("a", 1, topic="x", unseen=True, missed=(ITEM,)),), False, ("x",)),
    ],
)
def test_a_digest_by_topics_is_for_its_readers_alone_unless_something_is_new_for_all(
    feeds: tuple[FeedItems, ...], for_all: bool, topics: tuple[str, ...]
) -> None:
    assert (is_for_all(feeds), section_topics(feeds)) == (for_all, topics)


texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
four = st.lists(st.lists(st.builds(FeedItem, texts, texts, texts, texts, texts), max_size=3), min_size=4, max_size=4)


@settings(deadline=None)
@given(four, four)
def test_items_come_back_as_they_were_kept_wherever_their_block_stands(
    found: list[list[FeedItem]], missed: list[list[FeedItem]]
) -> None:
    body = (
        "::: feed a\n:::\n\n::: columns\n::: column\n::: feed b\n:::\n:::\n::: column\nWords.\n:::\n:::\n\n"
        "::: when state = WA\nWords.\n:::\n::: otherwise\n::: feed c\n:::\n:::\n\n::: locked\n::: feed d\n:::\n:::\n"
    )
    bare = definition.read(HEAD + body)
    items, more = iter(found), iter(missed)
    campaign = gathered(bare, lambda block: replace(block, items=tuple(next(items)), missed=tuple(next(more))))
    assert [list(each.items) for each in feeds(campaign)] == found
    assert identities(kept(campaign)) == {item.identity for each in found for item in each}
    assert restored(bare, kept(campaign)) == campaign
    assert sum(isinstance(each, Heading) for each in walk(campaign.blocks)) == sum(map(len, (*found, *missed)))


def test_a_campaign_without_feeds_keeps_nothing() -> None:
    bare = definition.read(f"{HEAD}Words.\n")
    assert kept(bare) == ""
    assert restored(bare, "") is bare
