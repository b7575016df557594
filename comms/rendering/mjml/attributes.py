"""What the attributes of an MJML element amount to: its own, those of its classes, those set for all.

As mjml-core applies them (`applyAttributes` in lib/index.js of the npm package). It reads mj-attributes only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from comms.rendering.markup import Piece

Values = Mapping[str, str]
"""Attribute -> the source between its quotes."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What mj-attributes says: for every component, for one, for a class, and for a component within a class."""

    everywhere: dict[str, str] = field(default_factory=dict)
    by_tag: dict[str, dict[str, str]] = field(default_factory=dict)
    by_class: dict[str, dict[str, str]] = field(default_factory=dict)
    within: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> Defaults:
        """The defaults of a document. What is said later wins."""
        defaults = cls()
        inside, mj_class = False, ""
        for piece in pieces:
            if piece.name == "mj-attributes":
                inside = piece.kind == "open" and not piece.closed
            elif inside and piece.kind == "close" and piece.name == "mj-class":
                mj_class = ""
            elif inside and piece.kind == "open":
                mj_class = defaults._take(piece, mj_class)
        return defaults

    def _take(self, piece: Piece, mj_class: str) -> str:
        """Notes one element; the class that the next ones belong to."""
        given = values(piece)
        if piece.name == "mj-class":
            name = given.pop("name", "")
            self.by_class.setdefault(name, {}).update(given)
            return "" if piece.closed else name
        if mj_class:
            self.within.setdefault((mj_class, piece.name), {}).update(given)
        elif piece.name == "mj-all":
            self.everywhere.update(given)
        else:
            self.by_tag.setdefault(piece.name, {}).update(given)
        return mj_class

    def given(self, piece: Piece, around: str) -> dict[str, str]:
        """The element's own attributes with those of its classes; `around` are the classes it stands in."""
        own = values(piece)
        merged: dict[str, str] = {}
        for name in own.pop("mj-class", "").split():
            of_class = self.by_class.get(name, {})
            both = [styles["css-class"] for styles in (merged, of_class) if "css-class" in styles]
            merged |= of_class
            if both:
                merged["css-class"] = " ".join(both)
        for name in around.split():
            merged |= self.within.get((name, piece.name), {})
        return merged | own

    def resolved(self, tag: str, given: Values) -> dict[str, str]:
        """All that holds for an element whose own attributes are `given`, but for the component's own defaults."""
        return {**self.everywhere, **self.by_tag.get(tag, {}), **given}


def values(piece: Piece) -> dict[str, str]:
    """The attributes of a tag; of two with the same name the first counts."""
    found: dict[str, str] = {}
    for attribute in piece.attributes:
        found.setdefault(attribute.name, attribute.value)
    return found
