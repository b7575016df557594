"""Attribute values: from the text of a cell to a typed value, and to and from stored JSON. Pure."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache

from audiences.models import AttributeValue

MAX_VALUE_CHARACTERS = 10_000

# Only what can be turned back into the very same text: `02134`, `-0` and `+49 30` stay text, and no number is
# so long that a double could not hold it.
_NUMBER = re.compile(r"(?!-0\Z)-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,6})?", re.ASCII)
_WHITE_SPACE = re.compile(r"\s+")


def clean_text(text: str) -> str:
    """NFC, line breaks and runs of white space as one space, without control characters and lone surrogates.

    So no value can carry a header, a line or a terminal command into what is made from it.
    """
    if text.isascii() and text.isprintable():
        # Of white space only the blank is printable; most cells have no two of them in a row.
        return (_WHITE_SPACE.sub(" ", text) if "  " in text else text).strip()
    # Composed last: what stood between two characters may have kept them apart.
    kept = "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs", "Cn"))
    return _WHITE_SPACE.sub(" ", unicodedata.normalize("NFC", kept)).strip()


def attribute_value(cell: str) -> AttributeValue | None:
    """The value of a cell; None for an empty one. Raises ValueError when it is too long to be an attribute."""
    return _short_value(cell) if len(cell) <= _SHORT else _value(cell)


def _value(cell: str) -> AttributeValue | None:
    text = clean_text(cell)
    if not text:
        return None
    if text[0] in "-0123456789" and _NUMBER.fullmatch(text):
        return Decimal(text) if "." in text else int(text)
    if len(text) > MAX_VALUE_CHARACTERS:
        raise ValueError(f"the value has {len(text):,} characters; {MAX_VALUE_CHARACTERS:,} are allowed")
    return text


# Columns such as state and sector hold few different cells, many times.
_SHORT = 16
_short_value = lru_cache(maxsize=4_096)(_value)


def encode(attributes: Mapping[str, AttributeValue]) -> str:
    """As JSON in the order of names, so that equal attributes are equal text. Decimals keep their digits."""
    try:
        return _encoded(dict(attributes))
    except TypeError:  # a Decimal, which the library would not write as a number
        parts = [f"{_quoted(name)}:{_literal(value)}" for name, value in sorted(attributes.items())]
        return "{" + ",".join(parts) + "}"


def decode(text: str) -> dict[str, AttributeValue]:
    """Undo `encode`."""
    return _decoded(text)


def _literal(value: AttributeValue) -> str:
    return _quoted(value) if isinstance(value, str) else str(value)


_quoted: Callable[[str], str] = json.JSONEncoder(ensure_ascii=False).encode
_decoded: Callable[[str], dict[str, AttributeValue]] = json.JSONDecoder(parse_float=Decimal).decode
_encoded: Callable[[dict[str, AttributeValue]], str] = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, check_circular=False
).encode
