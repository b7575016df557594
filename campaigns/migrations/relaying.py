"""Steps of the relay: what is offered, what each association makes of it, and what they reached together."""

from __future__ import annotations

from sqlite_utils.db import Database


def relays(db: Database) -> None:
    """What is offered to associations, in every version; what each makes of it; and who speaks for it."""
    for statement in (
        "ALTER TABLE association ADD COLUMN kind TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE association ADD COLUMN region TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE campaign ADD COLUMN relay_of TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE campaign ADD COLUMN adaptation TEXT NOT NULL DEFAULT ''",
        "CREATE INDEX campaign_relay ON campaign(relay_of) WHERE relay_of <> ''",
        """
        CREATE TABLE offer (
            campaign TEXT PRIMARY KEY,
            title TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'recalled', 'closed')),
            reason TEXT NOT NULL DEFAULT '',
            version INTEGER NOT NULL,
            offered_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            figures TEXT NOT NULL DEFAULT ''
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE offer_version (
            campaign TEXT NOT NULL REFERENCES offer(campaign),
            version INTEGER NOT NULL,
            definition TEXT NOT NULL,
            gathered TEXT NOT NULL DEFAULT '',
            note TEXT NOT NULL DEFAULT '',
            at TEXT NOT NULL,
            PRIMARY KEY (campaign, version)
        ) WITHOUT ROWID
        """,
        """
        CREATE TABLE relay (
            id INTEGER PRIMARY KEY,
            campaign TEXT NOT NULL REFERENCES offer(campaign),
            association TEXT NOT NULL REFERENCES association(slug),
            state TEXT NOT NULL,
            version INTEGER NOT NULL,
            adaptation TEXT NOT NULL DEFAULT '',
            approved TEXT NOT NULL DEFAULT '',
            approved_by INTEGER,
            reason TEXT NOT NULL DEFAULT '',
            reminded TEXT NOT NULL DEFAULT '[]',
            offered_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (campaign, association)
        )
        """,
        "CREATE INDEX relay_state ON relay(state)",
        """
        CREATE TABLE relay_step (
            id INTEGER PRIMARY KEY,
            relay_id INTEGER NOT NULL REFERENCES relay(id),
            at TEXT NOT NULL,
            who TEXT NOT NULL,
            state TEXT NOT NULL,
            detail TEXT NOT NULL DEFAULT ''
        )
        """,
        "CREATE INDEX relay_step_relay ON relay_step(relay_id, id)",
        """
        CREATE TABLE seat (
            id INTEGER PRIMARY KEY,
            association TEXT NOT NULL REFERENCES association(slug),
            name TEXT NOT NULL,
            address TEXT NOT NULL COLLATE NOCASE,
            serial INTEGER NOT NULL DEFAULT 1,
            added_at TEXT NOT NULL,
            removed_at TEXT
        )
        """,
        "CREATE UNIQUE INDEX seat_address ON seat(association, address) WHERE removed_at IS NULL",
        """
        CREATE TABLE relay_rule (
            association TEXT PRIMARY KEY REFERENCES association(slug),
            two_seats INTEGER NOT NULL DEFAULT 0,
            accepts TEXT NOT NULL DEFAULT '[]'
        ) WITHOUT ROWID
        """,
        # Through whom a person wants what is relayed. A keyed hash, as suppressions are.
        "CREATE TABLE relay_choice (address_hash BLOB PRIMARY KEY, association TEXT NOT NULL) WITHOUT ROWID",
    ):
        db.execute(statement)


def collective_reports(db: Database) -> None:
    """What campaigns reached together; a report that could change could be subtracted from what it was."""
    frozen = "BEGIN SELECT RAISE(ABORT, 'collective reports are frozen'); END"
    for statement in (
        "CREATE TABLE collective (campaign TEXT PRIMARY KEY, closed_at TEXT NOT NULL, report TEXT NOT NULL)",
        "CREATE INDEX collective_closed ON collective(closed_at)",
        f"CREATE TRIGGER collective_stays BEFORE UPDATE ON collective {frozen}",
        f"CREATE TRIGGER collective_is_kept BEFORE DELETE ON collective {frozen}",
    ):
        db.execute(statement)


def told_figures(db: Database) -> None:
    """What associations say that became of a campaign which they sent with tools of their own."""
    db.execute(
        """
        CREATE TABLE told (
            campaign TEXT NOT NULL REFERENCES offer(campaign),
            association TEXT NOT NULL REFERENCES association(slug),
            copies INTEGER NOT NULL,
            people INTEGER NOT NULL,
            clicks INTEGER NOT NULL,
            replies INTEGER NOT NULL,
            who TEXT NOT NULL,
            at TEXT NOT NULL,
            PRIMARY KEY (campaign, association)
        ) WITHOUT ROWID
        """
    )


