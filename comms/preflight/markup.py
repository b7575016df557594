"""What the rules want to know of a rendered HTML part: its text with colours, its links, its images."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from comms.rendering.colour import parse as parse_colour
from comms.rendering.markup import VOID, Piece, scan

_HIDDEN = re.compile(r"(?:^|[;\s])display\s*:\s*none", re.IGNORECASE)
_UNSEEN = 2
"""Pixels; smaller text is not there to be read. Layouts set 0 around columns, which set a size again."""
_SILENT = frozenset({"head", "style", "script", "title"})
_NAMES = {"white": "#ffffff", "black": "#000000"}
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*(?:,\s*1(?:\.0+)?\s*)?\)")
_HEX = re.compile(r"#(?:[0-9a-fA-F]{6}|[0-9a-fA-F]{3})\b")
_DEEPEST = 400


@dataclass(frozen=True, slots=True)
class Words:
    """A stretch of visible text. A colour is `#rrggbb`, or None where it can not be told."""

    text: str
    colour: str | None
    background: str | None
    size: float
    """Pixels."""
    bold: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """An image; its size is as written, empty when it is not."""

    src: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Document:
    """An HTML part, read."""

    language: str
    """The `lang` of its root; empty when it has none."""
    words: tuple[Words, ...]
    links: tuple[str, ...]
    """Addresses that can be clicked."""
    images: tuple[Shown, ...]

    @property
    def text(self) -> str:
        return " ".join(" ".join(words.text for words in self.words).split())


@dataclass(frozen=True, slots=True)
class _Style:
    """What an element gives to those in it."""

    name: str = ""
    colour: str | None = "#000000"
    background: str | None = "#ffffff"
    size: float = 16
    bold: bool = False
    hidden: bool = False


@lru_cache(maxsize=4)
def read(source: str) -> Document:
    """Read an HTML part; whatever it is, something comes out. Parts for Outlook alone are left out."""
    reader = _Reader(source)
    for piece in scan(source):
        reader.take(piece)
    return Document(reader.language, tuple(reader.words), tuple(reader.links), tuple(reader.images))


class _Reader:
    """Goes through the pieces of one document once."""

    def __init__(self, source: str) -> None:
        self.language = ""
        self.words: list[Words] = []
        self.links: list[str] = []
        self.images: list[Shown] = []
        self._source = source
        self._stack = [_Style()]

    def take(self, piece: Piece) -> None:
        match piece.kind:
            case "open":
                self._open(piece)
            case "close":
                self._close(piece.name)
            case "text":
                self._text(html.unescape(self._source[piece.start : piece.end]))
            case _:
                pass

    def _open(self, piece: Piece) -> None:
        attributes = {each.name: html.unescape(each.value) for each in piece.attributes}
        style = _inner(self._stack[-1], piece.name, attributes)
        if piece.name == "html":
            self.language = attributes.get("lang", "")
        elif piece.name == "img" and not style.hidden:
            self.images.append(Shown(*(attributes.get(name, "") for name in ("src", "width", "height"))))
        elif piece.name in ("a", "area") and attributes.get("href"):
            self.links.append(attributes["href"].strip())
        if not piece.closed and piece.name not in VOID and len(self._stack) < _DEEPEST:
            self._stack.append(style)

    def _close(self, name: str) -> None:
        for depth in range(len(self._stack) - 1, 0, -1):
            if self._stack[depth].name == name:
                del self._stack[depth:]
                return

    def _text(self, text: str) -> None:
        style = self._stack[-1]
        if not style.hidden and style.size >= _UNSEEN and text.strip():
            self.words.append(Words(text, style.colour, style.background, style.size, style.bold))


def _inner(outer: _Style, name: str, attributes: Mapping[str, str]) -> _Style:
    written = attributes.get("style", "")
    declared = _declarations(written)
    style = replace(outer, name=name)
    if name in _SILENT or _HIDDEN.search(written) or "hidden" in attributes:
        style = replace(style, hidden=True)
    if "background-image" in declared or "url(" in declared.get("background", "") or attributes.get("background"):
        style = replace(style, background=None)
    else:
        backgrounds = (declared.get("background-color"), declared.get("background"), attributes.get("bgcolor"))
        if plain := next(filter(None, backgrounds), None):
            style = replace(style, background=outer.background if _see_through(plain) else _colour(plain))
    if colour := declared.get("color") or (attributes.get("color") if name == "font" else None):
        style = replace(style, colour=outer.colour if colour == "inherit" else _colour(colour))
    if "opacity" in declared:
        style = replace(style, colour=None)
    return replace(style, size=_size(declared, outer.size), bold=_bold(declared, name, outer.bold))


def _declarations(style: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in style.split(";"))
    return {name.strip().lower(): value.strip().lower().removesuffix("!important").strip() for name, _, value in pairs}


def _see_through(value: str) -> bool:
    return value.split()[0] in ("none", "transparent", "inherit", "initial", "unset")


def _colour(value: str) -> str | None:
    """`#rrggbb`; None for what is not known here."""
    if value in _NAMES:
        return _NAMES[value]
    if found := _RGB.search(value):
        channels = [int(number) for number in found.groups()]
        return "#{:02x}{:02x}{:02x}".format(*channels) if max(channels) < 256 else None
    found = _HEX.search(value)
    return "#{:02x}{:02x}{:02x}".format(*parse_colour(found[0])) if found else None


def _size(declared: Mapping[str, str], outer: float) -> float:
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,4})?)px", declared.get("font-size", ""))
    return float(found[1]) if found else outer


def _bold(declared: Mapping[str, str], name: str, outer: bool) -> bool:
    weight = declared.get("font-weight", "")
    if not weight:
        return outer or name in ("b", "strong", "th", "h1", "h2", "h3", "h4")
    return weight in ("bold", "bolder") or bool(re.fullmatch(r"[6-9]00", weight))
