"""The lines of vCards, unfolded and decoded into properties: RFC 6350 section 3, RFC 2425 section 5.8, vCard 2.1.

It knows names, parameters and values, nothing of what they mean for a person.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from audiences.errors import ImportFileError
from audiences.importing.base import Refusal
from audiences.importing.files import SourceFile
from audiences.importing.text import read_lines

MAX_PROPERTIES = 2_000
"""Of one card."""
MAX_VALUE_CHARACTERS = 5_000_000
"""Of one property, unfolded: a photograph in base64 is long, but has an end."""
_LONGEST_KEPT = 200_000
"""Longer values (photographs, sounds) are passed over."""
_HEAD = re.compile(r'(?:[A-Za-z0-9-]+\.)?(?P<name>[A-Za-z0-9-]+)(?P<parameters>(?:;(?:"[^"]*"|[^":])*)?):', re.ASCII)
_PARAMETER = re.compile(r'((?:"[^"]*"|[^";])+)')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_NO_PREFERENCE = 1_000


@dataclass(frozen=True, slots=True)
class Property:
    name: str
    value: str
    """Still escaped, as parts and items are told apart by what is escaped."""
    types: frozenset[str] = frozenset()
    """Values of TYPE and of parameters without a name, in capitals."""
    preference: int = _NO_PREFERENCE
    """The smaller, the more preferred."""

    def text(self) -> str:
        return _unescaped(self.value)

    def parts(self) -> list[str]:
        return [_unescaped(part) for part in _split(self.value, ";")]

    def items(self) -> list[str]:
        return [_unescaped(item) for item in _split(self.value, ",")]


@dataclass(slots=True)
class Card:
    line: int
    """On which it begins."""
    properties: list[Property] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        return [entry for entry in self.properties if entry.name == name]


def read_cards(source: SourceFile) -> Iterator[Card | Refusal]:
    """The cards of a file in order; cards inside cards are passed over. Raises ImportFileError."""
    card: Card | None = None
    depth = 0
    for line, text in _unfolded(source):
        if not text.strip():
            continue
        entry = _property(text)
        word = entry.value.strip().upper() if entry else ""
        if entry and entry.name == "BEGIN" and word == "VCARD":
            depth += 1
            card = card or Card(line)
        elif card is None:
            yield Refusal(line, "stands outside of any card")
        elif entry and entry.name == "END" and word == "VCARD":
            depth -= 1
            if depth == 0:
                yield card
                card = None
        elif entry is None:
            yield Refusal(line, f"{text[:60]!r} is no line of a card; the rest of the card is kept")
        elif depth == 1:
            if len(card.properties) == MAX_PROPERTIES:
                raise ImportFileError(source.path, line, f"the card has more than {MAX_PROPERTIES:,} lines")
            if len(entry.value) <= _LONGEST_KEPT:
                card.properties.append(entry)
    if card is not None:
        yield Refusal(card.line, "the card has no END:VCARD; is the file cut off?")


def _unfolded(source: SourceFile) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first: folded ones joined, quoted-printable ones at their soft breaks."""
    start, parts, size = 0, list[str](), 0
    soft = False
    for number, text in read_lines(source):
        text = text.removeprefix("\ufeff") if number == 1 else text
        if parts and (soft or text[:1] in (" ", "\t")):
            parts.append(text if soft else text[1:])
        else:
            if parts:
                yield start, "".join(parts)
            start, parts, size = number, [text], 0
            printable = "QUOTED-PRINTABLE" in text.partition(":")[0].upper()
        soft = printable and text.endswith("=")
        if soft:
            parts[-1] = parts[-1][:-1]
        size += len(text)
        if size > MAX_VALUE_CHARACTERS or len(parts) > MAX_VALUE_CHARACTERS // 50:
            raise ImportFileError(source.path, start, f"a value is longer than {MAX_VALUE_CHARACTERS:,} characters")
    if parts:
        yield start, "".join(parts)


def _property(text: str) -> Property | None:
    head = _HEAD.match(text[:10_000])
    if head is None:
        return None
    value = text[head.end() :]
    types, preference, encoding, charset = set[str](), _NO_PREFERENCE, "", "utf-8"
    for parameter in _PARAMETER.findall(head["parameters"]):
        key, named, given = parameter.partition("=")
        key, given = key.strip().upper(), given.strip().strip('"')
        if not named:  # vCard 2.1 writes EMAIL;INTERNET;PREF
            types.add(key)
        elif key == "TYPE":
            types.update(item.strip().strip('"').upper() for item in given.split(","))
        elif key == "PREF" and given.isdecimal():
            preference = min(preference, int(given[:3]))
        elif key == "ENCODING":
            encoding = given.upper()
        elif key == "CHARSET":
            charset = given
    if "PREF" in types:
        preference = min(preference, 1)
    if encoding == "QUOTED-PRINTABLE" or "QUOTED-PRINTABLE" in types:
        value = _quoted_printable(value, charset)
    return Property(head["name"].upper(), value, frozenset(types), preference)


def _quoted_printable(value: str, charset: str) -> str:
    data = quopri.decodestring(value.encode("utf-8", "surrogatepass"))
    try:
        return data.decode(charset)
    except (LookupError, ValueError):
        return data.decode("cp1252", "replace")


def _split(value: str, separator: str) -> list[str]:
    """The value at each separator that is not escaped."""
    return re.findall(rf"(?:^|{separator})((?:\\.|[^\\{separator}]|\\\Z)*)", value, re.DOTALL)


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
