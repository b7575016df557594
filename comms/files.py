"""Writes files that are whole or absent. Knows nothing of what is in them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from comms.errors import StorageError


def write_whole(path: Path, data: bytes) -> None:
    """The file appears complete or not at all, in place of the one that had its name, and stays after a power cut.

    Only its owner can read it. Makes the folder when there is none. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def save(path: Path, data: bytes) -> None:
    """Write a file that a person asked for, whole or not at all. Raises StorageError."""
    try:
        write_whole(path, data)
    except OSError as error:
        raise StorageError(
            f"{path} can not be written: {error.strerror}.", hint="Name a file in a folder that you may write to."
        ) from error
