"""The tables of the ledger, in the association's database. Steps are never edited, only added."""

from __future__ import annotations

from sqlite_utils import Migrations
from sqlite_utils.db import Database

DELIVERY = Migrations("delivery")


@DELIVERY()
def ledger(db: Database) -> None:
    """Runs, their deliveries, the batches that senders hold, and the cases in doubt."""
    for statement in (
        """
        CREATE TABLE run (
            id INTEGER PRIMARY KEY,
            campaign TEXT NOT NULL,
            channel TEXT NOT NULL,
            topic TEXT,
            digest TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('sending', 'done', 'cancelled')),
            doubt TEXT NOT NULL CHECK (doubt IN ('resend', 'hold')),
            planned INTEGER NOT NULL,
            excluded TEXT NOT NULL DEFAULT '{}',
            frozen_at TEXT NOT NULL,
            done_at TEXT,
            UNIQUE (campaign, channel)
        )
        """,
        """
        CREATE TABLE delivery (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            run_id INTEGER NOT NULL REFERENCES run(id),
            member_id INTEGER REFERENCES member(id) ON DELETE SET NULL,
            state TEXT NOT NULL,
            next_at INTEGER NOT NULL DEFAULT 0,
            batch TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            first_at INTEGER,
            final_at INTEGER,
            reason TEXT,
            reply TEXT,
            UNIQUE (run_id, member_id)
        )
        """,
        "CREATE INDEX delivery_state ON delivery(run_id, state, next_at)",
        "CREATE INDEX delivery_batch ON delivery(batch) WHERE batch IS NOT NULL",
        """
        CREATE TABLE batch (
            id TEXT PRIMARY KEY,
            run_id INTEGER NOT NULL REFERENCES run(id),
            claimed_at REAL NOT NULL,
            size INTEGER NOT NULL
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE doubt (
            id INTEGER PRIMARY KEY,
            delivery_id INTEGER NOT NULL REFERENCES delivery(id),
            batch TEXT NOT NULL,
            at TEXT NOT NULL,
            cause TEXT NOT NULL,
            resolution TEXT NOT NULL
        )
        """,
        "CREATE INDEX doubt_delivery ON doubt(delivery_id)",
    ):
        db.execute(statement)
