"""Puts what they stand for in the place of names: other segments, and regions. Reads nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from audiences.segments.cursor import DEEPEST
from audiences.segments.errors import RuleError, in_segment, short
from audiences.segments.kinds import segment_name
from audiences.segments.parser import parse
from audiences.segments.regions import Regions
from audiences.segments.suggest import suggestion
from audiences.segments.tree import And, Engaged, InRegion, Named, Node, Not, OneOf, Or, Rule, Segment, Tagged

MOST_NAMES = 20
"""How many segments may name one another in a row."""
MOST_CONDITIONS = 10_000
"""Conditions and listed values, all that is named counted in: what one query of SQLite surely takes."""

Lookup = Callable[[str], str | None]
"""The name of a segment, as `segment_name` gives it -> the text of its rule; None when there is none."""


def _no_segments(name: str) -> None:
    return None


def resolve(
    rule: Rule,
    lookup: Lookup = _no_segments,
    regions: Mapping[str, Sequence[str]] = MappingProxyType({}),
    known: Collection[str] = (),
) -> Rule:
    """`rule` with the segments and regions it names put in: no `Named` is left, and every `InRegion` has values.

    `regions` are lists that the Census Bureau's do not hold, or that replace them; `known` are the names of
    segments to guess from. Raises `RuleError`, at the mention in `rule`, for a name that there is none of, for
    segments that name one another in a circle, for a mistake in one of them, and for too much of it all.
    """
    resolver = _Resolver(lookup, Regions(regions), tuple(map(segment_name, known)))
    part = resolver.part(rule.root, ())
    resolver.check(part, (), 1)
    return Rule(rule.source, part.node)


def unresolved(node: Named | InRegion) -> RuleError:
    """The refusal of a rule that names something where names can not be looked up."""
    if isinstance(node, Named):
        return RuleError(f"segment {short(node.name.text)} can not be named here", node.name.column, "write its rule")
    return RuleError(
        f"region {short(node.region.text)} can not be named here", node.region.column, "list what it holds: in (...)"
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """A resolved node, and what bounds it."""

    node: Node
    levels: int = 0
    """Parentheses and `not` inside one another, were it written out with no more than it needs."""
    size: int = 1
    """Conditions and listed values."""
    names: int = 0
    """Segments in a row."""


class _Resolver:
    def __init__(self, lookup: Lookup, regions: Regions, known: Sequence[str]) -> None:
        self._lookup = lookup
        self._regions = regions
        self._known = known
        self._done: dict[str, _Part] = {}

    def part(self, node: Node, path: tuple[str, ...]) -> _Part:
        """`node`, which stands in the last segment of `path`, with names replaced."""
        match node:
            case And(nodes) | Or(nodes):
                parts = [self.part(inner, path) for inner in nodes]
                levels = max(part.levels + _needs_parentheses(part.node, node) for part in parts)
                joined = type(node)(tuple(part.node for part in parts))
                return _Part(joined, levels, sum(part.size for part in parts), max(part.names for part in parts))
            case Not(inner):
                part = self.part(inner, path)
                # A condition turned round adds no level: `!=` is one, and the parser counts none for it either.
                deeper = isinstance(inner, Not | And | Or | Segment | Named) + _needs_parentheses(part.node, node)
                return replace(part, node=Not(part.node), levels=part.levels + deeper)
            case Segment():
                part = self.part(node.node, path)
                return replace(part, node=replace(node, node=part.node))
            case Named():
                return self._named(node, path)
            case InRegion():
                try:
                    values = self._regions.values(node.region)
                except RuleError as error:
                    raise _within(path, error) from None
                return _Part(replace(node, values=values), size=1 + len(values))
            case _:
                return _Part(node, size=1 + sum(1 for _ in _values(node)))

    def check(self, part: _Part, path: tuple[str, ...], column: int) -> None:
        """Refuse what is too much for a query."""
        if part.levels > DEEPEST:
            raise _refusal(path, f"more than {DEEPEST} parentheses and `not` stand inside one another", column)
        if part.size > MOST_CONDITIONS:
            raise _refusal(path, f"there are more than {MOST_CONDITIONS:,} conditions and values in all", column)

    def _named(self, node: Named, path: tuple[str, ...]) -> _Part:
        name, column = node.name.text, node.name.column
        if name in path:
            circle = " -> ".join(map(short, [*path[path.index(name) :], name]))
            raise RuleError(f"segments name one another in a circle: {circle}", column, "write out one of them")
        if name not in self._done:
            if len(path) == MOST_NAMES:
                raise _too_many_names(column)
            self._done[name] = self._looked_up(name, column, path)
        part = self._done[name]
        if len(path) + part.names + 1 > MOST_NAMES:
            raise _too_many_names(column)
        return replace(part, node=Segment(node.name, part.node), names=part.names + 1)

    def _looked_up(self, name: str, column: int, path: tuple[str, ...]) -> _Part:
        text = self._lookup(name)
        if text is None:
            missing = RuleError(f"there is no segment {short(name)}", column, suggestion(name, self._known))
            raise _within(path, missing)
        inner = (*path, name)
        try:
            part = self.part(_read(text, inner), inner)
        except RuleError as error:
            raise RuleError(error.message, column, error.hint) from error
        self.check(part, inner, column)
        return part


def _read(text: str, path: tuple[str, ...]) -> Node:
    try:
        return parse(text).root
    except RuleError as error:
        raise _within(path, RuleError(f"{error.message} at its column {error.column}", 1, error.hint)) from error


def _within(path: tuple[str, ...], error: RuleError) -> RuleError:
    return in_segment(path[-1], error, error.column) if path else error


def _refusal(path: tuple[str, ...], message: str, column: int) -> RuleError:
    return _within(path, RuleError(message, column, "split the rule, or mark these members with an attribute or tag"))


def _too_many_names(column: int) -> RuleError:
    return RuleError(
        f"more than {MOST_NAMES} segments name one another in a row", column, "write out the rule of one of them"
    )


def _values(node: Node) -> Iterator[object]:
    match node:
        case OneOf(_, values):
            yield from values
        case Tagged(values) | Engaged(_, values):
            yield from values
        case _:
            pass


def _needs_parentheses(inner: Node, outer: Node) -> bool:
    """Does `inner` need parentheses of its own inside `outer`. `and` holds together inside `or` without."""
    while isinstance(inner, Segment):
        inner = inner.node
    return isinstance(inner, And | Or) and not (isinstance(inner, And) and isinstance(outer, Or))
