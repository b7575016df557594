"""All SQL of the work that is done once in a while: when it was last done whole, and how far it is now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlite_utils.db import Database

from campaigns.times import stamp


@dataclass(frozen=True, slots=True)
class Job:
    """Where one kind of work stands."""

    done_at: datetime | None = None
    """When it was last begun of all that were done whole; None when it never was."""
    begun_at: datetime | None = None
    """When the one under way was begun; None when none is."""
    reached: str = ""
    """The last association that it is through with, in the order of slugs."""


class Jobs:
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def job(self, name: str) -> Job:
        row = self._db.execute("SELECT done_at, begun_at, reached FROM job WHERE name = ?", [name]).fetchone()
        if row is None:
            return Job()
        done_at, begun_at = (datetime.fromisoformat(moment) if moment else None for moment in row[:2])
        return Job(done_at, begun_at, row[2])

    def save(self, name: str, job: Job) -> None:
        """Write down where it stands."""
        self._db.execute(
            "INSERT INTO job (name, done_at, begun_at, reached) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE"
            " SET done_at = excluded.done_at, begun_at = excluded.begun_at, reached = excluded.reached",
            [
                name,
                stamp(job.done_at) if job.done_at else None,
                stamp(job.begun_at) if job.begun_at else None,
                job.reached,
            ],
        )
