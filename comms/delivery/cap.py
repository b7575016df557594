"""How many newsletters of an association a member gets within some days, over all its campaigns: one condition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from audiences.consent import Exclusion
from audiences.segments import Condition
from audiences.times import stamp


class Hindrance(Protocol):
    """Something beside what a member wants that may stand against a newsletter."""

    def reason(self, now: datetime) -> Condition:
        """Why `member` gets it not now: SQL with the name of a reason, or NULL."""


@dataclass(frozen=True, slots=True)
class Hindrances:
    """Several, of which the first that holds is the reason."""

    several: Sequence[Hindrance]

    def reason(self, now: datetime) -> Condition:
        """As `Hindrance.reason`. Raises ValueError when there is none."""
        if not self.several:
            raise ValueError("there is nothing that could stand against it")
        found = [each.reason(now) for each in self.several]
        merged = {name: value for each in found for name, value in each.parameters.items()}
        return Condition(f"coalesce({', '.join(each.sql for each in found)}, NULL)", merged)


@dataclass(frozen=True, slots=True)
class Cap:
    """At most `most` newsletters (1 or more) within `days`."""

    most: int
    days: int

    def reason(self, now: datetime) -> Condition:
        """Why `member` gets no other newsletter now: SQL with the name of a reason, or NULL.

        What a sender holds counts, for it is about to go. Only runs that were open within the days are looked into, by
        the index that (run, member) has anyway, so it costs some lookups a member however many deliveries there are.
        """
        since = now - timedelta(days=self.days)
        return Condition(
            "CASE WHEN (SELECT count(*) FROM delivery AS heard"  # noqa: S608 - a constant, values bound
            " WHERE heard.run_id IN (SELECT id FROM run WHERE done_at IS NULL OR done_at > :cap_done)"
            " AND heard.member_id = member.id"
            " AND (heard.state = 'claimed' OR (heard.state = 'sent' AND heard.final_at > :cap_sent)))"
            f" >= :cap_most THEN '{Exclusion.HEARD_ENOUGH}' END",
            {"cap_done": stamp(since), "cap_sent": int(since.timestamp()), "cap_most": self.most},
        )
