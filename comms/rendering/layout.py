"""A body's blocks as templates place them: rows of a page, stories, and one block shown apart from the rest.

It takes and gives the data that `body.py` makes, which also says what each kind of block holds:

    sections   the rows of the page: runs of `{"kind": "flow", "blocks"}`, and `{"kind": "columns", "columns"}` by
               themselves. In them a run of headings, text and lists is one block more, `prose` with its `blocks`:
               what is set together costs a mail far fewer bytes
    title      spans of the heading of level 1 with which the body begins; empty when it begins otherwise
    opening    the sections between the title and the first story
    stories    `{"kind": "story", "title", "image", "sections", "lead"}`: a heading of level 2 and what follows it.
               `image` is the picture right below the heading, or None; `lead` says that it is the first of all
    contents   `{"kind": "title", "spans"}` of each story; empty when there are fewer than four
    first      the first `event`, `poll` and `button` that stand for everybody, or None
    without    the sections without the title, and without that `event`, `poll` or `button`; `title`: only without it

A condition on what fills a row comes as `{"kind": "mark", "mark"}` before, between and after what it shows, in
`sections`, `stories` and `contents`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

Data = dict[str, Any]

FEWEST_CONTENTS = 4
"""Stories from which on a reader is helped by a list of them."""
_PROSE = frozenset({"heading", "text", "list"})
_APART = ("event", "poll", "button")


def arranged(blocks: Sequence[Data]) -> Data:
    """Everything above, by name, for the blocks of one body."""
    title, rest = _titled(blocks)
    first = {kind: next((block for block in rest if block["kind"] == kind), None) for kind in _APART}
    start = next((at for at, block in enumerate(rest) if _tells_story(block)), len(rest))
    stories = _with_lead(list(_stories(rest[start:])))
    return {
        "sections": list(_sections(blocks)),
        "title": title,
        "opening": list(_sections(rest[:start])),
        "stories": stories,
        "contents": _contents(stories),
        "first": first,
        "without": {"title": list(_sections(rest))}
        | {kind: list(_sections(block for block in rest if block is not first[kind])) for kind in _APART},
    }


def _titled(blocks: Sequence[Data]) -> tuple[list[Data], Sequence[Data]]:
    if blocks and blocks[0]["kind"] == "heading" and blocks[0]["level"] == 1:
        return blocks[0]["spans"], blocks[1:]
    return [], blocks


def _stories(blocks: Sequence[Data]) -> Iterator[Data]:
    story: list[Data] = []
    for block in blocks:
        if _tells_story(block):
            yield from _story(story)
            story = []
        if block["kind"] == "when" and _tells_story(block):
            yield {"kind": "mark", "mark": block["test"]}
            yield from _stories(block["blocks"])
            yield {"kind": "mark", "mark": block["otherwise_mark"]}
            yield from _stories(block["otherwise"])
            yield {"kind": "mark", "mark": block["end"]}
        else:
            story.append(block)
    yield from _story(story)


def _story(blocks: Sequence[Data]) -> Iterator[Data]:
    """One story, or none when there are no blocks."""
    if not blocks:
        return
    title, rest = (blocks[0]["spans"], blocks[1:]) if _tells_story(blocks[0]) else ([], blocks)
    image = rest[0] if title and rest and rest[0]["kind"] == "image" else None
    sections = list(_sections(rest[1:] if image else rest))
    yield {"kind": "story", "title": title, "image": image, "sections": sections, "lead": False}


def _tells_story(block: Data) -> bool:
    """Does a story begin with the block, or within the condition that it is."""
    if block["kind"] == "when":
        return any(map(_tells_story, (*block["blocks"], *block["otherwise"])))
    return bool(block["kind"] == "heading" and block["level"] == 2)


def _with_lead(stories: list[Data]) -> list[Data]:
    """The stories, the first of which leads unless only some readers see it."""
    if stories and stories[0]["kind"] == "story":
        return [stories[0] | {"lead": True}, *stories[1:]]
    return stories


def _contents(stories: Sequence[Data]) -> list[Data]:
    lines = [
        story if story["kind"] == "mark" else {"kind": "title", "spans": story["title"]}
        for story in stories
        if story["kind"] == "mark" or story["title"]
    ]
    return lines if sum(line["kind"] == "title" for line in lines) >= FEWEST_CONTENTS else []


def _sections(blocks: Iterable[Data]) -> Iterator[Data]:
    for is_wide, run in groupby(blocks, _is_wide):
        if not is_wide:
            yield {"kind": "flow", "blocks": _with_prose(run)}
            continue
        for block in run:
            if block["kind"] == "columns":
                yield {"kind": "columns", "columns": [_with_prose(column) for column in block["columns"]]}
            else:
                yield {"kind": "mark", "mark": block["test"]}
                yield from _sections(block["blocks"])
                yield {"kind": "mark", "mark": block["otherwise_mark"]}
                yield from _sections(block["otherwise"])
                yield {"kind": "mark", "mark": block["end"]}


def _is_wide(block: Data) -> bool:
    """Does the block stand beside no other: columns, and conditions that show some."""
    if block["kind"] == "when":
        return any(map(_is_wide, (*block["blocks"], *block["otherwise"])))
    return bool(block["kind"] == "columns")


def _with_prose(blocks: Iterable[Data]) -> list[Data]:
    grouped: list[Data] = []
    for is_prose, run in groupby(blocks, lambda block: block["kind"] in _PROSE):
        group = list(run)
        grouped += [{"kind": "prose", "blocks": group}] if is_prose else map(_inside, group)
    return grouped


def _inside(block: Data) -> Data:
    if block["kind"] != "when":
        return block
    return block | {"blocks": _with_prose(block["blocks"]), "otherwise": _with_prose(block["otherwise"])}
