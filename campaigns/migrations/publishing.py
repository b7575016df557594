"""Steps of associations and campaigns, and of what comes of these: editions, entries and posts."""

from __future__ import annotations

from sqlite_utils.db import Database

from campaigns.searching import searchable


def campaigns(db: Database) -> None:
    """Associations, campaigns and their editions."""
    for statement in (
        """
        CREATE TABLE association (
            slug TEXT PRIMARY KEY,
            name TEXT NOT NULL,
            sender_address TEXT NOT NULL,
            sender_name TEXT NOT NULL DEFAULT '',
            reply_to TEXT NOT NULL DEFAULT '',
            postal_address TEXT NOT NULL,
            homepage TEXT NOT NULL DEFAULT '',
            language TEXT NOT NULL DEFAULT 'en',
            timezone TEXT NOT NULL DEFAULT 'UTC',
            brand TEXT NOT NULL DEFAULT '{}',
            is_host INTEGER NOT NULL DEFAULT 0,
            created_at TEXT NOT NULL
        )
        """,
        "CREATE UNIQUE INDEX association_host ON association(is_host) WHERE is_host",
        """
        CREATE TABLE campaign (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            definition TEXT NOT NULL,
            state TEXT NOT NULL,
            senders TEXT NOT NULL,
            due_at TEXT,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        )
        """,
        """
        CREATE TABLE edition (
            id INTEGER PRIMARY KEY,
            campaign TEXT NOT NULL REFERENCES campaign(id),
            association TEXT NOT NULL REFERENCES association(slug),
            channel TEXT NOT NULL,
            digest TEXT NOT NULL,
            body BLOB NOT NULL,
            created_at TEXT NOT NULL,
            UNIQUE (campaign, association, channel)
        )
        """,
    ):
        db.execute(statement)


def publications(db: Database) -> None:
    """Feed entries, social posts, and who did what."""
    for statement in (
        """
        CREATE TABLE entry (
            id INTEGER PRIMARY KEY,
            campaign TEXT NOT NULL REFERENCES campaign(id),
            association TEXT NOT NULL REFERENCES association(slug),
            topic TEXT NOT NULL DEFAULT '',
            tag_uri TEXT NOT NULL UNIQUE,
            title TEXT NOT NULL,
            summary TEXT NOT NULL,
            content TEXT NOT NULL,
            language TEXT NOT NULL,
            tags TEXT NOT NULL DEFAULT '[]',
            published TEXT NOT NULL,
            updated TEXT NOT NULL,
            UNIQUE (campaign, association)
        )
        """,
        """
        CREATE TABLE post (
            id INTEGER PRIMARY KEY,
            campaign TEXT NOT NULL REFERENCES campaign(id),
            association TEXT NOT NULL REFERENCES association(slug),
            network TEXT NOT NULL,
            part INTEGER NOT NULL DEFAULT 1,
            text TEXT NOT NULL,
            state TEXT NOT NULL,
            remote_id TEXT NOT NULL DEFAULT '',
            url TEXT NOT NULL DEFAULT '',
            reason TEXT NOT NULL DEFAULT '',
            attempts INTEGER NOT NULL DEFAULT 0,
            next_at TEXT,
            updated_at TEXT NOT NULL,
            UNIQUE (campaign, association, network, part)
        )
        """,
        """
        CREATE TABLE audit (
            id INTEGER PRIMARY KEY,
            at TEXT NOT NULL,
            who TEXT NOT NULL,
            what TEXT NOT NULL,
            campaign TEXT,
            detail TEXT NOT NULL DEFAULT ''
        )
        """,
    ):
        db.execute(statement)


def indexes(db: Database) -> None:
    """What control asks many times a second, and feeds at every request, must not grow with history."""
    for statement in (
        "CREATE INDEX campaign_state ON campaign(state, created_at)",
        "CREATE INDEX post_open ON post(state) WHERE state IN ('queued', 'sending')",
        "CREATE INDEX post_campaign ON post(campaign, id)",
        "CREATE INDEX entry_published ON entry(association, published)",
    ):
        db.execute(statement)


