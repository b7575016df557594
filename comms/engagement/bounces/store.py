"""All SQL of returned mail: one row per delivery that came back or was complained of. It decides nothing.

Writing methods expect to run inside `db.atomic()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from audiences.times import stamp
from comms.db import Database
from comms.engagement.bounces.models import Kind
from comms.engagement.bounces.policy import Weight

_SENT_AT = "coalesce(delivery.final_at, delivery.first_at)"
_RANKS = (Weight.NOTHING, Weight.STRIKE, Weight.FINAL, Weight.COMPLAINT)


@dataclass(frozen=True, slots=True)
class SentMail:
    """The delivery that a returned mail is about."""

    delivery: int
    run: int
    campaign: str
    member: int | None
    """None once the member was erased."""
    sent_at: datetime | None
    """When a mail server took or refused it; None while that is not written down yet."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A delivery that a mail server refused while we were talking to it."""

    mail: SentMail
    reply: str


@dataclass(frozen=True, slots=True)
class PastBounce:
    """A row as it is listed. `address` is None once the member was erased."""

    at: str
    campaign: str
    address: str | None
    kind: Kind
    status: str
    reason: str
    weight: Weight
    suppressed: str | None


class BounceStore:
    """What came back of one association's mail."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # --- deliveries ---------------------------------------------------------------------------

    def mail(self, delivery: int) -> SentMail | None:
        row = self.db.execute(
            f"SELECT delivery.id, run.id, run.campaign, delivery.member_id, {_SENT_AT}"  # noqa: S608 - a constant
            " FROM delivery JOIN run ON run.id = delivery.run_id WHERE delivery.id = ?",
            [delivery],
        ).fetchone()
        return _mail(*row) if row else None

    def last_mail(self, member: int, since: datetime) -> SentMail | None:
        """The last mail that was sent to a member, of the runs frozen since then."""
        row = self.db.execute(
            f"SELECT delivery.id, run.id, run.campaign, delivery.member_id, {_SENT_AT} AS sent_at"  # noqa: S608
            " FROM run CROSS JOIN delivery ON delivery.run_id = run.id AND delivery.member_id = ?"
            " WHERE run.frozen_at >= ? AND delivery.state IN ('sent', 'uncertain') ORDER BY sent_at DESC LIMIT 1",
            [member, stamp(since)],
        ).fetchone()
        return _mail(*row) if row else None

    def arrived_at(self, member: int, since: datetime, settled: datetime) -> datetime | None:
        """When the last mail was sent to a member that did not come back, of those sent before `settled`.

        Only runs frozen since `since` are looked at.
        """
        (moment,) = self.db.execute(
            "SELECT max(delivery.final_at) FROM run"
            " CROSS JOIN delivery ON delivery.run_id = run.id AND delivery.member_id = ?"
            " WHERE run.frozen_at >= ? AND delivery.state = 'sent' AND delivery.final_at <= ?"
            " AND NOT EXISTS (SELECT 1 FROM bounce WHERE delivery_id = delivery.id AND what = 'bounced')",
            [member, stamp(since), int(settled.timestamp())],
        ).fetchone()
        return None if moment is None else datetime.fromtimestamp(moment, UTC)

    # --- what came back -----------------------------------------------------------------------

    def record(
        self, mail: SentMail, what: str, kind: Kind, weight: Weight, now: datetime, *, status: str, reason: str
    ) -> bool | None:
        """Write down that a delivery `bounced` or was `complained` of. True: for the first time.

        False: it was known, and this says more of it than what stood there. None: it says nothing new.
        """
        row = self.db.execute(
            "SELECT weight FROM bounce WHERE delivery_id = ? AND what = ?", [mail.delivery, what]
        ).fetchone()
        if row is not None and _RANKS.index(weight) <= _RANKS.index(Weight(row[0])):
            return None
        self.db.execute(
            "INSERT INTO bounce (delivery_id, what, run_id, member_id, sent_at, at, kind, weight, status, reason)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (delivery_id, what) DO UPDATE SET"
            " at = excluded.at, kind = excluded.kind, weight = excluded.weight, status = excluded.status,"
            " reason = excluded.reason",
            [
                mail.delivery,
                what,
                mail.run,
                mail.member,
                int((mail.sent_at or now).timestamp()),
                stamp(now),
                kind.value,
                weight.value,
                status,
                reason,
            ],
        )
        return row is None

    def note_suppressed(self, delivery: int, what: str, reason: str) -> None:
        """Write down that the address was suppressed because of it."""
        self.db.execute("UPDATE bounce SET suppressed = ? WHERE delivery_id = ? AND what = ?", [reason, delivery, what])

    def strikes(self, member: int) -> list[datetime]:
        """When mails were sent to a member that did not arrive; those to a mailbox given up since count not."""
        rows = self.db.execute(
            "SELECT bounce.sent_at FROM bounce JOIN delivery ON delivery.id = bounce.delivery_id"
            " WHERE bounce.member_id = ? AND delivery.member_id = bounce.member_id"
            " AND bounce.weight IN ('strike', 'final')",
            [member],
        )
        return [datetime.fromtimestamp(moment, UTC) for (moment,) in rows]

    # --- refusals -----------------------------------------------------------------------------

    def totals(self) -> dict[str, int]:
        """`bounced` and `complained` -> how many deliveries, since the beginning."""
        rows = self.db.execute("SELECT what, count(*) FROM bounce GROUP BY what").fetchall()
        return {"bounced": 0, "complained": 0, **dict(rows)}

    def refusals(self, most: int) -> list[Refusal]:
        """Deliveries that failed and were not looked at yet, oldest first, at most so many."""
        rows = self.db.execute(
            f"SELECT delivery.id, run.id, run.campaign, delivery.member_id, {_SENT_AT},"  # noqa: S608 - a constant
            " coalesce(delivery.reply, '') FROM refusal JOIN delivery ON delivery.id = refusal.delivery_id"
            " JOIN run ON run.id = delivery.run_id ORDER BY refusal.delivery_id LIMIT ?",
            [most],
        )
        return [Refusal(_mail(*row[:5]), row[5]) for row in rows]

    def outcomes(self, run: int) -> tuple[int, int]:
        """(mails of a run that servers refused, mails that they took)."""
        row = self.db.execute(
            "SELECT (SELECT count(*) FROM delivery WHERE run_id = :run AND state = 'failed'),"
            " (SELECT count(*) FROM delivery WHERE run_id = :run AND state = 'sent')",
            {"run": run},
        ).fetchone()
        return int(row[0]), int(row[1])

    def looked_at(self, delivery: int) -> None:
        """Do not look at this refusal again."""
        self.db.execute("DELETE FROM refusal WHERE delivery_id = ?", [delivery])

    # --- telling ------------------------------------------------------------------------------

    def past(self, since: datetime, most: int) -> list[PastBounce]:
        """What came back since then, newest first, at most so many."""
        return self._past("bounce.at >= ? ORDER BY bounce.at DESC, bounce.delivery_id DESC LIMIT ?", stamp(since), most)

    def of_member(self, member: int) -> list[PastBounce]:
        """What came back of the mails to a member, oldest first."""
        return self._past("bounce.member_id = ? ORDER BY bounce.at, bounce.delivery_id", member)

    def _past(self, where: str, *values: object) -> list[PastBounce]:
        rows = self.db.execute(
            "SELECT bounce.at, run.campaign, member.address, bounce.kind, bounce.status, bounce.reason, bounce.weight,"  # noqa: S608 - built here
            " bounce.suppressed FROM bounce JOIN run ON run.id = bounce.run_id"
            f" LEFT JOIN member ON member.id = bounce.member_id WHERE {where}",
            list(values),
        )
        return [
            PastBounce(row[0], row[1], row[2], Kind(row[3]), row[4], row[5], Weight(row[6]), row[7]) for row in rows
        ]

    def counts(self, since: datetime) -> dict[Kind, int]:
        """How many came back since then, of each kind; most first."""
        rows = self.db.execute(
            "SELECT kind, count(*) FROM bounce WHERE at >= ? GROUP BY kind ORDER BY 2 DESC, 1", [stamp(since)]
        )
        return {Kind(kind): number for kind, number in rows}


def _mail(delivery: int, run: int, campaign: str, member: int | None, sent_at: int | None) -> SentMail:
    moment = None if sent_at is None else datetime.fromtimestamp(sent_at, UTC)
    return SentMail(delivery, run, campaign, member, moment)
