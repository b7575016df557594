"""Which index would let SQLite count the members of a rule without reading their rows. Creates none."""

from __future__ import annotations

from audiences.segments.search import search
from audiences.segments.sql import LATEST
from audiences.segments.tree import RENEWAL, STATUS, Engaged, Membership, Node, OfRecord, OfValue, Rule, Sample, walk

MOST_COLUMNS = 4
"""An index on more would be nearly as large as the table."""


def wanted_index(rule: Rule) -> tuple[str, ...]:
    """The names, in order, of which one index should hold `index_expression` each; at most four.

    Those that a member must have a certain value of come first, then those with a range of values, then the rest:
    SQLite searches an index by its first columns. Empty when the rule looks at nothing of the member's own row, at
    more than four names, or at attributes called as the columns `opened_at` or `clicked_at` are.
    """
    if rule.names() & LATEST:
        return ()
    wanted = search(rule)
    rest = (name for node in walk(rule.root) for name in _names(node))
    names = tuple(dict.fromkeys([*wanted.exact, *wanted.of_few, *wanted.ranges, *rest]))
    return names if len(names) <= MOST_COLUMNS else ()


def of_values_alone(rule: Rule) -> bool:
    """Does the rule hold for all or for none of those who have the same values of `rule.names()`."""
    return not any(isinstance(node, OfRecord | Sample) for node in walk(rule.root))


def _names(node: Node) -> tuple[str, ...]:
    """What the condition reads of the member's own row."""
    match node:
        case Membership():
            return STATUS, RENEWAL
        case Engaged(activity, ()):
            return (f"{activity}_at",)
        case _:
            return (node.name.key,) if isinstance(node, OfValue) else ()
