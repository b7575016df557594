"""All SQL by which a backup, once restored, learns what people said since it was made. It decides nothing.

`before` is the database as it stood; a `Carrier` writes to the one that was restored, inside `db.atomic()`.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlite_utils.db import Database

from audiences.addresses import address_hash


class Carrier:
    """Brings what one association knew into the restored copy of its database.

    `hash_key` is the workspace's suppression key.
    """

    def __init__(self, db: Database, hash_key: bytes) -> None:
        self._db, self._hash_key = db, hash_key

    def take_suppressions(self, before: Database) -> int:
        """Suppress what was suppressed, for the reason that stood last. Returns how many are news."""
        rows = before.execute(
            "SELECT address_hash, scope, reason, at, erased_at, import_id IS NULL FROM suppression"
        ).fetchall()
        changes = self._db.conn.total_changes
        # Whatever is news belongs to no import here, which may number its own anew.
        self._db.conn.executemany(
            "INSERT INTO suppression (address_hash, scope, reason, at, erased_at) VALUES (?1, ?2, ?3, ?4, ?5)"
            " ON CONFLICT (address_hash, scope) DO UPDATE SET reason = excluded.reason, import_id = NULL,"
            " erased_at = coalesce(excluded.erased_at, erased_at)"
            " WHERE reason <> excluded.reason OR (erased_at IS NULL AND excluded.erased_at IS NOT NULL)"
            " OR (import_id IS NOT NULL AND ?6)",
            rows,
        )
        return int(self._db.conn.total_changes - changes)

    def take_used_sign_ups(self, before: Database) -> None:
        """A link that was used stays used."""
        rows = before.execute("SELECT confirmed_at, token_hash FROM signup WHERE confirmed_at IS NOT NULL").fetchall()
        self._db.conn.executemany("UPDATE signup SET confirmed_at = ? WHERE token_hash = ?", rows)

    def take_choices(self, before: Database) -> None:
        """Pauses, and how often members want what they get."""
        pauses = before.execute(
            "SELECT paused_until, address FROM member WHERE paused_until IS NOT NULL AND address IS NOT NULL"
        ).fetchall()
        self._db.conn.executemany("UPDATE member SET paused_until = ? WHERE address = ?", pauses)
        paces = before.execute(
            "SELECT topic, frequency, sent_at, address FROM pace JOIN member ON member.id = member_id"
            " WHERE address IS NOT NULL"
        ).fetchall()
        self._db.conn.executemany(
            "INSERT INTO pace (topic, member_id, frequency, sent_at) SELECT ?, id, ?, ? FROM member WHERE address = ?"
            " ON CONFLICT (topic, member_id) DO UPDATE SET frequency = excluded.frequency, sent_at = excluded.sent_at",
            paces,
        )

    def take_private_feeds(self, before: Database) -> None:
        """Who has a feed of their own, under which token: one that ended meanwhile does not begin again."""
        feeds = before.execute(
            "SELECT token_hash, made_at, address FROM private_feed JOIN member ON member.id = member_id"
            " WHERE address IS NOT NULL"
        ).fetchall()
        self._db.execute("DELETE FROM private_feed")
        self._db.conn.executemany(
            "INSERT INTO private_feed (member_id, token_hash, made_at) SELECT id, ?, ? FROM member WHERE address = ?",
            feeds,
        )

    def erased_members(self) -> list[int]:
        """Ids of members whose address is that of somebody who was erased, and has not come back."""
        rows = self._db.execute(
            "SELECT id FROM member WHERE address_hash IN"
            " (SELECT address_hash FROM suppression WHERE erased_at IS NOT NULL)"
        )
        return [row[0] for row in rows]

    def erased(self, addresses: Iterable[str]) -> list[str]:
        """Of these addresses, those of people who were erased and have not come back."""
        rows = self._db.execute("SELECT address_hash FROM suppression WHERE erased_at IS NOT NULL")
        hashes = {bytes(digest) for (digest,) in rows}
        return [address for address in addresses if address_hash(self._hash_key, address) in hashes]

    @staticmethod
    def withdrawals(before: Database) -> dict[str, list[str]]:
        """Address -> what its member opted out of, and has not come back to."""
        found: dict[str, list[str]] = {}
        for address, topic in before.execute(
            "SELECT member.address, topic FROM subscription JOIN member ON member.id = member_id"
            " WHERE state = 'withdrawn' AND member.address IS NOT NULL ORDER BY topic"
        ):
            found.setdefault(address, []).append(topic)
        return found
