"""Any table with a header row: an address column, consent columns if there are some, the rest attributes."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path

from audiences.attributes import MAX_VALUE_CHARACTERS, attribute_value, clean_text
from audiences.errors import ImportFileError
from audiences.importing import values
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import SourceFile, source_file
from audiences.importing.layout import (
    LANGUAGE_NAMES,
    MAX_NAME_CHARACTERS,
    OTHER_ADDRESSES,
    TIMEZONE_NAMES,
    Said,
    addresses_in,
    column_names,
    is_secret,
    no_of,
    without_address,
)
from audiences.importing.rows import read_rows
from audiences.importing.sample import Kind, Sample
from audiences.importing.values import PLAIN_NO, YES
from audiences.models import ANY_TOPIC, TRACKING, AttributeValue, Basis, Consent, ConsentState, attribute_name

NAME = "plain"
LABEL = "a table (CSV, TSV or Excel)"
ADDRESS_NAMES = (
    "email", "e_mail", "email_address", "e_mail_address", "mail", "address", "primary_email", "contact_email",
    "email_primary", "work_email", "correo", "correo_electrónico", "correo_electronico", "courriel",
    "adresse_e_mail", "e_mail_adresse",
)  # fmt: skip
TAG_NAMES = ("tags", "labels")
CONSENT_NAMES = (
    "consent", "opted_in", "opt_in", "optin", "subscribed", "subscription", "subscription_status", "email_status",
    "mail_status", "newsletter", "email_consent", "email_opt_in", "status",
)  # fmt: skip
OPT_OUT_NAMES = (
    "opted_out", "opt_out", "optout", "unsubscribed", "do_not_email", "do_not_mail", "no_bulk_emails", "on_hold",
    "bounced", "email_opt_out",
)  # fmt: skip

MAIL_NO = frozenset(
    "unsubscribed opted-out opted_out opt-out withdrawn cleaned bounced complained blocklisted blacklisted blocked "
    "suppressed spam junk".split()
)
"""Words that speak of mail and nothing else, so that they count in a column called `status` too."""
MAX_TOPICS = 100
WITH_ADDRESSES, WITHOUT_ADDRESSES = 0.5, 0.2
"""How sure a table is one of nobody's: with a column of addresses, and without any."""
_LIST_SEPARATOR = re.compile(r"[;,|]")
_FIRST_ROWS = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of the file holds what: positions, None or empty where the file has none."""

    address: int | None
    """None for a table of places or people that nobody can write to."""
    attributes: Mapping[int, str]
    language: int | None = None
    timezone: int | None = None
    consent: int | None = None
    consent_is_status: bool = False
    """The consent column is called plain `status`, which may just as well speak of the membership."""
    opt_outs: tuple[int, ...] = ()
    date: int | None = None
    basis: int | None = None
    source: int | None = None
    wording: int | None = None
    topics: int | None = None
    tracking: int | None = None
    tags: int | None = None


def recognise(sample: Sample) -> float:
    """A table that no product wrote. Without a column of addresses only what really looks like a table counts, and
    one whose addresses stand in a column of another name is none: somebody has to say which."""
    if sample.kind is not Kind.TABLE:
        return 0.0
    if sample.columns & set(_address_names(sample.header, sample.rows)):
        return WITH_ADDRESSES
    width = len(sample.header)
    is_table = len(sample.columns - {""}) > 1 and sample.rows and all(len(row) <= width for row in sample.rows)
    return WITHOUT_ADDRESSES if is_table and likely_address(sample.rows) is None else 0.0


def likely_address(rows: Sequence[Sequence[str]]) -> int | None:
    """The column in which most cells of these rows are addresses; None when no cell is one."""
    counts = Counter(
        position for cells in rows for position, cell in enumerate(cells) if "@" in cell and addresses_in(cell[:400])[0]
    )
    return counts.most_common(1)[0][0] if counts else None


def _address_names(header: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The names under which the column of e-mail addresses may stand: not `address` where streets are in it."""
    streets = [position for position, cell in enumerate(header) if attribute_name(cell[:1_000]) == "address"]
    cells = [cells[position] for cells in rows for position in streets[:1] if position < len(cells)]
    holds_streets = any(cell.strip() for cell in cells) and not any("@" in cell for cell in cells)
    return tuple(name for name in ADDRESS_NAMES if name != "address" or not holds_streets)


