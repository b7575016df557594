"""Files that go with an offer: how they are named, how large they may be, and under which names they are kept where the
offer is taken. Reads and fetches none.

An offer names each by its name in the definition, its SHA-256 and its size. Who takes the offer asks for it by the hash
alone, and keeps it under a name that is made here: what somebody else wrote is never part of a path or an address.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, unquote

from campaigns import characters

MOST_FILES = 50
"""Of one offer."""
MOST_BYTES = 10_000_000
"""Of one file."""
MOST_TOGETHER = 25_000_000
"""Bytes of all files of one offer."""
FOLDER = "offers"
"""In the media folder of who takes an offer."""
_HASH = re.compile(r"[0-9a-f]{64}")
_KEPT_OF_HASH = 32
_LONGEST = 150
"""Bytes of a name, in UTF-8; file systems take 255."""
_MEMBERS = {"name", "sha256", "size"}


@dataclass(frozen=True, slots=True)
class OfferedFile:
    """A file of the media folder of who offers."""

    name: str
    """As the definition names it."""
    sha256: str
    """64 hexadecimal digits."""
    size: int
    """Bytes."""

    def is_of(self, data: bytes) -> bool:
        """Are these its bytes."""
        return len(data) == self.size and hashlib.sha256(data).hexdigest() == self.sha256


def is_hash(text: str) -> bool:
    """Can it be the SHA-256 of a file."""
    return _HASH.fullmatch(text) is not None


def fit(files: Iterable[OfferedFile]) -> tuple[OfferedFile, ...]:
    """Those that may travel together, in their order; what is too large, or one too many, is left out."""
    found, together = list[OfferedFile](), 0
    for file in files:
        if len(found) < MOST_FILES and file.size <= MOST_BYTES and together + file.size <= MOST_TOGETHER:
            found.append(file)
            together += file.size
    return tuple(found)


def plain(files: Iterable[OfferedFile]) -> list[dict[str, Any]]:
    """The files as JSON can hold them."""
    return [{"name": file.name, "sha256": file.sha256, "size": file.size} for file in files]


def from_plain(data: Any) -> tuple[OfferedFile, ...]:
    """Undo `plain`. Raises ValueError or TypeError for anything else, for two files of one name, and for more than may
    travel."""
    if not isinstance(data, list) or not all(isinstance(each, dict) and set(each) == _MEMBERS for each in data):
        raise TypeError("these are no files")
    for each in data:
        if not isinstance(each["name"], str) or not isinstance(each["sha256"], str) or not is_hash(each["sha256"]):
            raise ValueError("a file is named in a way that there is not")
        if type(each["size"]) is not int or each["size"] < 0:
            raise ValueError("a file has no size")
    found = tuple(OfferedFile(**each) for each in data)
    if len({file.name for file in found}) < len(found) or fit(found) != found:
        raise ValueError("these are too many files, or too large ones")
    return found


def to_text(files: Iterable[OfferedFile]) -> str:
    """The files as text, to be kept; empty for none."""
    found = plain(files)
    return json.dumps(found, ensure_ascii=False) if found else ""


def from_text(text: str) -> tuple[OfferedFile, ...]:
    """Undo `to_text`."""
    return from_plain(json.loads(text)) if text else ()


def path_of(file: OfferedFile, *, shown: bool) -> str:
    """Where it is kept in the media folder, below which it always lies; empty for a name that can not be used.

    A file that is `shown` keeps its own name, because readers see it; of others the kind is all there is to keep.
    """
    inner = PurePosixPath(unquote(file.name))
    if inner.is_absolute() or ".." in inner.parts or not _is_plain(inner.name):
        return ""
    stem = f"{FOLDER}/{file.sha256[:_KEPT_OF_HASH]}"
    return f"{stem}/{inner.name}" if shown else f"{stem}{inner.suffix.lower()}"


def reference(path: str) -> str:
    """How a definition names the file at a path of the media folder."""
    return quote(path)


def _is_plain(name: str) -> bool:
    return (
        bool(name)
        and not name.startswith(".")
        and "\\" not in name
        and not any(True for _ in characters.faults(name))
        and "\n" not in name
        and "\t" not in name
        and len(name.encode()) <= _LONGEST
    )
