"""What mjml-python leaves out of single components, and where in the HTML it belongs.

Measured against the npm package, attribute by attribute (docs/design/0014-mjml.md). Before compiling, `mended`
changes attributes and says what is missing; afterwards `patched` adds it where the component's mark is found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from comms.rendering.markup import Piece, edited, scan
from comms.rendering.mjml.attributes import Values, values
from comms.rendering.mjml.table import SHORTHANDS

_PADDINGS = {
    "mj-accordion-title": ("padding", "16px"),
    "mj-accordion-text": ("padding", "16px"),
    "mj-navbar": ("ico-padding", "10px"),
}
"""Components whose padding is written after that of a single side, and so undoes it; with MJML's default."""
_SIDES = ("top", "right", "bottom", "left")
_CORNERS = {1: (0, 0, 0, 0), 2: (0, 1, 0, 1), 3: (0, 1, 2, 1), 4: (0, 1, 2, 3)}
"""Which of the values of a CSS shorthand belong to which side (CSS Box Model 3 section 4.2)."""

_STYLES = {
    "mj-image": ("img", ("border-top", "border-right", "border-bottom", "border-left")),
    "mj-hero": ("td", ("border-radius",)),
    "mj-accordion-title": ("td", ("font-weight",)),
}
"""Attributes that become styles of the first such element of the component's HTML."""
_COPIED = {
    "mj-image": ("img", ("sizes",)),
    "mj-button": ("a", ("title",)),
    "mj-table": ("table", ("role",)),
    "mj-social-element": ("img", ("srcset", "sizes")),
}
"""Attributes that are attributes of it."""


@dataclass(frozen=True, slots=True)
class Patch:
    """What the first `element` of a component's HTML lacks."""

    element: str
    styles: Mapping[str, str]
    attributes: Mapping[str, str]
    mirrored: bool = False
    """Whether the first two cells change places."""


def mended(tag: str, given: Values, resolved: Values) -> dict[str, str]:
    """`given` with what mjml-python takes for something else written as it takes it."""
    fixed = {name: _with_units(value) if name in SHORTHANDS else value for name, value in given.items()}
    if tag in _PADDINGS:
        _fold(fixed, resolved, *_PADDINGS[tag])
    if resolved.get("full-width") == "false":
        fixed.pop("full-width", None)  # any word makes it full
    if tag == "mj-carousel" and resolved.get("thumbnails") == "supported":
        fixed["thumbnails"] = "visible"  # left out otherwise; the style sheet shows them where it is supported
    return fixed


def _with_units(value: str) -> str:
    """mjml-python computes no widths from four sides of which one is a bare 0."""
    return " ".join("0px" if side == "0" else side for side in value.split(" ")) if " " in value else value


def _fold(fixed: dict[str, str], resolved: Values, name: str, default: str) -> None:
    own_sides = [f"{name}-{side}" for side in _SIDES]
    shorthand = resolved.get(name, default).split()
    if not any(side in resolved for side in own_sides) or len(shorthand) not in _CORNERS:
        return
    corners = [shorthand[at] for at in _CORNERS[len(shorthand)]]
    fixed[name] = " ".join(resolved.get(side, corner) for side, corner in zip(own_sides, corners, strict=True))
    for side in own_sides:
        fixed.pop(side, None)


def missing(tag: str, resolved: Values, gap: str) -> Patch | None:
    """What mjml-python leaves out of a component; `gap` is the distance to the section before it in a wrapper."""
    element, names = _STYLES.get(tag, ("", ()))
    styles = {name: resolved[name] for name in names if name in resolved}
    copied_to, names = _COPIED.get(tag, ("", ()))
    attributes = {name: resolved[name] for name in names if name in resolved}
    if tag == "mj-button" and "href" not in resolved:
        copied_to = "p"
    if tag == "mj-table" and ("cellspacing" in resolved or "border" in resolved):
        styles["border-collapse"] = "separate" if re.search("[1-9]", resolved.get("cellspacing", "")) else "collapse"
    if tag == "mj-column" and resolved.get("inner-border-radius"):
        element, styles = "table", {"border-collapse": "separate"}
    if tag == "mj-button" and "width" in resolved:
        element, styles = copied_to, _button_width(resolved)
    if resolved.get("full-width") == "full-width" and "border-radius" in resolved:
        element, styles = "table", {"border-radius": "0"}  # it is for the part in the middle
    if gap:
        element, styles = "div", {"margin-top": gap}
    mirrored = tag == "mj-social-element" and resolved.get("icon-position") == "right"
    if not (styles or attributes or mirrored):
        return None
    return Patch(copied_to if attributes else element or copied_to, styles, attributes, mirrored)


