"""Attribute values: from a cell to a typed value, to stored text and back."""

from __future__ import annotations

import json
import time
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audiences.attributes import MAX_VALUE_CHARACTERS, attribute_value, clean_text, decode, encode
from audiences.models import AttributeValue, attribute_name

any_text = st.text(st.characters())  # lone surrogates and control characters among them
number_like = st.from_regex(r"-?[0-9]{1,18}(\.[0-9]{0,8})?", fullmatch=True)
cells = st.one_of(any_text, number_like, st.text("e\u0301\0 \t\r\n\u2028a\u202e"))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("75", 75),
        ("-3", -3),
        ("0", 0),
        ("75.00", Decimal("75.00")),
        ("-0.50", Decimal("-0.50")),
        ("59.779667", Decimal("59.779667")),
        ("02134", "02134"),
        ("-0", "-0"),
        ("+49", "+49"),
        ("1e5", "1e5"),
        ("1,234", "1,234"),
        ("1.", "1."),
        (".5", ".5"),
        ("8400100004", 8400100004),
        ("12345678901234567890", "12345678901234567890"),
        ("٣", "٣"),
        ("NaN", "NaN"),
        ("no", "no"),
        ("2025-01-31", "2025-01-31"),
        ("=SUM(A1)", "=SUM(A1)"),
        ("", None),
        (" \t\r\n\0 ", None),
        ("Two\r\nlines", "Two lines"),
        ("  many   spaces ", "many spaces"),
        ("a\0b\x1b[31mc\x7f\x85d", "ab[31mc d"),
        ("lone\ud800surrogate", "lonesurrogate"),
        ("Jose\u0301", "Jos\u00e9"),
        ("e\0\u0301", "\u00e9"),
        ("a \0 b", "a b"),
        ("नमस्ते 👩‍🚀", "नमस्ते 👩‍🚀"),
    ],
)
def test_a_cell_becomes_a_value(cell: str, value: AttributeValue | None) -> None:
    found = attribute_value(cell)
    assert found == value
    assert type(found) is type(value)
    assert str(found) == str(value)


@given(cells)
@example("-0")
@example("e\0\u0301")
def test_a_value_shows_exactly_what_the_cleaned_cell_says(cell: str) -> None:
    value = attribute_value(cell)
    assert ("" if value is None else str(value)) == clean_text(cell)


@given(cells)
@example("e\0\u0301")
@example("a \0 b")
def test_clean_text_is_composed_printable_and_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert not {unicodedata.category(c) for c in cleaned} & {"Cc", "Cs", "Zl", "Zp"}
    assert cleaned == cleaned.strip()
    assert "  " not in cleaned
    cleaned.encode()


@given(st.text(min_size=1))
def test_text_that_is_clean_keeps_every_letter(text: str) -> None:
    letters = [c for c in unicodedata.normalize("NFC", text) if c.isalnum()]
    assert [c for c in clean_text(text) if c.isalnum()] == letters


attribute_sets = st.dictionaries(
    st.text(min_size=1, max_size=20).map(attribute_name).filter(bool),
    cells.map(attribute_value).filter(lambda value: value is not None),
    max_size=8,
)


@given(attribute_sets)
def test_what_is_stored_comes_back_with_its_type_and_its_digits(attributes: dict[str, AttributeValue]) -> None:
    back = decode(encode(attributes))
    assert back == attributes
    assert {name: (type(v), str(v)) for name, v in back.items()} == {
        name: (type(v), str(v)) for name, v in attributes.items()
    }


@given(attribute_sets, st.randoms(use_true_random=False))
def test_equal_attributes_are_equal_text_whatever_their_order(
    attributes: dict[str, AttributeValue], chance: object
) -> None:
    items = list(attributes.items())
    chance.shuffle(items)  # type: ignore[attr-defined]
    assert encode(dict(items)) == encode(attributes)


@given(attribute_sets)
def test_names_stand_unescaped_so_that_a_json_path_finds_them(attributes: dict[str, AttributeValue]) -> None:
    text = encode(attributes)
    assert all(f'"{name}":' in text for name in attributes)
    assert json.loads(text).keys() == attributes.keys()


def test_numbers_are_stored_with_the_digits_that_were_written() -> None:
    text = encode({"fee": Decimal("75.00"), "zip": "02134", "branches": 4})
    assert text == '{"branches":4,"fee":75.00,"zip":"02134"}'


def test_a_value_that_is_too_long_is_refused_and_the_longest_is_not() -> None:
    longest = "é" * MAX_VALUE_CHARACTERS
    assert attribute_value(longest) == longest
    with pytest.raises(ValueError, match=r"the value has 10,001 characters; 10,000 are allowed"):
        attribute_value(longest + "é")


@pytest.mark.parametrize("character", ["9", "a", "\0", " ", "\ud800", "e\u0301"])
def test_a_megabyte_is_dealt_with_in_time(character: str) -> None:
    started = time.perf_counter()
    cell = "1" + character * 1_000_000 + "1"
    if character in ("\0", " ", "\ud800"):
        attribute_value(cell)
    else:
        with pytest.raises(ValueError, match="characters"):
            attribute_value(cell)
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("Population Served", "population_served"),
        ("  E-Mail  ", "e_mail"),
        ("[Email | Primary]", "email_primary"),
        ("Straße", "strasse"),
        ("Größe (m²)", "grösse_m2"),
        ("2024 Members", "_2024_members"),
        ("---", ""),
        ("", ""),
        ("a\0b\ud800c", "a_b_c"),
        ("x\" y' $.z", "x_y_z"),
    ],
)
def test_a_header_becomes_a_name_for_rules(header: str, name: str) -> None:
    assert attribute_name(header) == name


@given(any_text)
def test_a_name_holds_nothing_that_a_rule_or_a_json_path_reads_as_its_own(header: str) -> None:
    name = attribute_name(header)
    assert all(c == "_" or c.isalnum() for c in name)
    assert not name[:1].isdigit()
