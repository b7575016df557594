"""Mailman 3's list of members (`mailman members LIST`): a line each, `Name <address>` or the address alone.

The list does not say whose delivery is off: `--nomail` writes those, and its file must have nomail in its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from pathlib import Path

from audiences.addresses import normalise_address
from audiences.attributes import MAX_VALUE_CHARACTERS, clean_text
from audiences.errors import AddressError
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import SourceFile, source_file
from audiences.importing.sample import Kind, Sample
from audiences.importing.text import read_lines
from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState

NAME = "mailman"
LABEL = "Mailman"
_LONGEST = 2_000
"""Characters of a line: a name and an address."""
_LINE = re.compile(r"(?P<name>[^<>]*)<(?P<address>[^<>\s]+@[^<>\s]+)>|(?P<alone>[^<>\s,;]+@[^<>\s,;]+)")


def recognise(sample: Sample) -> float:
    if sample.kind is not Kind.LINES:
        return 0.0
    fitting = sum(_LINE.fullmatch(line[:_LONGEST]) is not None for line in sample.lines)
    return 0.95 * fitting / len(sample.lines) if fitting * 2 > len(sample.lines) else 0.0


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """Members of the list. Raises ImportFileError."""
    source = source_file(path)
    for line, text in read_lines(source):
        if text.strip("\ufeff \t\0"):
            yield _member(source, line, text, now)


def _member(source: SourceFile, line: int, text: str, now: datetime) -> ImportRow | Refusal:
    if len(text) > _LONGEST:
        return Refusal(line, f"has {len(text):,} characters; a line holds one name and address")
    found = _LINE.fullmatch(text.strip("\ufeff \t\0"))
    if found is None:
        return Refusal(line, f"{clean_text(text)[:80]!r} is neither an address nor `Name <address>`")
    try:
        address = normalise_address(found["address"] or found["alone"])
    except AddressError as error:
        return Refusal(line, str(error))
    evidence = f"import from {LABEL}: {source.name}, line {line}"
    if "nomail" in source.name.casefold():
        consent = Consent(ANY_TOPIC, ConsentState.WITHDRAWN, now, f"{evidence}: delivery is off")
    else:
        # Owners subscribe people too, which the list does not tell apart.
        consent = Consent(ANY_TOPIC, ConsentState.GRANTED, now, f"{evidence}: subscribed", Basis.IMPLIED)
    name = _name(found["name"] or "")
    return ImportRow(line=line, address=address, attributes={"name": name} if name else {}, consents=(consent,))


def _name(text: str) -> str:
    """The display name (RFC 5322 section 3.4), its quotes undone and its encoded words (RFC 2047) decoded."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    if "=?" in text:
        with suppress(HeaderParseError, LookupError, ValueError):  # what can not be decoded is kept as it stands
            text = str(make_header(decode_header(text)))
    return clean_text(text)[:MAX_VALUE_CHARACTERS]
