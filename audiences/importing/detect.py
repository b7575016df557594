"""Which source a file comes from: every source is asked how sure it is. The list of sources is here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

from audiences.errors import AudienceError, ImportFileError
from audiences.importing import (
    buttondown,
    civicrm,
    constantcontact,
    ghost,
    google,
    keila,
    listmonk,
    mailchimp,
    mailman,
    memberclicks,
    own,
    plain,
    substack,
    vcard,
    wildapricot,
)
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.sample import Sample, take_sample

AUTO = "auto"
"""As a source: whichever is the surest."""


class Source(Protocol):
    """What a module offers that reads the files of one source."""

    NAME: str
    """As in `--source NAME`."""
    LABEL: str
    """As people call it."""

    def recognise(self, sample: Sample) -> float:
        """How sure it is that the file is one of its own, from 0 to 1."""

    def read(self, path: Path, now: datetime) -> Iterator[ImportRow | Refusal]:
        """The people of the file; `now` is recorded where it gives no date. Raises ImportFileError."""


_MODULES: tuple[Source, ...] = (
    own,
    mailchimp,
    wildapricot,
    civicrm,
    constantcontact,
    memberclicks,
    listmonk,
    ghost,
    substack,
    buttondown,
    keila,
    google,
    mailman,
    vcard,
    plain,
)
SOURCES: dict[str, Source] = {module.NAME: module for module in _MODULES}
"""Name -> source. Where two are equally sure, the first counts."""


def detect(path: Path) -> list[tuple[str, float]]:
    """The sources that could have written the file and how sure they are (0 to 1), the surest first.

    Empty when none could have. Raises ImportFileError when the file can not be read at all.
    """
    sample = take_sample(source_file(path))
    sure = [(name, min(1.0, source.recognise(sample))) for name, source in SOURCES.items()]
    return sorted([(name, share) for name, share in sure if share > 0], key=lambda pair: -pair[1])


def reader_for(name: str) -> Source:
    """The source of this name. Raises AudienceError when there is none."""
    if name not in SOURCES:
        raise AudienceError(f"there is no source {name!r}; there are {AUTO}, {', '.join(sorted(SOURCES))}")
    return SOURCES[name]


def surest(path: Path) -> tuple[str, float]:
    """The source that is surest of the file, and how sure. Raises ImportFileError when none knows it."""
    found = detect(path)
    if not found:
        reason = (
            "is of no source that is known. Say which column is what in a mapping file: "
            "comms members mapping FILE > mapping.toml, then import with --mapping mapping.toml"
        )
        raise ImportFileError(str(path), 0, reason)
    return found[0]


def read(path: Path, now: datetime, source: str = AUTO) -> Iterator[ImportRow | Refusal]:
    """The people of the file, read as `source` writes them, or as the surest of all does.

    Raises ImportFileError for a file that can not be imported, AudienceError for an unknown source.
    """
    name = surest(path)[0] if source == AUTO else source
    return reader_for(name).read(path, now)
