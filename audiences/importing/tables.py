"""Reads tables of text (CSV, TSV) whatever wrote them: separator, line breaks inside cells, ragged rows.

It knows rows and cells, nothing of members.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from audiences.errors import ImportFileError
from audiences.importing.files import SourceFile, source_file
from audiences.importing.text import MAX_LINE_CHARACTERS as MAX_LINE_CHARACTERS
from audiences.importing.text import LineTooLongError, bounded_lines, open_text

MAX_CELL_CHARACTERS = 1_000_000
MAX_COLUMNS = 2_000
_SEPARATORS = ",;\t|"


def read_table(file: SourceFile | Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which the row starts, cells) for each row that is not blank, the header among them.

    Streams: memory does not grow with the file. Raises ImportFileError for a file that is no table of text.
    """
    source = source_file(file) if isinstance(file, Path) else file
    with open_text(source) as text:
        yield from _rows(text.stream, source.path, _separator(text.sample))


def _rows(text: IO[str], name: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(MAX_CELL_CHARACTERS)
    physical: list[str] = []
    reader = csv.reader(_remembered(text, physical), delimiter=separator)
    start, line, row = 1, 1, list[str]()
    try:
        for cells in reader:
            row = physical.copy()
            physical.clear()
            if len(cells) > MAX_COLUMNS:
                raise ImportFileError(name, line, f"the row has {len(cells):,} cells; {MAX_COLUMNS:,} are allowed")
            if any(cell.strip() for cell in cells):
                yield line, cells
            start, line = line, reader.line_num + 1
        if row and _is_open(row, separator):
            raise ImportFileError(name, start, "a quoted cell of this row is never closed; all that follows is in it")
    except (csv.Error, LineTooLongError) as error:
        if "field limit" in str(error):
            reason = f"a cell is longer than {MAX_CELL_CHARACTERS:,} characters; is a closing quote missing?"
        else:
            reason = f"the row can not be read: {error}"
        raise ImportFileError(name, line, reason) from error


def _remembered(text: IO[str], physical: list[str]) -> Iterator[str]:
    """The lines of `text`, each noted in `physical`."""
    for line in bounded_lines(text):
        physical.append(line)
        yield line


def _is_open(physical: list[str], separator: str) -> bool:
    """Does the row of these lines end inside quotes: then one more line is still the same row."""
    return len(list(csv.reader([*physical, "x"], delimiter=separator))) == 1


def _separator(sample: str) -> str:
    """The separator that stands most often in the first row, outside quotes."""
    unquoted = "".join(sample.lstrip("\ufeff\r\n").split('"')[::2])
    header = next(iter(unquoted.splitlines()), "")
    return max(_SEPARATORS, key=header.count)
