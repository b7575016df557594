"""The tables of an association's database that hold its people. Steps are never edited, only added."""

from __future__ import annotations

from sqlite_utils import Migrations
from sqlite_utils.db import Database

AUDIENCES = Migrations("audiences")


@AUDIENCES()
def people(db: Database) -> None:
    """Members, their consent, and the addresses that must not be written to."""
    for statement in (
        """
        CREATE TABLE member (
            id INTEGER PRIMARY KEY,
            address TEXT COLLATE NOCASE UNIQUE,
            address_hash BLOB,
            language TEXT,
            timezone TEXT,
            attributes TEXT NOT NULL DEFAULT '{}',
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        )
        """,
        "CREATE INDEX member_address_hash ON member(address_hash)",
        # The names of attributes in use, so that a rule's names can be checked without reading every member.
        "CREATE TABLE attribute (name TEXT PRIMARY KEY) WITHOUT ROWID",
        """
        CREATE TABLE topic (
            slug TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            frequency TEXT NOT NULL DEFAULT 'each'
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE consent (
            id INTEGER PRIMARY KEY,
            member_id INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE,
            topic TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('granted', 'withdrawn')),
            basis TEXT,
            at TEXT NOT NULL,
            source TEXT NOT NULL,
            wording TEXT NOT NULL DEFAULT '',
            recorded_at TEXT NOT NULL
        )
        """,
        "CREATE INDEX consent_member ON consent(member_id)",
        """
        CREATE TRIGGER consent_is_append_only BEFORE UPDATE ON consent
        BEGIN SELECT RAISE(ABORT, 'the consent log is append-only'); END
        """,
        # What the log adds up to, kept by the log itself so that the two can not part.
        """
        CREATE TABLE subscription (
            topic TEXT NOT NULL,
            member_id INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE,
            state TEXT NOT NULL,
            basis TEXT,
            at TEXT NOT NULL,
            PRIMARY KEY (topic, member_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX subscription_member ON subscription(member_id, topic, state)",
        """
        CREATE TRIGGER consent_applies AFTER INSERT ON consent BEGIN
            UPDATE subscription SET state = 'withdrawn', basis = NULL, at = NEW.at
             WHERE NEW.topic = '*' AND NEW.state = 'withdrawn'
               AND member_id = NEW.member_id AND topic <> 'tracking';
            INSERT INTO subscription (topic, member_id, state, basis, at)
            VALUES (NEW.topic, NEW.member_id, NEW.state, NEW.basis, NEW.at)
            ON CONFLICT (topic, member_id) DO UPDATE
               SET state = excluded.state, basis = excluded.basis, at = excluded.at;
        END
        """,
        """
        CREATE TABLE suppression (
            address_hash BLOB NOT NULL,
            scope TEXT NOT NULL CHECK (scope IN ('association', 'relays', 'all')),
            reason TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (address_hash, scope)
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)
