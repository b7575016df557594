"""Invisible and broken characters are found, with their line and column."""

from __future__ import annotations

import pytest

from campaigns.characters import clean, faults
from campaigns.errors import shown


@pytest.mark.parametrize("char", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u2028", "\ufffe", "\uffff", "\ud800"])
def test_a_character_that_can_not_be_printed_is_named_with_its_place(char: str) -> None:
    ((line, message),) = faults(f"good\nab{char}c")

    assert line == 2
    assert f"U+{ord(char):04X}" in message
    assert "column 3" in message
    assert list(faults(clean(f"ab{char}c"))) == []


@pytest.mark.parametrize("text", ["tab\there", "Ünïcödé", "שלום", "👩‍👩‍👧", "soft\u00adhyphen", "nbsp\u00a0", "\u200f"])
def test_characters_that_people_need_are_left_alone(text: str) -> None:
    assert list(faults(text)) == []
    assert clean(text) == text


@pytest.mark.parametrize("text", ["\u202aa\u202c", "\u2067a \u202eb\u202c\u2069", "\u2066\u2069\u2068x\u2069"])
def test_direction_marks_with_their_partner_are_fine(text: str) -> None:
    assert list(faults(text)) == []


@pytest.mark.parametrize(
    ("text", "mark"),
    [("a\u202eb", "U+202E"), ("\u2066a", "U+2066"), ("a\u202c", "U+202C"), ("\u202ea\u2069", "U+2069")],
)
def test_a_direction_mark_alone_is_found(text: str, mark: str) -> None:
    ((line, message),) = faults(f"{text}\nnext")

    assert line == 1
    assert mark in message


def test_text_shown_in_messages_is_cut_and_printable() -> None:
    assert shown("a\u202e\n\ud800b") == "a\\u202e\\n\\ud800b"
    assert len(shown("x" * 100)) == 60
