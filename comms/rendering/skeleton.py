"""A Jinja source -> a template that prints quoted-printable. Knows no member and no e-mail.

What the source says literally is encoded here, once; a member's values are encoded as they are printed into the
gaps. A value that every member's text prints is worked out and encoded once, however often it stands there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import Template
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from comms.rendering.clean import printable
from comms.rendering.quoted import encode_piece, encode_plain
from comms.rendering.sandbox import FAULTS, SafeEnvironment, context_of, joined

_ENCODED = "_encoded"
_SHARED = "_shared_"
_STATEMENTS = frozenset({nodes.Output, nodes.If, nodes.For, nodes.Assign})
"""What prints where it stands. Anything else (macros, `{% set %}` and `{% filter %}` blocks) may catch what was
printed and measure or change it, which works on text only."""
_UNTOUCHED = re.compile(r"[ !#-%(-;?-~]*")
"""Text that neither cleaning nor escaping changes, as most values are."""
_SHORT = 200
_REMEMBERED = 4_096


class Skeleton:
    """A template that prints quoted-printable; safe to share between threads."""

    def __init__(self, template: Template) -> None:
        self._template = template

    def fill(self, context: dict[str, Any]) -> str:
        """What `quoted.encode` makes of what the source prints, up to soft line breaks.

        Raises one of `sandbox.FAULTS` for all that a template can do wrong.
        """
        pieces: Iterator[Any] = self._template.root_render_func(context_of(self._template, context))
        return joined(pieces)


def skeleton(source: str, *, autoescape: bool) -> Skeleton | None:
    """The skeleton of a source that prints `clean.printable` values, escaped or not.

    None when the source can not be encoded piece by piece, and has to be rendered whole first.
    """
    environment = _Environment(autoescape=autoescape)
    try:
        tree = environment.parse(source)
        return Skeleton(environment.from_string(_shared(tree, environment))) if _prints_in_place(tree) else None
    except FAULTS:
        return None


class _Generator(CodeGenerator):
    """Writes code that yields tuples of encoded pieces."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:  # noqa: N802
        finalize = self._make_finalize()
        literal: list[str] = []
        self.writeline("yield (", node)
        for child in node.nodes:
            try:
                literal.append(self._output_child_to_const(child, frame, finalize))
            except (nodes.Impossible, *FAULTS):  # no constant, or one that only rendering may complain of
                self._write_literal(literal)
                literal = []
                self.newline(child)
                self._write_value(child, frame)
        self._write_literal(literal)
        self.write(")")

    def _write_literal(self, literal: list[str]) -> None:
        if literal:
            self.write(f"{encode_piece(''.join(literal))!r},")

    def _write_value(self, node: nodes.Expr, frame: Frame) -> None:
        is_shared = isinstance(node, nodes.Name) and node.name.startswith(_SHARED)
        self.write("" if is_shared else "environment.encoded(")
        self.visit(node, frame)
        self.write("," if is_shared else "),")


class _Environment(SafeEnvironment):
    """Encodes what it prints, each value for itself."""

    code_generator_class = _Generator

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(autoescape=autoescape, finalize=printable)
        self.filters[_ENCODED] = self.encoded
        self._encoded: Callable[[Any], str] = _escaped_piece if autoescape else _plain_piece
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._encoded)

    def encoded(self, value: Any) -> str:
        """What is printed for a value."""
        # Exactly these types: a truth value is an int too, and markup equals the text that would be escaped.
        if type(value) is int:
            return encode_plain(str(value))
        if type(value) is not str or len(value) > _SHORT:
            return self._encoded(value)
        if _UNTOUCHED.fullmatch(value) and "  " not in value:
            return encode_plain(value)
        return self._remembered(value)


def _plain_piece(value: Any) -> str:
    return encode_piece(str(printable(value)))


def _escaped_piece(value: Any) -> str:
    return encode_piece(str(escape(printable(value))))


def _prints_in_place(tree: nodes.Template) -> bool:
    return (
        all(type(statement) in _STATEMENTS for statement in tree.find_all(nodes.Stmt))
        and not any(loop.recursive for loop in tree.find_all(nodes.For))
        and not any(name.name.startswith(_SHARED) for name in tree.find_all(nodes.Name))
    )


def _shared(tree: nodes.Template, environment: _Environment) -> nodes.Template:
    """The tree with what it prints unconditionally, from the context alone, worked out at its start."""
    local = {"loop"} | {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    printed = (child for output in tree.body if isinstance(output, nodes.Output) for child in output.nodes)
    values = {repr(each): each for each in printed if (names := _names(each)) and not names & local}
    keys = {key: f"{_SHARED}{number}" for number, key in enumerate(values)}
    _Sharing(keys).visit(tree)
    tree.body = [
        nodes.With(
            [nodes.Name(name, "param") for name in keys.values()],
            [nodes.Filter(value, _ENCODED, [], [], None, None, lineno=value.lineno) for value in values.values()],
            tree.body,
            lineno=1,
        )
    ]
    return tree.set_environment(environment)  # type: ignore[return-value]


class _Sharing(NodeTransformer):
    """Replaces printed values by the names under which they are known."""

    def __init__(self, keys: dict[str, str]) -> None:
        self._keys = keys

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802
        node.nodes = [
            nodes.Name(name, "load", lineno=child.lineno) if (name := self._keys.get(repr(child))) else child
            for child in node.nodes
        ]
        return node


def _names(node: nodes.Expr) -> set[str]:
    found = {name.name for name in node.find_all(nodes.Name)}
    return found | {node.name} if isinstance(node, nodes.Name) else found
