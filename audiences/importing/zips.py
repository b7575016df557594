"""Looks into ZIP files without trusting them: bombs are refused by what they declare, before a byte is unpacked.

Only stored and deflated files are read, ZIPs inside ZIPs are not, and nothing is ever written to disk.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from typing import IO, TYPE_CHECKING

from audiences.attributes import clean_text
from audiences.errors import ImportFileError
from audiences.importing.files import SourceFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_FILES = 20_000
MAX_UNPACKED_BYTES = 2_000_000_000
"""Of all files together."""
MAX_RATIO = 200
"""Unpacked to packed, for files of more than `_SMALL` bytes; text of people rarely packs better than 20 to 1."""
_SMALL = 10_000_000
_MAGIC = b"PK\x03\x04"
# End of central directory record (APPNOTE.TXT 4.3.16), which a comment of up to 64 KiB may follow, and the
# locator (4.3.15) that stands before it in archives of the 64-bit kind.
_END = struct.Struct("<4s4H2LH")
_END_MAGIC = b"PK\x05\x06"
_LOCATOR_BYTES = 20
_LOCATOR_MAGIC = b"PK\x06\x07"
_LONGEST_COMMENT = 65_535


def is_zip(source: SourceFile) -> bool:
    """Does the file start as a ZIP does. Raises ImportFileError when it can not be read."""
    with _translated(source.path), source.open() as raw:
        return raw.read(len(_MAGIC)) == _MAGIC


def entries(source: SourceFile) -> tuple[str, ...]:
    """The names of the files inside. Raises ImportFileError for a damaged, encrypted or oversized ZIP."""
    with _opened(source) as archive:
        return tuple(info.filename for info in archive.infolist() if not info.is_dir())


def entry(source: SourceFile, name: str) -> SourceFile:
    """One file inside; what goes wrong when it is read is raised as OSError, as for a file on disk."""

    def open_entry() -> IO[bytes]:
        raw = source.open()
        try:
            archive = zipfile.ZipFile(raw)
            stream = BufferedReader(_Entry(raw, archive, archive.open(name)))
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, KeyError, struct.error) as error:
            raw.close()
            raise OSError(f"the ZIP is damaged ({error})") from error
        except BaseException:
            raw.close()
            raise
        if stream.peek(len(_MAGIC)).startswith(_MAGIC):
            stream.close()
            raise OSError("it is a ZIP inside a ZIP; unpack the outer one and import that")
        return stream

    return SourceFile(f"{source.path}/{clean_text(name)[:200]}", open_entry)


class _Entry(RawIOBase):
    """A file inside a ZIP that closes the ZIP with itself, and whose damage is an OSError."""

    def __init__(self, raw: IO[bytes], archive: zipfile.ZipFile, member: IO[bytes]) -> None:
        super().__init__()
        self._raw, self._archive, self._member = raw, archive, member

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        with _damage():
            return self._member.seek(offset, whence)

    def tell(self) -> int:
        return self._member.tell()

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        with _damage():
            data = self._member.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._member.close()
            self._archive.close()
            self._raw.close()
        super().close()


@contextmanager
def _damage() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise OSError(f"the ZIP is damaged ({error})") from error


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ImportFileError(path, 0, f"can not be read: {error.strerror or error}") from error


@contextmanager
def _opened(source: SourceFile) -> Iterator[zipfile.ZipFile]:
    """The archive, once what it declares was found to be within the limits."""
    with _translated(source.path), source.open() as raw:
        _check_directory(raw, source.path)
        try:
            archive = zipfile.ZipFile(raw)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
            raise ImportFileError(source.path, 0, f"is a damaged ZIP ({error}); export it again") from error
        with archive:
            _check_files(archive.infolist(), source.path)
            yield archive


def _check_directory(raw: IO[bytes], path: str) -> None:
    """Refuse a list of files that would fill memory by being read. Leaves `raw` at its beginning."""
    size = raw.seek(0, 2)
    raw.seek(max(0, size - _LONGEST_COMMENT - _END.size - _LOCATOR_BYTES))
    tail = raw.read()
    raw.seek(0)
    at = tail.rfind(_END_MAGIC)
    if at < 0 or len(tail) - at < _END.size:
        raise ImportFileError(path, 0, "is a damaged ZIP (its end is missing); export or download it again")
    _, _, _, _, files, directory_bytes, _, _ = _END.unpack_from(tail, at)
    too_large = "holds far more than a list of people does; unpack it and import the CSV inside"
    if _LOCATOR_MAGIC in tail[max(0, at - _LOCATOR_BYTES) : at]:
        raise ImportFileError(path, 0, too_large)
    # The number of files is only declared, so the room for their names is limited as well.
    if files > MAX_FILES or directory_bytes > MAX_FILES * 500:
        raise ImportFileError(path, 0, f"holds {files:,} files; {MAX_FILES:,} are allowed")


def _check_files(files: list[zipfile.ZipInfo], path: str) -> None:
    if len(files) > MAX_FILES:
        raise ImportFileError(path, 0, f"holds {len(files):,} files; {MAX_FILES:,} are allowed")
    # No more than the declared size is ever unpacked: the zipfile module stops there.
    if sum(file.file_size for file in files) > MAX_UNPACKED_BYTES:
        raise ImportFileError(path, 0, f"would unpack to more than {MAX_UNPACKED_BYTES // 1_000_000:,} MB")
    for file in files:
        inside = f"{path}/{clean_text(file.filename)[:200]}"
        if file.flag_bits & 0x1:
            raise ImportFileError(inside, 0, "is locked with a password; unlock it and import that")
        if file.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ImportFileError(inside, 0, "is packed in an unusual way; unpack it and import the CSV inside")
        if file.file_size > max(_SMALL, file.compress_size * MAX_RATIO):
            raise ImportFileError(inside, 0, "would unpack to hundreds of times its size: no list of people does")
