"""The table of what readers did, in the association's database. Steps are never edited, only added."""

from __future__ import annotations

from sqlite_utils import Migrations
from sqlite_utils.db import Database

ENGAGEMENT = Migrations("engagement")


@ENGAGEMENT()
def events(db: Database) -> None:
    """One row per event. `delivery_id` is null where the reader did not agree to be tracked by name."""
    for statement in (
        """
        CREATE TABLE event (
            id INTEGER PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES run(id),
            kind TEXT NOT NULL,
            at TEXT NOT NULL,
            delivery_id INTEGER REFERENCES delivery(id),
            link INTEGER
        )
        """,
        "CREATE INDEX event_run ON event(run_id, kind, link, delivery_id)",
    ):
        db.execute(statement)
