"""Rows, stories and what stands apart: every block comes out once, in the place that templates expect."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rendering_samples import MEDIA

from campaigns.blocks import parse_body
from comms.rendering.body import BodyData
from comms.rendering.layout import FEWEST_CONTENTS, arranged

PIECES = {
    "words": "Some words.",
    "story": "## A story",
    "image": "![A door](door.jpg)",
    "button": "::: button https://e.org/\nGo\n:::",
    "event": "::: event Day\nstart: 2027-06-14 09:00\ntimezone: UTC\n:::",
    "poll": "::: poll Which?\n- a\n- b\n:::",
    "columns": "::: columns\n::: column\nLeft\n:::\n::: column\nRight\n:::\n:::",
    "for some": "::: when state = WA\n## Their story\n\nWords.\n:::\n::: otherwise\nOther words.\n:::",
    "words for some": "::: when state = WA\nWords.\n:::",
}


def layout(*pieces: str) -> dict[str, Any]:
    blocks, problems = parse_body("\n\n".join(PIECES.get(piece, piece) for piece in pieces), first_line=1)
    assert problems == ()
    return arranged(BodyData(lambda source, line: source, MEDIA, blocks=blocks).blocks(blocks))


def kinds(sections: list[dict[str, Any]]) -> list[str]:
    return [block["kind"] for section in sections for block in section.get("blocks", ())]


def titles(found: list[dict[str, Any]]) -> list[str]:
    return ["".join(span["text"] for span in story["title"]) for story in found if story["kind"] == "story"]


def test_a_story_is_a_second_heading_and_what_follows_it() -> None:
    found = layout("# News", "words", "## One", "image", "words", "## Two", "image", "button")

    assert [span["text"] for span in found["title"]] == ["News"]
    assert kinds(found["opening"]) == ["prose"]
    assert titles(found["stories"]) == ["One", "Two"]
    assert [story["lead"] for story in found["stories"]] == [True, False]
    assert [story["image"]["alt"] for story in found["stories"]] == ["A door", "A door"]
    assert [kinds(story["sections"]) for story in found["stories"]] == [["prose"], ["button"]]


def test_a_picture_further_down_stays_where_it_is() -> None:
    [story] = layout("story", "words", "image")["stories"]
    assert story["image"] is None
    assert kinds(story["sections"]) == ["prose", "image"]


def test_a_body_without_stories_is_all_opening() -> None:
    found = layout("words", "image")
    assert (found["title"], found["stories"], kinds(found["opening"])) == ([], [], ["prose", "image"])


def test_a_story_for_some_readers_stands_between_marks_and_never_leads() -> None:
    stories = layout("for some", "story")["stories"]
    assert [story["kind"] for story in stories] == ["mark", "story", "mark", "story", "mark", "story"]
    assert not any(story.get("lead") for story in stories)
    assert titles(stories) == ["Their story", "", "A story"]


def test_contents_are_listed_from_four_stories_on() -> None:
    few, enough = (layout(*["story"] * number)["contents"] for number in (FEWEST_CONTENTS - 1, FEWEST_CONTENTS))
    assert few == []
    assert [line["kind"] for line in enough] == ["title"] * FEWEST_CONTENTS


def test_contents_tell_of_a_story_only_those_who_get_it() -> None:
    contents = layout("story", "story", "story", "for some")["contents"]
    assert [line["kind"] for line in contents] == ["title"] * 3 + ["mark", "title", "mark", "mark"]


def test_what_stands_apart_is_missing_once_from_the_rest() -> None:
    found = layout("# News", "button", "event", "words", "event", "button")
    assert found["first"]["event"]["title"] == "Day"
    assert found["first"]["poll"] is None
    assert kinds(found["without"]["event"]) == ["button", "prose", "event", "button"]
    assert kinds(found["without"]["button"]) == ["event", "prose", "event", "button"]
    assert kinds(found["without"]["poll"]) == kinds(found["without"]["title"])


def test_what_only_some_readers_see_does_not_stand_apart() -> None:
    found = layout("::: when state = WA\n::: button https://e.org/\nGo\n:::\n:::")
    assert found["first"]["button"] is None


def written(value: Any) -> list[str]:
    """The kinds of all blocks in it, prose opened, titles as the headings that they were."""
    if isinstance(value, list):
        return [kind for part in value for kind in written(part)]
    match value.get("kind"):
        case "mark":
            return ["mark"]
        case "prose" | "flow":
            return written(value["blocks"])
        case "columns":
            return ["columns"]
        case "story":
            head = (["heading"] if value["title"] else []) + (["image"] if value["image"] else [])
            return head + written(value["sections"])
        case "when":
            inner = (written(value["blocks"]), written(value["otherwise"]))
            return ["mark", *inner[0], "mark", *inner[1], "mark"]
        case kind:
            return [kind]


@given(st.lists(st.sampled_from(sorted(PIECES)), max_size=8).filter(lambda pieces: pieces.count("poll") < 2))
def test_no_block_is_lost_or_shown_twice(pieces: list[str]) -> None:
    found = layout(*pieces)
    assert written(found["opening"]) + written(found["stories"]) == written(found["sections"])
