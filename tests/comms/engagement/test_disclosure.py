"""Nobody who adds and subtracts what is published finds a group of fewer than ten people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import chain, combinations

import pytest
from attackers import Cell, Knowledge, Place, all_tables, bounds, knowledge
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from comms.engagement.disclosure import FEWEST_ASSOCIATIONS, SMALLEST, Contribution, published

ROWS = [f"state {number}" for number in range(5)]
COLUMNS = [f"sector {number}" for number in range(4)]


@st.composite
def tables(
    draw: st.DrawFn, rows: int, columns: int, most: int, associations: int
) -> tuple[list[Contribution], list[str], list[str]]:
    """Associations with one cell each, as in a report by sector and state."""
    shown_rows, shown_columns = ROWS[: draw(st.integers(1, rows))], COLUMNS[: draw(st.integers(1, columns))]
    counts = st.one_of(st.integers(0, most), st.integers(0, 12))
    part = st.tuples(st.sampled_from(shown_rows), st.sampled_from(shown_columns), counts)
    parts = draw(st.lists(part, max_size=associations))
    return [Contribution(f"a{at}", *part) for at, part in enumerate(parts)], shown_rows, shown_columns


@st.composite
def votes(draw: st.DrawFn) -> tuple[list[Contribution], list[str], list[str]]:
    """Associations with a number for each answer, as in a poll."""
    answers = ROWS[: draw(st.integers(2, 4))]
    one = st.lists(st.integers(0, 40), min_size=len(answers), max_size=len(answers))
    all_of_them = draw(st.lists(one, min_size=1, max_size=7))
    return (
        [
            Contribution(f"a{at}", answer, "", count)
            for at, counts in enumerate(all_of_them)
            for answer, count in zip(answers, counts, strict=True)
        ],
        answers,
        [""],
    )


def onlookers(contributions: list[Contribution]) -> list[str | None]:
    return [None, *sorted({each.who for each in contributions})]


def groups(cells: list[Cell], limit: int) -> list[tuple[Cell, ...]]:
    """Every group of cells, the small ones first, then rows and columns, as many as the limit."""
    small = chain.from_iterable(combinations(cells, size) for size in range(1, len(cells) + 1))
    lines = [
        tuple(cell for cell in cells if cell[axis] == name)
        for axis in (0, 1)
        for name in {cell[axis] for cell in cells}
    ]
    return [*lines, *(group for _, group in zip(range(limit), small, strict=False))]


def others_by_association(contributions: list[Contribution], group: tuple[Cell, ...], who: str | None) -> Counter[str]:
    parts = Counter[str]()
    for each in contributions:
        if (each.row, each.column) in group and each.who != who:
            parts[each.who] += each.count
    return parts


@given(tables(rows=5, columns=4, most=400, associations=24))
@settings(max_examples=100)
def test_exact_arithmetic_shows_no_group_to_be_under_ten_and_nothing_hidden_closer_than_ten(
    table: tuple[list[Contribution], list[str], list[str]],
) -> None:
    told = published(*table)
    contributions, rows, columns = table
    event(f"published: {'nothing' if not told else 'all sums' if len(told) > 9 else 'some'}")
    for who in onlookers(contributions)[:5]:
        known = knowledge(*table, told, who)
        hidden = {
            (row, column) for row, column in known.unknown if (rows.index(row), columns.index(column)) not in told
        }
        for group in groups(known.unknown, 30):
            least, most = bounds(known, group)
            assert most is None or most >= SMALLEST, (who, group)
            if len(group) == 1 and group[0] in hidden:
                assert most is None or most - least >= SMALLEST, (who, group)
            if most == least and who is None:
                parts = others_by_association(contributions, group, None)
                assert len(parts) >= FEWEST_ASSOCIATIONS
                assert most - max(parts.values()) >= SMALLEST


@given(tables(rows=2, columns=2, most=25, associations=8))
@settings(max_examples=80)
def test_trying_every_table_finds_no_group_under_ten(
    table: tuple[list[Contribution], list[str], list[str]],
) -> None:
    told = published(*table)
    assume(told)
    for who in onlookers(table[0]):
        assert_no_table_gives_anybody_away(*table, told, who)


def assert_no_table_gives_anybody_away(
    contributions: list[Contribution], rows: list[str], columns: list[str], told: Mapping[Place, int], who: str | None
) -> None:
    known = knowledge(contributions, rows, columns, told, who)
    top = max(
        [SMALLEST, *(sum(each.count for each in contributions if cell_of(each) == cell) for cell in known.unknown)]
    )
    seen: dict[tuple[Cell, ...], set[int]] = {group: set() for group in groups(known.unknown, 100)}
    for found in all_tables(known, top + SMALLEST):
        for group, values in list(seen.items()):
            values.add(sum(found[cell] for cell in group))
            is_told = len(group) > 1 or (rows.index(group[0][0]), columns.index(group[0][1])) in told
            if max(values) >= SMALLEST and (is_told or max(values) - min(values) >= SMALLEST):
                del seen[group]
        if not seen:
            return
    assert not seen, (who, seen)


def cell_of(contribution: Contribution) -> Cell:
    return contribution.row, contribution.column


@given(votes())
@settings(max_examples=40)
def test_the_answers_of_a_poll_hide_as_well_as_cells_do(
    table: tuple[list[Contribution], list[str], list[str]],
) -> None:
    told = published(*table)
    for who in onlookers(table[0]):
        known = knowledge(*table, told, who)
        for group in groups(known.unknown, 20):
            _, most = bounds(known, group)
            assert most is None or most >= SMALLEST


@given(tables(rows=5, columns=4, most=400, associations=24))
def test_what_is_published_is_true(table: tuple[list[Contribution], list[str], list[str]]) -> None:
    contributions, rows, columns = table
    for (row, column), count in published(*table).items():
        assert count == sum(
            each.count
            for each in contributions
            if (row == len(rows) or each.row == rows[row])
            and (column == len(columns) or each.column == columns[column])
        )


@given(tables(rows=5, columns=4, most=400, associations=24), st.randoms())
def test_the_order_in_which_associations_come_changes_nothing(
    table: tuple[list[Contribution], list[str], list[str]], random: object
) -> None:
    contributions, rows, columns = table
    shuffled = list(contributions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert published(shuffled, rows, columns) == published(contributions, rows, columns)


def plain(rows: list[list[list[int]]]) -> tuple[list[Contribution], list[str], list[str]]:
    """A table given as the counts of each association in each cell."""
    return (
        [
            Contribution(f"{row}-{column}-{at}", ROWS[row], COLUMNS[column], count)
            for row, cells in enumerate(rows)
            for column, counts in enumerate(cells)
            for at, count in enumerate(counts)
        ],
        ROWS[: len(rows)],
        COLUMNS[: len(rows[0])],
    )


def test_a_table_of_large_numbers_from_many_is_published_whole() -> None:
    assert published(*plain([[[40, 50, 60], [70, 80, 90]], [[40, 50, 60], [70, 80, 90]]])) == {
        (0, 0): 150, (0, 1): 240, (0, 2): 390,
        (1, 0): 150, (1, 1): 240, (1, 2): 390,
        (2, 0): 300, (2, 1): 480, (2, 2): 780,
    }  # fmt: skip


def test_one_small_cell_takes_three_more_with_it_and_leaves_the_sums() -> None:
    told = published(
        *plain([[[2, 1, 1], [40, 50, 60], [70, 80, 90]]] + [[[40, 50, 60], [70, 80, 90], [30, 30, 30]]] * 2)
    )
    inner = [place for place in told if 3 not in place]
    assert len(inner) == 9 - 4
    assert len(told) - len(inner) == 7


@pytest.mark.parametrize(
    ("counts", "is_told"),
    [
        ([40, 50, 60], True),
        ([40, 50], False),  # each of the two would know the other's
        ([40, 9, 0], False),  # the first would know nine people
        ([40, 10, 0], True),
        ([0, 0, 0], False),
        ([3, 3, 3], False),
        ([5, 5, 5], True),
        ([], False),
    ],
)
def test_a_number_is_told_where_three_made_it_and_ten_are_left_without_the_largest(
    counts: list[int], is_told: bool
) -> None:
    assert bool(published(*plain([[counts]]))) is is_told


def test_a_sum_of_two_that_could_be_had_by_subtraction_is_not_left_alone() -> None:
    """Two hidden states, one association each: each of the two would learn the other's number exactly."""
    contributions, rows, columns = plain([[[300]], [[400]], [[40, 50, 60]], [[50, 60, 70]]])
    told = published(contributions, rows, columns)
    left = sum(each.count for each in contributions) - sum(told[row, 1] for row in range(4) if (row, 1) in told)
    assert (4, 1) in told
    assert left > 700


