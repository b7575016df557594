"""A rule in plain English says all that the rule does, negations and missing values included."""

from __future__ import annotations

import pytest
from segment_strategies import TODAY

from audiences.segments import explain, parse


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("everyone", "All members."),
        ("not everyone", "No member."),
        ("not not everyone", "All members."),
        ("zip = 02134", 'Members whose zip is "02134".'),
        ("zip = '99556'", 'Members whose zip is "99556" as text or number.'),
        ("size = 5", "Members whose size is the number 5."),
        ("size <= -1.5", "Members whose size is a number of at most -1.5."),
        ("size >= 5", "Members whose size is a number of at least 5."),
        ("not size < 5", "Members whose size is not a number below 5 (those without size count too)."),
        ("d in (WA, 5, 2025-01-31)", 'Members whose d is "WA", the number 5 or the day 2025-01-31 (any case).'),
        ("d <= 2025-01-31", "Members whose d is a date on or before 2025-01-31."),
        ("d < today - 1 week", "Members whose d is a date before 2027-01-24 (1 week before today)."),
        ("d = today", "Members whose d is the day 2027-01-31 (today)."),
        ("not x contains a", 'Members whose x does not contain "a" (any case; those without x count too).'),
        ("x starts with 9 or x ends with 'é'", 'Members whose x starts with "9", or whose x ends with "é".'),
        ("has x", "Members whose x has a value."),
        ("x is missing", "Members whose x is missing."),
        ("not x is missing", "Members whose x has a value."),
        ("x = 'a\nb'", 'Members whose x is "a b" (any case).'),
        (
            "(a = 1 and b = 2) and c = 3",
            "Members whose a is the number 1, and whose b is the number 2, and whose c is the number 3.",
        ),
        ("not (a = 1 or b = 2)", "Members for whom none of these is true:\n- a is the number 1\n- b is the number 2"),
        (
            "a = 1 and everyone",
            "Members for whom all of this is true:\n- a is the number 1\n- always (this holds for every member)",
        ),
        (
            "a = 1 or not everyone",
            "Members for whom at least one of these is true:\n- a is the number 1\n- never (this holds for no member)",
        ),
        (
            "a = 1 or b = 2 and not (c = 3 and has d)",
            "Members for whom at least one of these is true:\n"
            "- a is the number 1\n"
            "- all of this is true:\n"
            "  - b is the number 2\n"
            "  - at least one of these is not true:\n"
            "    - c is the number 3\n"
            "    - d has a value",
        ),
    ],
)
def test_the_rule_is_said_in_words(rule: str, words: str) -> None:
    assert explain(parse(rule), TODAY) == words


def test_without_a_date_today_stays_a_word() -> None:
    assert explain(parse("d > today + 2 months")) == "Members whose d is a date after 2 months after today."
