"""Rewrites an MJML document into one that mjml-python compiles as npm's would be, and keeps what it can not hold.

It compiles nothing; what is kept goes back into the HTML in `compiling.py`.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

from comms.rendering.markup import Piece, edited, scan
from comms.rendering.mjml.attributes import Defaults, Values, values
from comms.rendering.mjml.mending import Marks, Patch, mended, missing
from comms.rendering.mjml.table import COLOURED, TAGS

_UNSAFE_IN_ATTRIBUTE = re.compile(r"[^ !#-\[\]-~]")
_SHORT_COLOUR = re.compile(r"#([0-9a-fA-F])([0-9a-fA-F])([0-9a-fA-F])")
_NO_RAW = frozenset({"mj-social", "mj-navbar", "mj-accordion"})
"""Components in which mjml-python knows comments, but not mj-raw."""
_NO_COMMENTS = frozenset({"mj-carousel", "mj-accordion-element", "mj-attributes", "mj-class"})
"""Components in which it knows neither."""

HtmlAttributes = tuple[str, tuple[tuple[str, str], ...]]
"""A CSS selector, and the attributes that what it selects is given."""


@dataclass(slots=True)
class Prepared:
    """`mjml` to compile, and what belongs into its HTML afterwards."""

    marks: Marks
    mjml: str = ""
    before_doctype: str = ""
    inline_css: str = ""
    html_attributes: list[HtmlAttributes] = field(default_factory=list)
    patches: list[Patch] = field(default_factory=list)
    raws: dict[str, str] = field(default_factory=dict)
    """Placeholder -> the HTML that it stands for; in a comment where it stands between components."""


@dataclass(frozen=True, slots=True)
class _Element:
    name: str
    classes: str
    """The mj-class that holds here: its own, or else of what it stands in."""
    gap: str = ""
    """Of a wrapper: the distance between its sections; of the others: nothing."""


def prepare(source: str) -> Prepared:
    """The document, which `structure.check` found in order, made ready."""
    prepared = Prepared(Marks(source))
    prepared.mjml = edited(source, _Preparation(source, prepared).edits())
    return prepared


class _Preparation:
    """One walk through a document."""

    def __init__(self, source: str, prepared: Prepared) -> None:
        self._source = source
        self._prepared = prepared
        self._pieces = tuple(scan(source))
        self._defaults = Defaults.of(self._pieces)
        self._stack: list[_Element] = []
        self._sections = 0
        """How many sections the wrapper around has had."""

    def edits(self) -> Iterator[tuple[int, int, str]]:
        at = 0
        while at < len(self._pieces):
            piece = self._pieces[at]
            if self._is_kept_apart(piece):
                end = self._end_of(at)
                yield piece.start, self._pieces[end].end, self._kept(piece, self._inside(at, end))
                at = end
            else:
                yield from self._edits(piece)
                if piece.name == "mj-accordion-title" and piece.kind == "open":
                    at = yield from self._title(at)
            at += 1

    def _title(self, at: int) -> Generator[tuple[int, int, str], None, int]:
        """Keeps the HTML of an accordion's title, which mjml-python takes for text; index of its last piece."""
        end = self._end_of(at)
        inside = self._inside(at, end)
        if "<" not in inside:
            return at
        yield self._pieces[at].end, self._pieces[end].start, self._placeholder(inside)
        return end - 1

    def _edits(self, piece: Piece) -> Iterator[tuple[int, int, str]]:
        parent = self._stack[-1].name if self._stack else ""
        if piece.kind == "comment" and self._is_dropped(piece, parent):
            yield piece.start, piece.end, ""
        elif piece.kind == "text" and parent == "mj-title":
            # mjml-python repeats the title in an attribute, aria-label.
            yield piece.start, piece.end, references(self._source[piece.start : piece.end])
        elif piece.kind == "close" and self._stack:
            self._stack.pop()
        elif piece.kind == "open" and piece.name in TAGS:
            yield from self._component(piece)
        elif piece.kind == "open":
            yield from _escapes(piece)
        if piece.kind == "open" and not piece.closed and piece.name not in TAGS:
            self._stack.append(_Element(piece.name, ""))

    def _component(self, piece: Piece) -> Iterator[tuple[int, int, str]]:
        around = self._stack[-1] if self._stack else _Element("", "")
        given = self._defaults.given(piece, around.classes)
        resolved = self._defaults.resolved(piece.name, given)
        written = mended(piece.name, given, resolved)
        in_body = around.name not in ("mj-attributes", "mj-class")
        if in_body:
            self._mark(piece, written, resolved, around.gap)
        written = {name: _colour(name, value) for name, value in written.items()}
        if written != values(piece):
            attributes = "".join(f' {name}="{references(value)}"' for name, value in written.items())
            yield piece.start, piece.end, f"<{piece.name}{attributes}{' /' if piece.closed else ''}>"
        else:
            yield from _escapes(piece)
        if not piece.closed:
            classes = values(piece).get("mj-class", around.classes)
            gap = resolved.get("gap", "") if piece.name == "mj-wrapper" else ""
            self._sections = 0 if gap else self._sections
            self._stack.append(_Element(piece.name, classes, gap))

    def _mark(self, piece: Piece, written: dict[str, str], resolved: Values, gap: str) -> None:
        """Gives the element a class of its own when something must be added to its HTML."""
        self._sections += bool(gap)
        patch = missing(piece.name, resolved, gap if self._sections > 1 and piece.name == "mj-section" else "")
        if patch is not None:
            number = len(self._prepared.patches)
            self._prepared.patches.append(patch)
            written["css-class"] = f"{self._prepared.marks.mark(number)} {resolved.get('css-class', '')}".strip()

    def _is_kept_apart(self, piece: Piece) -> bool:
        """Whether the element goes around mjml-python."""
        parent = self._stack[-1].name if self._stack else ""
        if piece.kind != "open":
            return False
        if piece.name == "mj-raw":
            return parent == "mjml" or parent in _NO_RAW
        if piece.name == "mj-style":
            return values(piece).get("inline") == "inline"
        return piece.name == "mj-html-attributes" or (piece.name == "mj-class" and parent == "mj-attributes")

    def _kept(self, piece: Piece, inside: str) -> str:
        """Keeps what the element holds, and gives what stands for it in the MJML."""
        prepared = self._prepared
        if piece.name == "mj-style":
            prepared.inline_css += f"{inside}\n"
        elif piece.name == "mj-html-attributes":
            prepared.html_attributes += _selectors(inside)
        elif piece.name == "mj-raw" and self._stack[-1].name in _NO_RAW:
            return f"<!--{self._placeholder(inside)}-->"
        elif piece.name == "mj-raw" and values(piece).get("position") == "file-start":
            prepared.before_doctype += f"{inside.strip()}\n"
        return ""

    def _placeholder(self, html: str) -> str:
        """What stands for a piece of HTML until the document is compiled."""
        placeholder = self._prepared.marks.placeholder(len(self._prepared.raws))
        self._prepared.raws[placeholder] = html.strip()
        return placeholder

    def _is_dropped(self, piece: Piece, parent: str) -> bool:
        """Whether mjml-python fails at a comment, or at what begins like one, and no mail needs it."""
        return parent in _NO_COMMENTS or not (parent or self._source.startswith("<!--", piece.start))

    def _end_of(self, at: int) -> int:
        """Index of the piece that closes the element which begins at `at`."""
        depth = 0
        for index in range(at, len(self._pieces)):
            piece = self._pieces[index]
            if piece.name == self._pieces[at].name and not piece.closed:
                depth += 1 if piece.kind == "open" else -1
            if depth == 0:
                return index
        raise AssertionError("the check found every tag closed")

    def _inside(self, start: int, end: int) -> str:
        return self._source[self._pieces[start].end : self._pieces[end].start] if end > start else ""


