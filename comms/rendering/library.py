"""Finds templates in folders and says what is wrong with them. Compiling them is `compile.py`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from comms.errors import UsageError
from comms.rendering.errors import TemplateError, TemplateProblem
from comms.rendering.lint import lint
from comms.rendering.sandbox import MAX_SOURCE
from comms.rendering.slots import TemplateSlot, declaration
from comms.rendering.source import SUFFIX, TemplateSource

BUILT_IN = Path(__file__).parent.parent / "templates"
"""The templates that come with the program."""

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_DOCUMENT = re.compile(r"<mjml[\s>]")


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """A template as a list shows it."""

    name: str
    description: str
    path: Path
    slots: tuple[TemplateSlot, ...] = ()
    """The values that it asks of a campaign."""


class TemplateLibrary:
    """Templates by name. A file in an earlier folder hides its namesake in a later one.

    `folders` are searched in order, the built-in templates last.
    """

    def __init__(self, folders: Sequence[Path] = ()) -> None:
        self._folders = (*folders, BUILT_IN)

    def find(self, name: str) -> TemplateSource:
        """The template with all files it may include.

        Raises UsageError when there is none of that name, TemplateError when a file can not be read.
        """
        files = self._files()
        if not _NAME.fullmatch(name) or name not in files:
            known = ", ".join(info.name for info in self.list())
            raise UsageError(f"there is no template {name[:64]!r}", hint=f"there are: {known}")
        partials = {f"{other}{SUFFIX}": _read(path) for other, path in files.items()}
        return TemplateSource(name, partials[f"{name}{SUFFIX}"], partials)

    def list(self) -> tuple[TemplateInfo, ...]:
        """The templates that a campaign can name, by name; partials are left out."""
        return tuple(self._infos())

    def lint(self, name: str) -> tuple[TemplateProblem, ...]:
        """What is wrong with a template or partial, in line order. Raises like `find`."""
        return lint(self.find(name))

    def _infos(self) -> Iterator[TemplateInfo]:
        for name, path in self._files().items():
            text = _read(path)
            if _DOCUMENT.search(text):
                said = declaration(name, text)
                yield TemplateInfo(name, said.description, path, said.slots)

    def _files(self) -> dict[str, Path]:
        files: dict[str, Path] = {}
        for folder in reversed(self._folders):
            for path in folder.glob(f"*{SUFFIX}"):
                # A link could lead out of the folder.
                if _NAME.fullmatch(path.stem) and path.is_file() and not path.is_symlink():
                    files[path.stem] = path
        return dict(sorted(files.items()))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SOURCE + 1)
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TemplateError(path.stem, line, "is not UTF-8 text", hint="save the file as UTF-8") from error
    except OSError as error:
        raise TemplateError(path.stem, 0, f"{path} can not be read: {error.strerror}") from error
    if len(raw) > MAX_SOURCE:
        raise TemplateError(path.stem, 0, f"is larger than {MAX_SOURCE:,} bytes")
    return text
