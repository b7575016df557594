"""Conditions on what is kept beside the member's own row, as SQL over `subscription`, `tag` and `activity`.

Most are "the member is among those that a query gives" and not "a row exists for this member": SQLite finds those
few first and looks up no others. Over 1 million members and 300,000 rows of activity that is 5 to 50 times as fast
for a campaign's readers. A topic or a consent has many members, so where other conditions leave few, each of those
is looked up instead. (Measured with SQLite 3.53.)
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from audiences.models import ANY_TOPIC, TRACKING, ConsentState
from audiences.segments.expressions import Binding, Parameters, Sql, join
from audiences.segments.tree import (
    Agrees,
    ConsentKind,
    Engaged,
    HasConsent,
    OfRecord,
    Part,
    Tagged,
    TagHasText,
    Word,
)
from audiences.segments.values import Text, day_of, fold

_GRANTED = f"state = '{ConsentState.GRANTED}'"
_WITHDRAWN = f"state = '{ConsentState.WITHDRAWN}'"
_NEWSLETTERS = f"topic <> '{TRACKING}'"
_DEPTH = 8
"""More than any of these queries nests."""


def kept(node: OfRecord, parameters: Parameters, today: date, *, each: bool) -> Sql:
    """The condition on `member`, with its values added to `parameters`.

    `each`: other conditions leave few members, whose subscriptions are better looked up one by one.
    """
    match node:
        case Agrees(topics):
            return _agrees(topics, parameters, each=each)
        case HasConsent(kinds):
            return join(Binding.OR, [_has_consent(kind, each=each) for kind in dict.fromkeys(kinds)])
        case Tagged(()):
            return _among("tag", "TRUE")
        case Tagged(tags):
            return _among("tag", f"tag IN ({parameters.bind_all(tag.text for tag in tags)})")
        case TagHasText(part, text):
            return _among("tag", text_test("tag", part, text, parameters))
        case Engaged():
            return _engaged(node, parameters, today)
        case _:
            assert_never(node)


def text_test(column: str, part: Part, text: Text, parameters: Parameters) -> str:
    """Whether the text of `column` holds `text` at the given place, without regard to capitals."""
    wanted = fold(text.value)
    bound = parameters.bind(wanted)
    match part:
        case Part.ANYWHERE:
            return f"instr(lower({column}), {bound}) > 0"
        case Part.START:
            return f"substr(lower({column}), 1, {len(wanted)}) = {bound}"
        case Part.END:
            return f"substr(lower({column}), -{len(wanted)}) = {bound}"
        case _:
            assert_never(part)


def _among(table: str, condition: str) -> Sql:
    # The table and the condition's text are ours; values are bound.
    return Sql(f"member.id IN (SELECT member_id FROM {table} WHERE {condition})", depth=_DEPTH)  # noqa: S608


def _subscribed(condition: str, *, each: bool) -> Sql:
    if each:
        return Sql(f"EXISTS (SELECT 1 FROM subscription WHERE member_id = member.id AND {condition})", depth=_DEPTH)  # noqa: S608
    return _among("subscription", condition)


def _agrees(topics: Sequence[Word], parameters: Parameters, *, each: bool) -> Sql:
    """As `audiences.mailable.agrees_sql` has it, for one of `topics` at least."""
    if not topics:
        return _subscribed(f"{_NEWSLETTERS} AND {_GRANTED}", each=each)
    distinct = {topic.text for topic in topics}
    if each:
        return join(Binding.OR, [_agrees_to(topic, parameters) for topic in sorted(distinct)])
    listed = f"topic IN ({parameters.bind_all(sorted(distinct))})"
    own = _among("subscription", f"{listed} AND {_GRANTED}")
    by_default = _among("subscription", f"topic = '{ANY_TOPIC}' AND {_GRANTED}")
    # A no to some of several topics leaves the others to the default.
    every = f" GROUP BY member_id HAVING count(*) = {len(distinct)}" if len(distinct) > 1 else ""
    refused = _among("subscription", f"{listed} AND {_WITHDRAWN}{every}")
    not_refused = Sql(f"NOT {refused.text}", Binding.AND, _DEPTH + 1)
    return join(Binding.OR, [own, join(Binding.AND, [by_default, not_refused])])


def _agrees_to(topic: str, parameters: Parameters) -> Sql:
    """The member's own choice of the topic, else the one for everything; both lie side by side in this index."""
    state = "SELECT state FROM subscription INDEXED BY subscription_member WHERE member_id = member.id AND topic"
    own, by_default = f"({state} = {parameters.bind(topic)})", f"({state} = '{ANY_TOPIC}')"
    return Sql(f"coalesce({own}, {by_default}) IS '{ConsentState.GRANTED}'", depth=_DEPTH)


def _has_consent(kind: ConsentKind, *, each: bool) -> Sql:
    match kind:
        case ConsentKind.EXPRESS | ConsentKind.IMPLIED | ConsentKind.MEMBERSHIP:
            return _subscribed(f"{_NEWSLETTERS} AND {_GRANTED} AND basis = '{kind}'", each=each)
        case ConsentKind.WITHDRAWN:
            return _subscribed(f"{_NEWSLETTERS} AND {_WITHDRAWN}", each=each)
        case ConsentKind.TRACKING:
            return _subscribed(f"topic = '{TRACKING}' AND {_GRANTED}", each=each)
        case ConsentKind.NONE:
            return Sql(f"NOT {_subscribed(_NEWSLETTERS, each=each).text}", Binding.AND, _DEPTH + 1)
        case _:
            assert_never(kind)


def _engaged(node: Engaged, parameters: Parameters, today: date) -> Sql:
    start = "" if node.since is None else parameters.bind(day_of(node.since, today).isoformat())
    if not node.campaigns:
        column = f"member.{node.activity}_at"
        return Sql(f"{column} >= {start}" if start else f"{column} IS NOT NULL", Binding.AND)
    campaigns = parameters.bind_all(campaign.text for campaign in node.campaigns)
    since = f" AND at >= {start}" if start else ""
    return _among("activity", f"campaign IN ({campaigns}) AND kind = '{node.activity}'{since}")
