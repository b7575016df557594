"""The database and Python give the same answer, for any rule and any members."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator, Sequence

import pytest
import sqlite_utils
from hypothesis import given, settings
from hypothesis import strategies as st
from segment_databases import TODAY, Person, fill, numbered, open_databases, selected
from segment_render import render
from segment_strategies import REGIONS, people_for, rule_text, trees

from audiences.segments import MOST_COLUMNS, Rule, RuleError, explain, matches, parse, resolve
from audiences.tallies import Tallies

styles = st.randoms(use_true_random=False)


@pytest.fixture(scope="module")
def databases() -> Iterator[list[sqlite_utils.Database]]:
    opened = list(open_databases())
    yield opened
    for database in opened:
        database.close()


def assert_agreement(databases: list[sqlite_utils.Database], rule: Rule, people: Sequence[Person]) -> None:
    people = numbered(people)
    expected = [number for number, one in enumerate(people) if matches(rule, one.member, TODAY, one.facts)]
    for database in databases:
        tallies = Tallies(database)
        names = sorted(rule.names())[:MOST_COLUMNS]
        tallied = bool(names) and len(names) == len(rule.names())
        if tallied:
            # Of whoever is in there yet: what follows has to bring the tally up to date.
            tallies.keep("tally", names)
        fill(database, people)
        assert selected(database, rule) == expected
        if tallied:
            # None when nobody was in there yet, or the rule asks for more than values.
            assert tallies.count("tally", names, rule, TODAY) in (len(expected), None)
            tallies.drop("tally")


@settings(deadline=None)
@given(data=st.data(), tree=trees, style=styles)
def test_sql_and_python_pick_the_same_members(
    databases: list[sqlite_utils.Database], data: st.DataObject, tree: object, style: random.Random
) -> None:
    rule = resolve(parse(render(tree, style)), rule_text, REGIONS)
    people = data.draw(st.lists(people_for(rule), min_size=1, max_size=6))
    assert_agreement(databases, rule, people)


@settings(deadline=None)
@given(tree=trees, style=styles)
def test_a_rule_written_in_any_style_is_read_back_as_the_same_tree(tree: object, style: random.Random) -> None:
    text = render(tree, style)
    rule = parse(text)
    assert rule.root == tree
    assert rule.source == text


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = render(draw(trees), draw(styles))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        length = draw(st.integers(0, 5))
        pieces = ["", "(", ")", '"', "'", "[", "not ", " and ", "today", ",", " 1", "\\", "<", "\0"]
        pieces += [" in ", " any ", " except ", "tag ", " segment big", "%"]
        piece = draw(st.sampled_from(pieces) | st.text(max_size=3))
        text = text[:at] + piece + text[at + length :]
    return text


@settings(deadline=None)
@given(data=st.data(), text=damaged())
def test_a_damaged_rule_is_refused_or_still_means_the_same_to_both(
    databases: list[sqlite_utils.Database], data: st.DataObject, text: str
) -> None:
    try:
        rule = parse(text)
        assert explain(rule, TODAY)
        rule = resolve(rule, rule_text, REGIONS)
    except RuleError as error:
        assert_friendly(error, text)
    else:
        assert explain(rule, TODAY)
        assert_agreement(databases, rule, data.draw(st.lists(people_for(rule), min_size=1, max_size=3)))


_scraps = st.sampled_from(
    "( ) and or not in is a = < , \" ' [ ] today + 30 days except topic tag consent none clicked opened any no click"
    " segment sample 10% region west membership current the last has contains".split()
)


@settings(deadline=None)
@given(st.text() | st.text(st.characters()) | st.lists(_scraps, max_size=12).map(" ".join))
def test_garbage_gives_a_rule_or_a_rule_error_and_nothing_else(text: str) -> None:
    try:
        rule = parse(text)
    except RuleError as error:
        assert_friendly(error, text)
    else:
        assert explain(rule)


def assert_friendly(error: RuleError, text: str) -> None:
    assert 1 <= error.column <= len(text) + 1
    assert len(str(error)) < 300
    assert not {"Cc", "Cs", "Zl", "Zp"} & set(map(unicodedata.category, str(error)))
    assert len(error.caret(text).split("\n")) == 2
