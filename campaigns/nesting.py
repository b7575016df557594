"""What may stand within what, and what may stand only once: the rules for a body as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.errors import Problem, shown
from campaigns.models import Block, Blocks, Columns, FeedItems, Locked, Poll, Slot, When, parts, walk

MOST_TOPICS = 50
"""Of the feeds of one body: which of them each member follows is asked when a mail is handed out."""


def layout_problems(blocks: Blocks) -> Iterator[Problem]:
    """What of the body does not go together, in the order of lines."""
    yield from _within(blocks, ())
    slots: set[str] = set()
    topics: set[str] = set()
    questions: set[str] = set()
    for block in walk(blocks):
        match block:
            case Slot(name=name, line=line):
                if name in slots:
                    yield _problem(line, f"there are two slots called `{shown(name)}`", "give one another name")
                slots.add(name)
            case FeedItems(topic=topic, line=line) if topic and topic not in topics:
                topics.add(topic)
                if len(topics) == MOST_TOPICS + 1:
                    hint = "make two digests, each of some of them"
                    yield _problem(line, f"feeds for more than {MOST_TOPICS} topics", hint)
            case Poll(question=question, line=line):
                if question.casefold() in questions:
                    yield _problem(line, "the same question is asked twice", "change or remove one of the polls")
                questions.add(question.casefold())
            case _:
                pass


def _within(blocks: Blocks, around: tuple[Block, ...]) -> Iterator[Problem]:
    for block in blocks:
        for outer in around:
            if refusal := _refusal(block, outer):
                yield _problem(block.line, *refusal)
                break
        deeper = (*around, block) if isinstance(block, Columns | Locked | Slot | When) else around
        for part in parts(block):
            yield from _within(part, deeper)


def _refusal(block: Block, outer: Block) -> tuple[str, str] | None:
    match outer, block:
        case Columns(), Columns():
            return "columns within a column", "columns can not be nested"
        case Slot(), Slot():
            return "a slot within a slot", "close the outer one before it"
        case Locked(), Slot():
            return "a slot within what is locked", "end the locked part before it"
        case Slot(), Locked():
            return "something locked within a slot, which may be replaced", "put it before or after the slot"
        case Slot(), FeedItems():
            return "a feed within a slot, which may be replaced", "put it before or after the slot"
        case When(), FeedItems(topic=topic) if topic:
            return "a feed with a `topic:` within a condition", "end the condition before it, or take `topic:` out"
        case Slot(), Poll():
            return "a poll within a slot, which may be replaced", "put it before or after the slot"
        case _:
            return None


def _problem(line: int, message: str, hint: str) -> Problem:
    return Problem(line, "body", message, hint)
