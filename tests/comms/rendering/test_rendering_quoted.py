"""Quoted-printable: what any decoder reads back is the text, whole or in pieces, and nothing has to touch it."""

from __future__ import annotations

import quopri
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comms.rendering.clean import clean
from comms.rendering.quoted import encode, encode_piece

awkward = st.text(alphabet=" \t\r\n.=-_aF\x00\x0b\x85é字😀\u200d\ud800", max_size=200)
units = st.sampled_from(["a", ".", "=", "é", ". ", "x=", "  ", "\t."])
long_words = st.builds(lambda unit, times: unit * times, units, st.integers(70, 1_100))
texts = awkward | long_words | st.text(max_size=300)


def lines_of(text: str) -> str:
    return re.sub("\r\n|\r|\n|\x85", "\r\n", clean(text))


def decoded(encoded: str) -> str:
    return quopri.decodestring(encoded.encode("ascii")).decode("utf-8")


def check_lines(encoded: str) -> None:
    lines = encoded.split("\r\n")
    assert all(len(line) <= 76 and re.fullmatch(r"(?:[ -~]*[!-~])?", line) for line in lines)
    assert "  " not in encoded
    assert not any(line.startswith(".") for line in lines)


@given(texts)
@example("")
@example("." * 76)
@example(("a" * 75 + " \n") * 2)
@example("x" * 75 + "\t\n.")
@example(" " * 80 + "a" + "\t" * 40 + ".\n  ")
def test_a_text_comes_back_and_its_lines_need_no_care(text: str) -> None:
    encoded = encode(text)
    assert decoded(encoded) == lines_of(text)
    check_lines(encoded)


@given(st.lists(texts.filter(lambda text: not text.endswith("\r")), max_size=6))
@example([".", "\n", ".", " ", "\n"])
@example(["a" * 76, "=", "b" * 73])
@example(["=" + "a" * 73, "=" + "a" * 72 + ".", "b"])
def test_pieces_put_together_are_the_texts_put_together(pieces: list[str]) -> None:
    encoded = "".join(map(encode_piece, pieces))
    assert decoded(encoded) == lines_of("".join(pieces))
    check_lines(encoded)


@pytest.mark.parametrize("unit", [".", "=", "é", "\n", "a b ", "\ud800"])
def test_a_megabyte_is_encoded_like_a_word(unit: str) -> None:
    text = unit * 1_000_000
    assert decoded(encode(text)) == decoded(encode_piece(text)) == lines_of(text)
