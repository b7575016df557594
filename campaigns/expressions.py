"""Checks the Jinja that people write in campaigns, without ever running it.

An allow list, not a block list: output and `if`, a few names, harmless filters. Whatever could take
long, grow large or reach beyond the data (loops, calls, `*`, `%`, `replace`) is refused by name. The
limits hold for members' data too: `member.x % 1` would let a subscriber supply the format string.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinja2 import Environment, TemplateSyntaxError, nodes

from campaigns.errors import did_you_mean, shown

READER = ("member", "association", "campaign", "links", "url")
"""Names known where a text is made for one member."""

PUBLIC = ("association", "campaign", "url")
"""Names known where a text is the same for everyone: feeds and social posts."""

MAX_EXPRESSION = 2_000
MAX_DEPTH = 30

_FILTERS = frozenset(
    "abs capitalize count d default e escape first float int last length lower string striptags title trim"
    " truncate upper urlencode wordcount".split()
)
_TESTS = frozenset(
    "defined undefined none string number boolean integer float true false in eq equalto == ne != gt greaterthan"
    " > ge >= lt lessthan < le <= lower upper".split()
)
_ALLOWED: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.Name, nodes.Const),
    *(nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Filter, nodes.Test, nodes.Keyword),
    *(nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Concat),
    *(nodes.Add, nodes.Sub, nodes.Div, nodes.FloorDiv, nodes.Neg, nodes.Pos),
    *(nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair),
)
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Mul: "multiplication with `*`",
    nodes.Pow: "the power `**`",
    nodes.Mod: "the remainder `%`",
    nodes.For: "a loop `{% for %}`",
}
_BELONGS = "in a campaign's text use `{{ ... }}` and `{% if %}` only; more belongs in a template"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with a Jinja text; `line` counts from 1 within the text."""

    line: int
    message: str
    hint: str


def flaws(source: str, *, names: Sequence[str] = READER) -> tuple[Flaw, ...]:
    """All that keeps the Jinja text `source` from being used, in its order; empty when it is fine.

    `names` are those that an expression may start with.
    """
    parsed = _parse(source)
    if isinstance(parsed, Flaw):
        return (parsed,)
    return tuple(dict.fromkeys(_survey(parsed, names)))


def expression_flaws(source: str, *, names: Sequence[str] = READER) -> tuple[Flaw, ...]:
    """Like `flaws`, for a `source` that must be one `{{ ... }}` and nothing else."""
    parsed = _parse(source)
    if isinstance(parsed, Flaw):
        return (parsed,)
    match parsed.body:
        case [nodes.Output(nodes=[nodes.Expr() as expression])] if not isinstance(expression, nodes.TemplateData):
            return tuple(dict.fromkeys(_survey(parsed, names)))
    return (Flaw(1, f"`{shown(source)}` is not one complete expression", 'write it like `{{ member.city or "" }}`'),)


def merge_fields(source: str) -> tuple[str, ...]:
    """Names of the member's values that `source` uses (`member.city`, `member["city"]`), each once, in order.

    Empty for a text that is not valid Jinja.
    """
    parsed = _parse(source)
    if isinstance(parsed, Flaw):
        return ()
    found = (part for node, _, _ in _walk(parsed) if (part := _part(node)) and part[0] == "member")
    return tuple(dict.fromkeys(name for _, name in found))


def merge_field(source: str) -> tuple[str, str] | None:
    """Name and fallback of `{{ member.city or "here" }}` and `{{ member.city|default("here") }}`.

    The fallback of `{{ member.city }}` is empty. None for an expression that does more than that.
    """
    parsed = _parse(source)
    match None if isinstance(parsed, Flaw) else parsed.body:
        case [nodes.Output(nodes=[expression])]:
            pass
        case _:
            return None
    fallback = ""
    match expression:
        case nodes.Or(left=value, right=nodes.Const(value=str(fallback))):
            pass
        case nodes.Filter(node=nodes.Expr() as value, name="default" | "d", args=[nodes.Const(value=str(fallback))]):
            pass
        case value:
            pass
    part = _part(value)
    return (part[1], fallback) if part is not None and part[0] == "member" else None


def _parse(source: str) -> nodes.Template | Flaw:
    # One environment per call costs little and shares nothing between threads.
    environment = Environment()  # noqa: S701 - it only parses
    try:
        if line := _overlong(environment, source):
            return Flaw(line, f"an expression is longer than {MAX_EXPRESSION:,} characters", "make it shorter")
        return environment.parse(source)
    except TemplateSyntaxError as error:
        hint = "check that quotes, brackets and braces are closed"
        return Flaw(error.lineno, f"not valid Jinja: {shown(error.message or 'unknown error', 120)}", hint)
    except RecursionError:
        return Flaw(1, "an expression is nested too deeply", "make it simpler")


