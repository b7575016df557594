"""All SQL by which a ledger that was restored from a backup learns what went out since. It reads no journal.

`before` is the database as it stood; it may be damaged. What can not be read of it is taken to have gone out, perhaps,
and held: a restored backup never sends twice by guess. Writing expects to run inside `db.atomic()`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


_RUN = "campaign, channel, topic, digest, doubt, planned, excluded, frozen_at, done_at, sections, replies_cleared_to"
_DELIVERY = "state, next_at, attempts, first_at, final_at, reason, reply"
_DELIVERIES = (
    f"SELECT delivery.id, member.address, {_DELIVERY} FROM delivery LEFT JOIN member ON member.id = member_id"  # noqa: S608
    " WHERE run_id = ? ORDER BY delivery.id"
)


@dataclass(frozen=True, slots=True)
class RunTaker:
    """Takes over whole runs that were frozen after the backup was made: who is in one is not asked for again.

    `member_of` gives the number of the member with an address, who is made known if nobody has it. Deliveries keep
    their numbers, so that links in mails which are out go on working; `unread` is the cause where it is not known any
    more what became of one.
    """

    db: Database
    before: Database
    member_of: Callable[[str], int]
    now: datetime
    unread: str

    def take(self) -> Carried:
        """All runs that are not here. What can not be read of one to its end goes to nobody any more."""
        sent, held = 0, 0
        rows = self.before.execute(f"SELECT id, state, {_RUN} FROM run ORDER BY id").fetchall()  # noqa: S608
        for number, state, *values in rows:
            query = "SELECT 1 FROM run WHERE campaign = ? AND channel = ?"
            if self.db.execute(query, values[:2]).fetchone() is None:
                taken = self._take_run(number, state, values)
                sent, held = sent + taken.sent, held + taken.held
        return Carried(sent, held)

    def _take_run(self, number: int, state: str, values: Sequence[Any]) -> Carried:
        run = self._insert("run", f"state, {_RUN}", number, [state, *values])
        found: list[str] = []
        try:
            for delivery, address, *rest in self.before.execute(_DELIVERIES, [number]):
                found.append(self._take_delivery(run, delivery, address, rest))
        except DATABASE_ERRORS:
            self._end(run)
        return Carried(found.count("sent"), found.count("uncertain"))

    def _end(self, run: int) -> None:
        self.db.execute(
            "UPDATE delivery SET state = 'cancelled', final_at = ? WHERE run_id = ? AND state IN ('ready', 'deferred')",
            [int(self.now.timestamp()), run],
        )
        self.db.execute(
            "UPDATE run SET state = 'cancelled', planned = (SELECT count(*) FROM delivery WHERE run_id = run.id)"
            " WHERE id = ?",
            [run],
        )

    def _take_delivery(self, run: int, number: int, address: str | None, values: Sequence[Any]) -> str:
        state, member = str(values[0]), self.member_of(address) if address else None
        doubts = self.before.execute(
            "SELECT batch, at, cause, resolution FROM doubt WHERE delivery_id = ? ORDER BY id", [number]
        ).fetchall()
        if state == "claimed":  # what its sender wrote down could not be read
            state, doubts = "uncertain", [*doubts, ("", stamp(self.now), self.unread, "held")]
            values = [state, *values[1:4], int(self.now.timestamp()), self.unread, values[6]]
        delivery = self._insert("delivery", f"run_id, member_id, {_DELIVERY}", number, [run, member, *values])
        for doubt in doubts:
            self.db.execute(_DOUBT, [delivery, *doubt])
        return state

    def _insert(self, table: str, names: str, number: int, values: Sequence[Any]) -> int:
        """Under the number that it had, unless another row has that here."""
        taken = self.db.execute(f"SELECT 1 FROM {table} WHERE id = ?", [number]).fetchone()  # noqa: S608
        marks = ", ".join("?" * len(values))
        cursor = self.db.execute(
            f"INSERT INTO {table} (id, {names}) VALUES (?, {marks})",  # noqa: S608
            [None if taken else number, *values],
        )
        return int(cursor.lastrowid or 0)
