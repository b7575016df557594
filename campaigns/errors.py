"""What can be wrong with a campaign, in words for its author; nothing here decides that it is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


class CampaignError(ValueError):
    """Root of all errors of this package."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend: where it is, what is wrong, what to do."""

    line: int
    """1-based line of the file; 0 when the file could not be read at all."""
    field: str
    """Dotted key of the front matter (`newsletter.subject`), or `front matter`, `body`, `file`."""
    message: str
    hint: str = ""
    file: str = ""
    """The variant's file that it is in; empty for the campaign's own."""

    def __str__(self) -> str:
        return f"{self.field}: {self.message} ({self.hint})" if self.hint else f"{self.field}: {self.message}"


class DefinitionError(CampaignError):
    """A definition that can not be used. `problems` holds everything found, in the order of lines,
    those of variants last."""

    def __init__(self, problems: Iterable[Problem], path: str = "campaign.md") -> None:
        self.problems = tuple(sorted(dict.fromkeys(problems), key=lambda problem: (problem.file, problem.line)))
        self.path = path
        places = ((shown(problem.file or path, 500), problem) for problem in self.problems)
        super().__init__("\n".join(f"{place}:{problem.line}: {problem}" for place, problem in places))


def shown(text: str, limit: int = 60) -> str:
    """`text` fit for a message: cut at `limit` characters, whatever does not print written as an escape."""
    cut = text if len(text) <= limit else text[: limit - 1] + "…"
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in cut)


def did_you_mean(word: str, choices: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the choice nearest to `word`; `otherwise` when none is near."""
    known = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(word[:64].casefold(), known, n=1, cutoff=0.6)
    return f"did you mean `{known[near[0]]}`?" if near else otherwise
