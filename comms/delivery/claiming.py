"""All SQL that gives a batch its deliveries, asking of each member once more whether they may be written to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from audiences.mailable import exclusion_sql, tracked_sql
from audiences.segments import Condition
from comms.db import Database
from comms.delivery.batches import Recipient
from comms.delivery.cap import Hindrance
from comms.delivery.runs import Run
from comms.events import DeliveryState


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows taken for one batch, and how many were skipped on the way."""

    recipients: tuple[Recipient, ...]
    skipped: int
    waiting: int = 0
    """Put off, because their domain has to wait."""


Wait = Callable[[str], datetime | None]
"""Until when mail to an address has to wait; None: it may go now, and is taken to go."""


@dataclass(frozen=True, slots=True)
class Claiming:
    """How one batch of a run is filled. Its method expects to run inside `db.atomic()`."""

    db: Database
    run: Run
    batch: str
    now: datetime

    def take(self, size: int, wait: Wait | None, hindrance: Hindrance | None) -> Claim:
        """Take up to `size` due deliveries, those that were put off before the others."""
        due = self._due(hindrance)
        recipients: list[Recipient] = []
        skipped: list[tuple[str, int, int]] = []
        waiting: list[tuple[int, int]] = []
        for state in (DeliveryState.DEFERRED, DeliveryState.READY):
            rows = self.db.execute(due.sql, {**due.parameters, "state": state.value, "size": size - len(recipients)})
            for delivery, address, language, attributes, tracked, excluded, sections in rows.fetchall():
                if excluded:
                    skipped.append((excluded, self._moment, delivery))
                elif wait and (until := wait(address)):
                    waiting.append((math.ceil(until.timestamp()), delivery))
                else:
                    recipients.append(Recipient(delivery, address, language, attributes, bool(tracked), sections))
        connection = self.db.conn
        connection.executemany("UPDATE delivery SET state = 'skipped', reason = ?, final_at = ? WHERE id = ?", skipped)
        connection.executemany("UPDATE delivery SET next_at = ? WHERE id = ?", waiting)
        if recipients:
            self._write(recipients)
        return Claim(tuple(recipients), len(skipped), len(waiting))

    def _due(self, hindrance: Hindrance | None) -> Condition:
        """The query for what is due, which wants `:state` and `:size` beside its parameters."""
        further = self.run.sections.reason(self.now, hindrance.reason(self.now) if hindrance else None)
        reason = exclusion_sql(self.run.topic, self.now, further)
        flags = self.run.sections.flags(self.now)
        return Condition(
            "SELECT delivery.id, member.address, member.language, member.attributes,"  # noqa: S608 - compiled, values bound
            f" {tracked_sql()}, {reason.sql}, {flags.sql}"
            " FROM delivery LEFT JOIN member ON member.id = delivery.member_id"
            " WHERE delivery.run_id = :run AND delivery.state = :state AND delivery.next_at <= :now"
            " ORDER BY delivery.next_at, delivery.id LIMIT :size",
            {**reason.parameters, **flags.parameters, "run": self.run.id, "now": self._moment},
        )

    def _write(self, recipients: Sequence[Recipient]) -> None:
        self.db.conn.executemany(
            "UPDATE delivery SET state = 'claimed', batch = ?, first_at = coalesce(first_at, ?) WHERE id = ?",
            [(self.batch, self._moment, recipient.delivery) for recipient in recipients],
        )
        self.db.execute(
            "INSERT INTO batch (id, run_id, claimed_at, size) VALUES (?, ?, ?, ?)",
            [self.batch, self.run.id, self.now.timestamp(), len(recipients)],
        )

    @property
    def _moment(self) -> int:
        return int(self.now.timestamp())
