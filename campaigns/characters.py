"""Finds characters that do not belong in a text: invisible controls, broken Unicode, open direction marks.

It knows nothing of what the text means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")
"""Controls except tab and newline, line and paragraph separators, noncharacters, lone surrogates.

Carriage returns are among them: line ends are to be normalised first.
"""

_MARKS = re.compile("[\u202a-\u202e\u2066-\u2069]")
_EMBEDDINGS = "\u202a\u202b\u202d\u202e"
_ISOLATES = "\u2066\u2067\u2068"
_CLOSES = {"\u202c": _EMBEDDINGS, "\u2069": _ISOLATES}

HINT = "delete the characters around it and type them again; it often comes with text pasted from elsewhere"


def clean(text: str) -> str:
    """`text` with each forbidden character replaced by U+FFFD, so that the rest can still be checked."""
    return FORBIDDEN.sub("\ufffd", text)


def faults(text: str) -> Iterator[tuple[int, str]]:
    """(line, message) for each line that holds a forbidden or unbalanced character; lines count from 1.

    Direction marks (Unicode UAX #9, X1-X8) must be closed on the line that opens them: an open one
    makes the words after it read in an order that the author never saw.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if found := FORBIDDEN.search(line):
            yield number, f"a character that can not be printed ({_code(found[0])}) at column {found.start() + 1}"
        if mark := _open_mark(line):
            yield number, f"a direction mark ({_code(mark[0])}) without its partner at column {mark[1] + 1}"


def _open_mark(line: str) -> tuple[str, int] | None:
    """The first mark of the line that opens without closing, or closes without opening, and its index."""
    stack: list[tuple[str, int]] = []
    for found in _MARKS.finditer(line):
        mark = found[0]
        if mark not in _CLOSES:
            stack.append((mark, found.start()))
        elif stack and stack[-1][0] in _CLOSES[mark]:
            stack.pop()
        else:
            return mark, found.start()
    return stack[0] if stack else None


def _code(char: str) -> str:
    return f"U+{ord(char):04X}"