class Marks:
    """Classes that tell which HTML was made of which component. `taken` is all text they must not be part of."""

    def __init__(self, taken: str) -> None:
        self._prefix = "zM"
        while self._prefix in taken:
            self._prefix += "x"
        mark = rf"{self._prefix}(\d+)Mz"
        self._mark = re.compile(mark)
        self.placeholders = rf"({self._prefix}p\d+Mz)"
        """A pattern; its group is the placeholder."""
        trace = f"{mark}(?:-outlook)?"
        self._traces = re.compile(rf' class="{trace}"|{trace} | {trace}(?=[ "])')

    def mark(self, number: int) -> str:
        """The class of one component."""
        return f"{self._prefix}{number}Mz"

    def placeholder(self, number: int) -> str:
        """A word that no mark is part of."""
        return f"{self._prefix}p{number}Mz"

    def numbers(self, text: str) -> list[int]:
        """Of all marks in the text."""
        return [int(number) for number in self._mark.findall(text)]

    def removed(self, html: str) -> str:
        """The HTML without any mark."""
        return self._traces.sub("", html)


def _button_width(resolved: Values) -> dict[str, str]:
    """The width of a button's link without its borders, which mjml-python forgets (mjml-button, calculateAWidth)."""
    whole = resolved.get("border", "none")
    borders = sum(_pixels(resolved.get(f"border-{side}", whole)) for side in ("left", "right"))
    if not borders or not resolved["width"].endswith("px"):
        return {}
    sides = resolved.get("inner-padding", "10px 25px").split()
    if len(sides) not in _CORNERS:
        return {}
    paddings = sum(_pixels(sides[at]) for at in _CORNERS[len(sides)][1::2])
    return {"width": f"{_pixels(resolved['width']) - borders - paddings}px"}


def _pixels(value: str) -> int:
    found = re.search(r"(?:\A| )(\d{1,6})", value, re.ASCII)
    return int(found[1]) if found else 0


def patched(html: str, marks: Marks, patches: Sequence[Patch]) -> str:
    """The HTML with every patch applied and all marks gone."""
    return marks.removed(edited(html, sorted(_edits(html, marks, patches)))) if patches else html


def _edits(html: str, marks: Marks, patches: Sequence[Patch]) -> Iterator[tuple[int, int, str]]:
    waiting: Patch | None = None
    for piece in scan(html):
        if piece.kind != "open":
            continue
        classes = values(piece).get("class", "")
        for number in marks.numbers(classes):
            waiting = patches[number]
            if waiting.mirrored:
                yield from _mirrored(html, piece.end)
        if waiting and waiting.element == piece.name:
            yield from _completed(piece, waiting)
            waiting = None


def _completed(piece: Piece, patch: Patch) -> Iterator[tuple[int, int, str]]:
    after_name = piece.start + 1 + len(piece.name)
    attributes = "".join(f' {name}="{value}"' for name, value in patch.attributes.items())
    styles = "".join(f"{name}:{value};" for name, value in patch.styles.items())
    style = next((attribute for attribute in piece.attributes if attribute.name == "style"), None)
    if styles and style:
        yield style.end - 1, style.end - 1, styles
    elif styles:
        attributes += f' style="{styles}"'
    if attributes:
        yield after_name, after_name, attributes


def _mirrored(html: str, start: int) -> Iterator[tuple[int, int, str]]:
    """The first two cells that begin after `start`, the second before the first."""
    cells: list[tuple[int, int]] = []
    depth, begin = 0, start
    for piece in scan(html[start:]):
        if piece.name == "td" and piece.kind == "open":
            begin = begin if depth else start + piece.start
            depth += 1
        elif piece.name == "td" and piece.kind == "close":
            depth -= 1
            if depth == 0:
                cells.append((begin, start + piece.end))
        if len(cells) == 2 or (piece.name == "tr" and piece.kind == "close" and depth == 0):
            break
    if len(cells) == 2:
        (first, _), (second, second_end) = cells
        yield first, first, html[second:second_end]
        yield second, second_end, ""
