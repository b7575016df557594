"""Files of the media folder that go with an offer to other engines: which they are, and their bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from campaigns import foreign
from campaigns.models import Campaign
from comms.engine.pictures import media_file
from comms.engine.workspace import Workspace
from comms.errors import StorageError
from comms.kits import offer_files
from comms.kits.offer_files import OfferedFile
from comms.preflight.enclosures import KINDS

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".avif"})
"""What `comms.pictures` can make into a picture for mails."""


def named(workspace: Workspace, campaign: Campaign) -> tuple[OfferedFile, ...]:
    """The files that a campaign names and that are there: what is attached, then pictures, no more than may travel.

    Raises StorageError when one can not be read.
    """
    return offer_files.fit(_named(workspace, campaign))


def read(workspace: Workspace, file: OfferedFile) -> bytes | None:
    """Its bytes; None when the file is not there any more as it was offered. Raises StorageError."""
    path = media_file(workspace, file.name)
    try:
        # A small file may have become a very large one.
        data = path.read_bytes() if path is not None and path.stat().st_size == file.size else b""
    except OSError as error:
        raise StorageError(f"the file {file.name} can not be read: {error}.") from error
    return data if file.is_of(data) else None


def _named(workspace: Workspace, campaign: Campaign) -> Iterator[OfferedFile]:
    names = foreign.files_of(campaign)
    for kinds, group in ((KINDS, names.attached), (PICTURES, names.pictures)):
        for name in group:
            path = media_file(workspace, name)
            if path is not None and path.suffix.lower() in kinds and not (kinds is PICTURES and name in names.attached):
                yield _described(name, path)


def _described(name: str, path: Path) -> OfferedFile:
    try:
        status = path.stat()
        return OfferedFile(name, _hash(path, status.st_mtime_ns, status.st_size), status.st_size)
    except OSError as error:
        raise StorageError(f"the file {path.name} can not be read: {error}.") from error


@lru_cache(maxsize=1_000)
def _hash(path: Path, modified: int, size: int) -> str:
    """SHA-256 in hexadecimal; `modified` and `size` tell a file that was changed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
