"""The `::: name` ... `:::` containers of a body: which line closes which, and a Markdown rule for them.

What a container means is the business of `blocks.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock

from campaigns.carriers import Hidden
from campaigns.errors import did_you_mean, shown

DETAILS = {
    "event": ("start", "end", "timezone", "place", "link"),
    "feed": ("count", "since", "show", "topic"),
    "person": ("photo", "role", "link"),
}
"""Containers that begin with lines `name: value`, and the names."""
NAMES = (
    *("button", "columns", "column", "event", "feed", "locked", "otherwise"),
    *("person", "poll", "quote", "slot", "statistic", "when"),
)

_FENCE = re.compile(r" {0,3}:{3,}[ \t]*(.*?)[ \t]*")
_DETAIL = re.compile(r" {0,3}([A-Za-z][A-Za-z0-9_-]*)[ \t]*:(?!:)[ \t]*(.*?)[ \t]*")
_PLAIN = frozenset({"button", "poll", "statistic"})
"""Containers of a few words: whatever is opened within one shows that it was not closed."""

Report = Callable[[int, str, str], None]
"""Takes a line of the file, a message and a hint."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A line `name: value` below the opening one; `row` is its 0-based line of the text parsed."""

    name: str
    value: str
    row: int


@dataclass(frozen=True, slots=True)
class Container:
    """A container from its opening line `start` up to `end`; 0-based lines of the text parsed."""

    name: str
    argument: str
    start: int
    details: tuple[Detail, ...] = ()
    """The lines between the opening one and the content."""
    end: int = -1
    closed: bool = False
    """Whether line `end` is its `:::`; an unclosed one ends before line `end`."""

    @property
    def content(self) -> int:
        """The line on which its content starts."""
        return self.start + 1 + len(self.details)


@dataclass(frozen=True, slots=True)
class Containers:
    """All containers of a text by opening line, and the lines with a `:::` that closes nothing."""

    by_start: dict[int, Container]
    strays: frozenset[int]


def match(hidden: Hidden, report: Report) -> Containers:
    """Find the containers of a text whose Jinja is hidden.

    Containers nest. One that is not closed is reported at its opening line; a `column` in a `column`,
    an `otherwise` that follows no `when`, and anything in a `button` show that the outer one was not closed.
    """
    matcher = _Matcher(hidden, report)
    rows = hidden.text.split("\n")
    for number, row in enumerate(rows):
        found = _FENCE.fullmatch(row)
        if found is None:
            matcher.pass_by(row)
        elif found[1]:
            name, _, argument = found[1].partition(" ")
            details = tuple(_details(rows, number + 1)) if name in DETAILS else ()
            matcher.open(Container(name, argument.strip(), number, details))
        else:
            matcher.close(number)
    while matcher.stack:
        matcher.unclosed(len(rows))
    return Containers(matcher.by_start, frozenset(matcher.strays))


def inside(rows: Sequence[str]) -> list[str]:
    """Of the lines after an opening one those up to the `:::` that closes it."""
    depth = 0
    for number, row in enumerate(rows):
        found = _FENCE.fullmatch(row)
        if found is None:
            continue
        depth += 1 if found[1] else -1
        if depth < 0:
            return list(rows[:number])
    return list(rows)


def _details(rows: Sequence[str], start: int) -> Iterator[Detail]:
    for number in range(start, len(rows)):
        found = _DETAIL.fullmatch(rows[number])
        if found is None:
            return
        yield Detail(found[1], found[2], number)


class _Matcher:
    def __init__(self, hidden: Hidden, report: Report) -> None:
        self.hidden = hidden
        self.report = report
        self.stack: list[Container] = []
        self.by_start: dict[int, Container] = {}
        self.strays: set[int] = set()
        self.before = ""
        """Name of the container that ended just before, with nothing but empty lines since."""

    def name(self, container: Container) -> str:
        return shown(self.hidden.literal(container.name)[0])

    def pass_by(self, row: str) -> None:
        if row.strip():
            self.before = ""

    def open(self, container: Container) -> None:
        if container.name not in NAMES:
            hint = did_you_mean(container.name, NAMES, f"there are: {', '.join(NAMES)}")
            message = f"there is no container `::: {self.name(container)}`"
            self.report(self.hidden.lines[container.start], message, hint)
        while self.stack and self.ends(self.stack[-1].name, container.name):
            self.unclosed(container.start)
        self.stack.append(container)
        self.before = ""

    def ends(self, outer: str, name: str) -> bool:
        """Does a container called `name`, opened here within `outer`, show that `outer` ends before it."""
        if name == "otherwise":
            return outer in _PLAIN or (self.before != "when" and outer in ("when", "otherwise"))
        return outer in _PLAIN or outer == name == "column"

    def close(self, line: int) -> None:
        if self.stack:
            container = self.stack.pop()
            self.before = container.name
            self.by_start[container.start] = replace(container, end=line, closed=True)
        else:
            self.strays.add(line)
            self.report(self.hidden.lines[line], "`:::` closes nothing", "delete it, or look for the opening line")

    def unclosed(self, end: int) -> None:
        container = self.stack.pop()
        self.by_start[container.start] = replace(container, end=end)
        self.before = container.name
        message = f"`::: {self.name(container)}` is not closed"
        self.report(self.hidden.lines[container.start], message, "put a line `:::` after its content")


def install(markdown: MarkdownIt) -> None:
    """Teach `markdown` containers, which it takes from `env["containers"]`.

    It emits `container_open` (its `meta["container"]` is the Container) and `container_close`.
    Containers in lists and quotes are left as text.
    """
    alternatives: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    markdown.block.ruler.before("fence", "container", _rule, alternatives)


def _rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    containers: Containers = state.env["containers"]
    if start in containers.strays:
        state.line = start + 1
        return True
    container = containers.by_start.get(start)
    if container is None:
        return False
    if silent:
        return True
    depth = state.env.setdefault("container_depth", 0)
    if state.level != depth:
        return False
    token = state.push("container_open", "div", 1)
    token.meta = {"container": container}
    token.map = [start, container.end]
    state.env["container_depth"] = depth + 1
    outer_maximum, outer_parent = state.lineMax, state.parentType
    state.lineMax, state.parentType = container.end, "container"
    state.md.block.tokenize(state, container.content, container.end)
    state.lineMax, state.parentType = outer_maximum, outer_parent
    state.env["container_depth"] = depth
    state.push("container_close", "div", -1)
    state.line = container.end + container.closed
    return True
