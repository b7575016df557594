"""The language that is set: screen readers speak in it, and it decides where lines begin."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from campaigns import languages
from campaigns.errors import shown
from comms.language.tags import direction
from comms.preflight import markup
from comms.preflight.facts import Facts
from comms.preflight.passages import passages
from comms.preflight.report import Finding, should

UNKNOWN = should(
    "language-unknown",
    "a language that is not known here: `xx`, `eng-US` for `en-US`",
    "Screen readers do not know how to say it, and days and months are written in English.",
)
DIRECTION = should(
    "language-direction",
    "a language of the other writing direction than most of the text",
    "Lines begin at the wrong side, and punctuation ends up in the wrong place.",
)
NOT_SAID = should(
    "language-not-said",
    "a template that does not say the language of the mail",
    "Screen readers speak it with the wrong voice (WCAG 2.2, success criterion 3.1.1).",
)
RULES = (UNKNOWN, DIRECTION, NOT_SAID)

_FEWEST_LETTERS = 40


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on the campaign's language, and on what the template makes of it."""
    language = facts.campaign.language
    if not languages.is_known(language):
        hint = "write it like en, es, fr or pt-BR (the subtags of BCP 47)"
        yield UNKNOWN.at(
            facts.language_line, "language", f"`{shown(language)}` is no language that is known here", hint
        )
    written = _written(" ".join(passage.text for passage in passages(facts.campaign)))
    if written and written != direction(language):
        way = "right to left" if written == "rtl" else "left to right"
        message = f"the text runs from {way}, and `{shown(language)}` does not"
        yield DIRECTION.at(facts.language_line, "language", message, "name the language that the text is in")
    if facts.mail is not None and not markup.read(facts.mail.shown.html).language:
        yield NOT_SAID.at(
            facts.template_line,
            "newsletter.template",
            "the template does not say in which language the mail is",
            'begin it with <mjml lang="{{ language }}" dir="{{ direction }}">',
        )


def _written(text: str) -> str:
    """The direction of nine letters in ten; empty when there are few, or of both kinds."""
    kinds = [unicodedata.bidirectional(char) for char in text if char.isalpha()]
    right, left = sum(kind in ("R", "AL") for kind in kinds), sum(kind == "L" for kind in kinds)
    if right + left < _FEWEST_LETTERS:
        return ""
    return "rtl" if right > 9 * left else "ltr" if left > 9 * right else ""
