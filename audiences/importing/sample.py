"""What a file looks like from outside: the little of it that sources are recognised by."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from audiences.importing import zips
from audiences.importing.files import SourceFile
from audiences.importing.rows import archived, read_rows
from audiences.importing.text import open_text
from audiences.models import attribute_name

_FIRST_ROWS = 20
_FIRST_CHARACTERS = 20_000
_LONGEST_NAME = 1_000


class Kind(StrEnum):
    TABLE = "table"
    """Text or a workbook, with a row of column names."""
    ZIP = "zip"
    VCARD = "vcard"
    LINES = "lines"
    """Text whose first line already holds an address."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What sources are recognised by; empty where it does not apply to the kind of file."""

    file_name: str
    kind: Kind
    header: tuple[str, ...] = ()
    """The column names as they stand in the file."""
    rows: tuple[tuple[str, ...], ...] = ()
    """The first rows after the header."""
    lines: tuple[str, ...] = ()
    """The first lines that are not blank."""
    members: tuple[str, ...] = ()
    """Names of the files in a ZIP."""

    @property
    def columns(self) -> frozenset[str]:
        """The names of the columns as we write them: `E-mail 1 - Value` is `e_mail_1_value`."""
        return frozenset(attribute_name(cell[:_LONGEST_NAME]) for cell in self.header)


def take_sample(source: SourceFile) -> Sample:
    """Look at the beginning of a file. Raises ImportFileError when it can not be read."""
    if zips.is_zip(source):
        members = archived(source)
        return Sample(source.name, Kind.ZIP, members=members) if members else _table(source)
    with open_text(source) as text:
        start = text.sample[:_FIRST_CHARACTERS].lstrip("\ufeff")
    lines = tuple(islice((line.strip() for line in start.splitlines() if line.strip()), _FIRST_ROWS))
    if lines and lines[0].upper().replace(" ", "") == "BEGIN:VCARD":
        return Sample(source.name, Kind.VCARD, lines=lines)
    if lines and "@" in lines[0]:
        return Sample(source.name, Kind.LINES, lines=lines)
    return _table(source)


def _table(source: SourceFile) -> Sample:
    rows = [tuple(cells) for _, cells in islice(read_rows(source), 1 + _FIRST_ROWS)]
    return Sample(source.name, Kind.TABLE, header=rows[0] if rows else (), rows=tuple(rows[1:]))


def likeness(sample: Sample, marks: Collection[str], enough: int) -> float:
    """How sure the columns of a table make it one of a product: 0.95 when `enough` of its `marks` are there.

    `marks` are names of columns that the product writes and others do not. The share of them in the header breaks ties.
    """
    columns = sample.columns if sample.kind is Kind.TABLE else frozenset()
    found = len(columns & frozenset(marks))
    if not found:
        return 0.0
    return 0.95 * min(1.0, found / enough) + 0.05 * found / len(columns)
