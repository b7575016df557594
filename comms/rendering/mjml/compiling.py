"""A whole MJML document -> HTML: prepared, compiled by mjml-python, and given what that leaves out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mjml import mjml2html

from comms.rendering.clean import clean
from comms.rendering.errors import TemplateError
from comms.rendering.markup import edited, scan
from comms.rendering.mjml.attributes import values
from comms.rendering.mjml.mending import patched
from comms.rendering.mjml.preparing import Prepared, prepare
from comms.rendering.mjml.selecting import with_attributes, with_inline_styles
from comms.rendering.mjml.structure import check

_YAHOO = re.compile(r"@media screen, yahoo \{(?=\s*\.mj-carousel-)")
_OUTLOOK = re.compile(r'class="([^" ]+(?: [^" ]+)+)-outlook"')
_CELL = (
    r"(?:<!--\[if mso \| IE\]><td><!\[endif\]--><table [^>]*display:inline-table;\"><tbody>)?<!--{}-->"
    r"(?:</tbody></table><!--\[if mso \| IE\]></td><!\[endif\]-->)?"
)
"""A comment, with what mjml-python puts around it in mj-social."""


def to_html(mjml: str, *, name: str = "template") -> str:
    """The HTML document for a whole `<mjml>` document. Raises TemplateError."""
    source = clean(mjml)
    for problem in check(source):
        raise TemplateError.of(name, problem)
    prepared = prepare(source)
    try:
        # `fonts={}`: by default every document links Google's servers.
        compiled = mjml2html(prepared.mjml, fonts={})
    except ValueError as error:
        raise TemplateError(name, 0, f"the MJML can not be compiled: {error}") from error
    return _finished(compiled, prepared)


def _finished(document: str, prepared: Prepared) -> str:
    if prepared.raws:
        document = _opened(document, prepared)
    document = patched(document, prepared.marks, prepared.patches)
    # Meant for Yahoo alone; with a comma every program takes it, and hides the arrows.
    document = _YAHOO.sub("@media screen yahoo {", document)
    document = _OUTLOOK.sub(lambda found: f'class="{found[1].replace(" ", "-outlook ")}-outlook"', document)
    document = edited(document, _descriptions(document))
    if prepared.html_attributes:
        document = with_attributes(document, prepared.html_attributes)
    if prepared.inline_css:
        document = with_inline_styles(document, prepared.inline_css)
    return prepared.before_doctype + document


def _opened(document: str, prepared: Prepared) -> str:
    """The document with what its placeholders stand for."""
    word = prepared.marks.placeholders
    return re.sub(f"{_CELL.format(word)}|{word}", lambda found: prepared.raws[found[1] or found[2]], document)


def _descriptions(document: str) -> Iterator[tuple[int, int, str]]:
    """An `alt` for every image: without one, screen readers spell out the address."""
    for piece in scan(document):
        if piece.name == "img" and piece.kind == "open" and "alt" not in values(piece):
            yield piece.start + 4, piece.start + 4, ' alt=""'
