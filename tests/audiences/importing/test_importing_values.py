"""What cells say: dates, lists and nested data in the ways that people and products write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiences.importing import values
from audiences.importing.layout import addresses_in
from audiences.importing.nested import parse_json, parse_literal


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("01 Mar 2027", "2027-03-01"),
        ("1 March 2027", "2027-03-01"),
        ("Mar 1, 2027", "2027-03-01"),
        ("2027-03-01", "2027-03-01"),
        ("2027-03-01T23:30:00-08:00", "2027-03-01"),
        ("2027/3/1", "2027-03-01"),
        ("3/1/2027", "2027-03-01"),
        ("03/01/2027 11:05 PM", "2027-03-01"),
        ("31/12/2027", "2027-12-31"),
        ("1.3.2027", "2027-03-01"),
        ("31 Feb 2027", None),
        ("13/13/2027", None),
        ("0/0/2027", None),
        ("soon", None),
        ("", None),
        ("٣/١/٢٠٢٧", None),
    ],
)
def test_a_day_is_read_however_it_is_written(text: str, day: str | None) -> None:
    assert values.iso_date(text) == day


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-02-12 10:54:27", "2018-02-12T10:54:27+00:00"),
        ("2024-03-13T00:03:09-05:00", "2024-03-13T05:03:09+00:00"),
        ("3/1/2027 11:05 PM", "2027-03-01T23:05:00+00:00"),
        ("3/1/2027 12:05 am", "2027-03-01T00:05:00+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
    ],
)
def test_a_moment_is_in_utc(text: str, moment: str | None) -> None:
    found = values.moment(text)
    assert (found and found.isoformat()) == moment


def test_a_list_in_a_cell_may_have_quoted_items() -> None:
    assert values.quoted_list('"Old, dear", Editors') == ["Old, dear", "Editors"]
    assert values.tags(values.quoted_list('"Editors"')) == ("Editors",)
    assert values.tags([" a", "", "a ", "b"]) == ("a", "b")
    with pytest.raises(ValueError, match="too many or too long tags"):
        values.tags(["x" * 201])
    with pytest.raises(ValueError, match="too many or too long tags"):
        values.tags([str(number) for number in range(101)])


def test_nested_data_becomes_attributes() -> None:
    data = parse_json('{"A.b": {"c": [1, 2.50, null]}, "d": false, "e": null, "f": [{"g": "x"}, {"g": "y"}], "h": NaN}')
    assert values.flattened(data) == {
        "a_b_c": "1, 2.50, ",
        "d": "false",
        "f_1_g": "x",
        "f_2_g": "y",
        "h": "NaN",
    }
    assert values.flattened(parse_literal("{'state': 'KS', 'n': (1, 2)}")) == {"state": "KS", "n": "1, 2"}


@pytest.mark.parametrize("text", ["[1]", "3", '{"a": ' * 60 + "1" + "}" * 60, "{" * 99_999, "[" * 200_000, "{'a'}"])
def test_what_is_no_set_of_names_and_values_is_refused(text: str) -> None:
    for parse in (parse_json, parse_literal):
        with pytest.raises(ValueError):
            values.flattened(parse(text))


def test_more_values_than_a_person_can_have_are_refused() -> None:
    with pytest.raises(ValueError, match="holds too many"):
        values.flattened({f"k{number}": 1 for number in range(501)})
    with pytest.raises(ValueError, match="far too much"):
        values.flattened({"k": [{"a": 1}] * 6_000})


@given(st.text(max_size=80))
def test_any_text_is_nested_data_or_a_value_error(text: str) -> None:
    for parse in (parse_json, parse_literal):
        try:
            values.flattened(parse(text))
        except ValueError as error:
            assert "\n" not in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("a@x.org", ["a@x.org"]),
        ("a@x.org ::: b@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org;A@X.ORG, b@x.org", ["a@x.org", "b@x.org"]),
        ("a@x.org / b@x.org", []),
        ("@@ a@x.org", ["a@x.org"]),
        ("", []),
        ("Ada <a@x.org>", []),
        ("a@x.org," * 1_000, ["a@x.org"]),
    ],
)
def test_the_addresses_of_a_cell(cell: str, found: list[str]) -> None:
    addresses, reason = addresses_in(cell)
    assert addresses == found
    assert bool(reason) == (not found and bool(cell))
