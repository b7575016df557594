"""A file to be imported, or one inside a ZIP, that can be opened anew as often as needed; knows no formats."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from audiences.attributes import clean_text


@dataclass(frozen=True, slots=True)
class SourceFile:
    """Where the bytes come from."""

    path: str
    """For error messages: `lists/export.zip/cleaned.csv`."""
    open: Callable[[], IO[bytes]]
    """Opens the bytes at their beginning; the stream can be seeked. Raises OSError."""

    @property
    def name(self) -> str:
        """The last part of the path, fit to be shown and kept as evidence."""
        return clean_text(self.path.replace("\\", "/").rpartition("/")[2])[:200]


def source_file(path: Path) -> SourceFile:
    return SourceFile(str(path), lambda: path.open("rb"))
