"""vCards 2.1, 3.0 (RFC 2426) and 4.0 (RFC 6350): a person each. They hold no consent: people are kept, not mailable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from audiences.addresses import fold_case
from audiences.importing import values
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.layout import (
    MAX_ADDRESSES,
    MAX_NAME_CHARACTERS,
    OTHER_ADDRESSES,
    addresses_in,
    kept_attributes,
    kept_tags,
    without_address,
)
from audiences.importing.sample import Kind, Sample
from audiences.importing.vcardlines import Card, read_cards

NAME = "vcard"
LABEL = "vCard"
_PARTS = {
    "N": ("last_name", "first_name", "middle_name"),
    "ORG": ("organization", "department"),
    "ADR": ("", "", "street", "city", "state", "postal_code", "country"),
}
"""Attributes that the parts of a property hold, in order."""
_WHOLE = {"FN": "name", "TITLE": "job_title", "ROLE": "role", "NOTE": "notes", "TEL": "phone"}


def recognise(sample: Sample) -> float:
    return 1.0 if sample.kind is Kind.VCARD else 0.0


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """A person for each card, known by the line on which it begins. Raises ImportFileError."""
    del now  # cards hold no consent that would need a time
    for card in read_cards(source_file(path)):
        if isinstance(card, Refusal):
            yield card
        else:
            yield from _person(card)


def _person(card: Card) -> Iterator[ImportRow | Refusal]:
    addresses, reason = _addresses(card)
    texts = _texts(card)
    if addresses[1:]:
        texts[OTHER_ADDRESSES] = ", ".join(addresses[1:])
    problems: list[str] = []
    attributes = kept_attributes(texts, problems)
    if not addresses and (reason or not attributes):
        yield Refusal(card.line, reason or "the card holds nothing that could be kept")
        return
    identity = _first(card, "UID", lambda text: values.label(text)[:MAX_NAME_CHARACTERS])
    yield ImportRow(
        line=card.line,
        address=addresses[0] if addresses else None,
        attributes=attributes,
        language=_first(card, "LANG", values.language),
        timezone=_first(card, "TZ", values.timezone),
        tags=kept_tags([tag for entry in card.all("CATEGORIES") for tag in entry.items()], problems),
        external_id=f"{NAME}:{identity}" if identity else "" if addresses else without_address(NAME, attributes),
    )
    yield from (Refusal(card.line, problem) for problem in problems)


def _addresses(card: Card) -> tuple[list[str], str]:
    """Every address of the card, the preferred first, else in the card's order; without any, why there is none."""
    found: dict[str, str] = {}
    first_reason = ""
    entries = [entry for entry in card.all("EMAIL") if "X400" not in entry.types]
    for entry in sorted(entries, key=lambda entry: entry.preference):
        addresses, reason = addresses_in(entry.text().strip().removeprefix("mailto:"))
        first_reason = first_reason or reason
        for address in addresses:
            found.setdefault(fold_case(address), address)
    return list(found.values())[:MAX_ADDRESSES], "" if found else first_reason


def _texts(card: Card) -> dict[str, str]:
    """Attributes by name; of several addresses or telephones the preferred counts."""
    texts: dict[str, str] = {}
    for entry in sorted(card.properties, key=lambda entry: entry.preference):
        if entry.name in _WHOLE:
            texts.setdefault(_WHOLE[entry.name], entry.text())
        parts = {name: part for name, part in zip(_PARTS.get(entry.name, ()), entry.parts(), strict=False) if name}
        if not parts.keys() & texts.keys():
            texts.update((name, part) for name, part in parts.items() if part.strip())
    return texts


def _first(card: Card, name: str, read_value: Callable[[str], str | None]) -> str | None:
    return next((value for entry in card.all(name) if (value := read_value(entry.text()))), None)
