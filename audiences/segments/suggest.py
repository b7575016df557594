"""What someone may have meant by a word that is none of those there are. Decides nothing."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from audiences.segments.errors import short

_LISTED = 12
_COMPARED = 100
"""Characters of a word; what is longer resembles nothing."""


def suggestion(word: str, choices: Collection[str]) -> str:
    """A hint: the nearest of `choices`, or else a list of them; empty when there are none."""
    everything = sorted(choices)
    if close := get_close_matches(word[:_COMPARED], everything, n=1):
        return f"did you mean {short(close[0])}?"
    listed = ", ".join(short(choice) for choice in everything[:_LISTED])
    if len(everything) > _LISTED:
        return f"there are {listed} and {len(everything) - _LISTED} more"
    return f"there are {listed}" if listed else ""
