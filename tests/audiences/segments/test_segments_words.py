"""A rule in plain English says all that the rule does, negations and missing values included."""

from __future__ import annotations

import pytest
from segment_databases import TODAY

from audiences.segments import explain, parse, resolve

UNKNOWN = "since 2026-11-02 (those who did not agree to be recorded by name count too: nothing is known of them)"
COUNTED = "those who did not agree to be recorded by name count as not having done so: nothing is known of them"


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
        ('clicked("hosting-partner")', "Members who clicked a link in campaign hosting-partner."),
        ("opened(a, 'b c')", 'Members who opened campaign a or "b c".'),
        ("opened any in 1 day", "Members who opened any campaign in the last 1 day, since 2027-01-30."),
        ("no click in 90 days", f"Members who did not click a link in any campaign in the last 90 days, {UNKNOWN}."),
        ("not opened(a)", f"Members who did not open campaign a {UNKNOWN[len('since 2026-11-02 ') :]}."),
        ("not (not clicked any)", "Members who clicked a link in any campaign."),
        ("sample 10%", "Members in a stable sample of 10% of members."),
        ("not sample 2.5%", "Members not in a stable sample of 2.5% of members."),
        ("tag in (donor, 'board 2026')", 'Members tagged donor or "board 2026".'),
        ("tag != donor", "Members not tagged donor."),
        ("has tag or tag is missing", "Members who have a tag, or who have no tag."),
        (
            "tag contains a and not tag ends with 9",
            'Members who have a tag that contains "a" (any case), and who have no tag that ends with "9".',
        ),
        ("topic = coalition-news", "Members who agreed to newsletters of coalition-news."),
        ("topic not in (a, b)", "Members who did not agree to newsletters of a or b."),
        (
            "topic is present or topic is missing",
            "Members who agreed to some newsletter, or who agreed to no newsletter.",
        ),
        ("consent in (express, tracking)", "Members who gave express consent or agreed to be recorded by name."),
        (
            "consent not in (withdrawn, none)",
            "Members who said no to no newsletter and have consent on record, granted or withdrawn.",
        ),
        ("membership is current", "Members whose membership is current (by membership_status and renewal)."),
        (
            "not membership is current",
            "Members whose membership is not current (by membership_status and renewal; those"
            " without membership_status count too).",
        ),
        ("state in region 'New England'", 'Members whose state is in region "New England".'),
        ("state not in region west", "Members whose state is not in region west (those without state count too)."),
        ("segment big", "Members who are in segment big."),
        ("everyone except segment big", "Members who are not in segment big."),
        (
            "tag = a and state = 5 and clicked any",
            "Members tagged a, and whose state is the number 5, and who clicked a link in any campaign.",
        ),
        (
            "tag = a and (opened(b) or sample 5%)",
            "Members for whom all of this is true:\n- they are tagged a\n"
            "- at least one of these is true:\n  - they opened campaign b\n"
            "  - they are in a stable sample of 5% of members",
        ),
        (
            "not (tag = a or clicked any)",
            "Members for whom none of these is true:\n- they are tagged a\n- they clicked a"
            f" link in any campaign ({COUNTED})",
        ),
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


KEPT = {
    "plain": "size > 5 and tag = a",
    "all": "everyone",
    "nobody": "not everyone",
    "outer": "segment plain or has zip",
    "readers": "clicked any",
    "branched": "has zip and (size > 5 or tag = a)",
}


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("segment plain", "Members who are in segment plain (whose size is a number above 5, and tagged a)."),
        ("not segment plain", "Members who are not in segment plain (whose size is a number above 5, and tagged a)."),
        ("segment all", "Members who are in segment all (all members)."),
        ("segment nobody", "Members who are in segment nobody (no member)."),
        (
            "segment outer",
            "Members who are in segment outer (who are in segment plain (whose size is a number above 5,"
            " and tagged a), or whose zip has a value).",
        ),
        (
            "not segment readers",
            f"Members who are not in segment readers (who clicked a link in any campaign; {COUNTED}).",
        ),
        (
            "not (segment readers or has zip)",
            "Members for whom none of these is true:\n- they are in segment readers"
            f" (who clicked a link in any campaign) ({COUNTED})\n- zip has a value",
        ),
        (
            "not segment branched",
            "Members who are not in segment branched, for whose members all of this is true:\n"
            "- zip has a value\n- at least one of these is true:\n  - size is a number above 5\n  - they are tagged a",
        ),
        (
            "segment branched and has x",
            "Members for whom all of this is true:\n- they are in segment branched, for whose"
            " members all of this is true:\n  - zip has a value\n  - at least one of these is true:\n"
            "    - size is a number above 5\n    - they are tagged a\n- x has a value",
        ),
    ],
)
def test_what_a_named_segment_says_follows_its_name(rule: str, words: str) -> None:
    assert explain(resolve(parse(rule), KEPT.get), TODAY) == words
