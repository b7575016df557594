"""A collective report tells what associations reached together, and of no one of them, nor of any person."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from attackers import bounds, knowledge
from collective_samples import CLOSED, QUESTION, associations, carried, large, report
from hypothesis import given, settings
from hypothesis import strategies as st

from comms.engagement.collective import Carried, Cell, CollectiveReport, Figure, Source, build, combine
from comms.engagement.disclosure import SMALLEST, Contribution


def test_figures_are_the_sums_of_what_the_associations_did() -> None:
    told = large()
    assert {figure.key: (figure.low, figure.high) for figure in told.figures} == {
        "offered": (36, 36), "accepted": (36, 36), "sent": (36, 36), "sectors": (3, 3), "states": (3, 3),
        "copies": (4_140, 4_140), "people": (100, 4_200), "spared": (720, 720), "clicks": (1_440, 1_440),
        "replies": (540, 540),
    }  # fmt: skip
    assert {figure.source for figure in told.figures} == {Source.MEASURED}
    copies = told.table("copies")
    assert (copies.states, copies.sectors) == (("NY", "OR", "WA"), ("archives", "libraries", "museums"))
    assert [[cell.count for cell in row] for row in copies.cells] == [[460, 460, 460, 1380]] * 3 + [[1380] * 3 + [4140]]
    assert [(text, cell.count) for text, cell in told.polls[0].answers] == [("Monday", 1080), ("Friday", 720)]
    assert told.smallest_cell == 60


def test_people_are_exact_to_the_ten_where_one_engine_matched_all_lists() -> None:
    told = large(people=3_977)
    assert told.figure("people") == Figure("people", 3_970, 3_970, Source.MEASURED)
    assert told.words("people")[1] == "different people who got at least one copy, rounded down to tens"


def test_people_lie_between_the_longest_list_and_the_sum_where_associations_sent_by_themselves() -> None:
    rows = [carried(f"own{at}", 1_234 + at, measured=False) for at in range(3)]
    told = report(*rows)
    assert told.figure("people") == Figure("people", 1_200, 3_800, Source.SELF_REPORTED)
    assert "between the longest list and the sum of all" in told.words("people")[1]


def test_people_of_one_engine_and_of_outside_lists_are_taken_together() -> None:
    inside = [carried(f"in{at}", 900) for at in range(3)]
    outside = [carried("out", 1_000, people_low=950, measured=False)]
    assert report(*inside, *outside, people=2_450).figure("people") == Figure("people", 2_400, 3_500, Source.MIXED)


def test_short_lists_give_no_lower_bound() -> None:
    rows = [carried(f"own{at}", 20, people_low=8, people_high=8, measured=False) for at in range(3)]
    assert report(*rows).figure("people").told == "up to 100"


def test_people_are_hidden_where_all_but_one_association_added_fewer_than_ten() -> None:
    rows = [carried("large", 500), carried("one", 40), carried("two", 40)]
    assert report(*rows, people=509).figure("people").told == "hidden"
    assert report(*rows, people=510).figure("people").told == "510"


@given(copies=st.integers(30, 5_000), twice=st.integers(0, 40))
def test_nobody_can_tell_that_fewer_than_ten_people_got_a_second_copy(copies: int, twice: int) -> None:
    people = max(copies - twice, SMALLEST)
    thirds = [copies // 3, copies // 3, copies - copies // 3 * 2]
    told = report(*(carried(f"a{at}", each) for at, each in enumerate(thirds)), people=people)
    low = told.figure("people").low
    if told.figure("copies").low is None or low is None:
        return
    possible = [copies - each for each in range(low, low + 10) if each <= copies]
    assert min(possible) == 0 or max(possible) >= SMALLEST


def test_associations_that_said_no_are_counted_and_change_nothing_else() -> None:
    rows = [carried(f"a{at}", 100) for at in range(3)]
    told = report(*rows, carried("no", None), carried("maybe", None, state="HI"))
    assert [told.figure(key).low for key in ("offered", "accepted", "sent", "states")] == [5, 3, 3, 1]
    assert told.figure("copies").low == 300


def test_a_state_in_which_nobody_sent_looks_like_one_that_is_hidden() -> None:
    rows = [carried(f"{state}{at}", 100, state=state) for state in ("WA", "OR") for at in range(4)]
    declined = report(*rows, carried("hi", None, state="HI")).table("copies")
    sent = report(*rows, carried("hi", 4, state="HI")).table("copies")
    assert declined.cells[0] == sent.cells[0] == (Cell(None, True), Cell(None, True))


def test_a_cell_without_an_association_is_empty_and_one_without_a_click_is_hidden() -> None:
    rows = [carried(f"wa{at}", 100, clicks=20) for at in range(3)]
    rows += [carried(f"ny{at}", 100, state="NY", sector="museums") for at in range(3)]
    clicks = report(*rows).table("clicks")
    assert clicks.cells[clicks.states.index("NY")][:2] == (Cell(None), Cell(None, True))


def test_a_state_is_one_however_it_is_written() -> None:
    rows = [carried(f"a{at}", 100, state=state) for at, state in enumerate(["ME", "US-ME", " US-ME", ""])]
    assert report(*rows).table("copies").states == ("ME", "not stated")


def test_two_associations_are_too_few_for_any_number_of_people() -> None:
    told = report(carried("one", 5_000, clicks=900), carried("two", 4_000, clicks=800))
    assert told.smallest_cell is None
    assert told.figure("sent").low == 2
    assert {told.figure(key).told for key in ("copies", "people", "clicks", "replies", "spared")} == {"hidden"}


@given(associations())
@settings(max_examples=60)
def test_no_number_of_a_report_lets_a_group_under_ten_be_found(rows: list[Carried]) -> None:
    """Reads the report as everyone can, as JSON, and attacks each table in it and each poll."""
    told = json.loads(json.dumps(build(rows, campaign="c", title="T", coalition="C", closed=CLOSED).to_json()))
    assert told["smallest_cell"] is None or told["smallest_cell"] >= SMALLEST
    senders = [row for row in rows if row.sent]
    for table in told["tables"]:
        parts = [Contribution(row.slug, row.state, row.sector, getattr(row, table["key"])) for row in senders]
        numbers = {
            (at, column): cell["count"]
            for at, cells in enumerate(table["cells"])
            for column, cell in enumerate(cells)
            if cell["count"] is not None
        }
        assert_nothing_is_found(parts, table["states"], table["sectors"], numbers)
    for poll in told["polls"]:
        texts = [answer["text"] for answer in poll["answers"]]
        parts = [Contribution(row.slug, text, "", row.answers[QUESTION, text]) for row in senders for text in texts]
        cells = [*poll["answers"], poll["total"]]
        numbers = {(at, 1): cell["count"] for at, cell in enumerate(cells) if cell["count"] is not None}
        assert_nothing_is_found(parts, texts, [""], numbers)


def assert_nothing_is_found(
    parts: list[Contribution], rows: list[str], columns: list[str], numbers: dict[tuple[int, int], int]
) -> None:
    for who in [None, *sorted({part.who for part in parts})[:3]]:
        known = knowledge(parts, rows, columns, numbers, who)
        lines = [[cell for cell in known.unknown if name in cell] for name in (*rows, *columns)]
        for group in [*([cell] for cell in known.unknown), *filter(None, lines)]:
            _, most = bounds(known, group)
            assert most is None or most >= SMALLEST


@given(associations())
def test_what_a_table_says_of_other_states_is_what_is_left(rows: list[Carried]) -> None:
    for table in report(*rows).tables:
        number, together = table.other_states
        alone = [state for state, cell in table.by_state if cell.count is not None]
        if together.count is not None:
            others = [row for row in rows if row.state not in alone]
            assert together.count == sum(getattr(row, table.key) for row in others) >= SMALLEST
            assert len({row.slug for row in others if row.sent}) >= 3
            assert number == len({row.state for row in others})


@given(associations())
def test_a_report_comes_back_from_its_json_as_it_was(rows: list[Carried]) -> None:
    told = report(*rows)
    both = combine([told, report(*rows, campaign="another")], title="T", coalition="C")
    for each in (told, both):
        assert CollectiveReport.from_json(json.loads(json.dumps(each.to_json()))) == each


@given(associations(), st.randoms())
def test_the_same_associations_in_any_order_make_the_same_report(rows: list[Carried], random: Any) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    # The answers of a poll stand in the order of the campaign, which every association has.
    assert report(*shuffled) == report(*rows)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"copies": -1}, "One: copies is -1, and can not be below 0"),
        ({"answers": {(QUESTION, "Monday"): -2}}, "is -2, and can not be below 0"),
        ({"people_low": 200}, "200 people at least are more than 100 at most"),
        ({"sent": False}, "copies is 100, but it did not send the campaign"),
    ],
)
def test_numbers_that_can_not_be_are_refused_by_the_association_s_name(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        carried("one", **{"copies": 100, **wrong})


def test_an_association_counts_once() -> None:
    with pytest.raises(ValueError, match=r"One \(one\) is there twice"):
        report(carried("one", 100), carried("one", 100))


# --- several campaigns ------------------------------------------------------------------------


def test_campaigns_are_added_up_but_their_people_are_not() -> None:
    first, second = large(people=4_000), large(people=3_000, campaign="water", closed=CLOSED + timedelta(days=9))
    both = combine([second, first], title="First quarter", coalition="The Coalition")
    assert [both.figure(key).told for key in ("offered", "copies", "clicks")] == ["72", "8,280", "2,880"]
    assert both.figure("people").told == "4,000 or more"
    assert "not added up" in both.words("people")[1]
    assert both.figure("states").told == "3 or more"
    assert both.closed == second.closed
    assert [part.campaign for part in both.parts] == ["reading-week", "water"]
    assert both.table("copies").total == Cell(8_280)


def test_a_sum_is_or_more_where_a_campaign_hid_its_part() -> None:
    small = report(carried("one", 50, state="NY"), carried("two", 5_000, state="NY"), campaign="small")
    both = combine([large(), small], title="First quarter", coalition="The Coalition")
    assert both.figure("copies").told == "4,140 or more"
    assert dict(both.table("copies").by_state) == {"NY": Cell(1_380, True), "OR": Cell(1_380), "WA": Cell(1_380)}
    assert both.smallest_cell == 60


def test_what_is_left_of_a_sum_is_not_told_where_its_parts_are_or_more() -> None:
    """A state that one campaign told and another hid would be taken off too little, and the rest would be wrong."""
    hidden = [carried(f"a{at}", 90, state=state) for at, state in enumerate(["WA", "HI", "HI", "ID"])]
    both = combine([large(), report(*hidden, campaign="hidden")], title="T", coalition="C")
    table = both.table("copies")
    assert table.total == Cell(4_140 + 360)
    assert dict(table.by_state)["WA"] == Cell(1_380, True)
    assert table.other_states == (2, Cell(None, True))


@given(associations(), associations())
def test_several_campaigns_tell_nothing_that_each_does_not(one: list[Carried], other: list[Carried]) -> None:
    """The same published numbers give the same sum, whatever they hide."""
    parts = [report(*one), report(*other, campaign="other")]
    thawed = [CollectiveReport.from_json(part.to_json()) for part in parts]
    both = combine(parts, title="T", coalition="C")
    assert combine(thawed, title="T", coalition="C") == both
    for key in ("copies", "clicks", "replies"):
        sums: Counter[tuple[str, str]] = Counter()
        for part in parts:
            table = part.table(key)
            for state, row in zip((*table.states, ""), table.cells, strict=True):
                for sector, cell in zip((*table.sectors, ""), row, strict=True):
                    sums[state, sector] += cell.count or 0
        table = both.table(key)
        for state, row in zip((*table.states, ""), table.cells, strict=True):
            for sector, cell in zip((*table.sectors, ""), row, strict=True):
                assert (cell.count or 0) == sums[state, sector]


def test_a_sum_of_sums_is_the_sum_of_its_campaigns() -> None:
    parts = [large(campaign=name, closed=CLOSED + timedelta(days=at)) for at, name in enumerate("abc")]
    half = combine(parts[:2], title="T", coalition="C")
    assert combine([half, parts[2]], title="T", coalition="C") == combine(parts, title="T", coalition="C")


def test_a_campaign_counts_once_and_there_has_to_be_one() -> None:
    with pytest.raises(ValueError, match="reading-week is there twice"):
        combine([large(), large()], title="T", coalition="C")
    with pytest.raises(ValueError, match="no closed campaign"):
        combine([], title="T", coalition="C")


def test_a_report_of_a_later_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 99"):
        CollectiveReport.from_json({**large().to_json(), "format": 99})


def test_rows_of_associations_that_were_not_asked_do_not_count() -> None:
    rows = [carried(f"a{at}", 100) for at in range(3)]
    assert report(*rows, replace(carried("x", None), offered=False)) == report(*rows)
