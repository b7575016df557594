"""Files with the figures of many associations: every problem is said with line and column."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.figures import ToldFigures
from comms.errors import UsageError
from comms.kits.figure_files import COLUMNS, Problem, Row, Sheet, read_file


def sheet(folder: Path, text: str) -> Sheet:
    file = folder / "figures.csv"
    file.write_text(text, encoding="utf-8")
    return read_file(file)


def test_a_row_is_the_figures_of_one_association_in_any_order_of_columns(tmp_path: Path) -> None:
    found = sheet(tmp_path, "Replies;Association;Copies\n6;iowa;1.200\n\n;ohio;30\n")
    assert found == Sheet((Row(2, "iowa", ToldFigures(1200, 1200, 0, 6)), Row(4, "ohio", ToldFigures(30, 30))), ())


def test_every_problem_is_said_with_its_line_and_column(tmp_path: Path) -> None:
    found = sheet(
        tmp_path,
        "association,copies,people\niowa,1200,1300\n,20,\nohio,many,\nutah,30,\nutah,40,\nmaine,1,200\nx,1,2,3\n",
    )
    assert [(each.line, each.field) for each in found.problems] == [
        (2, "people"), (3, "association"), (4, "copies"), (6, "association"), (7, "people"), (8, ""),
    ]  # fmt: skip
    assert found.problems[3] == Problem(6, "association", "utah stands in line 5 already")
    assert [row.association for row in found.rows] == ["utah"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "no column 'association'"),
        ("association,people\niowa,5\n", "no column 'copies'"),
        ("association,copies,openers\n", "no figures stand in a column 'openers'"),
        ("association,copies,copies\n", "two columns 'copies'"),
        ("association,copies\n", "no row of figures"),
        ('association,copies\n"iowa,5\n', "never closed"),
    ],
)
def test_a_file_that_is_no_table_of_figures_is_refused_with_what_to_do(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(UsageError, match=fault) as refused:
        sheet(tmp_path, text)
    assert "figures.csv" in refused.value.message
    assert refused.value.hint


CELL = st.text(max_size=12) | st.integers(-3, 10**6).map(str) | st.sampled_from(["iowa", "ohio", "\x00", "\x1b[2J"])


@settings(max_examples=60)
@given(st.lists(st.lists(CELL, min_size=1, max_size=6), max_size=6))
def test_whatever_stands_in_a_file_each_row_is_used_or_named(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([list(COLUMNS), *rows])
    file = tmp_path_factory.getbasetemp() / "any.csv"
    file.write_text(text.getvalue(), encoding="utf-8", newline="")
    try:
        found = read_file(file)
    except UsageError:
        return
    assert len({row.association for row in found.rows}) == len(found.rows)
    assert all(each.message.isprintable() for each in found.problems)
    assert len({each.line for each in (*found.rows, *found.problems)}) >= len(found.rows)
