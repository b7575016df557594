"""Reads the tables of products: a layout says which column is what, and one reader makes people of the rows.

What a row says of consent is decided by the product's own module; how cells become addresses, attributes, tags and
dates is here, the same for all. A row too broken to be trusted can still say no: its no is kept, nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count

from audiences.addresses import fold_case, normalise_address
from audiences.attributes import attribute_value, clean_text
from audiences.attributes import encode as encode_attributes
from audiences.errors import AddressError, ImportFileError
from audiences.importing import values
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import SourceFile
from audiences.importing.rows import read_rows
from audiences.models import ANY_TOPIC, AttributeValue, Basis, Consent, ConsentState, attribute_name

MAX_NAME_CHARACTERS = 200
"""Of a column: its name is stored with every member."""
MAX_ADDRESSES = 20
"""Of one person that are looked at."""
OTHER_ADDRESSES = "other_addresses"
LANGUAGE_NAMES = ("language", "lang", "preferred_language", "locale")
TIMEZONE_NAMES = ("timezone", "time_zone", "tz")
_LONGEST_DETAIL = 500
_SEPARATORS = values.split_at(r":::|[;,|\s]")
_SECRETS = ("password", "passwd", "passwort", "contraseña", "mot_de_passe")


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says of consent."""

    consents: tuple[Consent, ...] = ()
    suppression: str | None = None
    refuses_relays: bool = False

    def only_no(self) -> Said:
        """Without anything that would allow a mail."""
        withdrawn = tuple(change for change in self.consents if change.state is ConsentState.WITHDRAWN)
        return Said(withdrawn, self.suppression, self.refuses_relays)

    @property
    def says_no(self) -> bool:
        no = self.only_no()
        return bool(no.consents or no.suppression)


@dataclass(frozen=True, slots=True)
class Record:
    """One row, its cells by the names of their columns."""

    line: int
    cells: Mapping[str, str]
    file: SourceFile
    label: str
    now: datetime

    def has(self, column: str) -> bool:
        """Does the file have this column, filled or not."""
        return column in self.cells

    def get(self, column: str) -> str:
        """The cell as one clean line; empty when the file has no such column."""
        return clean_text(self.cells.get(column, ""))

    def said(self, column: str) -> str:
        """The cell as a word to be compared."""
        return self.get(column).casefold()

    def flagged(self, column: str) -> bool:
        return values.is_flagged(self.cells.get(column, ""))

    def facts(self, *named: tuple[str, str]) -> list[str]:
        """The filled ones of some columns, each behind the words given with it."""
        return [f"{words} {cell}" for words, column in named if (cell := self.get(column))]

    def evidence(self, *details: str) -> str:
        """Product, file and line, and what else the row knows of the decision."""
        known = "; ".join(detail[:_LONGEST_DETAIL] for detail in details if detail)
        place = f"import from {self.label}: {self.file.name}, line {self.line}"
        return f"{place}: {known}" if known else place

    def grant(self, basis: Basis, when: str, *details: str) -> Consent:
        """Leave to write, since the moment that the cell `when` names, or the import's when it names none."""
        return Consent(ANY_TOPIC, ConsentState.GRANTED, values.moment(when) or self.now, self.evidence(*details), basis)

    def withdrawal(self, when: str, *details: str, topic: str = ANY_TOPIC) -> Consent:
        """The end of it. An unreadable date is no reason to lose a no: then the import's time stands."""
        return Consent(topic, ConsentState.WITHDRAWN, values.moment(when) or self.now, self.evidence(*details))


@dataclass(frozen=True, slots=True)
class Layout:
    """How a product's table becomes people. Columns are named as `attribute_name` writes them."""

    name: str
    label: str
    standing: Callable[[Record], Said]
    address: tuple[str, ...]
    """Columns of addresses, the best first."""
    identity: str = ""
    """Column of the person's id in the product."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Column -> attribute, where the name is not the column's own."""
    dates: frozenset[str] = frozenset()
    """Attributes that are dates, kept as `2027-03-01`."""
    tags: Mapping[str, Callable[[str], list[str]]] = field(default_factory=dict)
    """Column -> what splits its cells."""
    nested: Mapping[str, Callable[[str], object]] = field(default_factory=dict)
    """Column -> what parses its cells into nested data, which becomes attributes. Raises ValueError."""
    dropped: frozenset[str] = frozenset()
    """Columns that are read for consent alone, or are of no use outside the product."""


