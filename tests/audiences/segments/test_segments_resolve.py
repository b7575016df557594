"""Segments and regions named in a rule: what they stand for, and what is refused and where."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from segment_databases import TODAY

from audiences.models import Member
from audiences.segments import Rule, RuleError, Vocabulary, check_names, explain, matches, parse, resolve, segment_name
from audiences.segments.cursor import DEEPEST
from audiences.segments.regions import CENSUS_REGIONS
from audiences.segments.resolve import MOST_CONDITIONS, MOST_NAMES
from audiences.segments.tree import Named, walk

KEPT = {
    "big-libraries": "population_served > 10000 and state in region west",
    "small": "has population_served and not segment big-libraries",
    "broken": "has zip and size >",
    "around": "segment broken",
    "misspelt": "sector in region wst",
    "lost": "segment nowhere",
    "a": "has x and segment b",
    "b": "segment c",
    "c": "segment A or has y",
    "self": "not segment self",
}


def resolved(text: str, kept: Mapping[str, str] = KEPT) -> Rule:
    return resolve(parse(text), kept.get, known=kept)


def refusal(text: str, kept: Mapping[str, str] = KEPT) -> RuleError:
    with pytest.raises(RuleError) as caught:
        resolved(text, kept)
    return caught.value


def test_a_segment_stands_for_its_rule_and_those_that_it_names() -> None:
    rule = resolved('segment small or segment "Big Libraries"')
    assert rule.names() == {"population_served", "state"}
    assert not any(isinstance(node, Named) for node in walk(rule.root))
    assert matches(rule, Member(None, {"population_served": 20_000, "state": "OR"}), TODAY)
    assert matches(rule, Member(None, {"population_served": 20_000, "state": "NY"}), TODAY)
    assert not matches(rule, Member(None, {"state": "NY"}), TODAY)


def test_a_rule_tells_which_segments_it_names() -> None:
    rule = parse('segment small and (has x or not segment "Big Libraries")')
    assert rule.segments() == {"small", "big-libraries"}
    assert rule.names() == {"x"}
    assert resolved("segment small").segments() == {"small", "big-libraries"}


@pytest.mark.parametrize("text", ["Big Libraries", "big_libraries", " BIG--libraries! ", "ｂig libraries"])
def test_names_are_compared_without_capitals_spaces_and_signs(text: str) -> None:
    assert segment_name(text) == "big-libraries"


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("has x and segment big-librarys", 19, "there is no segment big-librarys", "did you mean big-libraries?"),
        ("has x and segment broken", 19, 'in segment broken: expected a value after ">"', ""),
        ("has x and segment around", 19, "in segment broken: ", ""),
        ("segment misspelt", 9, "in segment misspelt: there is no region wst", "did you mean west?"),
        ("segment lost", 9, "in segment lost: there is no segment nowhere", "there are a, around, b"),
        ("state in region wst", 17, "there is no region wst", "did you mean west?"),
        ("has x and segment a", 19, "segments name one another in a circle: a -> b -> c -> a", "write out"),
        ("segment self", 9, "segments name one another in a circle: self -> self", "write out"),
    ],
)
def test_what_can_not_be_looked_up_is_refused_where_the_rule_names_it(
    text: str, column: int, message: str, hint: str
) -> None:
    error = refusal(text)
    assert message in error.message
    assert hint in error.hint
    assert error.column == column


def test_a_mistake_in_a_segment_says_where_in_its_own_rule() -> None:
    assert refusal("segment broken").message.endswith("found the end of the rule at its column 19")


_GRAPHS = st.dictionaries(
    st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdef"), max_size=3), min_size=1, max_size=6
)


@given(graph=_GRAPHS)
def test_a_circle_is_refused_and_all_else_is_resolved(graph: dict[str, list[str]]) -> None:
    kept = {
        name: " and ".join(["everyone", *(f"segment {other}" for other in graph.get(name, []))]) for name in "abcdef"
    }

    def circular(name: str, path: tuple[str, ...] = ()) -> bool:
        return name in path or any(circular(other, (*path, name)) for other in graph.get(name, []))

    if circular("a"):
        assert "circle" in refusal("segment a", kept).message
    else:
        assert matches(resolved("segment a", kept), Member(None), TODAY)


def test_segments_may_name_one_another_twenty_deep_and_no_deeper() -> None:
    chain = {f"s{number}": f"segment s{number - 1}" for number in range(1, MOST_NAMES + 1)} | {"s0": "everyone"}
    assert resolved(f"segment s{MOST_NAMES - 1}", chain)
    assert "more than 20 segments" in refusal(f"segment s{MOST_NAMES}", chain).message
    # Nor when those at the bottom were looked up before.
    assert "more than 20 segments" in refusal(f"segment s10 and segment s{MOST_NAMES}", chain).message


def test_segments_that_double_at_every_step_are_refused_and_do_not_fill_the_memory() -> None:
    doubling = {f"s{number}": " or ".join([f"segment s{number - 1}"] * 100) for number in range(1, 15)}
    error = refusal("segment s14", {**doubling, "s0": "has x"})
    assert error.message == f"in segment s3: there are more than {MOST_CONDITIONS:,} conditions and values in all"


def test_levels_are_counted_through_segments() -> None:
    kept = {"deep": "not (a = 1 or b = 2 and " * 20 + "c = 3" + ")" * 20}
    assert resolved("not (a = 1 or " * 5 + "segment deep" + ")" * 5, kept)
    error = refusal("not (a = 1 or " * 6 + "segment deep" + ")" * 6, kept)
    assert f"more than {DEEPEST} parentheses" in error.message


@pytest.mark.parametrize(
    "text", ["(" * 50 + "x != 3" + ")" * 50, "not " * 50 + "no click", "(a=1 or b=2 and " * 50 + "c != 3" + ")" * 50]
)
def test_no_rule_that_can_be_read_is_too_deep_to_be_resolved(text: str) -> None:
    assert resolve(parse(text)).source == text


# --- regions ----------------------------------------------------------------------------------


def test_the_census_regions_are_the_fifty_states_and_the_district_each_once() -> None:
    regions = {"northeast": 9, "midwest": 12, "south": 17, "west": 13}
    assert {name: len(CENSUS_REGIONS[name]) // 2 for name in regions} == regions
    assert len(CENSUS_REGIONS) == 4 + 9
    everywhere = [value for name in regions for value in CENSUS_REGIONS[name]]
    assert len(set(everywhere)) == len(everywhere) == 102
    assert CENSUS_REGIONS["pacific"][:4] == ("AK", "Alaska", "CA", "California")


def test_a_workspace_adds_regions_and_replaces_those_there_are() -> None:
    regions = {"Pacific Northwest": ["WA", " OR\n", "99556", "", "\0"], "WEST": ["NV"]}
    northwest = resolve(parse("place in region pacific_northwest"), regions=regions)
    assert [
        place for place in ("wa", "OR", 99556, "NV", "") if matches(northwest, Member(None, {"place": place}), TODAY)
    ] == [
        "wa",
        "OR",
        99556,
    ]
    west = resolve(parse("place in region west"), regions=regions)
    assert not matches(west, Member(None, {"place": "WA"}), TODAY)
    assert matches(west, Member(None, {"place": "nv"}), TODAY)


def test_an_unknown_region_is_guessed_from_those_of_the_workspace_too() -> None:
    with pytest.raises(RuleError) as caught:
        resolve(parse("state in region cascades"), regions={"Cascadia": ["WA"]})
    assert caught.value.hint == "did you mean cascadia?"


# --- the names that a rule may use --------------------------------------------------------------

KNOWN = Vocabulary({"state", "population_served"}, topics={"news"}, tags={"Donor"}, campaigns={"spring"})


@pytest.mark.parametrize(
    "text",
    ["topic = news", "tag = DONOR", 'clicked("Spring")', "opened any", "tag contains x", "has topic", "consent = none"],
)
def test_topics_tags_and_campaigns_that_there_are_pass(text: str) -> None:
    check_names(parse(text), KNOWN)


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("topic in (news, newz)", 17, "no newsletter has the topic newz", "did you mean news?"),
        ("has state and tag != doner", 22, "no member is tagged doner", "did you mean donor?"),
        ("opened(spring, winter)", 16, "there is no campaign winter", "there are spring"),
        ("membership is current", 1, "no member has membership_status", "there are"),
        ("stat in region west", 1, "no member has stat", "did you mean state?"),
    ],
)
def test_topics_tags_and_campaigns_that_there_are_not_are_refused(
    text: str, column: int, message: str, hint: str
) -> None:
    with pytest.raises(RuleError) as caught:
        check_names(parse(text), KNOWN)
    assert caught.value.message == message
    assert hint in caught.value.hint
    assert caught.value.column == column


def test_without_a_list_any_topic_tag_and_campaign_passes() -> None:
    check_names(parse("topic = x and tag = y and clicked(z) and has state"), {"state"})


def test_an_unknown_name_in_a_segment_is_said_to_be_in_it() -> None:
    kept = {"outer": "has state or segment inner", "inner": "has state and populaton_served > 3"}
    with pytest.raises(RuleError) as caught:
        check_names(resolved("tag = donor and segment outer", kept), KNOWN)
    assert str(caught.value) == (
        "in segment inner: no member has populaton_served at column 25; did you mean population_served?"
    )


def test_before_it_is_resolved_a_segment_is_called_by_its_name_and_after_it_what_it_says_follows() -> None:
    assert explain(parse("segment big-libraries")) == "Members who are in segment big-libraries."
    assert explain(resolved("segment big-libraries")) == (
        "Members who are in segment big-libraries"
        " (whose population_served is a number above 10000, and whose state is in region west)."
    )
