"""Rows of a table of whatever kind: a workbook, or text."""

from __future__ import annotations

from collections.abc import Iterator

from audiences.errors import ImportFileError
from audiences.importing import zips
from audiences.importing.files import SourceFile
from audiences.importing.tables import read_table
from audiences.importing.workbooks import is_workbook, read_workbook


def archived(source: SourceFile) -> tuple[str, ...]:
    """The names of the files in a ZIP; none for every other file, workbooks among them. Raises ImportFileError."""
    members = zips.entries(source) if zips.is_zip(source) else ()
    return () if is_workbook(members) else members


def read_rows(source: SourceFile) -> Iterator[tuple[int, list[str]]]:
    """Yield (line or row number, cells) for each row that is not blank, the header among them.

    Raises ImportFileError for a file that holds no table.
    """
    if not zips.is_zip(source):
        yield from read_table(source)
    elif is_workbook(zips.entries(source)):
        yield from read_workbook(source)
    else:
        raise ImportFileError(source.path, 0, "is a ZIP of no known source; unpack it and import the CSV inside")
