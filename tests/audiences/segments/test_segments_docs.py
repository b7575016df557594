"""Every example in docs/segments.md is true."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from audiences.segments import RuleError, explain, parse
from audiences.segments.lexer import LONGEST_RULE
from audiences.segments.parser import DEEPEST

PAGE = (Path(__file__).parents[3] / "docs" / "segments.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```segment\n([^`]*)```\n\n((?:>.*\n)+)", PAGE)
SPANS = re.findall(r"`([a-z]\w* (?:[=!<>]+|is|in|not in|contains|starts with|ends with) [^`]+)`", PAGE)
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
    assert parse(rule).names()


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


def test_the_example_for_programmers_runs() -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(code) == 1
    scope: dict[str, object] = {}
    exec(code[0], scope)
    assert scope["condition"].parameters["segment_3"] == date(2026, 2, 2).isoformat()
