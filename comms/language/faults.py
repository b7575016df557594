"""What is wrong with a translation: placeholders or tags that are not those of the English text. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from babel.messages.catalog import Message

_PLACEHOLDER = re.compile(r"%\((?P<name>[a-z_]+)\)s")
_PERCENT = re.compile(r"%(?!\([a-z_]+\)s|%)")
_TAG = re.compile(r"<[^<>]*>?|>")
COUNT = "num"
"""The placeholder that a form may leave out: "one month" needs no number."""


def of(message: Message) -> Iterator[str]:
    """Each fault, in words, of a message that is translated; nothing for one that is not."""
    sources = message.id if isinstance(message.id, list | tuple) else (message.id,)
    forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
    if not any(forms):
        return
    if not all(forms):
        yield "a plural form is missing"
        return
    wanted = {name for source in sources for name in placeholders(source)}
    optional = {COUNT} if len(sources) > 1 else set()
    tags = Counter(_TAG.findall(sources[0]))
    for form in forms:
        yield from _of_form(str(form), wanted, optional, tags)


def placeholders(text: str) -> set[str]:
    """The names in a text."""
    return {found["name"] for found in _PLACEHOLDER.finditer(text.replace("%%", ""))}


def _of_form(form: str, wanted: set[str], optional: set[str], tags: Counter[str]) -> Iterator[str]:
    given = placeholders(form)
    for name in sorted(given - wanted):
        yield f"%({name})s is not in the English text"
    for name in sorted(wanted - given - optional):
        yield f"%({name})s is missing"
    if _PERCENT.search(form.replace("%%", "")):
        yield "a percent sign that is not doubled (%%)"
    if Counter(_TAG.findall(form)) != tags:
        yield "other tags than the English text"
