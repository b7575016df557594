"""All SQL of the numbers that links in mails carry: none is given to a second person, not even after a restore."""

from __future__ import annotations

from comms.db import Database


def go_on_after(db: Database, before: Database) -> None:
    """Number the next delivery of `db` higher than any of `before`, whose mails are out. Within `db.atomic()`.

    Otherwise a link to stop in a mail that was sent after the backup would stop somebody else.
    """
    used, known = _last(before), _last(db)
    if used > known:
        db.execute("DELETE FROM sqlite_sequence WHERE name = 'delivery'")  # it has no key to update by
        db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('delivery', ?)", [used])


def _last(db: Database) -> int:
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'delivery'").fetchone()
    return int(row[0]) if row else 0
