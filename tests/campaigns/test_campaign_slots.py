"""Associations' texts go into slots, and into nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import definition
from campaigns.models import Campaign, Expression, Locked, Plain, Slot, Text, parts, walk
from campaigns.slots import MAX_CHARACTERS, filled, slots

FILE = """\
---
campaign: a
title: A
language: en
feed:
---

# Same for all

::: columns
::: column
::: slot local "Your news"
Default *words*.
:::
:::
::: column
::: locked
Same for all.
:::
:::
:::

::: when state = WA
West
:::
::: otherwise
::: slot other
:::
:::
"""
CAMPAIGN = definition.read(FILE)


def _filled(**texts: str) -> Campaign:
    campaign = filled(CAMPAIGN, {name.replace("_", "-"): text for name, text in texts.items()})
    assert isinstance(campaign, Campaign), campaign
    return campaign


def _slot(campaign: Campaign, name: str) -> Slot:
    return next(slot for slot in slots(campaign) if slot.name == name)


def test_slots_are_found_wherever_they_stand() -> None:
    assert [(slot.name, slot.purpose) for slot in slots(CAMPAIGN)] == [("local", "Your news"), ("other", "")]


def test_nothing_to_fill_in_changes_nothing() -> None:
    assert _filled() == CAMPAIGN


def test_a_text_takes_the_place_of_the_default_and_can_be_replaced_again() -> None:
    event = "::: event Open day\nstart: 2027-05-01 10:00\ntimezone: UTC\n:::"
    once = _filled(local="Hello {{ member.first_name or 'you' }}\n\n" + event)
    again = filled(once, {"local": "Bye"})

    assert _slot(once, "local").blocks[0] == Text(
        (Plain("Hello "), Expression("{{ member.first_name or 'you' }}", 1)), 1
    )
    assert isinstance(again, Campaign)
    assert _slot(again, "local").blocks == (Text((Plain("Bye"),), 1),)
    assert _slot(again, "other") == _slot(CAMPAIGN, "other")


def test_a_blank_text_empties_a_slot() -> None:
    assert _slot(_filled(local=" \r\n "), "local").blocks == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a\n\n::: when state = WA\nb\n:::", 3, "`::: when`"),
        ("::: slot deeper\nb\n:::", 1, "`::: slot`"),
        ("::: locked\nb\n:::", 1, "`::: locked`"),
        ("::: poll Q?\n- a\n- b\n:::", 1, "`::: poll`"),
        ("::: columns\n::: column\na\n:::\n::: column\nb\n:::\n:::", 1, "`::: columns`"),
        ("a\n<script>alert(1)</script>", 2, "looks like HTML"),
        ("a\r\n[x](javascript:alert(1))", 2, "not allowed"),
        ("{% for x in y %}", 1, "statement"),
        ("{{ member.__class__ }}", 1, "not a name of a value"),
        ("a\n\x00b", 2, "can not be printed"),
        ("a\n\u202eb", 2, "direction mark"),
        ("a\n\ud800", 2, "can not be printed"),
        ("x" * (MAX_CHARACTERS + 1), 1, "too long"),
    ],
)
def test_what_a_slot_can_not_hold_is_a_problem_at_its_line_of_the_text(text: str, line: int, words: str) -> None:
    problems = filled(CAMPAIGN, {"local": text, "other": "Fine"})

    assert isinstance(problems, tuple)
    assert {problem.field for problem in problems} == {"slot local"}
    assert any(problem.line == line and words in problem.message for problem in problems), problems


def test_a_slot_that_is_not_there_is_named_with_those_that_are() -> None:
    (problem,) = filled(CAMPAIGN, {"locla": "x"})  # type: ignore[misc]
    assert "no slot `locla`" in problem.message
    assert "`local`" in problem.hint
    (problem,) = filled(replace(CAMPAIGN, blocks=()), {"x": "y"})  # type: ignore[misc]
    assert problem.hint == "there is none"


@given(st.dictionaries(st.sampled_from(["local", "other"]), st.text(max_size=80)))
def test_no_text_changes_anything_outside_its_slot(texts: dict[str, str]) -> None:
    campaign = filled(CAMPAIGN, texts)

    if isinstance(campaign, Campaign):
        assert _outside(campaign) == _outside(CAMPAIGN)
        assert replace(campaign, blocks=()) == replace(CAMPAIGN, blocks=())
        assert [block for block in walk(campaign.blocks) if isinstance(block, Locked)] == [
            block for block in walk(CAMPAIGN.blocks) if isinstance(block, Locked)
        ]
    else:
        assert campaign


def _outside(campaign: Campaign) -> list[str]:
    """Every block but those in slots, by kind and line."""

    def found(blocks: tuple[object, ...]) -> list[str]:
        names = []
        for block in blocks:
            names.append(f"{type(block).__name__} {block.line}")  # type: ignore[attr-defined]
            if not isinstance(block, Slot):
                names += [name for part in parts(block) for name in found(part)]  # type: ignore[arg-type]
        return names

    return found(campaign.blocks)
