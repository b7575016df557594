"""The one Jinja environment in which templates and campaigns run: plain data in, bounded text out.

Values can be looked into only if they are mappings, lists or text; nothing else has attributes, nothing
but a macro can be called, and no loop, repetition or text grows beyond a limit. It knows nothing of MJML.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from functools import wraps
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import jinja2
from jinja2 import nodes, pass_environment, pass_eval_context
from jinja2.environment import Template, TemplateModule
from jinja2.exceptions import SecurityError, TemplateRuntimeError
from jinja2.filters import FILTERS
from jinja2.lexer import Token, TokenStream
from jinja2.nodes import EvalContext
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, Undefined, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.tests import TESTS
from jinja2.visitor import NodeTransformer

from campaigns.mergefields import Missing

MAX_OUTPUT = 2_000_000
"""Characters that one rendering may print."""
MAX_VALUE = 500_000
"""Characters that one value may have."""
MAX_STEPS = 100_000
"""Turns of loops plus calls of macros that one rendering may take."""
MAX_WORK = 10_000_000
"""Characters and items that one rendering may put together, look through or change in values, printed or not."""
MAX_TOKENS = 10_000
"""Words and signs of Jinja that one source may have, four times as many as our largest template."""
_LIGHT = 1_000
"""Characters of a text that nobody needs to count."""
_AT_ONCE = 64
"""Pieces of output between two looks at how much it is."""
MAX_NUMBER = 10**15
MAX_SOURCE = 250_000
"""Bytes of one file."""

FAULTS = (
    jinja2.TemplateError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    SyntaxError,  # Python allows twenty nested blocks
    TypeError,
    ValueError,
)
"""What a template can make Python raise; everything else is a bug of ours."""

_FILTERS = (
    "abs capitalize count d default e escape first float int last length list lower max min reverse "
    "sort string striptags title trim truncate unique upper urlencode wordcount"
).split()
_COMPARING = frozenset("!= < <= == > >= eq equalto ge greaterthan gt in le lessthan lower lt ne upper".split())
_LOOP_NAMES = frozenset("index index0 first last length revindex revindex0 depth depth0".split())
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})


@dataclass(slots=True)
class _Budget:
    steps: int = MAX_STEPS
    characters: int = MAX_WORK

    def spend(self) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise TemplateRuntimeError(f"more than {MAX_STEPS} loop turns and macro calls")


_budget: ContextVar[_Budget] = ContextVar("budget")


class SafeEnvironment(ImmutableSandboxedEnvironment):
    """Jinja for text that people wrote.

    `undefined` decides what an absent value does, `finalize` what happens to each printed one.
    """

    intercepted_binops = frozenset({"*", "**", "%", "+", "//", "/", "-"})

    def __init__(
        self,
        *,
        autoescape: bool,
        undefined: type[Undefined] = Missing,
        finalize: Callable[[Any], Any] | None = None,
        loader: jinja2.BaseLoader | None = None,
    ) -> None:
        super().__init__(
            autoescape=autoescape,
            undefined=undefined,
            finalize=finalize,
            loader=loader,
            keep_trailing_newline=True,
            cache_size=50,
        )
        self.globals.clear()
        self.reached = 0
        """Line that the parser came to last: what it fails at without naming a line stands there."""
        self.tests |= {name: _weighing(TESTS[name]) for name in _COMPARING}
        self.filters = {name: _weighing(FILTERS[name]) for name in _FILTERS} | {
            "join": _join,
            "round": _round,
            "sum": _sum,
            _WEIGHED: weighed,
            "link_target": link_target,
            _COUNTED: _counted,
            _JOINED: _joined,
            _BOUNDED: _bounded,
        }

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A part of plain data; SecurityError for anything else."""
        if type(obj) is dict and attribute in obj:  # as nearly always
            return obj[attribute]
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """A part of plain data; SecurityError for anything else."""
        if isinstance(obj, Undefined):
            return obj  # the first absent name is the one to tell of
        if isinstance(obj, Mapping):
            return obj[argument] if _has(obj, argument) else self.undefined(obj=obj, name=str(argument))
        if isinstance(obj, list | tuple | str) and isinstance(argument, int | slice):
            try:
                return obj[argument]
            except IndexError:
                return self.undefined(obj=obj, name=str(argument))
        if isinstance(obj, LoopContext) and argument in _LOOP_NAMES:
            return getattr(obj, argument)
        if isinstance(obj, TemplateModule) and isinstance(argument, str) and not argument.startswith("_"):
            return getattr(obj, argument, None) or self.undefined(obj=obj, name=argument)
        raise SecurityError(f"a value has no part called {argument!r}; to change a value use a filter: |upper")

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        """Calls a macro; SecurityError for anything else."""
        if not isinstance(__obj, Macro | BlockReference | Undefined):
            raise SecurityError("only macros of the template can be called")
        _budget.get().spend()
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers of moderate size, and `+` on text and lists."""
        if isinstance(left, Undefined) or isinstance(right, Undefined):
            return super().call_binop(context, operator, left, right)
        if operator == "+" and any(isinstance(left, kind) and isinstance(right, kind) for kind in (str, list)):
            _check_size(len(left) + len(right))
        elif operator == "**" or not (_is_number(left) and _is_number(right)):
            raise SecurityError(f"{operator!r} works only with moderate numbers")
        return super().call_binop(context, operator, left, right)

    def _tokenize(
        self, source: str, name: str | None, filename: str | None = None, state: str | None = None
    ) -> TokenStream:
        tokens = super()._tokenize(source, name, filename, state)
        return TokenStream(_few(tokens, name, filename, self._reach), name, filename)

    def _reach(self, line: int) -> None:
        self.reached = line

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Limits().visit(source), *args, **kwargs)


def render(template: Template, context: Mapping[str, Any]) -> str:
    """What the template prints. Raises one of `FAULTS` for all that a template can do wrong."""
    pieces = _pieces(template, context)
    return joined(iter(lambda: tuple(islice(pieces, _AT_ONCE)), ()))


def context_of(template: Template, values: Mapping[str, Any]) -> Context:
    """What a template runs in. Jinja's own way to one costs more than a short template: it chains the globals of the
    environment with those of the template, of which there are none here."""
    environment = template.environment
    known = {**environment.globals, **values}
    return environment.context_class(environment, known, template.name, template.blocks)


def _pieces(template: Template, values: Mapping[str, Any]) -> Iterator[str]:
    """As `Template.generate`."""
    try:
        yield from template.root_render_func(context_of(template, values))
    except Exception:  # noqa: BLE001 - raised again, with the line of the template in its traceback
        template.environment.handle_exception()


def joined(pieces: Iterable[tuple[str, ...]]) -> str:
    """All pieces as one text, within the limits of one rendering, which is what `pieces` does as it goes along."""
    token = _budget.set(_Budget())
    try:
        parts: list[str] = []
        size = 0
        for some in pieces:
            part = "".join(some)
            parts.append(part)
            size += len(part)
            if size > MAX_OUTPUT:
                raise TemplateRuntimeError(f"more than {MAX_OUTPUT} characters come out of it")
        return "".join(parts)
    finally:
        _budget.reset(token)


def fault_line(fault: BaseException, filename: str) -> int:
    """Line of the template file in which the fault arose; 0 when it did not arise there."""
    if isinstance(fault, jinja2.TemplateSyntaxError):
        return fault.lineno
    lines = [line for frame, line in traceback.walk_tb(fault.__traceback__) if frame.f_code.co_filename == filename]
    return lines[-1] if lines else 0


def fault_words(fault: BaseException) -> str:
    """What went wrong, for the one who wrote the template."""
    if isinstance(fault, jinja2.TemplateNotFound):
        return f"the template {fault} does not exist"
    if isinstance(fault, RecursionError):
        return "macros, files or brackets use each other in circles, or lie too deep within each other"
    if isinstance(fault, ValueError) and "int_max_str_digits" in str(fault):
        return "a number has thousands of digits"
    if isinstance(fault, SyntaxError) and not isinstance(fault, jinja2.TemplateError):
        return "too many {% if %} and {% for %} stand within each other"
    return str(fault)


def link_target(value: object) -> str:
    """The value as the start of a link: an address people can follow, else ValueError."""
    text = str(value).strip()
    if urlsplit(text).scheme.lower() not in _SCHEMES or any(mark.isspace() for mark in text):
        raise ValueError(f"{text[:60]!r} is not a web address; it must start with https://")
    return text


# --- limits that the parser builds into every template ------------------------------------------

_CONTAINERS = (list, tuple, dict)
_COUNTED, _JOINED, _BOUNDED, _WEIGHED = "_counted", "_joined", "_bounded", "_weighed"


class _Limits(NodeTransformer):
    """Puts every loop, `~`, comparison, slice, key and block assignment through a filter that keeps it small."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.iter = _through(node.iter, _COUNTED, node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return _through(nodes.List(node.nodes, lineno=node.lineno), _JOINED, node.lineno)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = _through(node.expr, _WEIGHED, node.lineno)
        for operand in node.ops:
            operand.expr = _through(operand.expr, _WEIGHED, node.lineno)
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        if isinstance(node.arg, nodes.Slice):  # the one that does not go through `getitem`
            node.node = _through(node.node, _WEIGHED, node.lineno)
        return node

    def visit_Pair(self, node: nodes.Pair) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.key = _through(node.key, _WEIGHED, node.lineno)
        return node

    def visit_AssignBlock(self, node: nodes.AssignBlock) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.filter = _through(node.filter, _BOUNDED, node.lineno)
        return node


