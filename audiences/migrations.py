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


def _applied(prefix: str, *statements: str) -> str:
    """Of these, the body of a trigger, in which the record's columns stand under `prefix`."""
    return " ".join(re.sub(r":(\w+)", rf"{prefix}\1", statement) + ";" for statement in statements)


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
        f"CREATE TRIGGER consent_applies AFTER INSERT ON consent BEGIN {_applied('NEW.', *APPLY_CONSENT)} END",
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


@AUDIENCES()
def activity_and_segments(db: Database) -> None:
    """What members who agreed to it did, added up per campaign; rules kept by name; the indexes that rules use."""
    withdraw_all, set_one = APPLY_CONSENT
    for statement in (
        # The withdrawal of everything is rare: as a trigger of its own it costs the other records nothing.
        "DROP TRIGGER consent_applies",
        "CREATE TRIGGER consent_withdraws_all AFTER INSERT ON consent WHEN NEW.topic = '*' AND NEW.state = 'withdrawn'"
        f" BEGIN {_applied('NEW.', withdraw_all)} END",
        f"CREATE TRIGGER consent_applies AFTER INSERT ON consent BEGIN {_applied('NEW.', set_one)} END",
        # Members are looked up by address; a hash is looked up among suppressions. The way back is rare enough to scan.
        "DROP INDEX member_address_hash",
        "ALTER TABLE member ADD COLUMN opened_at TEXT",
        "ALTER TABLE member ADD COLUMN clicked_at TEXT",
        """
        CREATE TABLE activity (
            campaign TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('opened', 'clicked')),
            member_id INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE,
            at TEXT NOT NULL,
            PRIMARY KEY (campaign, kind, member_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX activity_member ON activity(member_id)",
        "CREATE TABLE segment (name TEXT PRIMARY KEY, rule TEXT NOT NULL, at TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE segment_index (
            name TEXT PRIMARY KEY,
            columns TEXT NOT NULL,
            few INTEGER NOT NULL,
            used_at TEXT NOT NULL
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)


@AUDIENCES()
def choices_and_signups(db: Database) -> None:
    """What members choose beside yes and no, where a consent came from, and sign-ups that wait to be confirmed."""
    for statement in (
        "ALTER TABLE consent ADD COLUMN request_address TEXT",
        "ALTER TABLE consent ADD COLUMN confirmed TEXT",
        "ALTER TABLE member ADD COLUMN paused_until TEXT",
        "UPDATE topic SET frequency = 'each' WHERE frequency NOT IN ('each', 'daily', 'weekly')",
        # A row only where the member chose a frequency, or the topic's own is not 'each': most have none.
        """
        CREATE TABLE pace (
            topic TEXT NOT NULL,
            member_id INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE,
            frequency TEXT CHECK (frequency IN ('each', 'daily', 'weekly')),
            sent_at INTEGER,
            PRIMARY KEY (topic, member_id)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX pace_member ON pace(member_id)",
        """
        CREATE TABLE signup (
            id INTEGER PRIMARY KEY,
            token_hash BLOB NOT NULL UNIQUE,
            address TEXT NOT NULL COLLATE NOCASE,
            topics TEXT NOT NULL,
            language TEXT,
            source TEXT NOT NULL,
            request_address TEXT,
            request_network TEXT,
            requested_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            confirmed_at TEXT
        )
        """,
        "CREATE INDEX signup_address ON signup(address, requested_at)",
        "CREATE INDEX signup_network ON signup(request_network, requested_at) WHERE request_network IS NOT NULL",
        "CREATE INDEX signup_waiting ON signup(expires_at) WHERE confirmed_at IS NULL",
    ):
        db.execute(statement)


@AUDIENCES()
def retention(db: Database) -> None:
    """What may grow old: what undoing an import needs, and where a consent was asked from."""
    lasting = "id, member_id, topic, state, basis, at, source, wording, recorded_at, import_id, confirmed"
    for statement in (
        "ALTER TABLE import ADD COLUMN forgotten_at TEXT",
        # The log stays append-only but for the IP address in it, which can go and can not change.
        "DROP TRIGGER consent_is_append_only",
        f"CREATE TRIGGER consent_is_append_only BEFORE UPDATE OF {lasting} ON consent"
        " BEGIN SELECT RAISE(ABORT, 'the consent log is append-only'); END",
        "CREATE TRIGGER consent_request_address_only_goes BEFORE UPDATE OF request_address ON consent"
        " WHEN NEW.request_address IS NOT NULL"
        " BEGIN SELECT RAISE(ABORT, 'the consent log is append-only'); END",
        "CREATE INDEX consent_request_address ON consent(recorded_at) WHERE request_address IS NOT NULL",
    ):
        db.execute(statement)


@AUDIENCES()
def erasures_and_noes(db: Database) -> None:
    """Who was erased, whatever their address was suppressed for before; and noes that imports said once more."""
    for statement in (
        # A backup may bring erased people back, and undoing an import take away what another one said too.
        "ALTER TABLE suppression ADD COLUMN erased_at TEXT",
        "UPDATE suppression SET erased_at = at"
        " WHERE reason IN ('erased at the person''s wish', 'erased long after opting out')",
        """
        CREATE TABLE import_no (
            import_id INTEGER NOT NULL REFERENCES import(id),
            member_id INTEGER NOT NULL REFERENCES member(id) ON DELETE CASCADE,
            topic TEXT NOT NULL,
            PRIMARY KEY (import_id, member_id, topic)
        ) WITHOUT ROWID
        """,
        "CREATE INDEX import_no_member ON import_no(member_id, topic)",
    ):
        db.execute(statement)


@AUDIENCES()
def tallies(db: Database) -> None:
    """How many members have each combination of the values that an index of segments holds."""
    db.execute(
        """
        CREATE TABLE segment_tally (
            name TEXT NOT NULL,
            attributes TEXT NOT NULL,
            members INTEGER NOT NULL,
            value_1, value_2, value_3, value_4,
            PRIMARY KEY (name, attributes)
        ) WITHOUT ROWID
        """
    )


@AUDIENCES()
def requests(db: Database) -> None:
    """From where links to the own page were asked for, for an hour: nobody can ask without end."""
    db.execute("CREATE TABLE request (id INTEGER PRIMARY KEY, network TEXT, at TEXT NOT NULL)")
    db.execute("CREATE INDEX request_network ON request(network, at)")
    db.execute("CREATE INDEX request_at ON request(at)")


@AUDIENCES()
def private_feeds(db: Database) -> None:
    """Feeds for one member alone, known by the keyed hash of the token in their address."""
    db.execute(
        """
        CREATE TABLE private_feed (
            member_id INTEGER PRIMARY KEY REFERENCES member(id) ON DELETE CASCADE,
            token_hash BLOB NOT NULL UNIQUE,
            made_at TEXT NOT NULL
        )
        """
    )