def jobs(db: Database) -> None:
    """Work that control does once in a while: when it was last done whole, and how far it is now."""
    db.execute(
        """
        CREATE TABLE job (
            name TEXT PRIMARY KEY,
            done_at TEXT,
            begun_at TEXT,
            reached TEXT NOT NULL DEFAULT ''
        ) WITHOUT ROWID
        """
    )


def welcomes(db: Database) -> None:
    """Does an association send a letter to who has just signed up."""
    db.execute("ALTER TABLE association ADD COLUMN welcome INTEGER NOT NULL DEFAULT 1")


def schedules(db: Database) -> None:
    """Campaigns that repeat, why one waits for a person, and when in the week an association's newsletters leave."""
    for statement in (
        # `wall_next` is the next occurrence by the clock on the wall, `due_at` the moment of it.
        """
        CREATE TABLE series (
            id TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            definition TEXT NOT NULL,
            state TEXT NOT NULL,
            senders TEXT NOT NULL,
            wall_next TEXT,
            due_at TEXT,
            reason TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        )
        """,
        "ALTER TABLE campaign ADD COLUMN series TEXT REFERENCES series(id)",
        "ALTER TABLE campaign ADD COLUMN wall TEXT",
        "CREATE UNIQUE INDEX campaign_series ON campaign(series, wall) WHERE series IS NOT NULL",
        "ALTER TABLE campaign ADD COLUMN reason TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE association ADD COLUMN send_window TEXT NOT NULL DEFAULT ''",
    ):
        db.execute(statement)


def doubtful_posts(db: Database) -> None:
    """Posts of which nobody knows whether the network has them: since when, and how often that was found."""
    for statement in (
        "ALTER TABLE post ADD COLUMN tried_at TEXT",
        "ALTER TABLE post ADD COLUMN doubts INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX post_doubtful ON post(state) WHERE state = 'doubtful'",
        "CREATE INDEX post_tried ON post(network, tried_at)",
    ):
        db.execute(statement)


def entries_for_good(db: Database) -> None:
    """Entries that are corrected, withdrawn and searched; and a number that moves with all that feeds are made of."""
    moved = "BEGIN UPDATE revision SET number = number + 1; END"
    for statement in (
        "ALTER TABLE entry ADD COLUMN enclosure TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE entry ADD COLUMN note TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE entry ADD COLUMN correction TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE entry ADD COLUMN withdrawn TEXT",
        "CREATE VIRTUAL TABLE entry_text USING fts5(title, summary, body, tokenize = 'unicode61 remove_diacritics 2')",
        "CREATE TRIGGER entry_text_goes AFTER DELETE ON entry BEGIN DELETE FROM entry_text WHERE rowid = OLD.id; END",
        "CREATE TABLE revision (number INTEGER NOT NULL)",
        "INSERT INTO revision VALUES (1)",
        *(
            f"CREATE TRIGGER {table}_{what.lower()}_moves_revision AFTER {what} ON {table} {moved}"
            for table in ("entry", "association")
            for what in ("INSERT", "UPDATE", "DELETE")
        ),
    ):
        db.execute(statement)
    for number, *texts in db.execute("SELECT id, title, summary, content FROM entry").fetchall():
        db.execute("INSERT INTO entry_text (rowid, title, summary, body) VALUES (?, ?, ?, ?)",
                   [number, *map(searchable, texts)])  # fmt: skip


def post_figures(db: Database) -> None:
    """What readers of networks did with posts, and how often that was looked at."""
    for statement in (
        "ALTER TABLE post ADD COLUMN replies INTEGER",
        "ALTER TABLE post ADD COLUMN shares INTEGER",
        "ALTER TABLE post ADD COLUMN likes INTEGER",
        "ALTER TABLE post ADD COLUMN counted_at TEXT",
        "ALTER TABLE post ADD COLUMN looks INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX post_looks ON post(looks, updated_at) WHERE state = 'sent'",
    ):
        db.execute(statement)
