"""All SQL that takes over what became of a batch: receipts and doubts, into the rows it holds. It claims nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from audiences.choices import Choices
from audiences.segments import Condition
from audiences.store import EVERYONE
from audiences.times import stamp
from comms.db import Database
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.retry import MOST_DOUBTS, is_given_up, wait_s
from comms.delivery.sections import Sections

LONGEST_REPLY = 500
_MINE = "WHERE id = ? AND batch = ? AND state = 'claimed'"
_TRIED = "attempts = attempts + 1, batch = NULL, reply = ?"
# `next_at` goes, for it would tell who had waited to be reached by another association.
_SENT = f"UPDATE delivery SET state = 'sent', final_at = ?, next_at = 0, {_TRIED} {_MINE}"  # noqa: S608 - constants
_FAILED = f"UPDATE delivery SET state = 'failed', final_at = ?, reason = ?, {_TRIED} {_MINE}"  # noqa: S608
_DEFERRED = f"UPDATE delivery SET state = 'deferred', next_at = ?, reason = ?, {_TRIED} {_MINE}"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Settlement:
    """How one batch is settled. Its method expects to run inside `db.atomic()`."""

    db: Database
    batch: str
    now: datetime
    give_up_s: float

    def take(self, receipts: Sequence[Receipt], in_doubt: Mapping[int, str]) -> bool:
        """Take a batch's receipts over; rows without one go back. False when the batch is not open any more.

        `in_doubt` names the deliveries that may have arrived, with the cause.
        """
        row = self.db.execute(
            "SELECT run.doubt, run.state, run.topic, run.sections FROM batch JOIN run ON run.id = batch.run_id"
            " WHERE batch.id = ?",
            [self.batch],
        ).fetchone()
        if row is None:
            return False
        policy, run_state, topic, sections = row
        cancelled = run_state == "cancelled"
        by_outcome: dict[Outcome, list[Receipt]] = {outcome: [] for outcome in Outcome}
        for receipt in receipts:
            by_outcome[receipt.outcome].append(receipt)
        whole = Sections.from_text(sections)
        for each in whole.topics:
            self._count_towards_pace(each, by_outcome[Outcome.ACCEPTED], whole.sees(each, self.now))
        if topic is not None:
            self._count_towards_pace(topic, by_outcome[Outcome.ACCEPTED])
        self._close(by_outcome[Outcome.ACCEPTED], by_outcome[Outcome.REJECTED])
        if not cancelled:
            self._defer(by_outcome[Outcome.DEFERRED])
        doubts = {each.item: each.text for each in by_outcome[Outcome.UNKNOWN]} | dict(in_doubt)
        for delivery, cause in sorted(doubts.items()):
            self._hold_or_resend(delivery, cause, "hold" if cancelled else policy)
        self.db.execute(
            "UPDATE delivery SET state = ?, final_at = ?, batch = NULL WHERE batch = ? AND state = 'claimed'",
            ["cancelled", self._moment, self.batch] if cancelled else ["ready", None, self.batch],
        )
        self.db.execute("DELETE FROM batch WHERE id = ?", [self.batch])
        return True

    @property
    def _moment(self) -> int:
        return int(self.now.timestamp())

    def _count_towards_pace(self, topic: str, accepted: Iterable[Receipt], among: Condition = EVERYONE) -> None:
        """For those of the members for whom `among` holds."""
        member = Condition(
            "SELECT member.id AS id FROM delivery JOIN member ON member.id = delivery.member_id"  # noqa: S608 - values bound
            f" WHERE delivery.id = :delivery AND batch = :batch AND state = 'claimed' AND {among.sql}",
            {**among.parameters, "batch": self.batch},
        )
        Choices(self.db).note_sent(topic, member, ({"delivery": each.item} for each in accepted), self.now)

    def _close(self, accepted: Iterable[Receipt], rejected: Iterable[Receipt]) -> None:
        moment = self._moment
        self._change(_SENT, ((moment, _reply(each), each.item, self.batch) for each in accepted))
        replies = ((each.item, _reply(each)) for each in rejected)
        self._change(_FAILED, ((moment, reply, reply, item, self.batch) for item, reply in replies))

    def _defer(self, receipts: Sequence[Receipt]) -> None:
        """Give each its next time; what was tried for long enough has failed."""
        if not receipts:
            return
        moment = self._moment
        rows = self.db.execute(
            "SELECT id, attempts + 1, coalesce(first_at, ?) FROM delivery WHERE batch = ? AND state = 'claimed'",
            [moment, self.batch],
        )
        tries = {item: (attempts, first_at) for item, attempts, first_at in rows}
        failed, deferred = [], []
        for receipt in receipts:
            if receipt.item not in tries:
                continue
            attempts, first_at = tries[receipt.item]
            reply = _reply(receipt)
            if is_given_up(attempts, since_first_s=moment - first_at, give_up_s=self.give_up_s):
                reply = f"given up: {reply}"[:LONGEST_REPLY]
                failed.append((moment, reply, reply, receipt.item, self.batch))
            else:
                next_at = moment + wait_s(attempts, item=receipt.item, reached=bool(receipt.code))
                deferred.append((next_at, reply, reply, receipt.item, self.batch))
        self._change(_FAILED, failed)
        self._change(_DEFERRED, deferred)

    def _hold_or_resend(self, delivery: int, cause: str, policy: str) -> None:
        row = self.db.execute(
            "SELECT attempts, (SELECT count(*) FROM doubt WHERE delivery_id = delivery.id) FROM delivery"  # noqa: S608
            f" {_MINE}",
            [delivery, self.batch],
        ).fetchone()
        if row is None:
            return
        attempts, doubts = row[0] + 1, row[1] + 1
        if policy == "resend" and doubts < MOST_DOUBTS:
            wait = wait_s(attempts, item=delivery, reached=False)
            change, when, resolution = "state = 'ready', next_at = ?", self._moment + wait, "resent"
        else:
            change, when, resolution = "state = 'uncertain', final_at = ?", self._moment, "held"
        self.db.execute(
            f"UPDATE delivery SET {change}, reason = ?, attempts = ?, batch = NULL WHERE id = ?",  # noqa: S608
            [when, cause, attempts, delivery],
        )
        self.db.execute(
            "INSERT INTO doubt (delivery_id, batch, at, cause, resolution) VALUES (?, ?, ?, ?, ?)",
            [delivery, self.batch, stamp(self.now), cause, resolution],
        )

    def _change(self, statement: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """One statement for many rows: it is compiled once."""
        self.db.conn.executemany(statement, rows)


def _reply(receipt: Receipt) -> str:
    text = f"{receipt.code} {receipt.text}".strip() if receipt.code else receipt.text
    return text[:LONGEST_REPLY]
