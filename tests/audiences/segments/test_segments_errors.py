"""What a rule that can not be used is answered: where, why, and what to do."""

from __future__ import annotations

import pytest

from audiences.segments import RuleError, check_names, parse


def refusal(text: str) -> RuleError:
    with pytest.raises(RuleError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("", 1, "the rule is empty", "everyone"),
        (" \n ", 1, "the rule is empty", "everyone"),
        ("state in (", 11, 'expected a value after "in ("', ""),
        ("state in (WA,", 14, 'expected a value after ","', ""),
        ("state in (WA, OR", 17, 'expected "," or ")" in the list', 'put a ")"'),
        ("city in (New York)", 14, 'expected "," or ")" in the list, found "York"', "quotes"),
        ("state in WA", 10, 'expected "(" after "in"', "state in (WA, OR)"),
        ("state in ()", 11, 'expected a value after "in ("', ""),
        ("state =", 8, 'expected a value after "=", found the end of the rule', ""),
        ("state = and size > 1", 9, 'expected a value after "=", found the word "and"', '"and"'),
        ("state = ''", 9, "these quotes are empty", "is missing"),
        ("state = 'WA", 9, "this quote is never closed", "apostrophe"),
        (r"state = 'W\A'", 11, "a backslash in quotes", r"\\"),
        ("state = “WA”", 9, "this is a curly quote", "straight"),
        ("state WA", 7, 'expected a comparison after state, found "WA"', "starts with"),
        ("state", 6, "expected a comparison after state, found the end", "use ="),
        ("state )", 7, 'expected a comparison after state, found ")"', "use ="),
        ("state , x", 7, 'expected a comparison after state, found ","', "use ="),
        ("population served > 5", 12, 'found "served"', "population_served"),
        ("state is WA", 10, 'expected "present" or "missing"', "state = ..."),
        ("state not contains x", 11, 'expected "in" after "not"', "not city contains"),
        ("city starts x", 13, 'expected "with" after "starts"', ""),
        ("city contains today", 15, "today is a day", '"today"'),
        ("city = New York", 12, 'expected "and", "or" or the end', '"New York"'),
        ("size > 10,000", 10, 'expected "and", "or" or the end', "10000"),
        ("a = 1)", 6, 'expected "and", "or" or the end', 'no "("'),
        ("(a = 1", 1, 'this "(" is never closed', 'put a ")"'),
        ("(a = 1 b = 2)", 8, 'expected "and", "or"', ""),
        ("a = 1 and", 10, "expected the name of an attribute", "starts with a name"),
        ("5 = a", 1, 'expected the name of an attribute, found "5"', "starts with a name"),
        ("'state' = WA", 1, "expected the name of an attribute", "starts with a name"),
        ("[] = WA", 1, "expected the name of an attribute, found []", "starts with a name"),
        ("in = WA", 1, 'found the word "in"', "[in]"),
        ("[in = WA", 1, 'this "[" is never closed', "]"),
        ("size > many", 8, '">" compares with a number or a date, and "many" is text', "use ="),
        ("size > '5'", 8, '"5" is text', "without the quotes"),
        ("size < $5", 8, '"$5" is text', "10000"),
        ("joined < 1/31/2025", 10, "is text", "2025-01-31"),
        ("joined < 2025-02-30", 10, "2025-02-30 is not a day of the calendar", "year-month-day"),
        ("joined = 0000-01-01", 10, "not a day of the calendar", "year-month-day"),
        ("joined < today + days", 18, "expected a whole number", "today + 30 days"),
        ("joined < today + 30", 20, "expected days, weeks", "today + 30 days"),
        ("joined < today + 30 x", 21, 'found "x"', "today + 30 days"),
        ("joined < today + 101 years", 18, "101 years is too far", "at most 100 years"),
        ("joined < today - 36501 days", 18, "36501 days is too far", "at most 36,500 days"),
        ("size = " + "9" * 41, 8, "this number is too long", "40 digits"),
        ("a ! b", 3, '"!" has no meaning here', "quotes"),
        ("a = b]", 6, '"]" has no meaning here', "quotes"),
        ("a = b\0", 6, "an invisible character (U+0000)", "delete it"),
        ("a = 'b\ud800'", 7, "an invisible character (U+D800)", "delete it"),
        ("a = \u202ebc", 5, "an invisible character (U+202E)", "delete it"),
        ("clicked hosting-partner", 9, 'expected "(" after "clicked"', 'write: clicked("hosting-partner")'),
        ("clicked in 30 days", 9, 'expected a campaign or "any"', "clicked any in 90 days"),
        ("clicked()", 9, "expected a value", ""),
        ('opened("a"', 11, 'expected "," or ")" in the list', 'put a ")"'),
        ("opened any 90 days", 12, 'expected "in" before "90"', "write: in 90 days"),
        ("opened any in many days", 15, 'expected a whole number after "in"', "in 90 days"),
        ("opened any in 90", 17, "expected days, weeks", "in 90 days"),
        ("opened any in the 90 days", 19, 'expected "last" after "in the"', "in 90 days"),
        ("opened any in 101 years", 15, "101 years is too far", "at most 100 years"),
        ("clicked links > 3", 9, "expected a comparison after clicked", "clicked_links"),
        ("no clicks in 30 days", 4, 'expected "click" or "open" after "no"', "write: no click"),
        ('no click("x")', 9, '"no click" asks for no campaign', "not clicked(...)"),
        ("sample 10", 8, 'expected a percentage after "sample"', "write: sample 10%"),
        ("sample 0%", 8, "expected a percentage", "above 0%"),
        ("sample 100.01%", 8, "expected a percentage", "up to 100%"),
        ("sample 1.555%", 8, "expected a percentage", "two decimals"),
        ("sample size > 3", 8, "expected a comparison after sample", "sample_size"),
        ("topic coalition-news", 7, 'expected "=" after "topic"', "write: topic = coalition-news"),
        ("topic > 3", 7, '">" can not follow topic', "[topic]"),
        ("topic = tracking", 9, "tracking is no newsletter", "consent = tracking"),
        ("topic is new", 10, 'expected "present" or "missing"', "topic = ..."),
        ("tag donor", 5, 'expected "=" after "tag"', "write: tag = donor"),
        ('tag "board 2026"', 5, 'expected "=" after "tag"', 'write: tag = "board 2026"'),
        ("tag line = 3", 5, "expected a comparison after tag", "tag_line"),
        ("tag < 3", 5, '"<" can not follow tag', "[tag]"),
        ("consent = expres", 11, "expres is no kind of consent", "did you mean express?"),
        ("consent is present", 9, '"is" can not follow consent', "consent != none"),
        ("has consent", 5, 'found the word "consent"', "consent != none"),
        ("membership is curent", 15, 'expected "current", "lapsed"', "membership = ..."),
        ("state in region", 16, 'expected the name of a region after "in region"', "state in region west"),
        ("state in region (west)", 17, 'found "("', "state in region west"),
        ("segment big libraries", 13, 'expected "and", "or" or the end', '"big libraries"'),
        ("segment '!'", 9, '"!" is no name of a segment', "big-libraries"),
        ("segment size > 3", 9, "expected a comparison after segment", "segment_size"),
        ("a = 1 except", 13, "expected the name of an attribute", ""),
        ("a = 1 or " * 1112, 10_001, "10,008 characters, and may have 10,000", "attribute"),
    ],
)
def test_the_message_says_what_and_where_and_what_to_do(text: str, column: int, message: str, hint: str) -> None:
    error = refusal(text)
    assert message in error.message
    assert hint in error.hint
    assert (hint == "") == (error.hint == "") or hint == ""
    assert error.column == column


