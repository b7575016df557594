"""Words that were to be replaced: filler, notes to oneself, merge fields of other tools."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.errors import shown
from comms.preflight.facts import Facts
from comms.preflight.passages import BODY, Passage, line_of, passages
from comms.preflight.report import Finding, Rule, must, should

FILLER = must("words-filler", "filler: `lorem ipsum`, `TKTK`, `[TK]`", "Readers would get a text that nobody finished.")
FOREIGN = must(
    "words-foreign-field",
    "a merge field of another tool: `*|FNAME|*`, `%%first_name%%`, `[[name]]`",
    "Nothing is put in its place here: readers would see the code.",
)
BRACES = should(
    "words-braces", "braces of an expression that is none: `{first_name}`, `}}`, `{%`", "Readers would see the code."
)
NOTE = should(
    "words-note", "a note to oneself: `TK`, `XXX`, `TODO`, `FIXME`", "It says that something is still missing."
)
PLACEHOLDER = should(
    "words-placeholder",
    "a placeholder in brackets: `[name]`, `[insert date]`, or a blank to fill in: `____`",
    "Readers would see the blank that somebody was to fill in.",
)
RULES = (FILLER, FOREIGN, BRACES, NOTE, PLACEHOLDER)

_PATTERNS: tuple[tuple[Rule, re.Pattern[str], str], ...] = (
    (FILLER, re.compile(r"\blorem\s+ipsum\b|\bdolor\s+sit\s+amet\b", re.IGNORECASE), "write the text, or take it out"),
    (FILLER, re.compile(r"\bTK(?:TK)+\b|\[TK\]"), "write what is to come, or take it out"),
    (
        FOREIGN,
        re.compile(r"\*\|[A-Z0-9_:.]{1,60}\|\*|%%[A-Za-z_]{2,60}%%|\[\[[A-Za-z_ ]{2,60}\]\]|%(?:FIRST|LAST)_?NAME%"),
        'write it like {{ member.first_name or "colleague" }}',
    ),
    (
        BRACES,
        re.compile(r"\{\{|\}\}|\{%|%\}|\{(?:first|last|full)?_?name\}", re.IGNORECASE),
        'write an expression like {{ member.first_name or "colleague" }}, or take the braces out',
    ),
    (NOTE, re.compile(r"\bTK\b|\b(?:XXX+|TODO|FIXME)\b"), "write what is to come, or take it out"),
    (
        PLACEHOLDER,
        re.compile(
            r"\[(?:your |first |last |full |insert |add |enter |the )*(?:name|date|time|title|place|location|link|url|"
            r"address|e-?mail|phone|organi[sz]ation|association|institution|city|state|month|year|number|amount|"
            r"text|here|tbd)(?: here| of [\w ()]{1,40})?\]|\[insert [^\]]{1,60}\]|_{4,}",
            re.IGNORECASE,
        ),
        "fill it in",
    ),
)
_EXPRESSIONS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_AROUND = 12
"""Characters to either side that tell a word from the same one elsewhere."""
_MOST = 20_000
"""Characters of one passage that are looked at."""


def find(facts: Facts) -> Iterator[Finding]:
    """Findings on everything that people wrote for readers; one for each rule and passage."""
    for passage in passages(facts.campaign):
        text = passage.text[:_MOST]
        # In the body expressions are out already: what is left there will be read.
        text = text if passage.field == BODY else _EXPRESSIONS.sub(" ", text)
        yield from _of_passage(facts, passage, text)


def _of_passage(facts: Facts, passage: Passage, text: str) -> Iterator[Finding]:
    for rule, pattern, hint in _PATTERNS:
        if found := pattern.search(text):
            around = text[max(found.start() - _AROUND, 0) : found.end() + _AROUND].strip()
            line = line_of(facts.campaign, passage.line, around, f"\\{found[0]}", found[0])
            yield rule.at(line, passage.field, f"`{shown(found[0])}` was left in the text", hint)
