"""The tables of what readers and their servers did, in the association's database.

Steps are never edited, only added.
"""

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


@ENGAGEMENT()
def bounces(db: Database) -> None:
    """What came back, a row per delivery; and deliveries that were refused at once, until somebody looked at them."""
    for statement in (
        """
        CREATE TABLE bounce (
            delivery_id INTEGER NOT NULL REFERENCES delivery(id),
            what TEXT NOT NULL CHECK (what IN ('bounced', 'complained')),
            run_id INTEGER NOT NULL REFERENCES run(id),
            member_id INTEGER REFERENCES member(id) ON DELETE SET NULL,
            sent_at INTEGER NOT NULL,
            at TEXT NOT NULL,
            kind TEXT NOT NULL,
            weight TEXT NOT NULL,
            status TEXT NOT NULL,
            reason TEXT NOT NULL,
            suppressed TEXT,
            PRIMARY KEY (delivery_id, what)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX bounce_member ON bounce(member_id) WHERE member_id IS NOT NULL",
        "CREATE INDEX bounce_run ON bounce(run_id)",
        "CREATE INDEX bounce_at ON bounce(at)",
        "CREATE TABLE refusal (delivery_id INTEGER PRIMARY KEY REFERENCES delivery(id))",
        # In the transaction that settles the delivery: whatever happens then, it is looked at once.
        """
        CREATE TRIGGER delivery_refused AFTER UPDATE OF state ON delivery
        WHEN NEW.state = 'failed' AND OLD.state <> 'failed'
        BEGIN INSERT OR IGNORE INTO refusal (delivery_id) VALUES (NEW.id); END
        """,
    ):
        db.execute(statement)


@ENGAGEMENT()
def polls(db: Database) -> None:
    """Answers to polls, one row per voter. Who a voter is depends on the run's secret, which is empty in the end."""
    for statement in (
        "CREATE TABLE ballot (run_id INTEGER PRIMARY KEY REFERENCES run(id), secret BLOB NOT NULL)",
        """
        CREATE TABLE answer (
            run_id INTEGER NOT NULL REFERENCES ballot(run_id),
            poll INTEGER NOT NULL,
            voter BLOB NOT NULL,
            choice INTEGER NOT NULL,
            PRIMARY KEY (run_id, poll, voter)
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)
