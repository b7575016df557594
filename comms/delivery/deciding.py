"""All SQL of what a person decides about deliveries that nobody can know of. Writing expects `db.atomic()`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from comms.db import Database


@dataclass(frozen=True, slots=True)
class Held:
    """One delivery that may have arrived, and waits for a person's word."""

    delivery: int
    address: str | None
    """None once the member was erased."""
    since: int
    """Unix time."""
    cause: str


def held(db: Database, run_id: int) -> list[Held]:
    """The uncertain deliveries of a run, oldest first."""
    rows = db.execute(
        "SELECT delivery.id, member.address, delivery.final_at, coalesce(delivery.reason, '') FROM delivery"
        " LEFT JOIN member ON member.id = delivery.member_id"
        " WHERE delivery.run_id = ? AND delivery.state = 'uncertain' ORDER BY delivery.final_at, delivery.id",
        [run_id],
    )
    return [Held(*row) for row in rows]


def count_as_sent(db: Database, deliveries: Sequence[int], now: datetime) -> None:
    """They arrived."""
    _decide(db, deliveries, "arrived")
    db.conn.executemany(
        "UPDATE delivery SET state = 'sent', final_at = ?, reason = NULL WHERE id = ? AND state = 'uncertain'",
        [(int(now.timestamp()), delivery) for delivery in deliveries],
    )


def send_again(db: Database, run_id: int, deliveries: Sequence[int], now: datetime) -> None:
    """They did not: they are due, and the run goes on."""
    _decide(db, deliveries, "resent")
    db.conn.executemany(
        "UPDATE delivery SET state = 'ready', final_at = NULL, reason = NULL, next_at = ?"
        " WHERE id = ? AND state = 'uncertain'",
        [(int(now.timestamp()), delivery) for delivery in deliveries],
    )
    db.execute("UPDATE run SET state = 'sending', done_at = NULL WHERE id = ? AND state = 'done'", [run_id])


def _decide(db: Database, deliveries: Sequence[int], resolution: str) -> None:
    db.conn.executemany(
        "UPDATE doubt SET resolution = ? WHERE delivery_id = ? AND resolution = 'held'",
        [(resolution, delivery) for delivery in deliveries],
    )
