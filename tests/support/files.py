"""Reads what processes that run keep in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def contents(folder: Path, pattern: str = "**/*") -> Iterator[tuple[Path, bytes]]:
    """The files that there are; those that come and go meanwhile, as SQLite's own do, may be left out."""
    for path in sorted(folder.glob(pattern)):
        if path.is_file():
            with suppress(FileNotFoundError):
                yield path, path.read_bytes()