def _through(node: Any, name: str, line: int) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=line)


def _counted(values: Iterable[Any]) -> Iterator[Any]:
    if not isinstance(values, Mapping | list | tuple | str | Undefined):
        raise SecurityError("only lists can be looped over")
    return _steps(iter(values))


def _steps(values: Iterator[Any]) -> Iterator[Any]:
    budget = _budget.get()
    for value in values:
        budget.spend()
        yield value


@pass_eval_context
def _joined(context: EvalContext, parts: list[Any]) -> str:
    weighed(parts)
    return markup_join(parts) if context.autoescape else str_join(parts)


def _bounded(text: str) -> str:
    _check_size(len(text))
    return text


def weighed(value: Any) -> Any:
    """The value, once it is known that going through all of it takes no longer than a rendering may.

    A list can hold another many times, and that one a third: it is small, and to compare or print it takes for ever.
    """
    if isinstance(value, str):  # markup, too
        if len(value) > _LIGHT:
            _check_size(len(value))
    elif isinstance(value, _CONTAINERS):
        _check_size(_weight(value))
    return value


def _weight(value: Any) -> int:
    """Characters and items within the value, each as often as it is met; no more than it takes to be too much."""
    weight, waiting = 0, [value]
    while waiting and weight <= MAX_VALUE:
        each = waiting.pop()
        if isinstance(each, str):
            weight += len(each)
        elif isinstance(each, Mapping):
            waiting += (*each.keys(), *each.values())
            weight += 2 * len(each)
        elif isinstance(each, list | tuple):
            waiting += each
            weight += len(each)
    return weight


