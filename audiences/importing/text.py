"""Text whatever wrote it: finds the encoding of a file and gives its lines, none longer than a line can be."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from audiences.errors import ImportFileError
from audiences.importing.files import SourceFile

MAX_LINE_CHARACTERS = 10_000_000
_SAMPLE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class OpenText:
    stream: IO[str]
    """Line endings are kept as they are."""
    sample: str
    """The beginning of the text."""


@contextmanager
def open_text(source: SourceFile) -> Iterator[OpenText]:
    """Open a file as text. Raises ImportFileError when it can not be read or is no text, then and while it is read."""
    encoding = "utf-8"
    try:
        with source.open() as raw:
            sample = raw.read(_SAMPLE_BYTES)
            raw.seek(0)
            encoding = _encoding(raw, sample, source.path)
            raw.seek(0)
            with io.TextIOWrapper(raw, encoding=encoding, newline="") as stream:
                yield OpenText(stream, sample.decode(encoding, "replace"))
    except UnicodeError as error:
        reason = f"holds bytes that are no text in {encoding}; save it as CSV (UTF-8) and import that"
        raise ImportFileError(source.path, 0, reason) from error
    except OSError as error:
        raise ImportFileError(source.path, 0, f"can not be read: {error.strerror or error}") from error


def bounded_lines(stream: IO[str]) -> Iterator[str]:
    """The lines, with their endings. Raises LineTooLongError before more than a line can be long is in memory."""
    while line := stream.readline(MAX_LINE_CHARACTERS):
        if len(line) == MAX_LINE_CHARACTERS:
            raise LineTooLongError(f"a line is longer than {MAX_LINE_CHARACTERS:,} characters")
        yield line


class LineTooLongError(ValueError):
    """A line of the text has no end in sight."""


def read_lines(source: SourceFile) -> Iterator[tuple[int, str]]:
    """Yield (line number, line without its ending). Raises ImportFileError."""
    number = 0
    with open_text(source) as text:
        try:
            for number, line in enumerate(bounded_lines(text.stream), start=1):
                yield number, line.rstrip("\r\n")
        except LineTooLongError as error:
            raise ImportFileError(source.path, number + 1, str(error)) from error


def _encoding(raw: IO[bytes], sample: bytes, path: str) -> str:
    """UTF-8 or UTF-16 by their marks, UTF-8 when every byte agrees, else Windows-1252 (what Excel writes)."""
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # A stray NUL is dirt in a cell, cleaned with it; many, or the mark of an archive, mean it is no text at all.
    if sample.startswith(b"PK\x03\x04") or sample.count(b"\0") * 100 > len(sample):
        raise ImportFileError(path, 0, "is no text; save it as CSV (UTF-8) and import that")
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := raw.read(1 << 20):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
