"""Makes text from anywhere fit to stand in a message: no character that breaks a header, HTML or UTF-8."""

from __future__ import annotations

import re
from typing import Any

from campaigns.mergefields import MissingValueError

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
    if text.isascii() and text.isprintable() and "  " not in text:  # as most are
        return text.strip()
    return clean(_BREAKS.sub(" ", text)).strip()


def single(value: Any) -> Any:
    """A value that is not many. Raises ValueError for a list, which as text would be full of brackets and quotes."""
    if isinstance(value, list | tuple | dict):
        raise ValueError("a list can not be printed as it is; name what stands between its parts: |join(', ')")
    return value


def printable(value: Any) -> Any:
    """What a message prints for a value: text without control characters, in lines; None is as bad as absent.

    A value's last line end must not grow together with the first of what follows it: a text means the same
    whether its pieces are encoded one by one or together. Raises MissingValueError, and ValueError for a list.
    """
    if value is None:
        raise MissingValueError("value")
    if not isinstance(value, str):
        return single(value)
    lines = value.replace("\r\n", "\n").replace("\r", "\n") if "\r" in value else value
    # Exactly str: Markup has been through here already.
    return clean(lines) if type(lines) is str else lines