def read_layout(layout: Layout, source: SourceFile, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of a product's table; what can not be taken over comes as Refusal. Raises ImportFileError."""
    table = read_rows(source)
    _, header = next(table, (0, list[str]()))
    if not header:
        raise ImportFileError(source.path, 0, "is empty")
    reader = _Reader(layout, header, source, now)
    for line, cells in table:
        yield from reader.read(line, cells)


def column_names(header: Sequence[str], path: str) -> list[str]:
    """The names of the columns as we write them; a second column of one name becomes `name_2`, so that neither hides
    the other. Raises ImportFileError when one is endless."""
    names: list[str] = []
    for name in map(attribute_name, header):
        numbered = (f"{name}_{number}" for number in count(2))
        names.append(next(other for other in numbered if other not in names) if name and name in names else name)
    for position, name in enumerate(names, start=1):
        if len(name) > MAX_NAME_CHARACTERS:
            reason = f"the name of column {position} has {len(name):,} characters; is a line break missing?"
            raise ImportFileError(path, 1, reason)
    return names


def is_secret(column: str) -> bool:
    """Columns of passwords are never kept, wherever they come from."""
    return any(word in column for word in _SECRETS)


def addresses_in(cell: str) -> tuple[list[str], str]:
    """(normalised addresses of a cell, why there is none). A cell can hold several, as in `a@x.org ::: b@x.org`."""
    text = cell.strip()
    if not text:
        return [], ""
    try:
        return [normalise_address(text)], ""
    except AddressError as error:
        reason = str(error)
    parts = [part for part in _SEPARATORS(text[: MAX_ADDRESSES * 300]) if part][:MAX_ADDRESSES]
    if text.count("@") < 2 or not all("@" in part for part in parts):
        return [], reason
    found: dict[str, str] = {}
    for part in parts:
        try:
            address = normalise_address(part)
        except AddressError:
            continue
        found.setdefault(fold_case(address), address)
    return list(found.values()), "" if found else reason


def without_address(name: str, attributes: Mapping[str, AttributeValue]) -> str:
    """An id for a person whom the source gives neither address nor id: the same while the attributes are."""
    digest = hashlib.blake2b(encode_attributes(attributes).encode("utf-8", "surrogatepass"), digest_size=8)
    return f"{name}:{digest.hexdigest()}"


def kept_attributes(texts: Mapping[str, str], problems: list[str]) -> dict[str, AttributeValue]:
    """The values that can be kept; of the others, why they can not is added to `problems`."""
    kept: dict[str, AttributeValue] = {}
    for name, text in texts.items():
        try:
            value = None if is_secret(name) else attribute_value(text)
        except ValueError as error:
            problems.append(f"{name}: {error}; it was left out")
        else:
            if value is not None:
                kept[name] = value
    return kept


def kept_tags(items: list[str], problems: list[str]) -> tuple[str, ...]:
    """The tags, none when they are too many or too long, which is added to `problems`."""
    try:
        return values.tags(items)
    except ValueError as error:
        problems.append(f"{error}; they were left out")
        return ()


class _Reader:
    def __init__(self, layout: Layout, header: Sequence[str], source: SourceFile, now: datetime) -> None:
        self._layout, self._source, self._now = layout, source, now
        self._names = column_names(header, source.path)
        if not set(self._names) & set(layout.address):
            reason = f"no column holds the address; in files of {layout.label} it is called {layout.address[0]}"
            raise ImportFileError(source.path, 1, reason)
        special = {*layout.address, *layout.dropped, *layout.tags, *layout.nested, layout.identity}
        special |= {*LANGUAGE_NAMES, *TIMEZONE_NAMES}
        self._attributes = [
            (name, layout.renamed.get(name, name))
            for name in dict.fromkeys(self._names)
            if name and name not in special and not is_secret(name)
        ]

    def read(self, line: int, cells: list[str]) -> Iterator[ImportRow | Refusal]:
        width = len(self._names)
        # The first of two columns of one name counts: reversed, it is put in last.
        pairs = list(zip(self._names, cells + [""] * (width - len(cells)), strict=False))
        record = Record(line, dict(reversed(pairs)), self._source, self._layout.label, self._now)
        addresses, reason = self._addresses(record)
        said = self._layout.standing(record)
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            yield Refusal(line, f"has {len(cells)} cells, the header {width}: is a separator unquoted?")
            yield from no_of(line, addresses, said)
        elif reason:
            yield Refusal(line, reason)
        else:
            row, problems = self._person(record, addresses, said)
            yield row
            yield from (Refusal(line, problem) for problem in problems)
            yield from no_of(line, addresses[1:], said)

    def _addresses(self, record: Record) -> tuple[list[str], str]:
        """Every address of the row, the best first; without any, why the first that was tried is none."""
        found: dict[str, str] = {}
        first_reason = ""
        for column in self._layout.address:
            addresses, reason = addresses_in(record.cells.get(column, ""))
            first_reason = first_reason or reason
            for address in addresses:
                found.setdefault(fold_case(address), address)
        return list(found.values())[:MAX_ADDRESSES], "" if found else first_reason

    def _person(self, record: Record, addresses: list[str], said: Said) -> tuple[ImportRow, list[str]]:
        """The person, and what of the row could not be kept."""
        problems: list[str] = []
        attributes = self._values(record, problems)
        if addresses[1:]:
            attributes[OTHER_ADDRESSES] = ", ".join(addresses[1:])
        identity = values.label(record.get(self._layout.identity))[:MAX_NAME_CHARACTERS]
        if identity:
            external_id = f"{self._layout.name}:{identity}"
        else:
            external_id = "" if addresses else without_address(self._layout.name, attributes)
        row = ImportRow(
            line=record.line,
            address=addresses[0] if addresses else None,
            attributes=attributes,
            language=_first(values.language, record, LANGUAGE_NAMES),
            timezone=_first(values.timezone, record, TIMEZONE_NAMES),
            consents=said.consents,
            suppression=said.suppression,
            tags=self._tags(record, problems),
            external_id=external_id,
            refuses_relays=said.refuses_relays,
        )
        return row, problems

    def _values(self, record: Record, problems: list[str]) -> dict[str, AttributeValue]:
        texts: dict[str, str] = {}
        for column, attribute in self._attributes:
            text = record.cells[column]
            if attribute in self._layout.dates:
                text = values.iso_date(text) or text
            elif attribute == "membership_status":
                text = text.lower()
            if text:
                texts.setdefault(attribute, text)
        for column, parse in self._layout.nested.items():
            try:
                cell = record.cells.get(column, "").strip()
                for attribute, text in values.flattened(parse(cell) if cell else {}).items():
                    texts.setdefault(attribute, text)
            except ValueError as error:
                problems.append(f"column {column}: {error}; its values were left out")
        return kept_attributes(texts, problems)

    def _tags(self, record: Record, problems: list[str]) -> tuple[str, ...]:
        items = [tag for column, split in self._layout.tags.items() for tag in split(record.cells.get(column, ""))]
        return kept_tags(items, problems)


def no_of(line: int, addresses: Sequence[str], said: Said) -> Iterator[ImportRow]:
    """The no of a row for addresses that are not taken over as people: it holds for all that the person has."""
    if said.says_no:
        no = said.only_no()
        for address in addresses:
            yield ImportRow(line=line, address=address, consents=no.consents, suppression=no.suppression)


def _first(read: Callable[[str], str | None], record: Record, columns: Sequence[str]) -> str | None:
    return next((value for column in columns if (value := read(record.cells.get(column, "")))), None)
