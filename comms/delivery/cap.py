"""How many newsletters of an association a member gets within some days, over all its campaigns: one condition."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from audiences.consent import Exclusion
from audiences.segments import Condition
from comms.delivery.settling import stamp


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
