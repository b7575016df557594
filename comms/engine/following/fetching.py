"""Brings the files that go with an offer of another engine into the media folder: all of them, or none.

Each is asked for by its hash, from the engine that offers it and nobody else, and kept under a name that is made here.
What is there already is not asked for again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from campaigns import foreign
from campaigns.errors import shown
from campaigns.follows import FollowRow
from campaigns.foreign import ForeignError
from campaigns.models import Campaign
from comms.engine.following.asking import headers
from comms.engine.offer_files import PICTURES
from comms.engine.workspace import Workspace
from comms.errors import StorageError
from comms.files import write_whole
from comms.kits.offer_files import OfferedFile, path_of, reference
from comms.preflight.enclosures import KINDS
from comms.reading.engines import Engines, file_url

MOST_A_READING = 100_000_000
"""Bytes that one reading of a feed fetches; what is more comes with the next."""
LONGEST_S = 300.0
"""Seconds that one reading spends on files."""


class Fetching:
    """The files of one reading of one feed."""

    def __init__(
        self, workspace: Workspace, follow: FollowRow, by: Engines, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        self._workspace = workspace
        self._follow = follow
        self._by = by
        self._stopped = stopped
        self._left = MOST_A_READING
        self._until = time.monotonic() + LONGEST_S

    def bring(self, campaign: Campaign, offered: tuple[OfferedFile, ...]) -> Mapping[str, str]:
        """Of the files that the campaign names those that came with it: the name there -> how it is named here.

        Raises ForeignError, with nothing stored, when one of them can not be had; StorageError when they can not be
        stored.
        """
        wanted = _wanted(campaign, {file.name: file for file in offered})
        folder, came, to_write = self._workspace.media_folder, dict[str, bytes](), dict[Path, bytes]()
        for path, file in wanted.values():
            target = folder / path
            if not _is_there(target, file):
                if file.sha256 not in came:
                    came[file.sha256] = self._fetched(file)
                to_write[target] = came[file.sha256]
        _write(to_write)
        return {name: reference(path) for name, (path, _) in wanted.items()}

    def _fetched(self, file: OfferedFile) -> bytes:
        if self._stopped() or file.size > self._left or time.monotonic() > self._until:
            raise ForeignError("not all of its files could be fetched in this reading; the others come with the next")
        self._left -= file.size
        asked = headers(self._workspace, self._follow)
        answer = self._by.file(file_url(self._follow.url, file.sha256), file.size, asked)
        name = shown(file.name)
        if answer.status in (404, 410):
            raise ForeignError(
                f"its file {name!r} is not there any more as it was offered; {self._follow.author} has to correct the"
                " offer"
            )
        if answer.status != 200 or answer.fault:
            why = answer.fault or f"the site answers with status {answer.status}"
            raise ForeignError(f"its file {name!r} can not be fetched: {why}")
        if len(answer.body) < file.size:
            raise ForeignError(f"its file {name!r} can not be fetched: it ended too early")
        if not file.is_of(answer.body):
            raise ForeignError(
                f"its file {name!r} is another one than was offered: its hash is not {file.sha256[:16]}…"
            )
        return answer.body


def _wanted(campaign: Campaign, offered: Mapping[str, OfferedFile]) -> dict[str, tuple[str, OfferedFile]]:
    """Name -> (its path in the media folder, the file). Raises ForeignError for what may not be attached."""
    names, found = foreign.files_of(campaign), dict[str, tuple[str, OfferedFile]]()
    for name in names.attached:
        if (file := offered.get(name)) is None:
            continue  # whoever takes the campaign over finds it missing
        path = path_of(file, shown=True)
        if not path or Path(path).suffix.lower() not in KINDS:
            raise ForeignError(f"its file {shown(name)!r} is named in a way that can not be attached")
        found[name] = path, file
    for name in names.pictures:
        file = offered.get(name)
        path = path_of(file, shown=False) if file and name not in found else ""
        if file is not None and Path(path).suffix in PICTURES:
            found[name] = path, file
    return found


def _is_there(path: Path, file: OfferedFile) -> bool:
    try:
        return path.is_file() and path.stat().st_size == file.size and file.is_of(path.read_bytes())
    except OSError as error:
        raise StorageError(f"the file {path} can not be read: {error.strerror}.") from error


def _write(files: Mapping[Path, bytes]) -> None:
    """All of them, or none. Raises StorageError."""
    written = list[Path]()
    try:
        for path, data in files.items():
            write_whole(path, data)
            written.append(path)
            # Unlike the databases these are for everyone, whoever serves them.
            path.chmod(0o644)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise StorageError(
            f"the files of an offer can not be stored: {error.strerror}.", hint="Is there room on the disk?"
        ) from error