def find_columns(header: Sequence[str], name: str, address_names: Sequence[str] = ADDRESS_NAMES) -> Columns:
    """Find the columns by their names. Raises ImportFileError when a name is endless."""
    names = column_names(header, name)

    def first(candidates: Sequence[str]) -> int | None:
        return next((names.index(candidate) for candidate in candidates if candidate in names), None)

    address = first(address_names)
    consent = first(CONSENT_NAMES)
    special = {
        "language": first(LANGUAGE_NAMES),
        "timezone": first(TIMEZONE_NAMES),
        "date": first(("consent_date", "consent_at", "opt_in_date", "optin_time", "opted_in_at")),
        "basis": first(("consent_basis",)),
        "source": first(("consent_source", "opt_in_source")),
        "wording": first(("consent_wording", "consent_text")),
        "topics": first(("topics", "topic", "newsletters", "interests_topics")),
        "tracking": first(("tracking", "tracking_consent", "consent_tracking")),
        "tags": first(TAG_NAMES),
    }
    opt_outs = tuple(position for position, column in enumerate(names) if column in OPT_OUT_NAMES)
    is_status = consent is not None and names[consent] == "status"
    taken = {address, *opt_outs, *(position for position in special.values() if position is not None)}
    if consent is not None and not is_status:
        taken.add(consent)
    attributes = {
        position: column
        for position, column in enumerate(names)
        if column and position not in taken and not is_secret(column)
    }
    return Columns(address, attributes, consent=consent, consent_is_status=is_status, opt_outs=opt_outs, **special)


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """Rows of the file, each an ImportRow or a Refusal with its line and reason.

    `now` is the time of the import, recorded where the file gives no date for a consent. Raises ImportFileError
    for a file that can not be imported at all, such as one whose addresses stand in a column of another name.
    """
    source = source_file(path)
    header, *first_rows = [cells for _, cells in islice(read_rows(source), 1 + _FIRST_ROWS)] or [list[str]()]
    choose = partial(find_columns, address_names=_address_names(header, first_rows))
    if choose(header, source.path).address is None and (position := likely_address(first_rows)) is not None:
        columns = ", ".join(clean_text(cell)[:40] for cell in header[:20])
        reason = f"no column is called email; rename the one that is, column {position + 1}. Columns: {columns}"
        raise ImportFileError(source.path, 1, reason)
    return read_columns(source, now, choose)


def read_columns(
    source: SourceFile, now: datetime, choose: Callable[[Sequence[str], str], Columns]
) -> Iterator[ImportRow | Refusal]:
    """The same, where `choose` says which column is what, given the header and the path of the file."""
    table = read_rows(source)
    _, header = next(table, (0, list[str]()))
    if not header:
        raise ImportFileError(source.path, 0, "is empty")
    reader = _RowReader(choose(header, source.path), len(header), source.name, now)
    for line, cells in table:
        row = reader.read(line, cells)
        yield row
        if isinstance(row, Refusal):
            yield from reader.no_despite(row, cells)
        elif OTHER_ADDRESSES in row.attributes:
            yield from no_of(line, reader.addresses(cells)[0][1:], Said(row.consents))


