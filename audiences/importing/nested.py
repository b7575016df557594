"""Parses nested data that products put into one cell: JSON, and the dicts of Python. Neither can run anything."""

from __future__ import annotations

import ast
import json
import warnings
from collections.abc import Callable
from decimal import Decimal

MAX_CHARACTERS = 100_000
MAX_DEPTH = 50
"""Of brackets: the parsers recurse, and what is deeper is no attribute of a person."""


def parse_json(text: str) -> object:
    """Raises ValueError when the text is no JSON, or too long or deep."""
    return _guarded(text, "JSON", _json)


def parse_literal(text: str) -> object:
    """A literal of Python, such as `{'state': 'KS'}`. Raises ValueError when the text is none, or too long or deep."""
    return _guarded(text, "dict of Python", _literal)


def _json(text: str) -> object:
    return json.loads(text, parse_float=Decimal, parse_constant=str)


def _literal(text: str) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the compiler warns of strange escapes; it is not our code
        return ast.literal_eval(text)


def _guarded(text: str, kind: str, parse: Callable[[str], object]) -> object:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"holds {len(text):,} characters; {MAX_CHARACTERS:,} are allowed")
    depth = deepest = 0
    for character in text:
        depth += (character in "[{(") - (character in "]})")
        deepest = max(deepest, depth)
    if deepest > MAX_DEPTH:
        raise ValueError(f"is nested more than {MAX_DEPTH} deep")
    try:
        return parse(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"holds no {kind}") from error
