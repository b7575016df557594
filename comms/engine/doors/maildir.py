"""The maildir door: a folder into which a mail server on this machine puts what comes back."""

from __future__ import annotations

import os
from pathlib import Path

from comms.engagement.bounces.mime import LONGEST_MESSAGE
from comms.engine.doors import spool
from comms.errors import ConfigError

_SEEN = "S"
_MOST_AT_A_TIME = 1_000


class Maildir:
    """Keeps what lies in `new`, and moves it to `cur` then, marked as seen (https://cr.yp.to/proto/maildir.html).

    When it is killed in between, the message is kept twice, which counts once.
    """

    name = "maildir"

    def __init__(self, folder: Path, workspace: Path) -> None:
        self._folder = folder
        self._workspace = workspace

    def collect(self) -> int:
        """Keep what is new; returns how many. Raises ConfigError for what is no maildir, OSError, StorageError."""
        new, cur = self._folder / "new", self._folder / "cur"
        if not new.is_dir() or not cur.is_dir():
            raise ConfigError(
                f"{self._folder} is no maildir: it has no folders new and cur.",
                hint="Set [bounces] maildir to the folder into which your mail server delivers.",
            )
        names = sorted(entry.name for entry in os.scandir(new) if entry.is_file(follow_symlinks=False))
        for name in names[:_MOST_AT_A_TIME]:
            with (new / name).open("rb") as file:
                data = file.read(LONGEST_MESSAGE)
            spool.keep_mail(self._workspace, data)
            (new / name).rename(cur / _seen(name))
        return len(names[:_MOST_AT_A_TIME])


def _seen(name: str) -> str:
    base, mark, flags = name.partition(":2,")
    return f"{base}:2,{flags if mark and _SEEN in flags else flags + _SEEN}"
