"""All SQL by which an association's people, imports and sign-ups grow old: what is due, and the end of it.

When something is due, its caller knows. Each method that forgets takes one slice and returns how many rows that
were, 0 once nothing is left; it expects to run inside `db.atomic()`.
"""

from __future__ import annotations

from datetime import datetime

from sqlite_utils.db import Database

from audiences.times import stamp

_SIGN_UPS = "expires_at < :before"
_REQUESTS = "at < :before"
_ASKED_FROM = "request_address IS NOT NULL AND recorded_at < :before"
_ACTIVE = "opened_at < :before OR clicked_at < :before"
_IMPORTS = "at < :before AND forgotten_at IS NULL"
_OF_IMPORTS = "import_id IN (SELECT id FROM import WHERE at < :before)"
# By when we wrote it down, not by when it happened elsewhere: nobody goes on the day they are imported.
_GONE = (
    "EXISTS (SELECT 1 FROM subscription WHERE member_id = member.id AND topic <> 'tracking')"
    " AND NOT EXISTS (SELECT 1 FROM subscription WHERE member_id = member.id AND topic <> 'tracking'"
    " AND state = 'granted')"
    " AND NOT EXISTS (SELECT 1 FROM consent WHERE member_id = member.id AND recorded_at >= :before)"
)


class OldPeople:
    """What one association need no longer know."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # --- what readers did, added up -----------------------------------------------------------

    def count_activity(self, before: datetime) -> int:
        """Members' latest openings and clicks, over all and per campaign, that are older."""
        per_campaign = self._count("activity", "at < :before", before)
        return per_campaign + self._count("member", _ACTIVE, before)

    def forget_activity(self, before: datetime, limit: int) -> int:
        done = self._delete("activity", "(campaign, kind, member_id)", "at < :before", before, limit)
        return done or self._change(
            "UPDATE member SET opened_at = CASE WHEN opened_at < :before THEN NULL ELSE opened_at END,"  # noqa: S608
            " clicked_at = CASE WHEN clicked_at < :before THEN NULL ELSE clicked_at END"
            f" WHERE id IN (SELECT id FROM member WHERE {_ACTIVE} LIMIT :limit)",
            before,
            limit,
        )

    # --- imports ------------------------------------------------------------------------------

    def count_imports(self, before: datetime) -> int:
        """Snapshots of members as they were before an import that is older, and noes it said once more."""
        return self._count("import_change", _OF_IMPORTS, before) + self._count("import_no", _OF_IMPORTS, before)

    def forget_imports(self, before: datetime, limit: int) -> int:
        """Drop what only undoing needs, once their imports are marked as ones that can not be undone any more."""
        marked = self._change(
            f"UPDATE import SET forgotten_at = :before WHERE {_IMPORTS}",  # noqa: S608 - a constant
            before,
        )
        gone = self._delete("import_change", "(import_id, member_id)", _OF_IMPORTS, before, limit)
        return marked + (gone or self._delete("import_no", "(import_id, member_id, topic)", _OF_IMPORTS, before, limit))

    # --- sign-ups and where consent came from -------------------------------------------------

    def count_sign_ups(self, now: datetime) -> int:
        """Sign-ups whose link has expired, confirmed or not: what they led to stands in the consent log. With them
        those who asked for the link to their own page, of whom we know from where alone."""
        return self._count("signup", _SIGN_UPS, now) + self._count("request", _REQUESTS, now)

    def forget_sign_ups(self, now: datetime, limit: int) -> int:
        gone = self._delete("signup", "id", _SIGN_UPS, now, limit)
        return gone or self._delete("request", "id", _REQUESTS, now, limit)

    def count_request_addresses(self, before: datetime) -> int:
        """IP addresses that stand in older records of the consent log."""
        return self._count("consent", _ASKED_FROM, before)

    def forget_request_addresses(self, before: datetime, limit: int) -> int:
        return self._change(
            "UPDATE consent SET request_address = NULL WHERE id IN"  # noqa: S608
            f" (SELECT id FROM consent WHERE {_ASKED_FROM} LIMIT :limit)",
            before,
            limit,
        )

    # --- members ------------------------------------------------------------------------------

    def count_gone(self, before: datetime) -> int:
        """Members who opted out of everything, of whose consent nothing was written down since."""
        return self._count("member", _GONE, before)

    def gone(self, before: datetime, limit: int) -> list[tuple[int, str | None]]:
        """The first of them: (id, address)."""
        sql = f"SELECT id, address FROM member WHERE {_GONE} LIMIT :limit"  # noqa: S608 - a constant
        return self._db.execute(sql, {"before": stamp(before), "limit": limit}).fetchall()

    # --- helpers ------------------------------------------------------------------------------

    def _count(self, table: str, where: str, before: datetime) -> int:
        sql = f"SELECT count(*) FROM {table} WHERE {where}"  # noqa: S608 - constants
        return int(self._db.execute(sql, {"before": stamp(before)}).fetchone()[0])

    def _delete(self, table: str, key: str, where: str, before: datetime, limit: int) -> int:
        columns = key.strip("()")
        sql = f"DELETE FROM {table} WHERE {key} IN (SELECT {columns} FROM {table} WHERE {where} LIMIT :limit)"  # noqa: S608
        return self._change(sql, before, limit)

    def _change(self, sql: str, before: datetime, limit: int = 0) -> int:
        return int(self._db.execute(sql, {"before": stamp(before), "limit": limit}).rowcount)