def references(value: str) -> str:
    """A value in ASCII with references for the rest: mjml-python prints attributes with Rust's `{:?}`."""
    return _UNSAFE_IN_ATTRIBUTE.sub(lambda found: f"&#{ord(found[0])};", value)


def _escapes(piece: Piece) -> Iterator[tuple[int, int, str]]:
    for attribute in piece.attributes:
        if _UNSAFE_IN_ATTRIBUTE.search(attribute.value):
            yield attribute.start, attribute.end, f'"{references(attribute.value)}"'


def _colour(name: str, value: str) -> str:
    """Colours of three digits in six, as the npm package writes them."""
    if len(value) != 4 or name not in COLOURED:
        return value
    return _SHORT_COLOUR.sub(r"#\1\1\2\2\3\3", value)


def _selectors(source: str) -> list[HtmlAttributes]:
    """What the mj-selector elements in mj-html-attributes ask for."""
    found: list[tuple[str, list[tuple[str, str]]]] = []
    opened: Piece | None = None
    for piece in scan(source):
        if piece.kind == "open" and piece.name == "mj-selector":
            found.append((values(piece).get("path", ""), []))
        elif piece.kind == "open" and piece.name == "mj-html-attribute":
            opened = piece
        elif piece.kind == "close" and piece.name == "mj-html-attribute" and opened and found:
            name, text = values(opened).get("name", ""), source[opened.end : piece.start].strip()
            found[-1][1].append((name, references(text)))
    return [(path, tuple(attributes)) for path, attributes in found]
