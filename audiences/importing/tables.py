"""Reads tables of text (CSV, TSV) whatever wrote them: encoding, separator, line breaks inside cells.

It knows rows and cells, nothing of members.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from audiences.errors import ImportFileError

MAX_CELL_CHARACTERS = 1_000_000
MAX_COLUMNS = 2_000
MAX_LINE_CHARACTERS = 10_000_000
_SAMPLE_BYTES = 65_536
_SEPARATORS = ",;\t|"


def read_table(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which the row starts, cells) for each row that is not blank, the header among them.

    Streams: memory does not grow with the file. Raises ImportFileError for a file that is no table of text.
    """
    name = str(path)
    encoding = "utf-8"
    try:
        with path.open("rb") as raw:
            sample = raw.read(_SAMPLE_BYTES)
            raw.seek(0)
            encoding = _encoding(raw, sample, name)
            raw.seek(0)
            with io.TextIOWrapper(raw, encoding=encoding, newline="") as text:
                yield from _rows(text, name, _separator(sample.decode(encoding, "replace")))
    except UnicodeError as error:
        reason = f"holds bytes that are no text in {encoding}; save it as CSV (UTF-8) and import that"
        raise ImportFileError(name, 0, reason) from error
    except OSError as error:
        raise ImportFileError(name, 0, f"can not be read: {error.strerror or error}") from error


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
    except csv.Error as error:
        if "field limit" in str(error):
            reason = f"a cell is longer than {MAX_CELL_CHARACTERS:,} characters; is a closing quote missing?"
        else:
            reason = f"the row can not be read: {error}"
        raise ImportFileError(name, line, reason) from error


def _remembered(text: IO[str], physical: list[str]) -> Iterator[str]:
    """The lines of `text`, each noted in `physical`; none is read further than a line can be long."""
    while line := text.readline(MAX_LINE_CHARACTERS):
        if len(line) == MAX_LINE_CHARACTERS:
            raise csv.Error(f"a line is longer than {MAX_LINE_CHARACTERS:,} characters")
        physical.append(line)
        yield line


def _is_open(physical: list[str], separator: str) -> bool:
    """Does the row of these lines end inside quotes: then one more line is still the same row."""
    return len(list(csv.reader([*physical, "x"], delimiter=separator))) == 1


def _encoding(raw: IO[bytes], sample: bytes, name: str) -> str:
    """UTF-8 or UTF-16 by their marks, UTF-8 when every byte agrees, else Windows-1252 (what Excel writes)."""
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # A stray NUL is dirt in a cell, cleaned with it; many, or the mark of an archive, mean it is no text at all.
    if sample.startswith(b"PK\x03\x04") or sample.count(b"\0") * 100 > len(sample):
        raise ImportFileError(name, 0, "is no text; save it as CSV (UTF-8) and import that")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := raw.read(1 << 20):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _separator(sample: str) -> str:
    """The separator that stands most often in the first row, outside quotes."""
    unquoted = "".join(sample.lstrip("\ufeff\r\n").split('"')[::2])
    header = next(iter(unquoted.splitlines()), "")
    return max(_SEPARATORS, key=header.count)
