"""Containers with facts of their own become events, people, polls and so on, or problems on the right line."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.blocks import parse_body
from campaigns.containers import DETAILS, NAMES
from campaigns.models import (
    Block,
    Columns,
    Emphasis,
    Event,
    Locked,
    Person,
    Plain,
    Poll,
    Quote,
    Slot,
    Statistic,
    Text,
    When,
)

EVENT = "::: event Summer school\nstart: 2027-06-14 09:00\ntimezone: America/Los_Angeles\n"


def _one(markdown: str) -> Block:
    blocks, problems = parse_body(markdown, first_line=1)
    assert problems == ()
    (block,) = blocks
    return block


def _text(words: str, line: int) -> Text:
    return Text((Plain(words),), line)


# --- what they become ---------------------------------------------------------------------------


def test_an_event_has_its_facts_and_its_words() -> None:
    block = _one(
        f"{EVENT}end: 2027-06-16 16:00\nPlace: Lakeland, 12 Shore Road: the old mill\n"
        "link: https://e.org/a_b_c?x={{ campaign.id }}\n\nThree *days*.\n:::"
    )

    assert block == Event(
        "Summer school",
        datetime.fromisoformat("2027-06-14 09:00"),
        "America/Los_Angeles",
        (Text((Plain("Three "), Emphasis((Plain("days"),)), Plain(".")), 8),),
        1,
        datetime.fromisoformat("2027-06-16 16:00"),
        "Lakeland, 12 Shore Road: the old mill",
        "https://e.org/a_b_c?x={{ campaign.id }}",
    )


def test_a_person_needs_no_more_than_a_name() -> None:
    assert _one("::: person Ana Ruiz\n:::") == Person("Ana Ruiz", (), 1)
    assert _one("::: person Ana\nphoto: a.jpg\nrole: Head\nlink: mailto:a@b.org\n:::") == Person(
        "Ana", (), 1, "Head", "a.jpg", "mailto:a@b.org"
    )


def test_a_number_is_told_with_what_it_counts() -> None:
    label = (Plain("objects, "), Emphasis((Plain("all"),)))
    assert _one("::: statistic 1.2 million\nobjects, *all*\n:::") == Statistic("1.2 million", label, 1)


def test_a_quotation_has_somebody_who_said_it() -> None:
    assert _one("::: quote Ana, of Lakeland\nSo it is.\n:::") == Quote((_text("So it is.", 2),), 1, "Ana, of Lakeland")


def test_a_poll_is_a_question_and_a_list() -> None:
    assert _one("::: poll Which *day*?\n- Monday\n- Tuesday \\<3\n:::") == Poll(
        "Which *day*?", ("Monday", "Tuesday <3"), 1
    )


def test_a_condition_has_another_side_only_where_it_is_told() -> None:
    assert _one("::: when state in (WA, OR)\nA\n:::") == When("state in (WA, OR)", (_text("A", 2),), 1)
    assert _one("::: when a = b\nA\n:::\n\n\n::: otherwise\nB\n:::") == When(
        "a = b", (_text("A", 2),), 1, (_text("B", 7),)
    )


def test_the_other_side_belongs_to_the_nearest_condition() -> None:
    block = _one("::: when a = b\n::: when c = d\nA\n:::\n::: otherwise\nB\n:::\n:::\n::: otherwise\nC\n:::")

    inner = When("c = d", (_text("A", 3),), 2, (_text("B", 6),))
    assert block == When("a = b", (inner,), 1, (_text("C", 10),))


def test_a_slot_has_a_name_and_words_for_the_association() -> None:
    assert _one('::: slot local-news "Your news: two lines"\nDefault\n:::') == Slot(
        "local-news", "Your news: two lines", (_text("Default", 2),), 1
    )
    assert _one("::: slot logo\n:::") == Slot("logo", "", (), 1)


def test_locked_parts_hold_everything_but_slots() -> None:
    block = _one("::: locked\n::: columns\n::: column\na\n:::\n::: column\nb\n:::\n:::\n:::")

    assert isinstance(block, Locked)
    assert isinstance(block.blocks[0], Columns)


def test_what_is_within_a_carried_expression_moves_no_line() -> None:
    blocks, problems = parse_body("{{ member.a or\n'b' }}\n\n::: event\nstart: 1\ntimezone: UTC\n:::", first_line=10)

    assert [problem.line for problem in problems] == [13, 14]
    assert len(blocks) == 1


# --- what is wrong with them --------------------------------------------------------------------

WRONG = [
    ("::: event\nstart: 2027-06-14 09:00\ntimezone: UTC\n:::", 1, "the title of the event is missing"),
    ("::: event A\ntimezone: UTC\n:::", 1, "has no `start:`"),
    ("::: event A\nstart: 2027-06-14 09:00\n:::", 1, "has no `timezone:`"),
    ("::: event A\n\nstart: 2027-06-14 09:00\ntimezone: UTC\n:::", 1, "directly below"),
    ("::: event A\nstart: 2027-06-14\ntimezone: UTC\n:::", 2, "no time of day"),
    ("::: event A\nstart: 2027-02-30 10:00\ntimezone: UTC\n:::", 2, "in the calendar"),
    ("::: event A\nstart: 2027-06-14 09:00+02:00\ntimezone: UTC\n:::", 2, "an offset of its own"),
    ("::: event A\nstart: 2027-06-14 09:00\ntimezone: Pacific\n:::", 3, "no time zone"),
    (f"{EVENT}end: 2027-06-14 08:59\n:::", 4, "ends before it starts"),
    (f"{EVENT}begin: x\n:::", 4, "there are: start, end"),
    (f"{EVENT}satrt: x\n:::", 4, "did you mean `start`?"),
    (f"{EVENT}start: 2027-06-14 09:00\n:::", 4, "twice"),
    (f"{EVENT}place:\n:::", 4, "no value"),
    (f"{EVENT}place: {{{{ member.city }}}}\n:::", 4, "an expression in the place"),
    (f"{EVENT}link: example.org\n:::", 4, "not a whole address"),
    (f"{EVENT}link: javascript:alert(1)\n:::", 4, "not allowed"),
    (f"{EVENT}link: {{{{ member.site }}}}\n:::", 4, "can not be a whole address"),
    (f"{EVENT}\n# Heading\n:::", 1, "other than paragraphs and lists in the event"),
    ("::: person\n:::", 1, "the name of the person is missing"),
    ("::: person " + "x" * 301 + "\n:::", 1, "too long"),
    ("::: person {{ member.x }}\n:::", 1, "an expression in the name of the person"),
    ("::: person A\nphoto: ../secret.jpg\n:::", 2, "not a file of the media folder"),
    ("::: person A\nphoto: data:image/png;base64,xx\n:::", 2, "can not come from"),
    ("::: statistic\nx\n:::", 1, "the number is missing"),
    ("::: statistic " + "9" * 41 + "\nx\n:::", 1, "is too long"),
    ("::: statistic 9\n:::", 1, "what the number counts is not said"),
    ("::: statistic 9\na\n\nb\n:::", 1, "in one paragraph"),
    ("::: quote\nx\n:::", 1, "the name of who said it is missing"),
    ("::: quote Ana\n:::", 1, "the quotation has no words"),
    ("::: quote Ana\n![a](b.jpg)\n:::", 1, "other than paragraphs"),
    ("::: poll\n- a\n- b\n:::", 1, "the question is missing"),
    ("::: poll Q?\na or b\n:::", 1, "no list of answers"),
    ("::: poll Q?\n1. a\n2. b\n:::", 1, "no list of answers"),
    ("::: poll Q?\n- a\n:::", 1, "2 to 8 answers"),
    ("::: poll Q?\n" + "".join(f"- {n}\n" for n in range(9)) + ":::", 1, "2 to 8 answers"),
    ("::: poll Q?\n- a\n- A\n:::", 1, "the same"),
    ("::: poll Q?\n- a\n- [b](https://e.org)\n:::", 1, "more than words"),
    ("::: poll Q?\n- a\n- {{ member.b }}\n:::", 1, "more than words"),
    ("::: poll Q?\n- a\n- " + "b" * 301 + "\n:::", 1, "too long"),
    ("::: poll Q?\n- a\n- b\n:::\n\n::: poll q?\n- a\n- c\n:::", 6, "asked twice"),
    ("::: when\nx\n:::", 1, "the condition is empty"),
    ("::: when {{ member.x }}\nx\n:::", 1, "an expression in the condition"),
    ("::: when " + "x" * 10_001 + "\nx\n:::", 1, "too long"),
    ("::: when a = b\n:::", 1, "there is nothing in"),
    ("::: when a = b\nx\n::: otherwise\ny\n:::", 1, "`::: when` is not closed"),
    ("x\n\n::: otherwise\ny\n:::", 3, "without a `::: when`"),
    ("::: when a = b\nx\n:::\n\nbetween\n\n::: otherwise\ny\n:::", 7, "without a `::: when`"),
    ("::: when a = b\nx\n:::\n::: otherwise\ny\n:::\n::: otherwise\nz\n:::", 7, "without a `::: when`"),
    ("::: when a = b\nx\n:::\n::: otherwise c = d\ny\n:::", 4, "nothing after the name"),
    ("::: slot\nx\n:::", 1, "no name that can be used"),
    ("::: slot Local News\nx\n:::", 1, "no name that can be used"),
    ('::: slot a "b\nx\n:::', 1, "no name that can be used"),
    ("::: slot a\nx\n:::\n::: slot a\ny\n:::", 4, "two slots called `a`"),
    ("::: slot a\n::: slot b\nx\n:::\n:::", 2, "a slot within a slot"),
    ("::: slot a\n::: locked\nx\n:::\n:::", 2, "locked within a slot"),
    ("::: slot a\n::: poll Q?\n- a\n- b\n:::\n:::", 2, "a poll within a slot"),
    ("::: locked\n::: when a = b\n::: slot c\nx\n:::\n:::\n:::", 3, "a slot within what is locked"),
    ("::: locked all\nx\n:::", 1, "nothing after the name"),
    ("::: locked\n:::", 1, "there is nothing in"),
    ("::: statistic 5\n::: columns\n", 1, "`::: statistic` is not closed"),
    ("::: event A\nstart: 2027-06-14 09:00\ntimezone: UTC\n", 1, "`::: event` is not closed"),
    ("- a\n\n  ::: poll Q?\n  - a\n  - b\n  :::", 3, "outside lists and quotes"),
]


@pytest.mark.parametrize(("markdown", "line", "words"), WRONG, ids=[repr(row[2]) for row in WRONG])
def test_what_is_wrong_is_named_with_its_line(markdown: str, line: int, words: str) -> None:
    _, problems = parse_body(markdown, first_line=1)

    assert any(problem.line == line and words in f"{problem.message} ({problem.hint})" for problem in problems), (
        problems
    )
    assert all(problem.hint for problem in problems)


_details = st.sampled_from([name for names in DETAILS.values() for name in names])
_lines = st.one_of(
    st.sampled_from(NAMES).flatmap(lambda name: st.text(max_size=12).map(lambda rest: f"::: {name} {rest}")),
    st.sampled_from([f"::: {name}" for name in NAMES]),
    st.builds(lambda name, value: f"{name}: {value}", _details, st.text(max_size=12)),
    st.sampled_from([":::", ":::", "", "- a", "- {{ member.a }}", "> q", "![a](b.jpg)", "# H", "text", "{{", ":::: x"]),
    st.text(max_size=20),
)


@given(st.lists(_lines, max_size=25))
def test_whatever_lines_stand_together_there_are_blocks_or_problems_within_the_text(lines: list[str]) -> None:
    markdown = "\n".join(lines).replace("\r", " ").replace("\0", " ")
    rows = markdown.count("\n") + 1

    blocks, problems = parse_body(markdown, first_line=1)

    assert all(1 <= problem.line <= rows for problem in problems)
    assert all(1 <= block.line <= rows for block in blocks)
    assert (blocks, problems) == parse_body(markdown, first_line=1)


@pytest.mark.parametrize(
    "markdown",
    [
        "::: when a\n" * 60,
        "::: when a = b\nx\n:::\n::: otherwise\n" * 400,
        f"{EVENT}{'place: x' * 10}\n" * 300,
        "::: event\n" + "start: 1\n" * 9000,
    ],
)
def test_hostile_heaps_of_containers_are_refused_without_a_crash(markdown: str) -> None:
    _, problems = parse_body(markdown, first_line=1)

    assert problems
