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


@ENGAGEMENT()
def activity(db: Database) -> None:
    """Keep, with each event that has a name, what segments ask for: the member's latest, over all and per campaign."""
    for kind in ("opened", "clicked"):
        db.execute(
            f"""
            CREATE TRIGGER event_{kind} AFTER INSERT ON event
            WHEN NEW.kind = '{kind}' AND NEW.delivery_id IS NOT NULL
            BEGIN
                INSERT INTO activity (campaign, kind, member_id, at)
                SELECT run.campaign, NEW.kind, delivery.member_id, NEW.at
                FROM delivery JOIN run ON run.id = delivery.run_id
                WHERE delivery.id = NEW.delivery_id AND delivery.member_id IS NOT NULL
                ON CONFLICT (campaign, kind, member_id) DO UPDATE SET at = max(at, excluded.at);
                UPDATE member SET {kind}_at = NEW.at
                WHERE id = (SELECT member_id FROM delivery WHERE id = NEW.delivery_id)
                AND ({kind}_at IS NULL OR {kind}_at < NEW.at);
            END
            """  # noqa: S608 - two constants
        )


@ENGAGEMENT()
def tallies(db: Database) -> None:
    """A run's figures of people, written down before its events lose their names. `link` is -1 for the whole run."""
    for statement in (
        """
        CREATE TABLE tally (
            run_id INTEGER NOT NULL REFERENCES run(id),
            kind TEXT NOT NULL,
            link INTEGER NOT NULL,
            people INTEGER NOT NULL,
            PRIMARY KEY (run_id, kind, link)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX event_named ON event(run_id, delivery_id) WHERE delivery_id IS NOT NULL",
    ):
        db.execute(statement)
