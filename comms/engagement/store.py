"""All SQL of the event log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from audiences.consent import Exclusion
from audiences.mailable import tracked_sql
from audiences.times import stamp
from comms.db import DATABASE_ERRORS, Database, patience
from comms.events import EventKind

WHOLE_RUN, TRACKABLE = -1, "trackable"
"""In a tally: the link that stands for no single one, and the kind that counts who could be known by name."""
NOTE_TIMEOUT_MS = 2_000
"""How long a reader's click waits for a busy database before it goes uncounted."""


@dataclass(frozen=True, slots=True)
class Tally:
    """How often something happened, and to how many known readers.

    `people` counts only readers who agreed to be tracked by name; the others stand in `total` alone.
    """

    total: int
    people: int


class EventStore:
    """What the readers of one association did. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def add(
        self, run: int, kind: EventKind, now: datetime, *, delivery: int | None = None, link: int | None = None
    ) -> None:
        """Append one event."""
        self.db.execute(
            "INSERT INTO event (run_id, kind, at, delivery_id, link) VALUES (?, ?, ?, ?, ?)",
            [run, kind.value, stamp(now), delivery, link],
        )

    def has(self, delivery: int, kind: EventKind) -> bool:
        """Is such an event of a delivery there."""
        sql = "SELECT 1 FROM event WHERE delivery_id = ? AND kind = ? LIMIT 1"
        return self.db.execute(sql, [delivery, kind.value]).fetchone() is not None

    def note(
        self, run: int, kind: EventKind, now: datetime, *, delivery: int | None = None, link: int | None = None
    ) -> str | None:
        """Append one event in a transaction of its own, without keeping the reader waiting.

        Returns why it could not be written, None when it was: a count may be lost, a reader never sent away.
        """
        try:
            with patience(self.db, NOTE_TIMEOUT_MS), self.db.atomic():
                self.add(run, kind, now, delivery=delivery, link=link)
        except DATABASE_ERRORS as error:
            return str(error)
        return None

    def tracked(self, run: int) -> int:
        """How many who got the newsletter agreed to be tracked by name, now or when they opened or clicked it.

        Who was left out of what is relayed counts, too: by a number without them an association could tell how many.
        """
        kept = self.kept(run)
        if kept is not None:
            return kept[TRACKABLE, WHOLE_RUN]
        row = self.db.execute(
            "SELECT count(*) FROM delivery LEFT JOIN member ON member.id = delivery.member_id"  # noqa: S608
            " WHERE delivery.run_id = :run AND (((delivery.state = 'sent' OR"
            f" (delivery.state = 'skipped' AND delivery.reason = :left_out)) AND {tracked_sql()}) OR EXISTS"
            " (SELECT 1 FROM event WHERE event.delivery_id = delivery.id AND event.run_id = delivery.run_id"
            " AND event.kind IN ('opened', 'clicked')))",
            {"run": run, "left_out": Exclusion.NOT_RELAYED},
        ).fetchone()
        return int(row[0])

    def tallies(self, run: int) -> dict[EventKind, Tally]:
        """Per kind of event."""
        kept = self.kept(run)
        rows = self.db.execute(
            "SELECT kind, count(*), count(DISTINCT delivery_id) FROM event WHERE run_id = ? GROUP BY kind", [run]
        )
        return {
            EventKind(kind): Tally(total, people if kept is None else kept.get((kind, WHOLE_RUN), 0))
            for kind, total, people in rows
        }

    def clicks(self, run: int) -> dict[int, Tally]:
        """Per link, by its index in the edition."""
        kept = self.kept(run)
        rows = self.db.execute(
            "SELECT link, count(*), count(DISTINCT delivery_id) FROM event"
            " WHERE run_id = ? AND kind = 'clicked' GROUP BY link",
            [run],
        )
        return {
            link: Tally(total, people if kept is None else kept.get((EventKind.CLICKED.value, link), 0))
            for link, total, people in rows
        }

    def kept(self, run: int) -> dict[tuple[str, int], int] | None:
        """The figures of people that were written down before the run's events lost their names: (kind, link) ->
        people, as `retention.py` writes them; None while the names are there to be counted."""
        rows = self.db.execute("SELECT kind, link, people FROM tally WHERE run_id = ?", [run]).fetchall()
        return {(kind, link): people for kind, link, people in rows} or None

    def of_delivery(self, delivery: int) -> list[dict[str, object]]:
        """What is recorded by name of one delivery, oldest first."""
        rows = self.db.execute("SELECT kind, at, link FROM event WHERE delivery_id = ? ORDER BY id", [delivery])
        return [{"kind": kind, "at": at, "link": link} for kind, at, link in rows]

    def by_hour(self, run: int, kind: EventKind) -> list[tuple[str, int]]:
        """Events per hour (UTC, `2027-02-01T09`), in order; hours without any are left out."""
        return self.db.execute(
            "SELECT substr(at, 1, 13), count(*) FROM event WHERE run_id = ? AND kind = ? GROUP BY 1 ORDER BY 1",
            [run, kind.value],
        ).fetchall()
