"""What came back and waits to be taken in: a file each, whole or absent. Every door writes here; control reads.

So a door needs no database, and nothing that it answered for is lost when a process dies.
"""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from comms.db import storage_errors
from comms.files import write_whole

FOLDER = "bounces"
_NEW, _FAILED = "new", "failed"
_MAIL, _REPORT = ".eml", ".json"
_NAME = re.compile(r"\d+-[0-9a-f]{32}(?:\.(?P<provider>[a-z]{1,20})\.json|\.eml)")


@dataclass(frozen=True, slots=True)
class Waiting:
    """One file: a message, or the report of a `provider`."""

    path: Path
    provider: str = ""


def keep_mail(workspace: Path, data: bytes, recipient: str = "") -> None:
    """Keep a message; it is on the disk when this returns. Raises StorageError when there is no room.

    The envelope's recipient is written where mail servers write it; one that could be more than an address is not.
    """
    delivered = f"Delivered-To: {recipient}\r\n".encode() if re.fullmatch(r"[!-~]{1,320}", recipient) else b""
    _keep(workspace, _MAIL, delivered + data)


def keep_report(workspace: Path, provider: str, data: bytes) -> None:
    """Keep what a provider reports, under the same promise."""
    _keep(workspace, f".{provider}{_REPORT}", data)


def waiting(workspace: Path, most: int) -> list[Waiting]:
    """What waits, oldest first, at most so many. A file of another name is not ours and stays."""
    folder = workspace / FOLDER / _NEW
    try:
        names = sorted(entry.name for entry in folder.iterdir() if _NAME.fullmatch(entry.name))
    except FileNotFoundError:
        return []
    matches = ((name, _NAME.fullmatch(name)) for name in names[:most])
    return [Waiting(folder / name, match["provider"] or "") for name, match in matches if match]


def set_aside(waiting: Waiting) -> Path:
    """Move a file that can not be taken in out of the way; moved back by hand, it is tried again."""
    place = waiting.path.parent.parent / _FAILED / waiting.path.name
    place.parent.mkdir(exist_ok=True)
    return waiting.path.rename(place)


def _keep(workspace: Path, suffix: str, data: bytes) -> None:
    with storage_errors(workspace):
        # Read in this order again, whoever wrote it.
        write_whole(workspace / FOLDER / _NEW / f"{time.time_ns():020d}-{uuid.uuid4().hex}{suffix}", data)
