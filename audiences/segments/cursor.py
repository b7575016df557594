"""A place in the tokens of a rule, and the values that are read there. Knows no conditions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from audiences.segments.errors import RuleError
from audiences.segments.lexer import Kind, Token
from audiences.segments.tree import Word
from audiences.segments.values import LONGEST_OFFSET, RelativeDay, Text, Unit, Value, bare, fold

DEEPEST = 50
"""How many parentheses, `not` and `except` may stand inside one another."""

CONDITION_WORDS = ("in", "is", "contains", "starts", "ends")
KEYWORDS = (*CONDITION_WORDS, "and", "or", "not", "has", "everyone")
_UNITS = {name: unit for unit in Unit for name in (unit.value, f"{unit.value}s")}
_OFFSET_NUMBER = re.compile(r"[0-9]{1,9}")
_OFFSETS = "as in: today + 30 days"
_Read = TypeVar("_Read")


class Cursor:
    """Each method reads what its name says and leaves the rest; raises `RuleError` when it is not there."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    @property
    def before(self) -> Token:
        """The token read last; only after one was."""
        return self._tokens[self._at - 1]

    def peek(self, ahead: int) -> Token:
        """The token so many places after the next one, or the end."""
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        token = self.next
        if token.kind is not Kind.END:
            self._at += 1
        return token

    def at_end(self) -> bool:
        return self.next.kind is Kind.END

    def take_sign(self, sign: str) -> bool:
        if not self.next.is_sign(sign):
            return False
        self.take()
        return True

    def take_word(self, *words: str) -> bool:
        if not self.next.is_word(*words):
            return False
        self.take()
        return True

    def inside(self, opening: Token, read: Callable[[], _Read]) -> _Read:
        """What `read` gives one level deeper, below `opening`."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise RuleError(
                f"more than {DEEPEST} parentheses and `not` stand inside one another",
                opening.column,
                "split the rule, or leave out parentheses that change nothing",
            )
        found = read()
        self._depth -= 1
        return found

    def listed(self, opening: str, read: Callable[[str], _Read], hint: str) -> tuple[_Read, ...]:
        """What stands in parentheses, with commas between, each read by `read`.

        `opening` is what was read, for the message, and `hint` how to write it if no parenthesis follows.
        """
        if not self.take_sign("("):
            raise RuleError(f'expected "(" after "{opening}", found {self.next}', self.next.column, hint)
        items = [read(f'"{opening} ("')]
        while self.take_sign(","):
            items.append(read('","'))
        if not self.take_sign(")"):
            raise RuleError(
                f'expected "," or ")" in the list, found {self.next}',
                self.next.column,
                'put a ")" at the end of the list' if self.at_end() else "text of several words goes in quotes",
            )
        return tuple(items)

    def value(self, after: str) -> Value:
        token = self.value_token(after)
        if token.kind is Kind.QUOTED:
            return Text(token.text)
        if token.is_word("today"):
            return self._offset()
        return bare(token.text, token.column)

    def word(self, after: str) -> Word:
        """A value of which letters and digits count, whatever it would be elsewhere: `tag = 2026`."""
        token = self.value_token(after)
        return Word(unicodedata.normalize("NFC", token.text), token.column)

    def slug(self, after: str) -> Word:
        """The short name of a topic or campaign; those have no capitals."""
        word = self.word(after)
        return Word(fold(word.text), word.column)

    def value_token(self, after: str) -> Token:
        """The first (mostly only) token of a value; `after` is for the message if there is none."""
        token = self.next
        if token.kind not in (Kind.QUOTED, Kind.WORD):
            raise RuleError(f"expected a value after {after}, found {token}", token.column)
        if not token.text:
            raise RuleError("these quotes are empty", token.column, "to find members without a value write: is missing")
        self.take()
        if token.is_word(*KEYWORDS, "except") and not self._ends_value():
            raise RuleError(
                f"expected a value after {after}, found the word {token}",
                token.column,
                f'if the value is this word, put it in quotes: "{token.text}"',
            )
        return token

    def _ends_value(self) -> bool:
        """Whether a value may end here. Tells Oregon from a forgotten value: `state in (WA, OR)`, `state = or`."""
        return self.at_end() or self.next.is_sign(",", ")") or self.next.is_word("and", "or", "except")

    def span(self, after: str, hint: str) -> tuple[int, Unit]:
        """A number of days, weeks, months or years; `after` is for messages. At most a century."""
        column, digits = self.next.column, self.take().text
        return self._span(digits, column, after, hint)

    def _span(self, digits: str, column: int, after: str, hint: str) -> tuple[int, Unit]:
        if not _OFFSET_NUMBER.fullmatch(digits):
            raise RuleError(f'expected a whole number after "{after}"', column, hint)
        token = self.take()
        unit = unit_of(token)
        if unit is None:
            raise RuleError(
                f'expected days, weeks, months or years after "{after} {digits}", found {token}', token.column, hint
            )
        if int(digits) > LONGEST_OFFSET[unit]:
            raise RuleError(
                f"{digits} {unit}s is too far from today", column, f"at most {LONGEST_OFFSET[unit]:,} {unit}s"
            )
        return int(digits), unit

    def _offset(self) -> RelativeDay:
        """What follows `today`, if anything does."""
        token = self.next
        if token.kind is not Kind.WORD or token.text[0] not in "+-":
            return RelativeDay()
        self.take()
        direction, digits, column = token.text[0], token.text[1:], token.column + 1
        if not digits:
            column = self.next.column
            digits = self.take().text
        amount, unit = self._span(digits, column, f"today {direction}", _OFFSETS)
        return RelativeDay(int(f"{direction}{amount}"), unit)


def unit_of(token: Token) -> Unit | None:
    """The unit of time that `token` names."""
    return _UNITS.get(token.text.lower()) if token.kind is Kind.WORD else None
