"""What is wrong with a rule, and where. Says it in words for people who write no programs; prints nothing."""

from __future__ import annotations

import unicodedata

from audiences.errors import AudienceError

_WINDOW = 72
"""Columns of a terminal that the line above the caret may fill."""
_QUOTED = 30


class RuleError(AudienceError):
    """A rule that can not be used.

    `message` says what is wrong, `column` where (1-based, in characters from the start of the rule, line
    ends included), `hint` what to do; the hint may be empty.
    """

    def __init__(self, message: str, column: int, hint: str = "") -> None:
        super().__init__(message, column, hint)
        self.message = message
        self.column = column
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.message} at column {self.column}"
        return f"{place}; {self.hint}" if self.hint else place

    def caret(self, text: str) -> str:
        """Two lines: the line of `text` that holds the fault, and a ^ under the place.

        A long line is cut around the fault; characters that would move the caret are shown as spaces.
        """
        at = min(self.column - 1, len(text))
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        line = text[start : end if end >= 0 else len(text)]
        place = at - start
        cut = max(0, place - _WINDOW // 2)
        shown = "".join(c if c.isprintable() else " " for c in line[cut : cut + _WINDOW])
        return f"{shown}\n{' ' * _width(shown[: place - cut])}^"


def short(text: str) -> str:
    """`text` as a message may quote it: on one line, and not long."""
    line = " ".join(text.split())
    return line if len(line) <= _QUOTED else f"{line[: _QUOTED - 1]}…"


def in_segment(name: str, error: RuleError, column: int) -> RuleError:
    """`error`, saying in which segment it is, at the column where that one is named."""
    return RuleError(f"in segment {short(name)}: {error.message}", column, error.hint)


def _width(text: str) -> int:
    """Terminal columns of `text`: two for wide East Asian letters, none for combining marks."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
