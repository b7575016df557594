"""The tables of an association's database that hold its people. Steps are never edited, only added."""

from __future__ import annotations

import re

from sqlite_utils import Migrations
from sqlite_utils.db import Database

AUDIENCES = Migrations("audiences")

APPLY_CONSENT = (
    "UPDATE subscription SET state = 'withdrawn', basis = NULL, at = :at"
    " WHERE :topic = '*' AND :state = 'withdrawn' AND member_id = :member_id AND topic <> 'tracking'",
    "INSERT INTO subscription (topic, member_id, state, basis, at) VALUES (:topic, :member_id, :state, :basis, :at)"
    " ON CONFLICT (topic, member_id) DO UPDATE SET state = excluded.state, basis = excluded.basis, at = excluded.at",
)
"""What one record of the consent log changes in what its member agrees to now."""


def _applied(prefix: str) -> str:
    """The same as the body of a trigger, in which the record's columns stand under `prefix`."""
    return " ".join(re.sub(r":(\w+)", rf"{prefix}\1", statement) + ";" for statement in APPLY_CONSENT)


@AUDIENCES()
def people(db: Database) -> None:
    """Members, their consent, and the addresses that must not be written to."""
    for statement in (
        """
        CREATE TABLE member (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
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
            frequency TEXT NOT NULL DEFAULT 'each',
            public INTEGER NOT NULL DEFAULT 1
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
        f"CREATE TRIGGER consent_applies AFTER INSERT ON consent BEGIN {_applied('NEW.')} END",
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


@AUDIENCES()
def imports(db: Database) -> None:
    """Imports that can be taken back, tags, and the ids that people have in other systems."""
    for statement in (
        """
        CREATE TABLE import (
            id INTEGER PRIMARY KEY,
            file TEXT NOT NULL DEFAULT '',
            at TEXT NOT NULL,
            added INTEGER NOT NULL DEFAULT 0,
            updated INTEGER NOT NULL DEFAULT 0,
            undone_at TEXT
        )
        """,
        # What a member was before the import; null for one that the import added.
        """
        CREATE TABLE import_change (
            import_id INTEGER NOT NULL REFERENCES import(id),
            member_id INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE,
            before TEXT,
            PRIMARY KEY (import_id, member_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX import_change_member ON import_change(member_id)",
        "ALTER TABLE consent ADD COLUMN import_id INTEGER REFERENCES import(id)",
        "CREATE INDEX consent_import ON consent(import_id) WHERE import_id IS NOT NULL",
        # A record that an undone import made: it stays as evidence, and counts no more.
        """
        CREATE TABLE consent_void (
            consent_id INTEGER PRIMARY KEY REFERENCES consent(id) ON DELETE CASCADE,
            at TEXT NOT NULL
        )
        """,
        "ALTER TABLE suppression ADD COLUMN import_id INTEGER",
        """
        CREATE TABLE tag (
            tag TEXT NOT NULL COLLATE NOCASE,
            member_id INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE,
            import_id INTEGER,
            PRIMARY KEY (tag, member_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX tag_member ON tag(member_id)",
        """
        CREATE TABLE external (
            id TEXT PRIMARY KEY,
            member_id INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE
        ) WITHOUT ROWID
        """,
        "CREATE INDEX external_member ON external(member_id)",
    ):
        db.execute(statement)
