"""Figures that people and programs write in: read as they meant them, or refused with what would be possible."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.figures import FIELDS, MOST_COPIES, Fault, ToldFigures, faults, read


@pytest.mark.parametrize(
    "text", ["1200", "1,200", "1.200", "1 200", " 1200 ", "1\u202f200", "1\u00a0200", "1'200", "1’200", "١٢٠٠"]
)
def test_a_number_is_read_as_people_write_it(text: str) -> None:
    assert read({"copies": text}) == ToldFigures(1200, 1200)


@pytest.mark.parametrize(
    "text", ["", "12,5", "1,20", "1,2000", "1,200.000", "-5", "+5", "1e3", "many", "1200!", "\x00", "٫", "9" * 400, "0"]
)
def test_what_is_no_possible_number_is_refused_and_said(text: str) -> None:
    (fault,) = read({"copies": text})  # type: ignore[misc]
    assert (fault.field, fault.least, fault.most) == ("copies", 1, MOST_COPIES)
    assert len(fault.words) < 150
    assert fault.words.isprintable()


def test_blank_fields_mean_that_nobody_counted_and_everyone_got_one() -> None:
    assert read({"copies": "30", "people": "  ", "clicks": "", "replies": "2"}) == ToldFigures(30, 30, 0, 2)


def test_everything_that_is_wrong_is_said_at_once_and_only_that() -> None:
    found = read({"copies": "100", "people": "200", "clicks": "many", "replies": "5"})
    assert found == (Fault("people", "200", 1, 100), Fault("clicks", "many", 0, 10_000))
    assert isinstance(read({"copies": "x", "people": "50", "replies": "5"}), tuple)
    assert [fault.field for fault in read({"copies": "x", "people": "50"})] == ["copies"]  # type: ignore[union-attr]


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=30) | st.integers(-5, 10**9).map(str)))
def test_whatever_is_typed_becomes_figures_that_can_be_or_faults_of_known_fields(typed: dict[str, str]) -> None:
    found = read(typed)
    if isinstance(found, ToldFigures):
        assert faults(found) == ()
    else:
        assert found
        assert {fault.field for fault in found} <= set(FIELDS)


@given(*[st.integers(-10, 10**8)] * 4)
def test_numbers_are_held_to_the_same_rules_as_texts(copies: int, people: int, clicks: int, replies: int) -> None:
    figures = ToldFigures(copies, people, clicks, replies)
    told = read({name: str(getattr(figures, name)) for name in FIELDS})
    assert (told == figures) == (faults(figures) == ())
