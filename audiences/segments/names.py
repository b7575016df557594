"""Whether the names in a rule exist, with a guess at what was meant. Reads no database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from audiences.segments.errors import RuleError, in_segment, short
from audiences.segments.suggest import suggestion
from audiences.segments.tree import (
    FIELDS,
    STATUS,
    Agrees,
    And,
    Engaged,
    Membership,
    Name,
    Node,
    Not,
    OfValue,
    Or,
    Rule,
    Segment,
    Tagged,
    Word,
)
from audiences.segments.values import fold


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the rules over an association's members may speak of; with None, whatever they like."""

    attributes: Collection[str]
    """In the form `audiences.models.attribute_name` gives."""
    topics: Collection[str] | None = None
    tags: Collection[str] | None = None
    """In any letter case."""
    campaigns: Collection[str] | None = None


def check_names(rule: Rule, known: Vocabulary | Collection[str]) -> None:
    """Raise `RuleError` for the first name that `known` does not hold.

    A plain collection is one of attributes. A mistake in a segment that `rule` names stands where it is named.
    """
    vocabulary = known if isinstance(known, Vocabulary) else Vocabulary(known)
    check = _Check(vocabulary)
    for node, path in _conditions(rule.root, ()):
        try:
            check.node(node)
        except RuleError as error:
            if path:
                raise in_segment(path[-1].text, error, path[0].column) from error
            raise


def _conditions(node: Node, path: tuple[Word, ...]) -> Iterator[tuple[Node, tuple[Word, ...]]]:
    """Each single condition, with the segments that it stands in, the outermost first."""
    match node:
        case And(nodes) | Or(nodes):
            for part in nodes:
                yield from _conditions(part, path)
        case Not(inner):
            yield from _conditions(inner, path)
        case Segment(name, inner):
            yield from _conditions(inner, (*path, name))
        case _:
            yield node, path


class _Check:
    def __init__(self, known: Vocabulary) -> None:
        self._known = known
        self._tags = None if known.tags is None else frozenset(map(fold, known.tags))

    def node(self, node: Node) -> None:
        """Raise `RuleError` for what the condition names and nobody knows."""
        match node:
            case Agrees(topics):
                _check_words(topics, self._known.topics, "no newsletter has the topic")
            case Engaged(_, campaigns):
                _check_words(campaigns, self._known.campaigns, "there is no campaign")
            case Tagged(tags):
                folded = (Word(fold(tag.text), tag.column) for tag in tags)
                _check_words(folded, self._tags, "no member is tagged")
            case Membership(_, column):
                self._attribute(Name(STATUS, column))
            case _ if isinstance(node, OfValue):
                self._attribute(node.name)
            case _:
                pass

    def _attribute(self, name: Name) -> None:
        attributes = self._known.attributes
        if name.key not in FIELDS and name.key not in attributes:
            hint = suggestion(name.key, {*attributes, *FIELDS})
            raise RuleError(f"no member has {short(name.key)}", name.column, hint)


def _check_words(words: Iterable[Word], known: Collection[str] | None, problem: str) -> None:
    for word in words:
        if known is not None and word.text not in known:
            raise RuleError(f"{problem} {short(word.text)}", word.column, suggestion(word.text, known))