def engines(db: Database) -> None:
    """Relays between engines: feeds of offers that are followed, what came of them, and who answers from elsewhere."""
    for statement in (
        """
        CREATE TABLE follow (
            id INTEGER PRIMARY KEY,
            name TEXT NOT NULL UNIQUE,
            url TEXT NOT NULL UNIQUE,
            author TEXT NOT NULL,
            association TEXT NOT NULL REFERENCES association(slug),
            remote TEXT NOT NULL,
            passes_on INTEGER NOT NULL DEFAULT 0,
            key TEXT NOT NULL,
            etag TEXT NOT NULL DEFAULT '',
            last_modified TEXT NOT NULL DEFAULT '',
            next_at TEXT,
            read_at TEXT,
            failures INTEGER NOT NULL DEFAULT 0,
            fault TEXT NOT NULL DEFAULT '',
            added_at TEXT NOT NULL
        )
        """,
        # `feed` is an address and no reference: what was taken from a feed outlives the following.
        """
        CREATE TABLE followed (
            id INTEGER PRIMARY KEY,
            feed TEXT NOT NULL,
            remote TEXT NOT NULL,
            campaign TEXT NOT NULL UNIQUE,
            author TEXT NOT NULL,
            version INTEGER NOT NULL,
            digest TEXT NOT NULL,
            origin TEXT NOT NULL,
            via TEXT NOT NULL,
            fault TEXT NOT NULL DEFAULT '',
            number INTEGER NOT NULL DEFAULT 0,
            answer TEXT NOT NULL DEFAULT '',
            taken INTEGER NOT NULL DEFAULT 0,
            next_at TEXT,
            failures INTEGER NOT NULL DEFAULT 0,
            refusal TEXT NOT NULL DEFAULT '',
            UNIQUE (feed, remote)
        )
        """,
        "CREATE INDEX followed_origin ON followed(origin)",
        "CREATE TABLE peer (association TEXT PRIMARY KEY REFERENCES association(slug), key TEXT NOT NULL,"
        " added_at TEXT NOT NULL) WITHOUT ROWID",
        """
        CREATE TABLE peer_answer (
            relay INTEGER PRIMARY KEY REFERENCES relay(id),
            number INTEGER NOT NULL,
            statement TEXT NOT NULL,
            came_at TEXT NOT NULL
        )
        """,
    ):
        db.execute(statement)


def across_engines(db: Database) -> None:
    """What else crosses between engines: whether a version asks again, the files that go with it, when a feed that is
    followed last changed there, and whether everybody here was told of the latest version of what came from it."""
    for statement in (
        "ALTER TABLE offer_version ADD COLUMN minor INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE offer_version ADD COLUMN files TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE follow ADD COLUMN changed_at TEXT",
        "ALTER TABLE followed ADD COLUMN told_here INTEGER NOT NULL DEFAULT 1",
    ):
        db.execute(statement)


def figures_that_come_back(db: Database) -> None:
    """Who sends with a tool of its own, the secret with which that tool signs its figures, and answers to polls."""
    for statement in (
        "ALTER TABLE relay_rule ADD COLUMN own_tool INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE told ADD COLUMN answers TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE told ADD COLUMN signed_at INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE told ADD COLUMN signature TEXT NOT NULL DEFAULT ''",
        """
        CREATE TABLE figures_secret (
            association TEXT PRIMARY KEY REFERENCES association(slug),
            sealed BLOB NOT NULL,
            made_at TEXT NOT NULL,
            hour INTEGER NOT NULL DEFAULT 0,
            calls INTEGER NOT NULL DEFAULT 0
        ) WITHOUT ROWID
        """,
    ):
        db.execute(statement)


def told_to_the_end(db: Database) -> None:
    """Of which version those who speak for an association were told, for each: in place of whether all were."""
    for statement in (
        "ALTER TABLE relay ADD COLUMN told INTEGER NOT NULL DEFAULT 0",
        "UPDATE relay SET told = (SELECT version + (state = 'recalled') FROM offer WHERE campaign = relay.campaign)"
        " WHERE campaign NOT IN (SELECT campaign FROM followed WHERE NOT told_here)",
        "ALTER TABLE followed DROP COLUMN told_here",
    ):
        db.execute(statement)
