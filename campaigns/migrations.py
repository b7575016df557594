"""The tables of the host's database. Steps are never edited, only added."""

from __future__ import annotations

from sqlite_utils import Migrations
from sqlite_utils.db import Database

from campaigns.searching import searchable

CAMPAIGNS = Migrations("campaigns")


@CAMPAIGNS()
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


@CAMPAIGNS()
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


@CAMPAIGNS()
def indexes(db: Database) -> None:
    """What control asks many times a second, and feeds at every request, must not grow with history."""
    for statement in (
        "CREATE INDEX campaign_state ON campaign(state, created_at)",
        "CREATE INDEX post_open ON post(state) WHERE state IN ('queued', 'sending')",
        "CREATE INDEX post_campaign ON post(campaign, id)",
        "CREATE INDEX entry_published ON entry(association, published)",
    ):
        db.execute(statement)


@CAMPAIGNS()
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


@CAMPAIGNS()
def welcomes(db: Database) -> None:
    """Does an association send a letter to who has just signed up."""
    db.execute("ALTER TABLE association ADD COLUMN welcome INTEGER NOT NULL DEFAULT 1")


@CAMPAIGNS()
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


@CAMPAIGNS()
def doubtful_posts(db: Database) -> None:
    """Posts of which nobody knows whether the network has them: since when, and how often that was found."""
    for statement in (
        "ALTER TABLE post ADD COLUMN tried_at TEXT",
        "ALTER TABLE post ADD COLUMN doubts INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX post_doubtful ON post(state) WHERE state = 'doubtful'",
        "CREATE INDEX post_tried ON post(network, tried_at)",
    ):
        db.execute(statement)


@CAMPAIGNS()
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


@CAMPAIGNS()
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


@CAMPAIGNS()
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


@CAMPAIGNS()
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


@CAMPAIGNS()
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


@CAMPAIGNS()
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


@CAMPAIGNS()
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


@CAMPAIGNS()
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
