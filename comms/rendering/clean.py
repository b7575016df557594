"""Makes text from anywhere fit to stand in a message: no character that breaks a header, HTML or UTF-8."""

from __future__ import annotations

import re

_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\\s]+")
_SURROGATES = range(0xD800, 0xE000)


def clean(text: str) -> str:
    """The text without control characters and non-characters; lone surrogates become U+FFFD.

    Tab, line feed, carriage return and NEL stay: they are white space (XML 1.1 section 2.2).
    """
    return _UNFIT.sub(lambda found: "\ufffd" if ord(found[0]) in _SURROGATES else "", text)


def one_line(text: str) -> str:
    """The text as one line: every run of white space and control characters is one space."""
    return clean(_BREAKS.sub(" ", text)).strip()
