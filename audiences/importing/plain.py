"""Any CSV with a header row: an address column, consent columns if there are some, the rest attributes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from zoneinfo import available_timezones

from audiences.addresses import normalise_address
from audiences.attributes import MAX_VALUE_CHARACTERS, attribute_value, clean_text
from audiences.errors import AddressError, ImportFileError
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.tables import read_table
from audiences.models import ANY_TOPIC, TRACKING, AttributeValue, Basis, Consent, ConsentState, attribute_name

ADDRESS_NAMES = (
    "email", "e_mail", "email_address", "e_mail_address", "mail", "address", "primary_email", "contact_email",
    "email_primary", "work_email", "correo", "correo_electrónico", "correo_electronico", "courriel",
    "adresse_e_mail", "e_mail_adresse",
)  # fmt: skip
LANGUAGE_NAMES = ("language", "lang", "preferred_language", "locale")
TIMEZONE_NAMES = ("timezone", "time_zone", "tz")
CONSENT_NAMES = (
    "consent", "opted_in", "opt_in", "optin", "subscribed", "subscription", "subscription_status", "email_status",
    "mail_status", "newsletter", "email_consent", "email_opt_in", "status",
)  # fmt: skip
OPT_OUT_NAMES = (
    "opted_out", "opt_out", "optout", "unsubscribed", "do_not_email", "do_not_mail", "no_bulk_emails", "on_hold",
    "bounced", "email_opt_out",
)  # fmt: skip

YES = frozenset("yes y true t 1 x on subscribed opted-in opted_in opt-in granted confirmed si sí oui ja".split())
PLAIN_NO = frozenset("no n false f 0 off non nein".split())
MAIL_NO = frozenset(
    "unsubscribed opted-out opted_out opt-out withdrawn cleaned bounced complained blocklisted blacklisted blocked "
    "suppressed spam junk".split()
)
"""Words that speak of mail and nothing else, so that they count in a column called `status` too."""
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,4}", re.ASCII)
MAX_NAME_CHARACTERS = 200
"""Of a column: its name is stored with every member."""
MAX_TOPICS = 100
_LIST_SEPARATOR = re.compile(r"[;,|]")


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column of the file holds what: positions, None or empty where the file has none."""

    address: int
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


def recognise(header: Sequence[str], name: str) -> Columns:
    """Find the columns by their names. Raises ImportFileError when none is an address, or a name is endless."""
    names = [attribute_name(cell) for cell in header]
    for position, column in enumerate(names, start=1):
        if len(column) > MAX_NAME_CHARACTERS:
            raise ImportFileError(
                name, 1, f"the name of column {position} has {len(column):,} characters; is a line break missing?"
            )

    def first(candidates: Sequence[str]) -> int | None:
        return next((names.index(candidate) for candidate in candidates if candidate in names), None)

    address = first(ADDRESS_NAMES)
    if address is None:
        columns = ", ".join(clean_text(cell)[:40] for cell in header[:20])
        raise ImportFileError(name, 1, f"no column is called email; rename the one that is. Columns: {columns}")
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
    }
    opt_outs = tuple(position for position, column in enumerate(names) if column in OPT_OUT_NAMES)
    is_status = consent is not None and names[consent] == "status"
    taken = {address, *opt_outs, *(position for position in special.values() if position is not None)}
    if consent is not None and not is_status:
        taken.add(consent)
    attributes = {position: column for position, column in enumerate(names) if column and position not in taken}
    return Columns(address, attributes, consent=consent, consent_is_status=is_status, opt_outs=opt_outs, **special)


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """Rows of the file, each an ImportRow or a Refusal with its line and reason.

    `now` is the time of the import, recorded where the file gives no date for a consent. Raises ImportFileError
    for a file that can not be imported at all.
    """
    table = read_table(path)
    _, header = next(table, (0, []))
    if not header:
        raise ImportFileError(str(path), 0, "is empty")
    columns = recognise(header, str(path))
    reader = _RowReader(columns, len(header), path.name, now)
    for line, cells in table:
        yield reader.read(line, cells)


