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


@DELIVERY()
def letters(db: Database) -> None:
    """Mails to one person about one thing, such as the link that confirms a sign-up."""
    for statement in (
        # What it says is sealed, for it may hold a link that nobody but its reader may follow; it goes once sent.
        """
        CREATE TABLE letter (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            template TEXT NOT NULL,
            address TEXT NOT NULL COLLATE NOCASE,
            content BLOB,
            state TEXT NOT NULL CHECK (state IN ('queued', 'sending', 'sent', 'failed')),
            attempts INTEGER NOT NULL DEFAULT 0,
            next_at INTEGER NOT NULL DEFAULT 0,
            task TEXT,
            handed_at REAL,
            created_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            reply TEXT
        )
        """,
        "CREATE INDEX letter_state ON letter(state, next_at)",
        "CREATE INDEX letter_address ON letter(address)",
        "CREATE INDEX letter_expires ON letter(expires_at)",
    ):
        db.execute(statement)


@DELIVERY()
def retention(db: Database) -> None:
    """How far a run's answers of mail servers were cleared, and who holds the mailbox of somebody who handed over."""
    for statement in (
        "ALTER TABLE run ADD COLUMN replies_cleared_to INTEGER",
        """
        CREATE TABLE heir (
            delivery_id INTEGER PRIMARY KEY REFERENCES delivery(id),
            member_id INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE
        )
        """,
        "CREATE INDEX heir_member ON heir(member_id)",
    ):
        db.execute(statement)


@DELIVERY()
def pacing(db: Database) -> None:
    """How many messages were handed to senders on which day, for daily caps and the warm-up of a new sender."""
    db.execute("CREATE TABLE sent_day (day TEXT PRIMARY KEY, messages INTEGER NOT NULL) WITHOUT ROWID")


@DELIVERY()
def sections(db: Database) -> None:
    """Of a digest by topics: whose its sections are (`Sections.to_text`); empty for all other runs."""
    db.execute("ALTER TABLE run ADD COLUMN sections TEXT NOT NULL DEFAULT ''")
