"""Puts carriers where MJML lets them live, and refuses the places where it can not.

MJML computes widths and counts columns while it compiles, before any member is known. It compiles nothing
itself and knows nothing of what a carrier stands for but its kind of statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from comms.rendering.carriers import Carrier, Carriers
from comms.rendering.errors import TemplateError, TemplateProblem
from comms.rendering.markup import Piece, edited, scan
from comms.rendering.mjml.table import TAGS, TEXT

_COMPUTED = frozenset(
    "width height icon-width icon-height icon-size tb-width background-width background-height "
    "mj-class full-width mode padding padding-top padding-right padding-bottom padding-left inner-padding "
    "icon-padding text-padding border border-left border-right border-width inner-border ico-padding "
    "thumbnails hamburger base-url background-size background-repeat background-position name "
    "ico-padding-top ico-padding-right ico-padding-bottom ico-padding-left inner-border-left inner-border-right "
    "fluid-on-mobile icon-position cellspacing gap inline path position".split()
)
"""Attributes of MJML components from which MJML computes something."""

_BARE = frozenset("mj-title mj-preview mj-style style title mj-accordion-title script mj-html-attribute".split())
"""Elements in which a comment would be text."""
_COUNTED = frozenset({"mj-social", "mj-carousel", "mj-accordion", "mj-accordion-element"})
"""Components that MJML takes apart and puts together again child by child."""
_HEAD = frozenset({"mjml", "mj-head", "mj-attributes", "mj-html-attributes", "mj-selector"})
_ROWS = frozenset({"mj-section", "mj-group"})
_STRUCTURE = TAGS - TEXT
"""Components that hold components, and no text."""
_BLOCK_SET = re.compile(r"\{%[-+]?\s*(?:endset\b|set\b[^=]*%\})")
"""The first or last tag of a block that is kept instead of printed."""


@dataclass(slots=True)
class _Element:
    name: str
    branch: Carrier | None = None
    """In a section: the first statement among its columns that waits for a member."""
    flexible: bool = False
    """In a section: whether a column has no width of its own."""
    inline: bool = False
    """In mj-style: whether its rules are set in line."""
    kept: bool = False
    """Whether what comes next is the inside of a `{% set %}`."""


def place(mjml: str, carriers: Carriers) -> str:
    """The MJML with each token in text wrapped into a comment. Raises TemplateError."""
    for template, problem in refusals(mjml, carriers):
        raise TemplateError.of(template, problem)
    edits: list[tuple[int, int, str]] = []
    for piece, stack in _with_parents(mjml):
        text = mjml[piece.start : piece.end]
        if piece.kind == "text" and stack and stack[-1].name in _STRUCTURE:
            for _, _, carrier in carriers.find(text):
                _refuse_words(stack[-1], carrier)
        if piece.kind == "text" and not (stack and stack[-1].name in _BARE):
            edits += (
                (piece.start + start, piece.start + end, f"<!--{text[start:end]}-->")
                for start, end, _ in carriers.find(text)
            )
    return edited(mjml, edits)


def refusals(mjml: str, carriers: Carriers) -> Iterator[tuple[str, TemplateProblem]]:
    """Template and problem for every carrier in a place where it can not survive compilation."""
    for piece, stack in _with_parents(mjml):
        source = mjml[piece.start : piece.end]
        if piece.kind == "open":
            if piece.name == "mj-column" and stack and stack[-1].name in _ROWS:
                stack[-1].flexible |= all(attribute.name != "width" for attribute in piece.attributes)
            for offset, _, carrier in carriers.find(source):
                if problem := _in_tag(piece, piece.start + offset, carrier):
                    yield carrier.template, problem
        elif piece.kind == "text" and stack:
            for _, _, carrier in carriers.find(source):
                if problem := _in_text(stack[-1], carrier):
                    yield carrier.template, problem
        elif piece.kind == "close" and stack and stack[-1].name == piece.name:
            row = stack[-1]
            if row.branch and row.flexible:
                yield (
                    row.branch.template,
                    _problem(
                        row.branch,
                        "columns without a width can not depend on the member: MJML divides the row before "
                        "any member is known",
                        'give every column of the section a width, such as width="50%"',
                    ),
                )


def _with_parents(mjml: str) -> Iterator[tuple[Piece, list[_Element]]]:
    """Every piece with the elements around it; for a closing tag the last of them is what it closes."""
    stack: list[_Element] = []
    for piece in scan(mjml):
        yield piece, stack
        if piece.kind == "open" and not piece.closed:
            inline = any((attribute.name, attribute.value) == ("inline", "inline") for attribute in piece.attributes)
            stack.append(_Element(piece.name, inline=inline))
        elif piece.kind == "close" and stack and stack[-1].name == piece.name:
            stack.pop()


def _in_tag(piece: Piece, position: int, carrier: Carrier) -> TemplateProblem | None:
    attribute = next((each for each in piece.attributes if each.start <= position < each.end), None)
    if attribute is None or not attribute.quoted:
        return _problem(
            carrier,
            f"the attributes of <{piece.name}> can not depend on the member",
            "put the whole element into each branch of an if on the member",
        )
    if piece.name.startswith("mj-") and attribute.name in _COMPUTED:
        return _problem(
            carrier,
            f"{attribute.name} of <{piece.name}> can not depend on the member: MJML computes with it",
            "put the whole element into each branch of an if on the member",
        )
    if attribute.name.startswith("on"):
        return _problem(carrier, f"{attribute.name} would run as a script", "mail has no scripts; remove it")
    return None


def _refuse_words(parent: _Element, carrier: Carrier) -> None:
    """Raises TemplateError for a value that is printed between components."""
    if carrier.keyword == "set" and _BLOCK_SET.match(carrier.source):
        parent.kept = not parent.kept
    elif not carrier.keyword and not parent.kept:
        problem = _problem(carrier, f"text can not stand directly in <{parent.name}>", "put it into mj-text")
        raise TemplateError.of(carrier.template, problem)


def _in_text(parent: _Element, carrier: Carrier) -> TemplateProblem | None:
    if parent.name in _HEAD:
        return _problem(
            carrier,
            f"what stands between the elements of <{parent.name}> can not depend on the member",
            "move it into mj-body, or into one mj-style",
        )
    if carrier.keyword and parent.name in _COUNTED:
        return _problem(
            carrier,
            f"the elements of <{parent.name}> can not depend on the member",
            f"put the whole {parent.name} into each branch of an if on the member",
        )
    if parent.inline:
        return _problem(
            carrier,
            "styles that are set in line can not depend on the member",
            'write them into an mj-style without inline="inline"',
        )
    if parent.name == "script":
        return _problem(carrier, "a member's value would run as a script", "mail has no scripts; remove it")
    if carrier.keyword and parent.name in _ROWS and parent.branch is None:
        parent.branch = carrier
    return None


def _problem(carrier: Carrier, message: str, hint: str) -> TemplateProblem:
    return TemplateProblem(carrier.line, f"{carrier.source}: {message}", hint)