def test_small_cells_whose_sum_is_known_do_not_hide_each_other() -> None:
    """Nine people in three hidden cells: no number is known, but that all are under ten would be."""
    large = [[90, 90, 90]] * 4
    contributions, rows, columns = plain([[[3], [4], [2], [100, 100, 100]], large, large])
    told = published(contributions, rows, columns)
    assert told
    known = knowledge(contributions, rows, columns, told)
    _, most = bounds(known, [(ROWS[0], column) for column in COLUMNS[:3]])
    assert most is None or most >= SMALLEST


def test_who_has_most_of_a_cell_finds_nothing_more_by_taking_off_his_own() -> None:
    """Of 507 people in three hidden cells one association knows 499: of the others it would know that they are 8."""
    large = [[90, 90, 90]] * 4
    contributions, rows, columns = plain([[[3], [4], [499, 1], [100, 100, 100]], large, large])
    told = published(contributions, rows, columns)
    assert told
    known = knowledge(contributions, rows, columns, told, "0-2-0")
    _, most = bounds(known, [(ROWS[0], column) for column in COLUMNS[:3]])
    assert most is None or most >= SMALLEST


def test_an_attacker_is_worth_his_salt() -> None:
    """With only the small cell hidden, both find it: or the tests above would prove nothing."""
    contributions, rows, columns = plain([[[2, 1, 1], [40, 50, 60]], [[40, 50, 60], [70, 80, 90]]])
    naive = {(0, 1): 150, (0, 2): 154, (1, 0): 150, (1, 1): 240, (1, 2): 390, (2, 0): 154, (2, 1): 390, (2, 2): 544}
    known = knowledge(contributions, rows, columns, naive)
    small = (ROWS[0], COLUMNS[0])
    assert bounds(known, [small]) == (4, 4)
    assert {table[small] for table in all_tables(known, 300)} == {4}
    only_total = Knowledge(known.unknown, [(frozenset(known.unknown), 544)])
    assert bounds(only_total, [small]) == (0, 544)
