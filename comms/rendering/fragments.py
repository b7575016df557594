"""A template's markup without its Jinja, in stretches that end up in one place. It judges and runs nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from comms.rendering.jinja_parts import Part, outer

_ELSEWHERE = frozenset({"macro", "call", "set"})
"""Statements whose body is printed where something else says."""
_VISIBLE = re.compile(r"[^\n]")


def fragments(parts: Sequence[Part]) -> Iterator[str]:
    """The markup outside of macros, calls and block assignments, then the inside of each of them.

    Each fragment is as long as the source and has its lines; what does not belong to it is blank.
    """
    blanks = [_VISIBLE.sub(" ", part.source) for part in parts]
    owned: list[list[int]] = [[]]
    stack = [0]
    for index, part in enumerate(parts):
        if part.kind == "text":
            owned[stack[-1]].append(index)
        elif part.kind == "statement" and _opens(part):
            stack.append(len(owned))
            owned.append([])
        elif part.kind == "statement" and _closes(part):
            stack.pop()
    for indexes in owned:
        shown = list(blanks)
        for index in indexes:
            shown[index] = parts[index].source
        yield "".join(shown)


def _opens(part: Part) -> bool:
    return part.keyword in _ELSEWHERE and not (part.keyword == "set" and outer(part.tokens, "=") >= 0)


def _closes(part: Part) -> bool:
    return part.keyword.startswith("end") and part.keyword[len("end") :] in _ELSEWHERE
