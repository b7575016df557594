"""Every example in docs/segments.md is true."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from audiences.membership import CURRENT_STATUSES
from audiences.segments import RuleError, explain, parse, segment_name
from audiences.segments.cursor import DEEPEST
from audiences.segments.lexer import LONGEST_RULE
from audiences.segments.regions import CENSUS_REGIONS
from audiences.segments.resolve import MOST_CONDITIONS, MOST_NAMES
from audiences.segments.tree import ConsentKind

PAGE = (Path(__file__).parents[3] / "docs" / "segments.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```segment\n([^`]*)```\n\n((?:>.*\n)+)", PAGE)
SPANS = [
    span
    for span in re.findall(r"`([^`\n]+)`", PAGE)
    if re.match(r"\[?[a-z]\w*\]? (?:[=!<>]+|is|in|not in|contains|starts with|ends with) ", span)
    or re.match(r"(?:clicked|opened)(?:\(| any)|no click|no open|sample |segment |has |everyone except", span)
]
REFUSED = ["name > M"]


def unquoted(quotation: str) -> str:
    """The text of a Markdown quotation; a line that is no bullet and starts small goes on with the one before."""
    return re.sub(r"\n(?! *- )", " ", re.sub(r"^> ?", "", quotation, flags=re.MULTILINE).strip("\n"))


@pytest.mark.parametrize(("rule", "words"), EXAMPLES, ids=[rule.strip() for rule, _ in EXAMPLES])
def test_the_page_shows_what_explain_says(rule: str, words: str) -> None:
    assert explain(parse(rule)) == unquoted(words)


def test_every_example_of_the_page_is_among_those_tested() -> None:
    assert len(EXAMPLES) == PAGE.count("```segment") >= 9


@pytest.mark.parametrize("rule", sorted({*SPANS} - {*REFUSED}))
def test_rules_in_tables_and_running_text_can_be_read(rule: str) -> None:
    assert parse(rule).source == rule


@pytest.mark.parametrize("rule", REFUSED)
def test_what_the_page_says_is_refused_is_refused(rule: str) -> None:
    assert rule in SPANS
    with pytest.raises(RuleError):
        parse(rule)


def test_the_precedence_the_page_states_is_the_one_in_force() -> None:
    assert parse("a = 1 or b = 2 and not c = 3").root == parse("a = 1 or (b = 2 and (not c = 3))").root


def test_the_limits_the_page_states_are_the_ones_in_force() -> None:
    assert f"{LONGEST_RULE:,} characters" in PAGE
    assert f"at most {DEEPEST} parentheses" in PAGE
    assert f"{MOST_CONDITIONS:,} conditions" in PAGE
    assert f"at most {MOST_NAMES} segments" in PAGE


def test_the_page_lists_the_census_regions_and_no_others() -> None:
    listed = PAGE[PAGE.index("**Regions.**") : PAGE.index("A workspace adds")]
    assert set(re.findall(r"`([a-z-]+)`", listed)) == set(CENSUS_REGIONS)


def test_the_page_names_the_statuses_of_a_current_membership() -> None:
    listed = PAGE[PAGE.index("**Memberships.**") : PAGE.index("whose `renewal`")]
    assert {segment_name(word).replace("-", "") for word in re.findall(r"`([^`]+)`", listed)} >= CURRENT_STATUSES


def test_the_page_names_every_kind_of_consent() -> None:
    assert all(f"`consent = {kind}`" in PAGE for kind in ConsentKind)


def test_the_example_for_programmers_runs() -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(code) == 1
    scope: dict[str, object] = {}
    exec(code[0], scope)
    assert date(2026, 2, 2).isoformat() in scope["condition"].parameters.values()
