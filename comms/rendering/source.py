"""A template's text together with the files it may include. Reading it from a folder is `library.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

SUFFIX = ".mjml"


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """MJML with Jinja. `partials` maps file names (`blocks.mjml`) to the only texts it can include."""

    name: str
    text: str
    partials: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the partials."""
        return tuple(self.partials)

    def file(self, filename: str) -> str | None:
        """The template itself or a partial by file name; None for anything else."""
        return self.text if filename == f"{self.name}{SUFFIX}" else self.partials.get(filename)
