"""Marks that stand for tags while a mail is made, and that no step on the way mistakes for text or markup.

It knows neither the tools nor what their tags mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import count


class Marks:
    """The marks of one kit. `taken` is all text that could be mistaken for one of them."""

    def __init__(self, taken: Iterable[str]) -> None:
        everything = "\0".join(taken).lower()
        number = next(number for number in count() if f"kq{number}x" not in everything)
        self._prefix = f"kQ{number}x"
        self._pattern = re.compile(rf"{self._prefix}(\d+)Qk")
        self._tags: list[str] = []
        self._words: list[str] = []

    def add(self, tag: str, words: str = "") -> str:
        """What stands for the tag from now on: letters and digits. `words` is what a reader may see for it."""
        self._tags.append(tag)
        self._words.append(words)
        return f"{self._prefix}{len(self._tags) - 1}Qk"

    def filled(self, text: str, harmless: Callable[[str], str]) -> str:
        """The text with its tags, byte for byte; all that stands between them goes through `harmless`.

        Raises ValueError when something on the way changed a mark.
        """
        parts: list[str] = []
        position = 0
        for found in self._pattern.finditer(text):
            parts += (self._checked(text[position : found.start()], harmless), self._tags[int(found[1])])
            position = found.end()
        parts.append(self._checked(text[position:], harmless))
        return "".join(parts)

    def spoken(self, text: str) -> str:
        """The text as a reader may see it, of whom nothing is known."""
        return self._pattern.sub(lambda found: self._words[int(found[1])], text)

    def _checked(self, text: str, harmless: Callable[[str], str]) -> str:
        if self._prefix.lower() in text.lower():
            raise ValueError("a value that differs from reader to reader was changed by a filter")
        return harmless(text)
