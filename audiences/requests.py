"""All SQL of counting who asks for letters, by where they ask from. It decides nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlite_utils.db import Database

from audiences.times import stamp


class Requests:
    """The requests to one association. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def add(self, network: str | None, now: datetime, *, keep: timedelta) -> None:
        """Count a request from a network (None: from nobody knows where), and forget those older than `keep`."""
        self.db.execute("DELETE FROM request WHERE at <= ?", [stamp(now - keep)])
        self.db.execute("INSERT INTO request (network, at) VALUES (?, ?)", [network, stamp(now)])

    def since(self, network: str, moment: datetime) -> int:
        """How many came from a network after `moment`."""
        query = "SELECT count(*) FROM request WHERE network = ? AND at > ?"
        return int(self.db.execute(query, [network, stamp(moment)]).fetchone()[0])
