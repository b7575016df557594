"""Language tags (BCP 47): what a browser asks for, what comes near a tag, how it is written. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from markupsafe import Markup

_RTL_LANGUAGES = frozenset("ar arc ckb dv fa he iw ji ks nqo ps sd syr ug ur yi".split())
_RTL_SCRIPTS = frozenset({"arab", "hebr", "syrc", "thaa", "nkoo", "adlm", "rohg"})
_RANGE = re.compile(
    r"[ \t]*(?P<tag>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*)[ \t]*"
    r"(?:;[ \t]*[qQ]=(?P<weight>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[ \t]*)?"
)
_MOST_RANGES = 30
"""Of one header: browsers send up to ten or so."""
_FALLBACK = Locale("en")


def direction(tag: str) -> str:
    """ "rtl" or "ltr" for a tag; a script subtag (`az-Arab`) outweighs the language."""
    primary, *rest = tag.replace("_", "-").lower().split("-")
    script = next((part for part in rest if len(part) == 4 and part.isalpha()), None)
    rtl = script in _RTL_SCRIPTS if script else primary in _RTL_LANGUAGES
    return "rtl" if rtl else "ltr"


def beside(tag: str, within: str) -> Markup:
    """The attributes of an element with words in one language within a text in another, behind a space; none where
    they would say nothing new, or there is no `tag`."""
    if not tag or tag.split("-")[0].lower() == within.split("-")[0].lower():
        return Markup()
    return Markup(' lang="{}" dir="{}"').format(tag, direction(tag))


def nearby(tag: str) -> Iterator[str]:
    """The tag in small letters, then without its last part, and so on (lookup, RFC 4647 section 3.4)."""
    parts = tag.replace("_", "-").lower().split("-")
    while parts:
        yield "-".join(parts)
        parts.pop()
        if parts and len(parts[-1]) == 1:
            parts.pop()  # `zh-x`: the mark of an extension says nothing alone


def accepted(header: str) -> tuple[str, ...]:
    """The tags of an Accept-Language header, the most wanted first (RFC 9110 sections 12.4.2 and 12.5.4).

    Left out is what has weight 0 or can not be read, and `*`, after which everything is as good.
    """
    weights: dict[str, float] = {}
    for part in header.split(",", _MOST_RANGES)[:_MOST_RANGES]:
        found = _RANGE.fullmatch(part)
        if found is not None:
            weights.setdefault(found["tag"], float(found["weight"] or 1))
    wanted = [tag for tag, weight in weights.items() if weight > 0]
    return tuple(sorted(wanted, key=lambda tag: -weights[tag]))


@lru_cache(maxsize=256)
def locale_of(tag: str) -> Locale:
    """How a language writes dates and numbers, by the nearest locale; as English does when it is not known."""
    for candidate in nearby(tag):
        try:
            return Locale.parse(candidate, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return _FALLBACK
