"""What CSS selectors choose in a finished HTML document: styles set in line, attributes added.

The document keeps every byte but those of the attributes: css-inline reads a copy, in which each tag has a number.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import css_inline

from comms.rendering.markup import Piece, edited, scan
from comms.rendering.mjml.preparing import HtmlAttributes

_NUMBER = "data-comms-tag"
_IMPORTANT = re.compile(r"\s*!\s*important\s*\Z", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_:][\w:.-]*", re.ASCII)


def with_inline_styles(document: str, css: str) -> str:
    """The HTML with the rules of `css` in the style attributes of what they select; media queries have no effect.

    What a style attribute says already wins over a rule, unless the rule is `!important` (CSS Cascade 4 section 6.1).
    """
    tags = _tags(document)
    edits = []
    for number, rules in _selected(document, tags, css).items():
        style = next((each for each in tags[number].attributes if each.name == "style"), None)
        value = f'"{html.escape(_merged(_declarations(html.unescape(style.value)) if style else [], rules))}"'
        start = tags[number].start + 1 + len(tags[number].name)
        edits.append((style.start, style.end, value) if style else (start, start, f" style={value}"))
    return edited(document, edits)


def with_attributes(document: str, wanted: Sequence[HtmlAttributes]) -> str:
    """The HTML with attributes added to what selectors choose; the last to set one wins."""
    tags = _tags(document)
    css = "\n".join(f"{selector} {{ --comms-{index}: 1 }}" for index, (selector, _) in enumerate(wanted))
    edits = []
    for number, rules in sorted(_selected(document, tags, css).items()):
        chosen: dict[str, str] = {}
        for index in sorted(int(rule.split(":")[0].removeprefix("--comms-")) for rule in rules):
            chosen |= {name: value for name, value in wanted[index][1] if _NAME.fullmatch(name)}
        tag = tags[number]
        there = {attribute.name: attribute for attribute in tag.attributes}
        new = "".join(f' {name}="{value}"' for name, value in chosen.items() if name not in there)
        start = tag.start + 1 + len(tag.name)
        edits.append((start, start, new))
        edits += sorted((there[name].start, there[name].end, f'"{chosen[name]}"') for name in there if name in chosen)
    return edited(document, edits)


def _merged(own: Sequence[str], rules: Sequence[str]) -> str:
    """A style attribute: weak rules, what stands there, strong rules; of the same property only the last."""
    plain = [rule for rule in rules if not _IMPORTANT.search(rule)]
    loud = [_IMPORTANT.sub("", rule) for rule in rules if _IMPORTANT.search(rule)]
    declarations = [*plain, *own, *loud]
    last = {declaration.split(":")[0].strip(): at for at, declaration in enumerate(declarations)}
    return "".join(f"{declarations[at]};" for at in sorted(last.values()))


def _tags(document: str) -> list[Piece]:
    return [piece for piece in scan(document) if piece.kind == "open"]


def _selected(document: str, tags: Sequence[Piece], css: str) -> dict[int, list[str]]:
    """Index of a tag -> the declarations that the rules give it, weakest first."""
    numbers = []
    for number, piece in enumerate(tags):
        style = next((each for each in piece.attributes if each.name == "style"), None)
        at = piece.start + 1 + len(piece.name)
        numbers.append((at, at, f' {_NUMBER}="{number}"'))
        if style:
            numbers.append((style.start, style.end, '""'))
    inliner = css_inline.CSSInliner(
        inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False, extra_css=css
    )
    selected = {}
    for piece in scan(inliner.inline(edited(document, numbers))):
        found = {attribute.name: html.unescape(attribute.value) for attribute in piece.attributes}
        if _NUMBER in found and found.get("style"):
            selected[int(found[_NUMBER])] = _declarations(found["style"])
    return dict(sorted(selected.items()))


def _declarations(style: str) -> list[str]:
    """The declarations of a style attribute; a semicolon in quotes or brackets ends none."""
    found = re.findall(r"""(?:[^;"'(]++|"[^"]*+"|'[^']*+'|\([^)]*+\)|["'(])++""", style)
    return [declaration.strip() for declaration in found if declaration.strip()]
