"""All SQL by which events lose their names, and what came back is forgotten.

The figures that names added up to are written down before.
It decides nothing: its caller knows what is old.
"""

from __future__ import annotations

from datetime import datetime

from audiences.times import stamp
from comms.db import Database
from comms.engagement.store import TRACKABLE, WHOLE_RUN, EventStore
from comms.events import EventKind

_NAMED = "delivery_id IS NOT NULL"
_OLD_RUNS = "run.frozen_at < ? AND run.done_at IS NOT NULL"


class OldEvents:
    """The named events of one association, run by run: a run's names go together, so that its figures stay whole."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def count(self, before: datetime) -> int:
        """Events with a name and returned mails, of newsletters sent out before; of those still under way, none."""
        sql = f"SELECT count(*) FROM event JOIN run ON run.id = run_id WHERE {_OLD_RUNS} AND {_NAMED}"  # noqa: S608
        returned = f"SELECT count(*) FROM bounce JOIN run ON run.id = run_id WHERE {_OLD_RUNS}"  # noqa: S608
        return sum(int(self._db.execute(each, [stamp(before)]).fetchone()[0]) for each in (sql, returned))

    def forget(self, before: datetime, limit: int) -> int:
        """Take the names off one slice of events; 0 once none is left. Expects to run inside `db.atomic()`."""
        row = self._db.execute(
            f"SELECT id FROM run WHERE {_OLD_RUNS}"  # noqa: S608
            f" AND EXISTS (SELECT 1 FROM event WHERE run_id = run.id AND {_NAMED}) LIMIT 1",
            [stamp(before)],
        ).fetchone()
        if row is None:
            return self._forget_returned(before, limit)
        self._write_down(row[0])
        cursor = self._db.execute(
            "UPDATE event SET delivery_id = NULL"  # noqa: S608
            f" WHERE id IN (SELECT id FROM event WHERE run_id = ? AND {_NAMED} LIMIT ?)",
            [row[0], limit],
        )
        return int(cursor.rowcount)

    def _forget_returned(self, before: datetime, limit: int) -> int:
        """Delete one slice of what came back, which names its delivery."""
        cursor = self._db.execute(
            "DELETE FROM bounce WHERE (delivery_id, what) IN (SELECT delivery_id, what FROM bounce"  # noqa: S608
            f" JOIN run ON run.id = run_id WHERE {_OLD_RUNS} LIMIT ?)",
            [stamp(before), limit],
        )
        return int(cursor.rowcount)

    def _write_down(self, run: int) -> None:
        """Keep the run's figures of people. Once kept they stay: a late click by name may be of somebody counted."""
        events = EventStore(self._db)
        if events.kept(run) is not None:
            return
        tallies, clicks = events.tallies(run), events.clicks(run)
        rows = [(run, TRACKABLE, WHOLE_RUN, events.tracked(run))]
        rows += [(run, kind.value, WHOLE_RUN, tally.people) for kind, tally in tallies.items()]
        rows += [(run, EventKind.CLICKED.value, link, tally.people) for link, tally in clicks.items()]
        self._db.conn.executemany("INSERT INTO tally (run_id, kind, link, people) VALUES (?, ?, ?, ?)", rows)
