"""The lists that `comms members export-list` writes, read back: the same members, and the same consent or less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path

from audiences.addresses import normalise_address
from audiences.attributes import MAX_VALUE_CHARACTERS, attribute_value, clean_text
from audiences.errors import AddressError, ImportFileError
from audiences.exporting.formulas import unguarded
from audiences.exporting.own import COLUMNS, SUPPRESSED
from audiences.importing import values, zips
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import SourceFile, source_file
from audiences.importing.layout import MAX_NAME_CHARACTERS, Said, column_names, is_secret, no_of, without_address
from audiences.importing.rows import read_rows
from audiences.importing.sample import Kind, Sample
from audiences.models import ANY_TOPIC, TRACKING, AttributeValue, Basis, Consent, ConsentState

NAME = "comms"
LABEL = "a list exported by comms"
MAX_ITEMS = 2_000
"""Tags or topics of one person."""
_UNKNOWN_SUPPRESSION = "suppressed before it was exported"


def recognise(sample: Sample) -> float:
    return 1.0 if sample.kind is Kind.TABLE and _is_ours(sample.header) else 0.0


def read(path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
    """People of the list. Raises ImportFileError, also for a table whose first columns are not those of such a list."""
    source = source_file(path)
    table = read_rows(source)
    header = next((cells for _, cells in islice(table, 1)), list[str]())
    if not _is_ours(header):
        raise ImportFileError(source.path, 1, f"is no list exported by comms: its columns must start {COLUMNS[0]}, ...")
    # A workbook leaves out the empty cells at a row's end; in text they are there, unless the file was cut off.
    least = 1 if zips.is_zip(source) else len(COLUMNS)
    reader = _Reader(column_names(header[len(COLUMNS) :], source.path), source, now, least)
    for line, cells in table:
        yield from reader.read(line, cells)


def _is_ours(header: Sequence[str]) -> bool:
    return tuple(cell.removeprefix("\ufeff") for cell in header[: len(COLUMNS)]) == COLUMNS


class _Reader:
    def __init__(self, attributes: list[str], source: SourceFile, now: datetime, least: int) -> None:
        self._attributes, self._source, self._now, self._least = attributes, source, now, least

    def read(self, line: int, cells: list[str]) -> Iterator[ImportRow | Refusal]:
        width = len(COLUMNS) + len(self._attributes)
        texts = [unguarded(cell)[0] for cell in cells[: len(COLUMNS)]]
        row = dict(zip(COLUMNS, texts + [""] * (len(COLUMNS) - len(texts)), strict=True))
        said = self._said(line, row)
        try:
            address = normalise_address(row["email"]) if row["email"].strip() else None
        except AddressError as error:
            yield Refusal(line, str(error))
            return
        reason = self._out_of_shape(cells, width)
        if reason:
            yield Refusal(line, reason)
            yield from no_of(line, [address] if address else [], said)
            return
        problems: list[str] = []
        attributes = self._values(cells[len(COLUMNS) :], problems)
        identity = values.label(row["external_id"])[:MAX_NAME_CHARACTERS]
        yield ImportRow(
            line=line,
            address=address,
            attributes=attributes,
            language=values.language(row["language"]),
            timezone=values.timezone(row["timezone"]),
            consents=said.consents,
            suppression=said.suppression,
            tags=_items(map(values.label, values.quoted_list(row["tags"])), "tags", problems),
            external_id=identity or ("" if address else without_address(NAME, attributes)),
            refuses_relays=said.refuses_relays,
        )
        yield from (Refusal(line, problem) for problem in problems)

    def _out_of_shape(self, cells: Sequence[str], width: int) -> str:
        """What is wrong with the number of cells. Without its last ones a row says yes to more than it did."""
        if len(cells) > width and any(cell.strip() for cell in cells[width:]):
            return f"has {len(cells)} cells, the header {width}: is a separator unquoted?"
        if len(cells) < self._least:
            return f"has {len(cells)} cells, the header {width}: was the file cut off?"
        return ""

    def _values(self, cells: Sequence[str], problems: list[str]) -> dict[str, AttributeValue]:
        kept: dict[str, AttributeValue] = {}
        for name, cell in zip(self._attributes, cells, strict=False):
            text, is_text = unguarded(cell)
            try:
                value = attribute_value(text) if name and not is_secret(name) else None
            except ValueError as error:
                problems.append(f"{name}: {error}; it was left out")
            else:
                if value is not None:
                    kept[name] = clean_text(text) if is_text else value
        return kept

    def _said(self, line: int, row: dict[str, str]) -> Said:
        opted_out = clean_text(row["opted_out"]).casefold()
        suppression = clean_text(row["suppressed_reason"])[:MAX_NAME_CHARACTERS]
        if opted_out == SUPPRESSED:
            suppression = suppression or _UNKNOWN_SUPPRESSION
        no = values.is_flagged(opted_out) and opted_out != SUPPRESSED
        consents = [*self._newsletters(line, row, opted_out=no), *self._tracking(line, row)]
        return Said(tuple(consents), suppression or None, values.is_flagged(row["no_relays"]))

    def _newsletters(self, line: int, row: dict[str, str], *, opted_out: bool) -> Iterator[Consent]:
        at, source, wording = self._proof(line, row, "consent")
        if opted_out or values.is_plain_no(row["consent"]):
            yield Consent(ANY_TOPIC, ConsentState.WITHDRAWN, at, source)
            return
        basis = clean_text(row["consent_basis"]).casefold()
        if values.is_yes(row["consent"]) and basis in list(Basis):
            for topic in _topics(row["topics"]) if row["topics"].strip() else (ANY_TOPIC,):
                yield Consent(topic, ConsentState.GRANTED, at, source, Basis(basis), wording)
        for topic in _topics(row["topics_withdrawn"]):
            yield Consent(topic, ConsentState.WITHDRAWN, at, source)

    def _tracking(self, line: int, row: dict[str, str]) -> Iterator[Consent]:
        at, source, wording = self._proof(line, row, "tracking")
        if values.is_yes(row["tracking"]):
            yield Consent(TRACKING, ConsentState.GRANTED, at, source, Basis.EXPRESS, wording)
        elif values.is_plain_no(row["tracking"]):
            yield Consent(TRACKING, ConsentState.WITHDRAWN, at, source)

    def _proof(self, line: int, row: dict[str, str], kind: str) -> tuple[datetime, str, str]:
        """(when, evidence, wording) of the consent that the columns of this kind hold."""
        source, wording = (clean_text(row[f"{kind}_{part}"])[:MAX_VALUE_CHARACTERS] for part in ("source", "wording"))
        place = f"import of {self._source.name}, line {line}"
        at = values.moment(row[f"{kind}_date"]) or self._now
        return at, f"{place}: {source}" if source else place, wording


def _topics(cell: str) -> tuple[str, ...]:
    topics = (values.label(topic)[:MAX_NAME_CHARACTERS] for topic in cell[:1_000_000].split(";"))
    return tuple(dict.fromkeys(t for t in topics if t and t not in (ANY_TOPIC, TRACKING)))[:MAX_ITEMS]


def _items(items: Iterator[str], what: str, problems: list[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(item[:MAX_NAME_CHARACTERS] for item in items if item))
    if len(found) > MAX_ITEMS:
        problems.append(f"has more than {MAX_ITEMS:,} {what}; the first of them were taken")
    return found[:MAX_ITEMS]