class _RowReader:
    def __init__(self, columns: Columns, width: int, file_name: str, now: datetime) -> None:
        self._columns = columns
        self._width = width
        self._file_name = clean_text(file_name)
        self._now = now

    def read(self, line: int, cells: list[str]) -> ImportRow | Refusal:
        columns = self._columns
        if len(cells) > self._width and any(cell.strip() for cell in cells[self._width :]):
            return Refusal(line, f"has {len(cells)} cells, the header {self._width}: is a separator unquoted?")
        cells = cells + [""] * (self._width - len(cells))
        text = cells[columns.address].strip()
        if not text:
            return Refusal(line, "has no address")
        try:
            address = normalise_address(text)
            attributes = self._attributes(cells)
            consents = tuple(self._consents(line, cells))
        except (AddressError, ValueError) as error:
            return Refusal(line, str(error))
        return ImportRow(
            line,
            address,
            attributes,
            _language(_cell(cells, columns.language)),
            _timezone(_cell(cells, columns.timezone)),
            consents,
        )

    def _attributes(self, cells: list[str]) -> dict[str, AttributeValue]:
        values = {}
        for position, name in self._columns.attributes.items():
            value = attribute_value(cells[position])
            if value is not None:
                values[name] = value
        return values

    def _consents(self, line: int, cells: list[str]) -> Iterator[Consent]:
        """What the row says of consent. Without any consent column: that membership is the basis.

        A withdrawal anywhere in the row wins.
        """
        columns = self._columns
        said = clean_text(_cell(cells, columns.consent)).casefold()
        opted_out = any(_is_yes(cells[position]) for position in columns.opt_outs)
        at = self._moment(_cell(cells, columns.date))
        source = _cell(cells, columns.source)
        evidence = f"import of {self._file_name}, line {line}" + (f": {_text(source)}" if source else "")
        wording = _text(_cell(cells, columns.wording))
        if opted_out or said in MAIL_NO or (said in PLAIN_NO and not columns.consent_is_status):
            yield Consent(ANY_TOPIC, ConsentState.WITHDRAWN, at, evidence)
            return
        basis = self._basis(said, _cell(cells, columns.basis))
        if basis is not None:
            for topic in _topics(_cell(cells, columns.topics)) or [ANY_TOPIC]:
                yield Consent(topic, ConsentState.GRANTED, at, evidence, basis, wording)
        if columns.tracking is not None:
            tracking = clean_text(_cell(cells, columns.tracking)).casefold()
            if tracking in YES:
                yield Consent(TRACKING, ConsentState.GRANTED, at, evidence, Basis.EXPRESS, wording)
            elif tracking in PLAIN_NO:
                yield Consent(TRACKING, ConsentState.WITHDRAWN, at, evidence)

    def _basis(self, said: str, basis: str) -> Basis | None:
        """The basis of the row's consent, None when the row gives none."""
        named = clean_text(basis).casefold()
        if named and named not in list(Basis):
            raise ValueError(f"consent basis {named!r} is none of: {', '.join(Basis)}")
        if self._columns.consent is None or (self._columns.consent_is_status and said not in YES):
            return Basis(named) if named else Basis.MEMBERSHIP
        if said in YES:
            return Basis(named) if named else Basis.EXPRESS
        return None

    def _moment(self, text: str) -> datetime:
        text = text.strip()
        if not text:
            return self._now
        try:
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise ValueError(f"consent date {text[:40]!r} is not of the form 2025-01-31 or 2025-01-31 14:05") from None


def _cell(cells: list[str], position: int | None) -> str:
    return "" if position is None else cells[position]


def _text(cell: str) -> str:
    text = clean_text(cell)
    if len(text) > MAX_VALUE_CHARACTERS:
        raise ValueError(f"the evidence has {len(text):,} characters; {MAX_VALUE_CHARACTERS:,} are allowed")
    return text


def _topics(cell: str) -> list[str]:
    """The slugs of a list of topics. Raises ValueError for what can be none."""
    slugs = [attribute_name(topic).replace("_", "-") for topic in _LIST_SEPARATOR.split(cell)]
    topics = [slug for slug in slugs if slug]
    if len(topics) > MAX_TOPICS or any(len(topic) > MAX_NAME_CHARACTERS for topic in topics):
        raise ValueError(f"the list of topics is too long; {MAX_TOPICS} are allowed")
    if TRACKING in topics:
        # Otherwise the name of a newsletter would count as leave to record opens and clicks by name.
        raise ValueError(f"{TRACKING!r} is no topic; consent to it has a column of its own, called {TRACKING}")
    return topics


def _is_yes(cell: str) -> bool:
    """In an opt-out column anything that is not a plain no counts as one: a date, a reason, a name."""
    said = clean_text(cell).casefold()
    return bool(said) and said not in PLAIN_NO


def _language(cell: str) -> str | None:
    text = cell.strip()
    return text.replace("_", "-") if _LANGUAGE_TAG.fullmatch(text) else None


def _timezone(cell: str) -> str | None:
    text = cell.strip()
    return text if text in _zones() else None


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
