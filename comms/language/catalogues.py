"""Finds and reads the catalogues (gettext, `.po`): those that ship with comms, and those of a workspace over them.

They are read as they are written, at first use: nothing has to be compiled, so nothing can be out of date.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from comms.language import faults
from comms.language.tags import locale_of, nearby
from comms.language.words import ENGLISH, Words

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog, Message

log = structlog.get_logger(__name__)

DOMAIN = "comms"
BUILT_IN = Path(__file__).parent.parent / "locale"
SOURCE = "en"
"""The language that messages are written in."""
LARGEST = 1_000_000
"""Bytes of a catalogue."""


@dataclass(frozen=True, slots=True)
class Catalogues:
    """The languages that we speak. `own` is the workspace's folder with `<language>/comms.po` in it, if it has one."""

    own: Path | None = None

    def words(self, *wishes: str | None) -> Words:
        """The words for the first wish (a BCP 47 tag) that there is a catalogue for; English after all of them.

        `es-MX` is served by the catalogue `es-MX`, else by `es`, with the dates and numbers of Mexico.
        """
        known = self.languages()
        for wish in filter(None, wishes):
            for tag in nearby(wish):
                if tag == SOURCE or tag in known:
                    return self._words(tag, wish, known)
        return self._words(SOURCE, SOURCE, known)

    def tags(self) -> tuple[str, ...]:
        """The languages that we speak, English first."""
        return (SOURCE, *sorted({_tag(path) for paths in self.languages().values() for path in paths} - {SOURCE}))

    def languages(self) -> dict[str, tuple[Path, ...]]:
        """Tag in small letters -> the files of a language, the workspace's last."""
        found: dict[str, tuple[Path, ...]] = {}
        for path in (*BUILT_IN.glob(f"*/LC_MESSAGES/{DOMAIN}.po"), *sorted(self._own_files())):
            tag = _tag(path).lower()
            found[tag] = (*found.get(tag, ()), path)
        return found

    def marks(self) -> tuple[tuple[str, int, int], ...]:
        """Name, time of the last change and size of every file: while they stay the same, all words do."""
        files = [path for paths in self.languages().values() for path in paths]
        return tuple((str(path), (status := path.stat()).st_mtime_ns, status.st_size) for path in files)

    def faults(self) -> list[str]:
        """What is wrong with the workspace's files, with file and line: what has a fault is not used."""
        found = []
        for path in sorted(self._own_files()):
            try:
                found += [f"{path}, line {line}: {fault}" for line, fault in problems(read(path))]
            except (OSError, ValueError) as error:
                found.append(f"{path}: {error}")
        return found

    def _own_files(self) -> list[Path]:
        return list(self.own.glob(f"*/{DOMAIN}.po")) if self.own is not None and self.own.is_dir() else []

    @staticmethod
    def _words(tag: str, wish: str, known: dict[str, tuple[Path, ...]]) -> Words:
        translations: NullTranslations = ENGLISH.translations
        for path in known.get(tag, ()):
            status = path.stat()
            read = _translations(path, status.st_mtime_ns, status.st_size)
            if read is not None:
                translations = _over(read, translations)
        return Words(tag, locale_of(wish), translations)


SHIPPED = Catalogues()


def read(path: Path) -> Catalog:
    """A catalogue file. Raises ValueError, with the line where there is one, for what is none; OSError."""
    from babel.messages.pofile import PoFileError, read_po  # here, because every command would pay for it

    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(f"it has more than {LARGEST:,} bytes")
    try:
        return read_po(io.BytesIO(data), abort_invalid=True)
    except PoFileError as error:
        raise ValueError(f"line {error.lineno}: {error}") from error
    except (LookupError, TypeError, AttributeError) as error:  # charset, plural forms, language of the header
        raise ValueError(str(error) or type(error).__name__) from error


def problems(catalogue: Catalog) -> list[tuple[int, str]]:
    """What is wrong with its translations: line and words. Those with a fault are not used."""
    return [(message.lineno or 0, fault) for message in catalogue if message.id for fault in faults.of(message)]


@lru_cache(maxsize=64)
def _translations(path: Path, changed: int, size: int) -> GNUTranslations | None:
    """What a file says; None, with a line in the log, for one that can not be read. Read again once it changed."""
    from babel.messages.mofile import write_mo

    try:
        catalogue = read(path)
        for message in list(catalogue):
            if message.id and not _is_usable(message):
                catalogue.delete(message.id, message.context)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        return GNUTranslations(compiled)
    except (OSError, ValueError) as error:
        log.error("a catalogue can not be used", file=str(path), reason=str(error))
        return None


def _tag(path: Path) -> str:
    folder = path.parent.parent if path.parent.name == "LC_MESSAGES" else path.parent
    return folder.name.replace("_", "-")


def _is_usable(message: Message) -> bool:
    forms = message.string if isinstance(message.string, list | tuple) else (message.string,)
    return any(forms) and not message.fuzzy and not any(faults.of(message))


@lru_cache(maxsize=64)
def _over(upper: GNUTranslations, lower: NullTranslations) -> NullTranslations:
    """`upper`, and where it says nothing, `lower`. A copy: what was read is shared."""
    if lower is ENGLISH.translations:
        return upper
    joined = GNUTranslations()
    joined.__dict__.update(upper.__dict__)
    joined.add_fallback(lower)
    return joined
