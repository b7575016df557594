"""Whether the names in a rule exist, with a guess at what was meant. Reads no database."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from audiences.segments.errors import RuleError, short
from audiences.segments.tree import FIELDS, Rule

_LISTED = 12


def check_names(rule: Rule, known: Collection[str]) -> None:
    """Raise `RuleError` for the first name that is neither a field nor in `known`.

    `known` are attribute names in the form `audiences.models.attribute_name` gives.
    """
    for name in rule.mentions():
        if name.key not in FIELDS and name.key not in known:
            raise RuleError(f"no member has {short(name.key)}", name.column, _suggestion(name.key, known))


def _suggestion(key: str, known: Collection[str]) -> str:
    everything = sorted({*known, *FIELDS})
    if close := get_close_matches(key[:100], everything, n=1):
        return f"did you mean {close[0]}?"
    if len(everything) > _LISTED:
        return f"there are {', '.join(everything[:_LISTED])} and {len(everything) - _LISTED} more"
    return f"there are {', '.join(everything)}"