def test_the_error_reads_as_one_sentence() -> None:
    error = refusal("state in WA")
    assert str(error) == 'expected "(" after "in", found "WA" at column 10; as in: state in (WA, OR)'


@pytest.mark.parametrize("opening", ["(", "not ", "not (", "has b except ("])
def test_fifty_levels_are_read_and_one_more_is_not(opening: str) -> None:
    levels = 25 if len(opening) > 4 else 50
    closing = ")" * levels if "(" in opening else ""
    assert parse(opening * levels + "a = 1" + closing)
    error = refusal(f"({opening * levels}a = 1{closing})")
    assert "more than 50" in error.message


def test_ten_thousand_open_parentheses_are_refused_at_the_fifty_first() -> None:
    assert refusal("(" * 10_000).column == 51


@pytest.mark.parametrize(
    "text", ["size > {}", "{} word > 5", "{} is WA", "[{}] word", "a = {} {}", "{}", "a contains b {}"]
)
def test_long_words_and_names_are_cut_short_in_the_message(text: str) -> None:
    assert len(str(refusal(text.replace("{}", "x" * 4_000)))) < 250


def test_the_caret_stands_under_the_fault() -> None:
    text = "state in (WA, OR)\n  and city = New York"
    assert refusal(text).caret(text) == "  and city = New York\n                 ^"


def test_the_caret_allows_for_wide_letters_and_combining_marks() -> None:
    text = "city = 東京 East"
    assert refusal(text).caret(text) == f"{text}\n            ^"
    text = "city = e\u0301 East"
    assert refusal(text).caret(text) == f"{text}\n         ^"


def test_the_caret_of_a_long_line_shows_the_part_around_the_fault() -> None:
    text = f"state in ({'WA, ' * 500}) and x = 1"
    line, caret = refusal(text).caret(text).split("\n")
    assert line[len(caret) - 1] == ")"
    assert len(line) <= 72


def test_the_caret_at_the_end_of_the_rule_stands_behind_it() -> None:
    assert refusal("state =").caret("state =") == "state =\n       ^"


KNOWN = {"state", "sector", "population_served"}


def test_known_names_and_fields_pass() -> None:
    check_names(parse("state = WA and has address or population_served > 1"), KNOWN)


def test_an_unknown_name_is_refused_with_a_guess() -> None:
    with pytest.raises(RuleError) as caught:
        check_names(parse("state = WA and populaton_served > 1"), KNOWN)
    assert str(caught.value) == "no member has populaton_served at column 16; did you mean population_served?"


def test_an_unknown_name_like_no_other_is_refused_with_a_list() -> None:
    with pytest.raises(RuleError) as caught:
        check_names(parse("zzz = 1"), KNOWN)
    assert caught.value.hint == "there are address, language, population_served, sector, state, timezone"


def test_a_long_list_of_names_is_cut_short() -> None:
    with pytest.raises(RuleError) as caught:
        check_names(parse("zzz = 1"), {f"column_{number:03}" for number in range(500)})
    assert caught.value.hint.endswith("and 491 more")
