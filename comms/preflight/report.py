"""What a check says: rules, and findings made by them. It decides nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["must fix", "should fix"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend; `line` is 1-based, 0 when it concerns no line of the file."""

    level: Level
    line: int
    field: str
    """Dotted key of the front matter, `body`, or what outside the file it concerns, as `association`."""
    message: str
    hint: str = ""
    """What to do."""
    why: str = ""
    """Why it matters, in one sentence."""
    rule: str = ""
    """Name of the rule; empty, as `why` is, for what keeps the file from being read at all."""
    file: str = ""
    """The file of a variant that it is in; empty for the campaign's own."""

    def to_json(self) -> dict[str, str | int]:
        """All of it; `why`, `rule` and `file` are left out where they are empty."""
        return {name: value for name, value in asdict(self).items() if value or name not in ("why", "rule", "file")}


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that is looked for. All its findings are of one level and matter for the same reason."""

    name: str
    level: Level
    what: str
    """What it finds, for the page of rules."""
    why: str

    def at(self, line: int, field: str, message: str, hint: str = "") -> Finding:
        """A finding of this rule."""
        return Finding(self.level, line, field, message, hint, self.why, self.name)


def must(name: str, what: str, why: str) -> Rule:
    """A rule whose findings stand in the way of sending."""
    return Rule(name, "must fix", what, why)


def should(name: str, what: str, why: str) -> Rule:
    """A rule whose findings do not."""
    return Rule(name, "should fix", what, why)
