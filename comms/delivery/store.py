"""All SQL of the ledger. Every change of a delivery's state is one of the statements here.

    ready --claim--> claimed --settle--> sent | failed | deferred | ready (again) | uncertain
    ready, deferred --claim, member may no longer be written to--> skipped
    ready, deferred --cancel--> cancelled

A claim's batch id is never used twice: a settle that names it changes nothing once the rows were given to
another batch. Writing methods expect to run inside `db.atomic()`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from audiences.choices import Choices
from audiences.segments import Condition
from audiences.store import exclusion_sql, tracked_sql
from comms.db import Database
from comms.delivery.batches import Outcome, Receipt, Recipient
from comms.delivery.retry import MOST_DOUBTS, is_given_up, wait_s
from comms.events import DeliveryState


@dataclass(frozen=True, slots=True)
class Run:
    """One sending of an edition, frozen."""

    id: int
    campaign: str
    channel: str
    topic: str | None
    digest: str
    state: str
    doubt: str
    planned: int
    excluded: Mapping[str, int]
    """Why members in the segment were left out -> how many."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A case in which nobody can know whether a message arrived."""

    delivery: int
    address: str | None
    at: str
    cause: str
    resolution: str


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows taken for one batch, and how many were skipped on the way."""

    recipients: tuple[Recipient, ...]
    skipped: int


_RUN = "id, campaign, channel, topic, digest, state, doubt, planned, excluded"


class Ledger:
    """The deliveries of one association."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # --- runs ---------------------------------------------------------------------------------

    def run(self, campaign: str, channel: str) -> Run | None:
        return self._run("campaign = ? AND channel = ?", [campaign, channel])

    def run_by_id(self, run_id: int) -> Run | None:
        return self._run("id = ?", [run_id])

    def freeze(
        self,
        campaign: str,
        channel: str,
        *,
        topic: str | None,
        digest: str,
        doubt: str,
        segment: Condition,
        excluded: Mapping[str, int],
        due: Mapping[str | None, datetime],
        now: datetime,
    ) -> Run:
        """Write the run and the list of who gets it, in one go.

        `due` gives the earliest time per time zone of a member; its key None is for all others.
        """
        cursor = self.db.execute(
            "INSERT INTO run (campaign, channel, topic, digest, state, doubt, planned, excluded, frozen_at)"
            " VALUES (?, ?, ?, ?, 'sending', ?, 0, ?, ?)",
            [campaign, channel, topic, digest, doubt, json.dumps(dict(excluded)), _stamp(now)],
        )
        run_id = cursor.lastrowid
        reason = exclusion_sql(topic, now)
        zones = {f"zone_{n}": zone for n, zone in enumerate(z for z in due if z is not None)}
        times = {f"at_{name}": int(due[zone].timestamp()) for name, zone in zones.items()}
        cases = " ".join(f"WHEN :{name} THEN :at_{name}" for name in zones)
        at = f"CASE member.timezone {cases} ELSE :at END" if cases else ":at"
        cursor = self.db.execute(
            "INSERT INTO delivery (run_id, member_id, state, next_at)"  # noqa: S608 - compiled, values bound
            f" SELECT :run, member.id, 'ready', {at} FROM member WHERE {segment.sql} AND {reason.sql} IS NULL"
            " ORDER BY member.id",
            {
                **segment.parameters,
                **reason.parameters,
                **zones,
                **times,
                "run": run_id,
                "at": int(due[None].timestamp()),
            },
        )
        self.db.execute("UPDATE run SET planned = ? WHERE id = ?", [cursor.rowcount, run_id])
        run = self.run_by_id(int(run_id or 0))
        assert run is not None
        return run

    def cancel(self, run_id: int, now: datetime) -> int:
        """Cancel all that no sender holds; what is claimed ends by itself, and goes no further."""
        self.db.execute("UPDATE run SET state = 'cancelled' WHERE id = ? AND state = 'sending'", [run_id])
        cursor = self.db.execute(
            "UPDATE delivery SET state = 'cancelled', final_at = ? WHERE run_id = ? AND state IN ('ready', 'deferred')",
            [int(now.timestamp()), run_id],
        )
        return cursor.rowcount

    def finish(self, run_id: int, now: datetime) -> bool:
        """Close the run if every delivery is final; its rows then add up to what was planned."""
        cursor = self.db.execute(
            "UPDATE run SET state = CASE state WHEN 'cancelled' THEN state ELSE 'done' END, done_at = :now"
            " WHERE id = :run AND done_at IS NULL AND NOT EXISTS (SELECT 1 FROM delivery"
            " WHERE run_id = :run AND state IN ('ready', 'claimed', 'deferred'))"
            " AND planned = (SELECT count(*) FROM delivery WHERE run_id = :run)",
            {"run": run_id, "now": _stamp(now)},
        )
        return cursor.rowcount == 1

    def counts(self, run_id: int) -> dict[str, int]:
        """State -> number of deliveries."""
        rows = self.db.execute("SELECT state, count(*) FROM delivery WHERE run_id = ? GROUP BY state", [run_id])
        return dict(rows.fetchall())

    # --- claim --------------------------------------------------------------------------------

    def claim(self, run: Run, batch: str, size: int, now: datetime) -> Claim:
        """Take up to `size` due deliveries, once more asking of each member whether it may be written to."""
        moment = int(now.timestamp())
        reason = exclusion_sql(run.topic, now)
        recipients: list[Recipient] = []
        skipped: list[tuple[str, int, int]] = []
        for state in (DeliveryState.DEFERRED, DeliveryState.READY):
            rows = self.db.execute(
                "SELECT delivery.id, member.address, member.language, member.attributes,"  # noqa: S608
                f" {tracked_sql()}, {reason.sql}"
                " FROM delivery LEFT JOIN member ON member.id = delivery.member_id"
                " WHERE delivery.run_id = :run AND delivery.state = :state AND delivery.next_at <= :now"
                " ORDER BY delivery.next_at, delivery.id LIMIT :size",
                {
                    **reason.parameters,
                    "run": run.id,
                    "state": state.value,
                    "now": moment,
                    "size": size - len(recipients),
                },
            )
            for delivery, address, language, attributes, tracked, excluded in rows.fetchall():
                if excluded:
                    skipped.append((excluded, moment, delivery))
                else:
                    recipients.append(Recipient(delivery, address, language, attributes, bool(tracked)))
        connection = self.db.conn
        connection.executemany("UPDATE delivery SET state = 'skipped', reason = ?, final_at = ? WHERE id = ?", skipped)
        if recipients:
            connection.executemany(
                "UPDATE delivery SET state = 'claimed', batch = ?, first_at = coalesce(first_at, ?) WHERE id = ?",
                [(batch, moment, recipient.delivery) for recipient in recipients],
            )
            self.db.execute(
                "INSERT INTO batch (id, run_id, claimed_at, size) VALUES (?, ?, ?, ?)",
                [batch, run.id, now.timestamp(), len(recipients)],
            )
        return Claim(tuple(recipients), len(skipped))

    def is_busy(self, run_id: int) -> bool:
        """Does some sender hold a batch of the run."""
        return self.db.execute("SELECT 1 FROM batch WHERE run_id = ? LIMIT 1", [run_id]).fetchone() is not None

    def open_batches(self) -> list[tuple[str, float]]:
        """Batches that are not settled: (id, Unix time of the claim)."""
        return self.db.execute("SELECT id, claimed_at FROM batch ORDER BY claimed_at").fetchall()

    def waiting(self, run_id: int) -> int:
        """Deliveries of the run that no sender holds and that are not final."""
        row = self.db.execute(
            "SELECT count(*) FROM delivery WHERE run_id = ? AND state IN ('ready', 'deferred')", [run_id]
        ).fetchone()
        return int(row[0])

    def claimed(self, batch: str) -> list[int]:
        """Deliveries that the batch holds."""
        rows = self.db.execute("SELECT id FROM delivery WHERE batch = ? AND state = 'claimed'", [batch])
        return [row[0] for row in rows]

    # --- settle -------------------------------------------------------------------------------

    def settle(
        self,
        batch: str,
        receipts: Iterable[Receipt],
        *,
        in_doubt: Mapping[int, str],
        now: datetime,
        give_up_s: float,
    ) -> bool:
        """Take a batch's receipts over; rows without one go back. False when the batch is not open any more.

        `in_doubt` names the deliveries that may have arrived, with the cause.
        """
        row = self.db.execute(
            "SELECT run.doubt, run.state, run.topic FROM batch JOIN run ON run.id = batch.run_id WHERE batch.id = ?",
            [batch],
        ).fetchone()
        if row is None:
            return False
        policy, run_state, topic = row
        cancelled = run_state == "cancelled"
        doubts = dict(in_doubt)
        receipts = tuple(receipts)
        if topic is not None:
            self._count_towards_pace(topic, batch, receipts, now)
        for receipt in receipts:
            if receipt.outcome is Outcome.UNKNOWN:
                doubts.setdefault(receipt.item, receipt.text)
            elif not (cancelled and receipt.outcome is Outcome.DEFERRED):
                self._settle_one(batch, receipt, now, give_up_s)
        for delivery, cause in sorted(doubts.items()):
            self._settle_doubt(batch, delivery, cause, "hold" if cancelled else policy, now)
        self.db.execute(
            "UPDATE delivery SET state = ?, final_at = ?, batch = NULL WHERE batch = ? AND state = 'claimed'",
            ["cancelled", int(now.timestamp()), batch] if cancelled else ["ready", None, batch],
        )
        self.db.execute("DELETE FROM batch WHERE id = ?", [batch])
        return True

    def _count_towards_pace(self, topic: str, batch: str, receipts: Iterable[Receipt], now: datetime) -> None:
        member = Condition(
            "SELECT member_id AS id FROM delivery WHERE id = :delivery AND batch = :batch AND state = 'claimed'"
            " AND member_id IS NOT NULL",
            {"batch": batch},
        )
        accepted = ({"delivery": each.item} for each in receipts if each.outcome is Outcome.ACCEPTED)
        Choices(self.db).note_sent(topic, member, accepted, now)

    def _settle_one(self, batch: str, receipt: Receipt, now: datetime, give_up_s: float) -> None:
        moment = int(now.timestamp())
        reply = f"{receipt.code} {receipt.text}".strip() if receipt.code else receipt.text
        mine = "WHERE id = :id AND batch = :batch AND state = 'claimed'"
        values = {"id": receipt.item, "batch": batch, "now": moment, "reply": reply[:500]}
        match receipt.outcome:
            case Outcome.ACCEPTED:
                change = "state = 'sent', final_at = :now"
            case Outcome.REJECTED:
                change = "state = 'failed', final_at = :now, reason = :reply"
            case _:
                row = self.db.execute(
                    "SELECT attempts, first_at FROM delivery WHERE id = :id AND batch = :batch",
                    {"id": receipt.item, "batch": batch},
                ).fetchone()
                if row is None:
                    return
                attempts = row[0] + 1
                if is_given_up(attempts, since_first_s=moment - (row[1] or moment), give_up_s=give_up_s):
                    values["reply"] = f"given up: {reply}"[:500]
                    change = "state = 'failed', final_at = :now, reason = :reply"
                else:
                    wait = wait_s(attempts, item=receipt.item, reached=bool(receipt.code))
                    change = "state = 'deferred', next_at = :now + :wait, reason = :reply"
                    values["wait"] = wait
        self.db.execute(
            f"UPDATE delivery SET {change}, attempts = attempts + 1, batch = NULL, reply = :reply {mine}",  # noqa: S608
            values,
        )

    def _settle_doubt(self, batch: str, delivery: int, cause: str, policy: str, now: datetime) -> None:
        row = self.db.execute(
            "SELECT attempts, (SELECT count(*) FROM doubt WHERE delivery_id = delivery.id) FROM delivery"
            " WHERE id = ? AND batch = ? AND state = 'claimed'",
            [delivery, batch],
        ).fetchone()
        if row is None:
            return
        attempts, doubts = row[0] + 1, row[1] + 1
        moment = int(now.timestamp())
        resend = policy == "resend" and doubts < MOST_DOUBTS
        if resend:
            wait = wait_s(attempts, item=delivery, reached=False)
            change, when, resolution = "state = 'ready', next_at = ?", moment + wait, "resent"
        else:
            change, when, resolution = "state = 'uncertain', final_at = ?", moment, "held"
        self.db.execute(
            f"UPDATE delivery SET {change}, reason = ?, attempts = ?, batch = NULL WHERE id = ?",  # noqa: S608
            [when, cause, attempts, delivery],
        )
        self.db.execute(
            "INSERT INTO doubt (delivery_id, batch, at, cause, resolution) VALUES (?, ?, ?, ?, ?)",
            [delivery, batch, _stamp(now), cause, resolution],
        )

    # --- telling ------------------------------------------------------------------------------

    def doubts(self, run_id: int) -> list[Doubt]:
        """Every case in doubt of a run, oldest first."""
        rows = self.db.execute(
            "SELECT doubt.delivery_id, member.address, doubt.at, doubt.cause, doubt.resolution FROM doubt"
            " JOIN delivery ON delivery.id = doubt.delivery_id LEFT JOIN member ON member.id = delivery.member_id"
            " WHERE delivery.run_id = ? ORDER BY doubt.id",
            [run_id],
        )
        return [Doubt(*row) for row in rows]

    def reasons(self, run_id: int, state: str) -> dict[str, int]:
        """Why deliveries are in this state -> how many."""
        rows = self.db.execute(
            "SELECT coalesce(reason, ''), count(*) FROM delivery WHERE run_id = ? AND state = ? GROUP BY 1"
            " ORDER BY 2 DESC, 1",
            [run_id, state],
        )
        return dict(rows.fetchall())

    def reached(self, campaign: str, channel: str) -> list[str]:
        """Addresses that have the message of a run, or may have it."""
        rows = self.db.execute(
            "SELECT member.address FROM delivery JOIN run ON run.id = delivery.run_id"
            " JOIN member ON member.id = delivery.member_id"
            " WHERE run.campaign = ? AND run.channel = ? AND delivery.state IN ('sent', 'uncertain')",
            [campaign, channel],
        )
        return [row[0] for row in rows]

    def settle_as_sent(self, run_id: int, addresses: Sequence[str], now: datetime) -> int:
        """Take over from a newer copy of this ledger that these addresses have the message. Returns how many."""
        before = self.db.conn.total_changes
        self.db.conn.executemany(
            "UPDATE delivery SET state = 'sent', final_at = ?, batch = NULL, reason = NULL WHERE run_id = ?"
            " AND state IN ('ready', 'claimed', 'deferred')"
            " AND member_id = (SELECT id FROM member WHERE address = ?)",
            [(int(now.timestamp()), run_id, address) for address in addresses],
        )
        return int(self.db.conn.total_changes - before)

    def hold_claimed(self, cause: str, now: datetime) -> int:
        """Close every open batch, its deliveries in doubt and held: a person decides. Returns how many."""
        self.db.execute(
            "INSERT INTO doubt (delivery_id, batch, at, cause, resolution)"
            " SELECT id, batch, ?, ?, 'held' FROM delivery WHERE state = 'claimed'",
            [_stamp(now), cause],
        )
        cursor = self.db.execute(
            "UPDATE delivery SET state = 'uncertain', final_at = ?, reason = ?, batch = NULL WHERE state = 'claimed'",
            [int(now.timestamp()), cause],
        )
        self.db.execute("DELETE FROM batch")
        return cursor.rowcount

    def of_member(self, member_id: int) -> list[dict[str, Any]]:
        """What was sent, or is to be sent, to a member."""
        rows = self.db.execute(
            "SELECT delivery.id, run.campaign, delivery.state, delivery.final_at, delivery.reply"
            " FROM delivery JOIN run ON run.id = delivery.run_id WHERE delivery.member_id = ? ORDER BY delivery.id",
            [member_id],
        )
        names = ("id", "campaign", "state", "final_at", "reply")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def forget(self, member_id: int, now: datetime) -> int:
        """Let a member's deliveries count for nobody. What waits is skipped; what servers said of the address goes."""
        self.db.execute(
            "UPDATE delivery SET state = 'skipped', final_at = ?"
            " WHERE member_id = ? AND state IN ('ready', 'deferred')",
            [int(now.timestamp()), member_id],
        )
        cursor = self.db.execute(
            "UPDATE delivery SET member_id = NULL, reply = NULL, reason = 'erased' WHERE member_id = ?", [member_id]
        )
        return cursor.rowcount

    def recipient(self, delivery: int) -> tuple[int, int | None] | None:
        """(run, member) of a delivery; the member is None once it was erased."""
        row: tuple[int, int | None] | None = self.db.execute(
            "SELECT run_id, member_id FROM delivery WHERE id = ?", [delivery]
        ).fetchone()
        return row

    def _run(self, where: str, values: Sequence[object]) -> Run | None:
        row = self.db.execute(f"SELECT {_RUN} FROM run WHERE {where}", list(values)).fetchone()  # noqa: S608
        return _as_run(row) if row else None


def _as_run(row: Sequence[object]) -> Run:
    values: dict[str, Any] = dict(zip(_RUN.split(", "), row, strict=True))
    values["excluded"] = json.loads(values["excluded"])
    return Run(**values)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
