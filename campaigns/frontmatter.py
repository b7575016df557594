"""The YAML between the `---` lines, read to plain data with the line of every key; `schema.py` knows its meaning.

YAML 1.2 through ruamel.yaml, without what no author needs: anchors, aliases, tags, directives and
repeated keys are refused. Numbers and dates stay as written; only true, false and null are more than text.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    ScalarEvent,
)
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from campaigns.characters import FORBIDDEN, clean
from campaigns.errors import Problem, shown

MAX_CHARACTERS = 64_000
MAX_DEPTH = 10

FIELD = "front matter"
NO_KEYS = "there are no keys"
_QUOTES = "put the value in quotes"
_DIRECTIVE = ("a line that starts with `%`", "remove it")

Value = str | bool | None | list["Value"] | dict[str, "Value"]


@dataclass(frozen=True, slots=True)
class Parts:
    """A file cut in two. Lines are 1-based lines of the file."""

    front: str
    front_line: int
    body: str
    body_line: int


@dataclass(slots=True)
class FrontMatter:
    """What the front matter says. Keys are dotted; the entries of a list are `tags.0`, `tags.1`, ..."""

    data: dict[str, Value] = field(default_factory=dict)
    key_lines: dict[str, int] = field(default_factory=dict)
    value_lines: dict[str, int] = field(default_factory=dict)
    """Line on which each value starts; for `|` and `>` that of its first line of text."""
    verbatim: set[str] = field(default_factory=set)
    """Keys whose text stands line by line as in the file (`|` blocks)."""
    problems: list[Problem] = field(default_factory=list)

    def line(self, key: str) -> int:
        """Line of the key, or of the nearest one around it; that of the opening `---` in the end."""
        while key:
            if line := self.key_lines.get(key) or self.value_lines.get(key):
                return line
            key = key.rpartition(".")[0]
        return 1


def split(text: str) -> Parts | Problem:
    """Cut a file with `\\n` line ends at the `---` lines around its front matter; or say why that is impossible."""
    rows = text.split("\n")
    if not text.strip():
        return Problem(1, "file", "the file is empty", "begin with `---`, then the keys, then `---`, then the text")
    if rows[0].rstrip() != "---":
        hint = "the first line must be `---`, followed by the keys and another `---`"
        return Problem(1, FIELD, "the file does not begin with its front matter", hint)
    end = next((number for number, row in enumerate(rows[1:], start=1) if row.rstrip() == "---"), None)
    if end is None:
        return Problem(1, FIELD, "the front matter is not closed", "put a line `---` after the last key")
    return Parts("\n".join(rows[1:end]), 2, "\n".join(rows[end + 1 :]), end + 2)


def parse(front: str, first_line: int) -> FrontMatter:
    """Read `front`, which starts on `first_line` of the file; what is wrong with it as YAML is in `problems`."""
    result = FrontMatter()
    if len(front) > MAX_CHARACTERS:
        hint = f"at most {MAX_CHARACTERS:,} characters; long text belongs below it"
        result.problems.append(Problem(first_line, FIELD, "the front matter is too long", hint))
        return result
    try:
        result.problems.extend(_refusals(front, first_line))
        root = None if result.problems else _yaml().compose(front)
    except MarkedYAMLError as error:
        result.problems.append(_syntax_problem(error, front.split("\n"), first_line))
        return result
    except (YAMLError, ValueError, OverflowError):
        # ruamel lets chr() fail on escapes such as "\UFFFFFFFF", without a position.
        hint = "look for a `\\` in double quotes, and write the character itself"
        result.problems.append(Problem(first_line, FIELD, "a value can not be read", hint))
        return result
    if isinstance(root, MappingNode):
        result.data = _Reader(result, first_line).mapping(root, "")
    elif not result.problems:
        hint = "write one key per line, like `title: Opening hours`"
        result.problems.append(Problem(first_line, FIELD, NO_KEYS, hint))
    return result


def _yaml() -> YAML:
    return YAML(typ="safe", pure=True)


def _refusals(front: str, first_line: int) -> list[Problem]:
    """Everything in the YAML that we do not take, found before a tree is built of it."""
    # Directives are looked for by hand: ruamel asserts, rather than says, which versions it knows.
    rows = enumerate(front.split("\n"), start=first_line)
    problems = [Problem(line, FIELD, *_DIRECTIVE) for line, row in rows if row.startswith("%")]
    if problems:
        return problems
    depth = documents = 0
    for event in _yaml().parse(front):
        documents += isinstance(event, DocumentStartEvent)
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        refused = _refused(event)
        if depth > MAX_DEPTH:
            refused = "keys nested too deeply", "the format has two levels"
        elif documents > 1:
            refused = "a second document", "remove the `...` or `---` between the keys"
        if refused:
            problems.append(Problem(first_line + event.start_mark.line, FIELD, *refused))
        if depth > MAX_DEPTH or documents > 1:
            break
    return problems


def _refused(event: Event) -> tuple[str, str] | None:
    if isinstance(event, AliasEvent):
        return (
            f"`*{shown(event.anchor)}` refers to another value, which is not supported",
            f"write it out, or {_QUOTES}",
        )
    if isinstance(event, ScalarEvent | CollectionStartEvent):
        if event.anchor is not None:
            return f"`&{shown(event.anchor)}` names a value, which is not supported", f"remove it, or {_QUOTES}"
        if event.tag is not None:
            return "a value that starts with `!`", _QUOTES
    return None


def _syntax_problem(error: MarkedYAMLError, rows: list[str], first_line: int) -> Problem:
    """ruamel's error in an author's words. The line is where the trouble starts, not where YAML gave up."""
    what = error.problem or ""
    mark: StringMark | None = error.problem_mark or error.context_mark
    if "end of stream" in what or "stream end" in what:
        mark = error.context_mark or mark
    line = min(mark.line, len(rows) - 1) if mark is not None else 0
    row = rows[line]
    if "{{" in row and "quoted" not in (error.context or ""):
        message = "a value with `{{` needs quotes around all of it, of another kind than those within"
        hint = "write it like \"{{ member.first_name or 'Colleague' }}\""
    elif "mapping values" in what:
        message, hint = "a colon that YAML does not expect", f"{_QUOTES}, or check the spaces before the key"
    elif "\\t" in what or row.lstrip(" ").startswith("\t"):
        message, hint = "a tab at the start of a line", "use spaces"
    elif "cannot start any token" in what:
        message, hint = f"a value that begins with {what.split()[2]}", _QUOTES
    elif "quoted scalar" in (error.context or ""):
        message, hint = "quotes that do not fit together", "close them, and write a quote within quotes twice"
    elif "',' or '" in what:
        message, hint = "a bracket that is not closed", f"close it, or {_QUOTES}"
    elif "block end" in what or "document start" in what:
        message, hint = "a line that does not fit what is above it", "check its indentation and the quotes"
    else:
        message, hint = f"not valid YAML: {shown(what, 120)}", "check indentation, quotes and brackets"
    return Problem(first_line + line, FIELD, message, hint)


class _Reader:
    """YAML nodes to plain data, noting lines in `result`."""

    def __init__(self, result: FrontMatter, first_line: int) -> None:
        self._result = result
        self._first_line = first_line

    def mapping(self, node: MappingNode, path: str) -> dict[str, Value]:
        data: dict[str, Value] = {}
        for key_node, value_node in node.value:
            line = self._first_line + key_node.start_mark.line
            if not isinstance(key_node, ScalarNode):
                hint = 'text that begins with `{{` is written in quotes, like "{{ ... }}"'
                self._problem(line, path or FIELD, "a key that is no plain word", hint)
                continue
            name = shown(key_node.value)
            key = f"{path}.{name}" if path else name
            if name in data:
                first = self._result.key_lines[key]
                self._problem(line, key, f"the key is already on line {first}", "remove one of the two")
                continue
            self._result.key_lines[key] = line
            data[name] = self._value(value_node, key)
        return data

    def _value(self, node: Node, key: str) -> Value:
        self._result.value_lines[key] = self._text_line(node)
        if isinstance(node, MappingNode):
            return self.mapping(node, key)
        if isinstance(node, SequenceNode):
            return [self._value(entry, f"{key}.{number}") for number, entry in enumerate(node.value)]
        assert isinstance(node, ScalarNode)
        return self._scalar(node, key)

    def _scalar(self, node: ScalarNode, key: str) -> Value:
        kind = str(node.tag).rpartition(":")[2]
        if kind == "null":
            return None
        text = str(node.value)
        if kind == "bool":
            return text.lower() == "true"
        if node.style == "|":
            self._result.verbatim.add(key)
        if found := FORBIDDEN.search(text):
            message = f"an escape for a character that can not be printed (U+{ord(found[0]):04X})"
            self._problem(self._text_line(node), key, message, "remove it")
        return clean(text)

    def _text_line(self, node: Node) -> int:
        """Blocks (`|`, `>`) have their text on the lines below the sign."""
        below = isinstance(node, ScalarNode) and node.style in ("|", ">")
        return self._first_line + int(node.start_mark.line) + below

    def _problem(self, line: int, key: str, message: str, hint: str) -> None:
        self._result.problems.append(Problem(line, key, message, hint))
