"""The SQL of the ledger: runs, and where each of their deliveries stands.

    ready --claim--> claimed --settle--> sent | failed | deferred | ready (again) | uncertain
    ready, deferred --claim, member may no longer be written to--> skipped
    ready, deferred --cancel--> cancelled
    uncertain --a person decides--> sent | ready (again)

Claims are in `claiming.py`, settling in `settling.py`, decisions in `deciding.py`; what a restored backup learns of
deliveries that went out since is in `carrying.py`.

A claim's batch id is never used twice: a settle that names it changes nothing once the rows were given to
another batch. Writing methods expect to run inside `db.atomic()`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiences.consent import Exclusion
from audiences.mailable import exclusion_sql
from audiences.segments import Condition
from audiences.times import stamp
from comms.db import Database
from comms.delivery.batches import Receipt
from comms.delivery.cap import Cap, Hindrance
from comms.delivery.claiming import Claim, Claiming, Wait
from comms.delivery.retry import LONGEST_S
from comms.delivery.runs import RUN_COLUMNS, Run, as_run
from comms.delivery.sections import WHOLE, Sections
from comms.delivery.settling import Settlement
from comms.events import DeliveryState


@dataclass(frozen=True, slots=True)
class Doubt:
    """A case in which nobody can know whether a message arrived."""

    delivery: int
    address: str | None
    at: str
    cause: str
    resolution: str


class Ledger:
    """The deliveries of one association."""

    def __init__(self, db: Database) -> None:
        self.db = db

    # --- runs ---------------------------------------------------------------------------------

    def run(self, campaign: str, channel: str) -> Run | None:
        return self._run("campaign = ? AND channel = ?", [campaign, channel])

    def runs(self, campaign: str) -> list[Run]:
        """Of every channel, in the order in which they were frozen."""
        rows = self.db.execute(f"SELECT {RUN_COLUMNS} FROM run WHERE campaign = ? ORDER BY id", [campaign])  # noqa: S608
        return [as_run(row) for row in rows]

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
        cap: Cap | None = None,
        sections: Sections = WHOLE,
    ) -> Run:
        """Write the run and the list of who gets it, in one go.

        `due` gives the earliest time per time zone of a member; its key None is for all others.
        """
        cursor = self.db.execute(
            "INSERT INTO run (campaign, channel, topic, digest, state, doubt, planned, excluded, frozen_at, sections)"
            " VALUES (?, ?, ?, ?, 'sending', ?, 0, ?, ?, ?)",
            [campaign, channel, topic, digest, doubt, json.dumps(dict(excluded)), stamp(now), sections.to_text()],
        )
        run_id = cursor.lastrowid
        reason = exclusion_sql(topic, now, sections.reason(now, cap.reason(now) if cap else None))
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
            {"run": run_id, "now": stamp(now)},
        )
        if cursor.rowcount == 1:
            # The moment at which it was seen would tell who wants nothing relayed from whom another association has.
            self.db.execute(
                "UPDATE delivery SET next_at = 0, final_at = ?, attempts = 0, first_at = NULL, reply = NULL"
                " WHERE run_id = ? AND state = 'skipped' AND reason = ?",
                [int(now.timestamp()), run_id, Exclusion.NOT_RELAYED],
            )
        return cursor.rowcount == 1

    def counts(self, run_id: int) -> dict[str, int]:
        """State -> number of deliveries."""
        rows = self.db.execute("SELECT state, count(*) FROM delivery WHERE run_id = ? GROUP BY state", [run_id])
        return dict(rows.fetchall())

    def open_campaigns(self) -> list[str]:
        """Campaigns of which some run is not done."""
        return [name for (name,) in self.db.execute("SELECT DISTINCT campaign FROM run WHERE done_at IS NULL")]

    # --- claim --------------------------------------------------------------------------------

    def claim(
        self, run: Run, batch: str, size: int, now: datetime, wait: Wait | None = None, cap: Hindrance | None = None
    ) -> Claim:
        """Take up to `size` due deliveries, once more asking of each member whether it may be written to."""
        return Claiming(self.db, run, batch, now).take(size, wait, cap)

    # --- pacing -------------------------------------------------------------------------------

    def count_day(self, day: str, messages: int) -> None:
        """Count messages that go out on a day (ISO 8601)."""
        self.db.execute(
            "INSERT INTO sent_day (day, messages) VALUES (?, ?)"
            " ON CONFLICT (day) DO UPDATE SET messages = messages + excluded.messages",
            [day, messages],
        )

    def day(self, day: str) -> tuple[int, int]:
        """(messages counted on a day, days before it on which any were counted)."""
        row = self.db.execute(
            "SELECT coalesce(sum(messages) FILTER (WHERE day = :day), 0), count(*) FILTER (WHERE day < :day)"
            " FROM sent_day",
            {"day": day},
        ).fetchone()
        return int(row[0]), int(row[1])

    def addresses(self, deliveries: Sequence[int]) -> dict[int, str]:
        """The addresses that deliveries went to, of members that are still here."""
        marks = ",".join("?" * len(deliveries))
        rows = self.db.execute(
            "SELECT delivery.id, member.address FROM delivery JOIN member ON member.id = delivery.member_id"  # noqa: S608
            f" WHERE delivery.id IN ({marks}) AND member.address IS NOT NULL",
            list(deliveries),
        )
        return dict(rows.fetchall())

    # --- batches ------------------------------------------------------------------------------

    def is_busy(self, run_id: int) -> bool:
        """Does some sender hold a batch of the run."""
        return self.db.execute("SELECT 1 FROM batch WHERE run_id = ? LIMIT 1", [run_id]).fetchone() is not None

    def open_batches(self) -> list[tuple[str, float]]:
        """Batches that are not settled: (id, Unix time of the claim)."""
        return self.db.execute("SELECT id, claimed_at FROM batch ORDER BY claimed_at").fetchall()

    def open_batch(self, batch: str) -> tuple[int, float] | None:
        """(run, Unix time of the claim); None when the batch is settled, or not of this ledger."""
        row = self.db.execute("SELECT run_id, claimed_at FROM batch WHERE id = ?", [batch]).fetchone()
        return (int(row[0]), float(row[1])) if row else None

    def due(self, run_id: int, now: datetime, most: int) -> int:
        """How many deliveries of the run could be claimed now, counted up to `most`."""
        row = self.db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM delivery WHERE run_id = ? AND state IN ('ready', 'deferred')"
            " AND next_at <= ? LIMIT ?)",
            [run_id, int(now.timestamp()), most],
        ).fetchone()
        return int(row[0])

    def bring_forward(self, now: datetime) -> int:
        """Make due what was tried and waits for longer than we ever wait: the clock was wrong then. Returns how many.

        What was never tried keeps its time, which a person chose.
        """
        moment = int(now.timestamp())
        cursor = self.db.execute(
            "UPDATE delivery SET next_at = ? WHERE state IN ('ready', 'deferred') AND attempts > 0 AND next_at > ?"
            " AND run_id IN (SELECT id FROM run WHERE state = 'sending')",
            [moment, moment + LONGEST_S],
        )
        return int(cursor.rowcount)

    def is_open(self, run_id: int) -> bool:
        """Is there a delivery of the run that is not final."""
        row = self.db.execute(
            "SELECT 1 FROM delivery WHERE run_id = ? AND state IN ('ready', 'claimed', 'deferred') LIMIT 1", [run_id]
        ).fetchone()
        return row is not None

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
        return Settlement(self.db, batch, now, give_up_s).take(tuple(receipts), in_doubt)

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

    def domains(
        self, run_id: int, least: int, most: int
    ) -> list[tuple[str, int, int, int, int, int, int | None, str | None]]:
        """The domains with the most deliveries of a run, of those with `least` or more.

        (domain, deliveries, sent, ready or claimed, put off, failed, Unix time of the next try of those put off, why
        some are), at most `most` of them.
        """
        rows = self.db.execute(
            "SELECT lower(substr(member.address, instr(member.address, '@') + 1)), count(*),"
            " sum(delivery.state = 'sent'), sum(delivery.state IN ('ready', 'claimed')),"
            " sum(delivery.state = 'deferred'), sum(delivery.state = 'failed'),"
            " min(delivery.next_at) FILTER (WHERE delivery.state = 'deferred'),"
            " max(delivery.reason) FILTER (WHERE delivery.state = 'deferred')"
            " FROM delivery JOIN member ON member.id = delivery.member_id WHERE delivery.run_id = ?"
            " AND member.address IS NOT NULL GROUP BY 1 HAVING count(*) >= ? ORDER BY 2 DESC, 1 LIMIT ?",
            [run_id, least, most],
        )
        return rows.fetchall()

    def reasons(self, run_id: int, state: str) -> dict[str, int]:
        """Why deliveries are in this state -> how many."""
        rows = self.db.execute(
            "SELECT coalesce(reason, ''), count(*) FROM delivery WHERE run_id = ? AND state = ? GROUP BY 1"
            " ORDER BY 2 DESC, 1",
            [run_id, state],
        )
        return dict(rows.fetchall())

    def hold_claimed(self, cause: str, now: datetime) -> int:
        """Close every open batch, its deliveries in doubt and held: a person decides. Returns how many."""
        self.db.execute(
            "INSERT INTO doubt (delivery_id, batch, at, cause, resolution)"
            " SELECT id, batch, ?, ?, 'held' FROM delivery WHERE state = 'claimed'",
            [stamp(now), cause],
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
        """Let a member's deliveries count for nobody. What waits is skipped; what servers said of the address goes.

        Of those left out of what is relayed it stays written that they were, or each erasure would tell of the others.
        """
        self.db.execute(
            "UPDATE delivery SET state = 'skipped', final_at = ?"
            " WHERE member_id = ? AND state IN ('ready', 'deferred')",
            [int(now.timestamp()), member_id],
        )
        cursor = self.db.execute(
            "UPDATE delivery SET member_id = NULL, reply = NULL,"
            " reason = CASE WHEN state = 'skipped' AND reason = :kept THEN reason ELSE 'erased' END"
            " WHERE member_id = :member",
            {"kept": Exclusion.NOT_RELAYED, "member": member_id},
        )
        return cursor.rowcount

    def state_of(self, delivery: int) -> DeliveryState | None:
        """Where one delivery stands; None when there is none of this number. What goes out again counts as deferred,
        even if it is because nobody knows whether it arrived."""
        row = self.db.execute(
            "SELECT CASE WHEN state = 'ready' AND attempts > 0 THEN 'deferred' ELSE state END FROM delivery"
            " WHERE id = ?",
            [delivery],
        ).fetchone()
        return DeliveryState(row[0]) if row else None

    def recipients(
        self, runs: Sequence[int], state: DeliveryState | None = None, *, reason: str | None = None
    ) -> Iterator[tuple[bytes, int]]:
        """(keyed hash of the address, delivery) of everybody in these runs who is still here; of those in a `state`,
        or in it for a `reason`, if they are given."""
        marks = ",".join("?" * len(runs))
        rows = self.db.execute(
            "SELECT member.address_hash, delivery.id FROM delivery JOIN member ON member.id = delivery.member_id"  # noqa: S608
            f" WHERE delivery.run_id IN ({marks}) AND member.address_hash IS NOT NULL"
            " AND delivery.state = coalesce(?, delivery.state) AND (? IS NULL OR delivery.reason = ?)",
            [*runs, state, reason, reason],
        )
        for digest, delivery in rows:
            yield bytes(digest), delivery

    def recipient(self, delivery: int) -> tuple[int, int | None] | None:
        """(run, member) of a delivery; the member is None once it was erased."""
        row: tuple[int, int | None] | None = self.db.execute(
            "SELECT run_id, member_id FROM delivery WHERE id = ?", [delivery]
        ).fetchone()
        return row

    def _run(self, where: str, values: Sequence[object]) -> Run | None:
        row = self.db.execute(f"SELECT {RUN_COLUMNS} FROM run WHERE {where}", list(values)).fetchone()  # noqa: S608
        return as_run(row) if row else None
