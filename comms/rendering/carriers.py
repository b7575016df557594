"""Stand-ins for Jinja that only a member can answer, carried unharmed through compilation.

Knows neither MJML nor what the Jinja means: it hands out tokens and puts their sources back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, product
from string import ascii_lowercase


@dataclass(frozen=True, slots=True)
class Carrier:
    """One piece of Jinja with its braces, and where it was written."""

    source: str
    template: str
    line: int
    keyword: str = ""
    """The statement it belongs to (`if`, `for`, `set`, `with`); empty for an output expression."""

    def filtered(self, name: str) -> Carrier:
        """The same expression, its value passed through one more filter."""
        inner = self.source[2:-2].strip("-+ \t\r\n")
        return Carrier(f"{{{{ ({inner})|{name} }}}}", self.template, self.line)


class Carriers:
    """The tokens of one compilation. `taken` is all text that could be mistaken for one of them."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        everything = "\0".join(taken).lower()
        # Alphanumeric, so that no parser on the way takes it apart; lower-cased, so that a filter that
        # changes the case is found out instead of printed.
        nonce = next(mark for mark in _marks() if f"zj{mark}" not in everything)
        self._prefix = f"zJ{nonce}"
        self._pattern = re.compile(rf"{self._prefix}(\d+)Jz")
        self._comment = re.compile(rf"<!--({self._prefix}\d+Jz)-->")
        self._carriers: list[Carrier] = []

    def add(self, carrier: Carrier) -> str:
        """The token that stands for the carrier from now on."""
        self._carriers.append(carrier)
        return f"{self._prefix}{len(self._carriers) - 1}Jz"

    def find(self, text: str) -> Iterator[tuple[int, int, Carrier]]:
        """Start, end and carrier of every token in the text."""
        for found in self._pattern.finditer(text):
            number = int(found[1])
            if number < len(self._carriers):
                yield found.start(), found.end(), self._carriers[number]

    def unwrap(self, text: str) -> str:
        """The text with tokens that stand in comments of their own made bare."""
        return self._comment.sub(r"\1", text)

    def restore(self, text: str) -> str:
        """Jinja source: carriers replaced by what they stand for, all other text made literal.

        Raises ValueError when something on the way damaged a token.
        """
        parts: list[str] = []
        position = 0
        for start, end, carrier in self.find(text):
            parts += (self._literal(text[position:start]), carrier.source)
            position = end
        parts.append(self._literal(text[position:]))
        return "".join(parts)

    def _literal(self, text: str) -> str:
        if self._prefix.lower() in text.lower():
            raise ValueError("a value that differs from member to member was changed by a filter")
        return literal(text)


# A brace at the end counts too: the source that follows starts with one.
_OPENING = re.compile(r"\{(?=[{%#]|\Z)")


def literal(text: str) -> str:
    """Jinja source that prints the text as it stands, whatever braces it holds."""
    return _OPENING.sub('{{ "{" }}', text)


def _marks() -> Iterator[str]:
    for length in count(1):
        yield from map("".join, product(ascii_lowercase, repeat=length))
