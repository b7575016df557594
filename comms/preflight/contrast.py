"""Colours that people with weak sight, or a phone in the sun, can not tell apart."""

from __future__ import annotations

from collections.abc import Iterator

from comms.preflight import markup
from comms.preflight.facts import Facts
from comms.preflight.report import Finding, should
from comms.rendering.colour import MINIMUM_CONTRAST, WHITE, contrast, legible

BRAND = should(
    "contrast-brand",
    f"a colour of the association that has less than {MINIMUM_CONTRAST} to 1 against white",
    "Our templates darken it for text; in others, and on buttons, it can hardly be read.",
)
TEXT = should(
    "contrast-text",
    f"text with less than {MINIMUM_CONTRAST} to 1 against what is behind it, 3 to 1 where it is large",
    "About one reader in twelve can not read it (WCAG 2.2, success criterion 1.4.3).",
)
RULES = (BRAND, TEXT)

_LARGE, _LARGE_BOLD = 24, 18.66
"""Pixels: 18 and 14 points (WCAG 2.2, definition of large scale)."""
_LARGE_MINIMUM = 3.0
_MOST = 3


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on the association's colour, and on each pair of colours of the mail, three at the most."""
    if facts.mail is None:
        return
    yield from _of_brand(facts)
    pairs: dict[tuple[str, str], str] = {}
    for words in markup.read(facts.mail.shown.html).words:
        if words.colour and words.background and contrast(words.colour, words.background) < _least(words):
            pairs.setdefault((words.colour, words.background), " ".join(words.text.split()))
    for (colour, background), text in list(pairs.items())[:_MOST]:
        yield TEXT.at(
            facts.template_line,
            "newsletter.template",
            f"“{text[:40]}” is {colour} on {background}: {contrast(colour, background):.1f} to 1",
            f"{legible(colour, background)} could be read",
        )


def _of_brand(facts: Facts) -> Iterator[Finding]:
    association = facts.association
    try:
        ratio = contrast(association.brand.accent, WHITE)
    except ValueError:
        return  # the template says so
    if ratio < MINIMUM_CONTRAST:
        shade = legible(association.brand.accent, WHITE)
        yield BRAND.at(
            0,
            "association",
            f"{association.slug}'s colour {association.brand.accent} has {ratio:.1f} to 1 against white",
            f"the nearest that can be read is {shade}: comms association edit {association.slug} --accent {shade!r}",
        )


def _least(words: markup.Words) -> float:
    is_large = words.size >= (_LARGE_BOLD if words.bold else _LARGE)
    return _LARGE_MINIMUM if is_large else MINIMUM_CONTRAST
