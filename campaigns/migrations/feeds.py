"""Steps of feeds: those of others, which are read, and those who are told when ours change."""

from __future__ import annotations

from sqlite_utils.db import Database


def sources(db: Database) -> None:
    """Feeds of others that are read, and what was read in them."""
    for statement in (
        """
        CREATE TABLE source (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            url TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL DEFAULT '',
            etag TEXT NOT NULL DEFAULT '',
            last_modified TEXT NOT NULL DEFAULT '',
            next_at TEXT,
            asked_at TEXT,
            read_at TEXT,
            came_at TEXT,
            failures INTEGER NOT NULL DEFAULT 0,
            fault TEXT NOT NULL DEFAULT '',
            gone INTEGER NOT NULL DEFAULT 0,
            added_at TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE item (
            id INTEGER PRIMARY KEY,
            source_id INTEGER NOT NULL REFERENCES source(id) ON DELETE CASCADE,
            identity TEXT NOT NULL,
            title TEXT NOT NULL,
            url TEXT NOT NULL,
            summary TEXT NOT NULL,
            image TEXT NOT NULL,
            appeared_at TEXT NOT NULL,
            first_seen_at TEXT NOT NULL,
            edited_at TEXT,
            seen_at TEXT NOT NULL,
            UNIQUE (source_id, identity)
        )
        """,
        "CREATE INDEX item_appeared ON item(source_id, appeared_at)",
        "ALTER TABLE campaign ADD COLUMN gathered TEXT NOT NULL DEFAULT ''",
    ):
        db.execute(statement)


def websub(db: Database) -> None:
    """Who is told when a feed changes: subscribers of our own hub, and hubs of others."""
    known = "EXISTS (SELECT 1 FROM news WHERE association = NEW.association AND campaign = NEW.campaign)"
    for statement in (
        # Entries that changed since subscribers and hubs were last reckoned with.
        """
        CREATE TABLE news (
            association TEXT NOT NULL,
            campaign TEXT NOT NULL,
            PRIMARY KEY (association, campaign)
        ) WITHOUT ROWID
        """,
        *(
            f"CREATE TRIGGER entry_{what.lower()}_is_news AFTER {what} ON entry"
            f" BEGIN INSERT INTO news SELECT NEW.association, NEW.campaign WHERE NOT {known}; END"
            for what in ("INSERT", "UPDATE")
        ),
        """
        CREATE TABLE subscriber (
            id INTEGER PRIMARY KEY,
            topic TEXT NOT NULL,
            callback TEXT NOT NULL,
            host TEXT NOT NULL,
            site TEXT NOT NULL,
            secret BLOB,
            verified_at TEXT NOT NULL,
            lease_until TEXT NOT NULL,
            round INTEGER NOT NULL DEFAULT 0,
            owed_at TEXT,
            next_at TEXT,
            attempts INTEGER NOT NULL DEFAULT 0,
            sent_at TEXT,
            fault TEXT NOT NULL DEFAULT '',
            UNIQUE (topic, callback)
        )
        """,
        "CREATE INDEX subscriber_owed ON subscriber(next_at) WHERE owed_at IS NOT NULL",
        "CREATE INDEX subscriber_lease ON subscriber(lease_until)",
        "CREATE INDEX subscriber_site ON subscriber(site)",
        """
        CREATE TABLE intent (
            id INTEGER PRIMARY KEY,
            mode TEXT NOT NULL CHECK (mode IN ('subscribe', 'unsubscribe')),
            topic TEXT NOT NULL,
            callback TEXT NOT NULL,
            host TEXT NOT NULL,
            site TEXT NOT NULL,
            network TEXT,
            secret BLOB,
            lease_s INTEGER NOT NULL,
            asked_at TEXT NOT NULL,
            done_at TEXT
        )
        """,
        "CREATE INDEX intent_waiting ON intent(host, id) WHERE done_at IS NULL",
        "CREATE INDEX intent_done ON intent(done_at) WHERE done_at IS NOT NULL",
        "CREATE INDEX intent_site ON intent(site, asked_at)",
        "CREATE INDEX intent_network ON intent(network, asked_at)",
        """
        CREATE TABLE ping (
            hub TEXT NOT NULL,
            host TEXT NOT NULL,
            topic TEXT NOT NULL,
            round INTEGER NOT NULL DEFAULT 0,
            next_at TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            fault TEXT NOT NULL DEFAULT '',
            PRIMARY KEY (hub, topic)
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)
