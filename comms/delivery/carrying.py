"""All SQL by which a ledger that was restored from a backup learns what went out since. It reads no journal.

`before` is the database as it stood; it may be damaged. What can not be read of it is taken to have gone out, perhaps,
and held: a restored backup never sends twice by guess. Writing expects to run inside `db.atomic()`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiences.times import stamp
from comms.db import DATABASE_ERRORS, Database
from comms.delivery.runs import Run

_OPEN = "('ready', 'claimed', 'deferred')"
_BEFORE = (
    "SELECT delivery.id, delivery.state FROM run JOIN delivery ON delivery.run_id = run.id"
    " JOIN member ON member.id = delivery.member_id"
    " WHERE run.campaign = ? AND run.channel = ? AND member.address = ?"
)
_DOUBT = "INSERT INTO doubt (delivery_id, batch, at, cause, resolution) VALUES (?, ?, ?, ?, ?)"
_Doubt = tuple[str, str, str, str]
"""batch, at, cause, resolution"""


@dataclass(frozen=True, slots=True)
class Carried:
    """How many deliveries of a run the restored ledger learned something of."""

    sent: int
    held: int
    """Those that nobody can know of any more."""


@dataclass(frozen=True, slots=True)
class RunCarrier:
    """Brings one run up to date. `unread` is the cause to give where `before` can not be read."""

    db: Database
    run: Run
    now: datetime
    unread: str

    def carry(self, before: Database | None) -> Carried:
        """Take over what `before` knows of the deliveries that are open here; None: nothing of it can be read.

        A ledger that does not know this very run, as one that was itself restored from an older backup, counts as None.
        """
        if not self._is_known(before):
            before = None
        rows = self.db.execute(
            "SELECT delivery.id, member.address, delivery.state FROM delivery JOIN member ON member.id = member_id"  # noqa: S608
            f" WHERE run_id = ? AND state IN {_OPEN}",
            [self.run.id],
        ).fetchall()
        states = [self._carry_one(before, *row) for row in rows]
        return Carried(states.count("sent"), states.count("uncertain"))

    def _is_known(self, before: Database | None) -> bool:
        query = "SELECT digest, frozen_at FROM run WHERE campaign = ? AND channel = ?"
        key = [self.run.campaign, self.run.channel]
        try:
            return (
                before is not None and before.execute(query, key).fetchone() == self.db.execute(query, key).fetchone()
            )
        except DATABASE_ERRORS:
            return False

    def _carry_one(self, before: Database | None, delivery: int, address: str, state: str) -> str:
        """The state that the delivery has now; empty when nothing was learned."""
        try:
            known = self._look_up(before, address)
        except DATABASE_ERRORS:
            known = None
        if known is None:
            return self._hold(delivery, self.unread)
        earlier, doubts = known
        self._take_doubts(delivery, doubts)
        if earlier == "sent":
            return self._change(delivery, "sent", None)
        if earlier == "uncertain":
            return self._change(delivery, "uncertain", doubts[-1][2] if doubts else self.unread)
        if earlier == "claimed":  # its journal could not be read either
            return self._hold(delivery, self.unread)
        if earlier in ("ready", "deferred") and state == "claimed":
            self.db.execute("UPDATE delivery SET state = 'ready', batch = NULL WHERE id = ?", [delivery])
        return ""

    def _look_up(self, before: Database | None, address: str) -> tuple[str, Sequence[_Doubt]] | None:
        """(state, cases in doubt) of a delivery as it stood; an empty state when there was none."""
        if before is None:
            return None
        found = before.execute(_BEFORE, [self.run.campaign, self.run.channel, address]).fetchone()
        if found is None:
            return "", ()
        doubts = before.execute(
            "SELECT batch, at, cause, resolution FROM doubt WHERE delivery_id = ? ORDER BY id", [found[0]]
        ).fetchall()
        return found[1], doubts

    def _take_doubts(self, delivery: int, doubts: Sequence[_Doubt]) -> None:
        known = {row[0] for row in self.db.execute("SELECT batch FROM doubt WHERE delivery_id = ?", [delivery])}
        for doubt in doubts:
            if doubt[0] not in known:
                self.db.execute(_DOUBT, [delivery, *doubt])

    def _hold(self, delivery: int, cause: str) -> str:
        self.db.execute(_DOUBT, [delivery, "", stamp(self.now), cause, "held"])
        return self._change(delivery, "uncertain", cause)

    def _change(self, delivery: int, state: str, reason: str | None) -> str:
        values: list[Any] = [state, int(self.now.timestamp()), reason, delivery]
        self.db.execute("UPDATE delivery SET state = ?, final_at = ?, reason = ?, batch = NULL WHERE id = ?", values)
        return state