def _overlong(environment: Environment, source: str) -> int:
    """Line on which an expression over the limit starts; 0 when there is none."""
    start, length = 0, 0
    for line, kind, value in environment.lex(source):
        if kind in ("variable_begin", "block_begin"):
            start, length = line, 0
        length += len(value)
        if start and length > MAX_EXPRESSION:
            return start
        if kind in ("variable_end", "block_end"):
            start = 0
    return 0


_Visit = tuple[nodes.Node, nodes.Node | None, int]


def _walk(root: nodes.Node) -> Iterator[_Visit]:
    """(node, parent, depth) in the order of the text; without recursion, so that no depth can hurt."""
    stack: list[_Visit] = [(root, None, 0)]
    while stack:
        node, parent, depth = stack.pop()
        yield node, parent, depth
        stack.extend((child, node, depth + 1) for child in reversed(list(node.iter_child_nodes())))


def _survey(template: nodes.Template, names: Sequence[str]) -> Iterator[Flaw]:
    for node, parent, depth in _walk(template):
        if depth > MAX_DEPTH:
            yield Flaw(node.lineno, "an expression is nested too deeply", "make it simpler")
            return
        if isinstance(node, nodes.Call):
            called = node.node.name if isinstance(node.node, nodes.Name) else "a function"
            yield Flaw(node.lineno, f"`{shown(called)}` can not be called here", _BELONGS)
        elif isinstance(node, nodes.Name):
            yield from _name_flaws(node, parent, names)
        elif isinstance(node, nodes.Getattr | nodes.Getitem):
            yield from _part_flaws(node)
        elif isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            hint = did_you_mean(node.name, _FILTERS, f"available: {', '.join(sorted(_FILTERS))}")
            yield Flaw(node.lineno, f"the filter `{shown(node.name)}` is not available here", hint)
        elif isinstance(node, nodes.Test) and node.name not in _TESTS:
            hint = "available: defined, none, string, number and comparisons"
            yield Flaw(node.lineno, f"the test `is {shown(node.name)}` is not available here", hint)
        elif not isinstance(node, _ALLOWED):
            what = _REFUSED.get(type(node), f"`{type(node).__name__.lower()}`")
            yield Flaw(node.lineno, f"{what} is not available here", _BELONGS)


def _name_flaws(node: nodes.Name, parent: nodes.Node | None, names: Sequence[str]) -> Iterator[Flaw]:
    if isinstance(parent, nodes.Call) and parent.node is node:
        return  # the call itself is reported
    if node.name not in names:
        if node.name in READER:
            message = f"`{node.name}` is not known here: this text is the same for everyone"
        else:
            message = f"unknown name `{shown(node.name)}`"
        yield Flaw(node.lineno, message, f"available: {', '.join(names)}")
    elif node.name != "url" and not (isinstance(parent, nodes.Getattr | nodes.Getitem) and parent.node is node):
        message = f"`{node.name}` alone is no text"
        yield Flaw(node.lineno, message, f"say which part of it, like `{node.name}.{_EXAMPLES[node.name]}`")


_EXAMPLES = {"member": "first_name", "association": "name", "campaign": "title", "links": "view"}


def _part(node: nodes.Node) -> tuple[str, str] | None:
    """(`member`, `city`) for `member.city` and `member["city"]`; None for anything else."""
    match node:
        case nodes.Getattr(node=nodes.Name(name=owner), attr=name):
            return owner, name
        case nodes.Getitem(node=nodes.Name(name=owner), arg=nodes.Const(value=str(name))):
            return owner, name
    return None


def _part_flaws(node: nodes.Getattr | nodes.Getitem) -> Iterator[Flaw]:
    part = _part(node)
    if part is not None and part[0] != "url":
        if part[1].startswith("__"):
            yield Flaw(node.lineno, f"`{shown(part[1])}` is not a name of a value", "use a name from the member list")
    elif isinstance(node, nodes.Getattr):
        hint = "there is one dot at most: `member.first_name`"
        yield Flaw(node.lineno, f"`.{shown(node.attr)}` asks for a part of a plain value", hint)
    elif isinstance(node.node, nodes.Name) and node.node.name != "url":
        hint = f'name it: `{node.node.name}["..."]`'
        yield Flaw(node.lineno, f"which value of `{shown(node.node.name)}` is meant is not said", hint)
    elif _part(node.node) is None and not isinstance(node.node, nodes.Dict):
        # Python itself warns when it compiles such a part of a constant.
        hint = 'take parts of a value only, like `member.code[:3]`, or choose like `{"en": "Hi"}[member.language]`'
        yield Flaw(node.lineno, "`[...]` asks for a part of a plain value", hint)
