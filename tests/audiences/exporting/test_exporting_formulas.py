"""No cell of an export runs in a spreadsheet, and every one is read back as the text or number it was."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.exporting.cells import list_cell, value_cell
from audiences.exporting.formulas import guarded, unguarded
from audiences.importing import values

STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"]
awkward = st.text(st.sampled_from("='+-@\t\r\n0123456789.aé＝ ,;\""), max_size=12) | st.text(max_size=12)


@given(awkward)
def test_whatever_the_text_is_it_comes_back_and_no_cell_starts_as_a_formula(text: str) -> None:
    cell = guarded(text)
    assert unguarded(cell)[0] == text
    assert not cell.startswith(tuple(STARTS))


@pytest.mark.parametrize("start", STARTS)
def test_a_formula_gets_an_apostrophe(start: str) -> None:
    assert guarded(f"{start}1+1") == f"'{start}1+1"


@pytest.mark.parametrize("text", ["Ana", "'tis the season", "a=b", "2 High Street", "", "Étienne", "'"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert guarded(text) == text
    assert unguarded(text) == (text, False)


@pytest.mark.parametrize(("value", "cell"), [(-5, "-5"), (Decimal("-1.50"), "-1.50"), ("-5", "'-5"), ("02", "'02")])
def test_numbers_stay_numbers_and_text_of_digits_stays_text(value: int | Decimal | str, cell: str) -> None:
    assert value_cell(value) == cell


tags = st.lists(st.text(st.sampled_from("ab ,;|\"'=+"), min_size=1, max_size=8).map(str.strip).filter(bool), max_size=5)


@given(tags, st.booleans())
def test_a_list_in_a_cell_comes_back_item_by_item(items: list[str], quote_all: bool) -> None:
    assert values.quoted_list(unguarded(list_cell(items, quote_all=quote_all))[0]) == items