def _weighing(function: Any) -> Callable[..., Any]:
    """The filter or test, its values weighed before it gets them, and its answer after."""

    @wraps(function)  # which also keeps what Jinja is to pass to it first
    def weigh(*values: Any, **named: Any) -> Any:
        for value in (*values, *named.values()):
            weighed(value)
        answer = function(*values, **named)
        return weighed(list(answer) if isinstance(answer, Iterator) else answer)

    return weigh


@pass_environment
def _sum(environment: SafeEnvironment, values: Any, attribute: str | int | None = None, start: float = 0) -> Any:
    if not _is_number(start):
        raise SecurityError("only numbers can be summed up")  # lists would be copied once for each
    return FILTERS["sum"](environment, weighed(values), attribute, start)


def _few(
    tokens: Iterable[Token], name: str | None, filename: str | None, reached: Callable[[int], None]
) -> Iterator[Token]:
    for number, token in enumerate(tokens):
        reached(token.lineno)
        if number > MAX_TOKENS:
            message = f"there is too much Jinja in one file: more than {MAX_TOKENS:,} words and signs"
            raise jinja2.TemplateSyntaxError(message, token.lineno, name, filename)
        yield token


@pass_eval_context
def _join(context: EvalContext, values: Iterable[Any], separator: str = "") -> str:
    parts = list(_counted(weighed(values)))
    _check_size(sum(len(str(part)) for part in parts) + len(parts) * len(separator))
    joined: str = FILTERS["join"](context, parts, separator)
    return joined


def _check_size(size: int) -> None:
    budget = _budget.get()
    budget.characters -= size
    if size > MAX_VALUE or budget.characters < 0:
        raise TemplateRuntimeError(f"a value of more than {MAX_VALUE} characters, or too many large ones")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and -MAX_NUMBER <= value <= MAX_NUMBER


def _round(value: float, precision: int = 0) -> float:
    return round(value, max(-15, min(precision, 15)))


def _has(mapping: Mapping[Any, Any], key: Any) -> bool:
    try:
        return key in mapping
    except TypeError:  # unhashable
        return False
