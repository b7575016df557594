"""A rule in plain English, so that someone who writes no programs can check it. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from audiences.segments.phrases import Clause, Phrases
from audiences.segments.tree import And, Engaged, Everyone, Node, Not, Or, Rule, Segment, walk

_UNKNOWN = "those who did not agree to be recorded by name count as not having done so: nothing is known of them"


def explain(rule: Rule, today: date | None = None) -> str:
    """`rule` in words: one sentence, or a heading and a bulleted list when conditions stand inside others.

    With `today`, days counted from today are shown as dates too. Says of every negation that it holds for
    members without a value, and for those whose clicks and opens are not recorded by name. Of a segment that
    `resolve` has put in, what it says follows its name.
    """
    return _Speaker(Phrases(today)).rule(_simple(rule.root))


def _simple(node: Node) -> Node:
    """`node` without `not not`, and without lists of conditions inside lists of the same kind."""
    match node:
        case Not(Not(inner)):
            return _simple(inner)
        case Not(inner):
            simple = _simple(inner)
            return simple.node if isinstance(simple, Not) else Not(simple)
        case Segment(name, inner):
            return Segment(name, _simple(inner))
        case And((Everyone(), *others)) if all(isinstance(part, Not) for part in others):
            # `everyone except these`
            return _simple(And(tuple(others)) if len(others) > 1 else others[0])
        case And(nodes):
            return And(tuple(part for n in map(_simple, nodes) for part in (n.nodes if isinstance(n, And) else [n])))
        case Or(nodes):
            return Or(tuple(part for n in map(_simple, nodes) for part in (n.nodes if isinstance(n, Or) else [n])))
        case _:
            return node


class _Speaker:
    def __init__(self, phrases: Phrases) -> None:
        self._phrases = phrases

    def rule(self, node: Node) -> str:
        match node:
            case Everyone():
                return "All members."
            case Not(Everyone()):
                return "No member."
            case _ if _fits_sentence(node):
                return f"Members {self._sentence(node)}."
            case _:
                heading, *lines = self._lines(node, flipped=False)
                named = heading.removeprefix("they ")
                return "\n".join([f"Members {'for whom' if named == heading else 'who'} {named}", *lines])

    def _sentence(self, node: Node) -> str:
        """What follows the word "Members"."""
        match node:
            case And(nodes):
                return ", and ".join(map(self._sentence, nodes))
            case Or(nodes):
                return ", or ".join(map(self._sentence, nodes))
            case _:
                return str(self._clause(node))

    def _clause(self, node: Node) -> Clause:
        inner, negated = (node.node, True) if isinstance(node, Not) else (node, False)
        match inner:
            case Segment(name, rule):
                clause = self._phrases.segment(name, negated=negated)
                note = f"; {_UNKNOWN}" if negated and _is_done(rule) else ""
                return Clause(clause.lead, f"{clause.words} ({self._meaning(rule)}{note})")
            case And() | Or() | Not():
                raise AssertionError("conditions that hold others are listed, not put in a clause")
            case _:
                return self._phrases.clause(inner, negated=negated)

    def _meaning(self, node: Node) -> str:
        match node:
            case Everyone():
                return "all members"
            case Not(Everyone()):
                return "no member"
            case _:
                return self._sentence(node)

    def _lines(self, node: Node, *, flipped: bool) -> list[str]:
        """A line for `node`, and bulleted lines for what stands inside it; `flipped` when it stands inside a `not`."""
        match node:
            case And(nodes):
                return ["all of this is true:", *self._bullets(nodes, flipped=flipped)]
            case Or(nodes):
                return ["at least one of these is true:", *self._bullets(nodes, flipped=flipped)]
            case Not(And(nodes)):
                return ["at least one of these is not true:", *self._bullets(nodes, flipped=not flipped)]
            case Not(Or(nodes)):
                return ["none of these is true:", *self._bullets(nodes, flipped=not flipped)]
            case Segment(name, inner) if not _fits_clause(node):
                return self._segment_lines(self._phrases.segment(name, negated=False), inner, flipped=flipped)
            case Not(Segment(name, inner)) if not _fits_clause(node):
                return self._segment_lines(self._phrases.segment(name, negated=True), inner, flipped=not flipped)
            case _:
                line = self._clause(node).alone
                noted = flipped and not isinstance(node, Not) and _is_done(node)
                return [f"{line} ({_UNKNOWN})" if noted else line]

    def _segment_lines(self, clause: Clause, inner: Node, *, flipped: bool) -> list[str]:
        heading, *bullets = self._lines(inner, flipped=flipped)
        return [f"{clause.alone}, for whose members {heading}", *bullets]

    def _bullets(self, nodes: Sequence[Node], *, flipped: bool) -> list[str]:
        bullets = []
        for node in nodes:
            first, *rest = self._lines(node, flipped=flipped)
            bullets += [f"- {first}", *(f"  {line}" for line in rest)]
        return bullets


def _fits_sentence(node: Node) -> bool:
    """Can `node` be said in one sentence: a clause, or several with one word between them."""
    return all(map(_fits_clause, node.nodes)) if isinstance(node, And | Or) else _fits_clause(node)


def _fits_clause(node: Node) -> bool:
    inner = node.node if isinstance(node, Not) else node
    match inner:
        case Segment(_, Everyone() | Not(Everyone())):
            return True
        case Segment(_, rule):
            return _fits_sentence(rule)
        case And() | Or() | Not() | Everyone():
            return False
        case _:
            return True


def _is_done(node: Node) -> bool:
    """Does `node` ask what members did."""
    return any(isinstance(part, Engaged) for part in walk(node))