class _RowReader:
    def __init__(self, columns: Columns, width: int, file_name: str, now: datetime) -> None:
        self._columns = columns
        self._width = width
        self._file_name = file_name
        self._now = now

    def read(self, line: int, cells: list[str]) -> ImportRow | Refusal:
        columns = self._columns
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            return Refusal(line, f"has {len(cells)} cells, the header {self._width}: is a separator unquoted?")
        cells = cells + [""] * (self._width - len(cells))
        addresses, reason = self.addresses(cells)
        if reason:
            return Refusal(line, reason)
        try:
            attributes = self._attributes(cells)
            consents = tuple(self._consents(line, cells))
            tags = () if columns.tags is None else values.tags(_LIST_SEPARATOR.split(cells[columns.tags]))
        except ValueError as error:
            return Refusal(line, str(error))
        if len(addresses) > 1:
            attributes[OTHER_ADDRESSES] = ", ".join(addresses[1:])
        return ImportRow(
            line=line,
            address=addresses[0] if addresses else None,
            attributes=attributes,
            language=values.language(_cell(cells, columns.language)),
            timezone=values.timezone(_cell(cells, columns.timezone)),
            consents=consents,
            tags=tags,
            external_id="" if addresses else without_address(NAME, attributes),
        )

    def addresses(self, cells: list[str]) -> tuple[list[str], str]:
        """(the row's addresses, why there is none)."""
        return addresses_in(_cell(cells, self._columns.address))

    def no_despite(self, refused: Refusal, cells: list[str]) -> Iterator[ImportRow]:
        """What a refused row says against being written to: that much is believed of it."""
        cells = cells + [""] * (self._width - len(cells))
        if self._opted_out(cells):
            consent = Consent(ANY_TOPIC, ConsentState.WITHDRAWN, self._now, self._evidence(refused.line))
            yield from no_of(refused.line, self.addresses(cells)[0], Said((consent,)))

    def _evidence(self, line: int) -> str:
        return f"import of {self._file_name}, line {line}"

    def _attributes(self, cells: list[str]) -> dict[str, AttributeValue]:
        kept = {}
        for position, name in self._columns.attributes.items():
            cell = cells[position]
            if cell and (value := attribute_value(cell)) is not None:
                kept[name] = value
        return kept

    def _consents(self, line: int, cells: list[str]) -> Iterator[Consent]:
        """What the row says of consent. Without any consent column: that membership is the basis, but not in a
        table without addresses, whose rows are members of nothing as far as mail goes.

        A withdrawal anywhere in the row wins.
        """
        columns = self._columns
        said = self._said(cells)
        at = _moment(_cell(cells, columns.date)) or self._now
        source = _cell(cells, columns.source)
        evidence = self._evidence(line) + (f": {_text(source)}" if source else "")
        wording = _text(_cell(cells, columns.wording))
        if self._opted_out(cells):
            yield Consent(ANY_TOPIC, ConsentState.WITHDRAWN, at, evidence)
            return
        basis = self._basis(said, _cell(cells, columns.basis))
        if basis is not None:
            for topic in _topics(_cell(cells, columns.topics)) or (ANY_TOPIC,):
                yield Consent(topic, ConsentState.GRANTED, at, evidence, basis, wording)
        if columns.tracking is not None:
            tracking = _word(_cell(cells, columns.tracking))
            if tracking in YES:
                yield Consent(TRACKING, ConsentState.GRANTED, at, evidence, Basis.EXPRESS, wording)
            elif tracking in PLAIN_NO:
                yield Consent(TRACKING, ConsentState.WITHDRAWN, at, evidence)

    def _said(self, cells: list[str]) -> str:
        return _word(_cell(cells, self._columns.consent))

    def _opted_out(self, cells: list[str]) -> bool:
        said = self._said(cells)
        if said in MAIL_NO or (said in PLAIN_NO and not self._columns.consent_is_status):
            return True
        return any(values.is_flagged(cells[position]) for position in self._columns.opt_outs)

    def _basis(self, said: str, basis: str) -> Basis | None:
        """The basis of the row's consent, None when the row gives none."""
        named = _word(basis)
        if named and named not in list(Basis):
            raise ValueError(f"consent basis {named!r} is none of: {', '.join(Basis)}")
        if self._columns.consent is None or (self._columns.consent_is_status and said not in YES):
            usual = None if self._columns.address is None else Basis.MEMBERSHIP
            return Basis(named) if named else usual
        if said in YES:
            return Basis(named) if named else Basis.EXPRESS
        return None


def _cell(cells: list[str], position: int | None) -> str:
    return "" if position is None else cells[position]


def _word(cell: str) -> str:
    """The cell as a word to be compared."""
    return clean_text(cell).casefold() if cell else ""


@lru_cache(maxsize=4_096)
def _moment(cell: str) -> datetime | None:
    """When the person decided, None when the cell says nothing. Raises ValueError when it names no time."""
    text = cell.strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"consent date {text[:40]!r} is not of the form 2025-01-31 or 2025-01-31 14:05") from None


def _text(cell: str) -> str:
    text = clean_text(cell)
    if len(text) > MAX_VALUE_CHARACTERS:
        raise ValueError(f"the evidence has {len(text):,} characters; {MAX_VALUE_CHARACTERS:,} are allowed")
    return text


def _topics(cell: str) -> tuple[str, ...]:
    """The slugs of a list of topics. Raises ValueError for what can be none."""
    return _short_topics(cell) if len(cell) <= _SHORT else _read_topics(cell)


def _read_topics(cell: str) -> tuple[str, ...]:
    slugs = [attribute_name(topic).replace("_", "-") for topic in _LIST_SEPARATOR.split(cell)]
    topics = tuple(slug for slug in slugs if slug)
    if cell.strip() and not topics:
        # Not even one of them: that is no yes to all.
        raise ValueError(f"{cell[:40]!r} names no topic")
    if len(topics) > MAX_TOPICS or any(len(topic) > MAX_NAME_CHARACTERS for topic in topics):
        raise ValueError(f"the list of topics is too long; {MAX_TOPICS} are allowed")
    if TRACKING in topics:
        # Otherwise the name of a newsletter would count as leave to record opens and clicks by name.
        raise ValueError(f"{TRACKING!r} is no topic; consent to it has a column of its own, called {TRACKING}")
    return topics


# The members of a list choose among few combinations.
_SHORT = 200
_short_topics = lru_cache(maxsize=4_096)(_read_topics)
