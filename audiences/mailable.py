"""Conditions in SQL: may something be written to a member, and why not. The rules themselves are in `consent.py`."""

from __future__ import annotations

from datetime import datetime

from audiences.choices import paused_sql, too_often_sql
from audiences.segments import Condition


def suppressed_sql() -> str:
    """Is `member` suppressed for the association's own mail: boolean SQL over table `member`."""
    return (
        "EXISTS (SELECT 1 FROM suppression AS s WHERE s.address_hash = member.address_hash"
        " AND s.scope IN ('association', 'all'))"
    )


def agrees_sql(topic: str | None, *, name: str = "topic") -> Condition:
    """Does `member` agree to newsletters of `topic` (of any, when None): the SQL twin of `Standing.agrees_to`.

    `name` is that of the parameter for the topic.
    """
    if topic is None:
        return Condition(_subscribed("topic <> 'tracking' AND state = 'granted'"), {})
    own_grant = _subscribed(f"topic = :{name} AND state = 'granted'")
    own_withdrawal = _subscribed(f"topic = :{name} AND state = 'withdrawn'")
    any_grant = _subscribed("topic = '*' AND state = 'granted'")
    return Condition(f"({own_grant} OR ({any_grant} AND NOT {own_withdrawal}))", {name: topic})


def follows_sql(topic: str, now: datetime, *, name: str = "topic") -> Condition:
    """May something of `topic` go to `member` now, among other things: they agree to it, and it is not too soon.

    `name` as in `agrees_sql`.
    """
    agrees, too_often = agrees_sql(topic, name=name), too_often_sql(topic, now, name=name)
    return Condition(f"({agrees.sql} AND NOT {too_often.sql})", {**agrees.parameters, **too_often.parameters})


def tracked_sql() -> str:
    """Did `member` agree to be tracked by name."""
    return _subscribed("topic = 'tracking' AND state = 'granted'")


def exclusion_sql(topic: str | None, now: datetime, further: Condition | None = None) -> Condition:
    """Why `member` may not be written to, as the name of a reason; NULL when nothing stands against it.

    `further` gives a reason, or NULL, where all that the member wants is no hindrance.
    """
    agrees, paused, too_often = agrees_sql(topic), paused_sql(now), too_often_sql(topic, now)
    withdrew = _subscribed("topic <> 'tracking' AND state = 'withdrawn'")
    return Condition(
        f"CASE WHEN member.address IS NULL THEN 'no_address' WHEN {suppressed_sql()} THEN 'suppressed'"
        f" WHEN NOT {agrees.sql} THEN CASE WHEN {withdrew} THEN 'withdrawn' ELSE 'no_consent' END"
        f" WHEN {paused.sql} THEN 'paused' WHEN {too_often.sql} THEN 'too_often'"
        f" ELSE {further.sql if further else 'NULL'} END",
        {
            **agrees.parameters,
            **paused.parameters,
            **too_often.parameters,
            **(further.parameters if further else {}),
        },
    )


def _subscribed(condition: str) -> str:
    return f"EXISTS (SELECT 1 FROM subscription WHERE member_id = member.id AND {condition})"  # noqa: S608
