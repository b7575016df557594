"""MJML to HTML: mjml-python with its known defects mended, and a check of what it passes silently.

It knows nothing of Jinja and fetches nothing: no include, no third-party font unless `mj-font` asks for one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from mjml import mjml2html

from comms.rendering.clean import clean
from comms.rendering.errors import TemplateError, TemplateProblem
from comms.rendering.markup import Piece, edited, scan

TAGS = frozenset(
    "mjml mj-head mj-body mj-attributes mj-all mj-class mj-breakpoint mj-font mj-html-attributes mj-selector "
    "mj-html-attribute mj-preview mj-style mj-title mj-accordion mj-accordion-element mj-accordion-title "
    "mj-accordion-text mj-button mj-carousel mj-carousel-image mj-column mj-divider mj-group mj-hero mj-image "
    "mj-navbar mj-navbar-link mj-raw mj-section mj-social mj-social-element mj-spacer mj-table mj-text "
    "mj-wrapper".split()
)
"""The components of MJML 4, without mj-include."""

_UNSAFE_IN_ATTRIBUTE = re.compile(r"[^ !#-\[\]-~]")


def to_html(mjml: str, *, name: str = "template") -> str:
    """The HTML document for a whole `<mjml>` document. Raises TemplateError."""
    source = clean(mjml)
    for problem in check(source):
        raise TemplateError.of(name, problem)
    try:
        # `fonts={}`: by default every document links Google's servers.
        compiled = mjml2html(_escape_attributes(source), fonts={})
    except ValueError as error:
        raise TemplateError(name, 0, f"the MJML can not be compiled: {error}") from error
    return _describe_images(compiled)


def check(source: str) -> list[TemplateProblem]:
    """What is wrong with the markup, in line order: a template, or a part of one."""
    return sorted(_problems(source))


def _problems(source: str) -> Iterator[TemplateProblem]:
    opened: list[tuple[Piece, int]] = []
    line, position = 1, 0
    for piece in scan(source):
        line += source.count("\n", position, piece.start)
        position = piece.start
        if piece.kind == "stray":
            yield TemplateProblem(line, "a '<' that starts no tag", "write &lt; for the sign itself")
        elif piece.kind == "open":
            yield from _tag_problems(piece, line)
            if not piece.closed:
                opened.append((piece, line))
        elif piece.kind == "close":
            yield from _close(piece.name, line, opened)
    for tag, tag_line in opened:
        yield _unclosed(tag, tag_line, before="the end")


def _close(name: str, line: int, opened: list[tuple[Piece, int]]) -> Iterator[TemplateProblem]:
    """Takes the tag that `name` closes off the open ones."""
    if name.startswith("mj") and name not in TAGS:
        yield _unknown(name, line)
        if opened and get_close_matches(name, [opened[-1][0].name], cutoff=0.5):
            opened.pop()
    elif not any(candidate.name == name for candidate, _ in reversed(opened)):
        yield TemplateProblem(line, f"</{name}> closes nothing", "remove it, or open the tag")
    else:
        while opened[-1][0].name != name:
            yield _unclosed(*opened.pop(), before=f"</{name}> in line {line}")
        opened.pop()


def _tag_problems(piece: Piece, line: int) -> Iterator[TemplateProblem]:
    if piece.name == "mj-include":
        yield TemplateProblem(
            line,
            "mj-include is not used here",
            'write {% include "name.mjml" %}; the file must be in a templates folder',
        )
    elif piece.name.startswith("mj") and piece.name not in TAGS:
        yield _unknown(piece.name, line)
    for attribute in piece.attributes:
        if not attribute.quoted:
            yield TemplateProblem(
                line,
                f"{attribute.name} in <{piece.name}> has no value in quotes",
                f'write {attribute.name}="..."',
            )


def _unknown(name: str, line: int) -> TemplateProblem:
    near = get_close_matches(name, TAGS, n=1)
    hint = f"did you mean {near[0]}?" if near else "see the MJML documentation for its components"
    return TemplateProblem(line, f"there is no component {name}", hint)


def _unclosed(tag: Piece, line: int, *, before: str) -> TemplateProblem:
    return TemplateProblem(
        line,
        f"<{tag.name}> is not closed before {before}",
        "open and close each tag within the same branch of an if or for",
    )


def _escape_attributes(source: str) -> str:
    """Attribute values in ASCII with references for the rest: mrml prints them with Rust's `{:?}`."""
    return edited(source, _escapes(source))


def _escapes(source: str) -> Iterator[tuple[int, int, str]]:
    in_title = False
    for piece in scan(source):
        for attribute in piece.attributes:
            if _UNSAFE_IN_ATTRIBUTE.search(attribute.value):
                yield attribute.start, attribute.end, f'"{_references(attribute.value)}"'
        if piece.kind == "text" and in_title:
            # mrml repeats the title in an attribute, aria-label.
            yield piece.start, piece.end, _references(source[piece.start : piece.end])
        in_title = piece.kind == "open" and piece.name == "mj-title"


def _references(value: str) -> str:
    return _UNSAFE_IN_ATTRIBUTE.sub(lambda found: f"&#{ord(found[0])};", value)


def _describe_images(document: str) -> str:
    """Every image has an `alt`: without one, screen readers spell out the address."""
    return edited(
        document,
        (
            (piece.start + 4, piece.start + 4, ' alt=""')
            for piece in scan(document)
            if piece.name == "img" and piece.kind == "open"
            if all(attribute.name != "alt" for attribute in piece.attributes)
        ),
    )
