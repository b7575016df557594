"""Conditions on the reader within a campaign: made fit to travel with an edition, and answered for each member.

Sections for the subscribers of a topic are no such condition: who subscribed is asked before a batch leaves control.

What a sender knows of a member are the attributes, the address and the language, so these are what a condition may
ask for. It needs no database: the segments and regions that a rule names travel with it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from audiences.models import Member
from audiences.segments import Rule, RuleError, matches, parse, resolve
from audiences.segments.tree import (
    Agrees,
    Engaged,
    HasConsent,
    InRegion,
    Node,
    OfValue,
    Sample,
    Tagged,
    TagHasText,
    walk,
)

_FIELDS = ("address", "language")
_UNKNOWN: tuple[tuple[type[Any], str], ...] = (
    (Agrees, "topics"),
    (HasConsent, "consent"),
    (Tagged, "tags"),
    (TagHasText, "tags"),
    (Engaged, "opens and clicks"),
    (Sample, "samples"),
)
_HINT = (
    "it can ask for attributes, language and address; for anything else send a second campaign with this rule as"
    " its `audience.segment`"
)


def flag(number: int) -> str:
    """The name under which condition `number` stands among a member's values; no attribute can have it."""
    return f"when {number}"


def section_flag(number: int, *, more: bool = False) -> str:
    """The same of what is for the subscribers of topic `number` of an edition; `more`: for those who want it weekly."""
    return f"topic {number} weekly" if more else f"topic {number}"


def section_flags(topics: Sequence[str], digits: str) -> dict[str, bool]:
    """The flags of each of an edition's topics, for a member with these `digits` (see `Recipient`); all when empty."""
    flags: dict[str, bool] = {}
    for number, digit in zip(range(len(topics)), digits or "2" * len(topics), strict=True):
        flags |= {section_flag(number): digit != "0", section_flag(number, more=True): digit == "2"}
    return flags


def freeze(rule: Rule, named: Mapping[str, str]) -> str:
    """A resolved rule as text that says everything by itself, for `Conditions`.

    `named` has the text of every segment that the rule names, through others too. Raises RuleError, at a column of
    the rule, for one that no sender could answer.
    """
    for node in walk(rule.root):
        if what := _unknown(node):
            raise RuleError(f"a part of a message can not depend on {what}", _column(node), _HINT)
    regions = {
        node.region.text: [value.value for value in node.values or ()]
        for node in walk(rule.root)
        if isinstance(node, InRegion)
    }
    segments = {name: named[name] for name in sorted(rule.segments())}
    return json.dumps({"rule": rule.source, "segments": segments, "regions": regions})


class Conditions:
    """The conditions of one edition, each as `freeze` wrote it; safe to share between threads.

    Raises ValueError for anything else.
    """

    def __init__(self, frozen: Sequence[str]) -> None:
        try:
            self._rules = tuple(map(_thaw, frozen))
        except (RuleError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"this is no condition: {error}") from error

    def flags(self, values: Mapping[str, Any], today: date) -> dict[str, bool]:
        """The flag of each condition -> whether it holds for the member with these values, on the day `today`.

        `values` is what templates see as `member` (`context.member_data`).
        """
        known = {name: value for name, value in values.items() if name not in _FIELDS}
        member = Member(values.get("address"), known, values.get("language"))
        return {flag(number): matches(rule, member, today) for number, rule in enumerate(self._rules)}

    def __len__(self) -> int:
        return len(self._rules)


def _thaw(text: str) -> Rule:
    data = json.loads(text)
    return resolve(parse(data["rule"]), data["segments"].get, data["regions"])


def _unknown(node: Node) -> str:
    """What the condition needs that no sender knows; empty when it can be answered."""
    for kind, what in _UNKNOWN:
        if isinstance(node, kind):
            return what
    return "time zones" if isinstance(node, OfValue) and node.name.key == "timezone" else ""


def _column(node: Node) -> int:
    """Where the condition stands in its rule; 1 for one that does not say."""
    if isinstance(node, OfValue):
        return node.name.column
    match node:
        case Agrees(words) | Tagged(words) | Engaged(_, words) if words:
            return words[0].column
        case _:
            return 1
