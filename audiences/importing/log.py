"""All SQL of the log of imports: what each changed, and how one is taken back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils.db import Database

from audiences import attributes as attribute_json
from audiences.migrations import APPLY_CONSENT
from audiences.models import Member
from audiences.times import stamp


@dataclass(frozen=True, slots=True)
class PastImport:
    """One import of an association."""

    number: int
    file: str
    at: str
    """UTC, ISO text."""
    added: int
    updated: int
    undone_at: str | None
    forgotten_at: str | None
    """Since when it can not be undone any more, because nobody remembers what was before it; None while it can."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What undoing an import did."""

    removed: int
    """Members it had added, gone again."""
    restored: int
    """Members it had changed, as they were."""
    kept: int
    """Members that something else has touched since: their consent of the import is void, the rest stays."""


class ImportLog:
    """The imports of one association. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def begin(self, file: str, now: datetime) -> int:
        """Give an import its number."""
        cursor = self.db.execute("INSERT INTO import (file, at) VALUES (?, ?)", [file, stamp(now)])
        return int(cursor.lastrowid or 0)

    def end(self, number: int, added: int, updated: int) -> None:
        """Write down how many rows it added and changed."""
        self.db.execute("UPDATE import SET added = ?, updated = ? WHERE id = ?", [added, updated, number])

    def note(self, number: int, added: Iterable[int], changed: Iterable[Member]) -> None:
        """Remember whom the import adds, and what those it changes were before it."""
        rows: list[tuple[int, int, str | None]] = [(number, member_id, None) for member_id in added]
        rows += [(number, member.id, _snapshot(member)) for member in changed if member.id is not None]
        self.db.conn.executemany(
            "INSERT OR IGNORE INTO import_change (import_id, member_id, before) VALUES (?, ?, ?)", rows
        )

    def noes(self, member_ids: Sequence[int]) -> dict[int, dict[str, bool]]:
        """Member -> each withdrawal in force, by topic: does it rest on imports alone that may yet be undone."""
        marks = ",".join("?" * len(member_ids))
        rows = self.db.execute(
            "SELECT member_id, topic, state = 'withdrawn',"  # noqa: S608
            " import_id IS NOT NULL AND (forgotten_at IS NULL OR undone_at IS NOT NULL)"
            " FROM consent LEFT JOIN import ON import.id = import_id"
            f" WHERE member_id IN ({marks}) AND consent.id NOT IN (SELECT consent_id FROM consent_void)"
            " ORDER BY consent.id",
            list(member_ids),
        )
        found: dict[int, dict[str, bool]] = {}
        for member_id, topic, is_no, may_go in rows:
            noes = found.setdefault(member_id, {})
            if is_no:
                noes[topic] = bool(may_go) and noes.get(topic, True)
            else:
                noes.pop(topic, None)
        return found

    def note_noes(self, number: int, noes: Iterable[tuple[int, str]]) -> None:
        """Remember that the import says a no, (member, topic), which another import said before."""
        self.db.conn.executemany(
            "INSERT OR IGNORE INTO import_no (import_id, member_id, topic) VALUES (?, ?, ?)",
            [(number, member_id, topic) for member_id, topic in noes],
        )

    def past(self) -> list[PastImport]:
        """All imports, oldest first."""
        rows = self.db.execute("SELECT id, file, at, added, updated, undone_at, forgotten_at FROM import ORDER BY id")
        return [PastImport(*row) for row in rows]

    def undo(self, number: int, now: datetime) -> Undone | None:
        """Take an import back; None when there is none of this number, or it is undone or forgotten already.

        Members it added go, unless a later import changed them or the person spoke; members it changed become what
        they were, unless a later import changed them again. Its consent records stay as evidence and
        count no more; its suppressions and tags go.
        """
        cursor = self.db.execute(
            "UPDATE import SET undone_at = ? WHERE id = ? AND undone_at IS NULL AND forgotten_at IS NULL",
            [stamp(now), number],
        )
        if cursor.rowcount == 0:
            return None
        self._void_consents(number, now)
        self.db.execute("DELETE FROM suppression WHERE import_id = ?", [number])
        self.db.execute("DELETE FROM tag WHERE import_id = ?", [number])
        rows = self.db.execute(
            f"SELECT member_id, before, {_CHANGED_LATER}, {_SPOKE} FROM import_change WHERE import_id = ?",  # noqa: S608
            [number],
        ).fetchall()
        removed = [(member_id,) for member_id, before, later, spoke in rows if not (before or later or spoke)]
        restored = [(member_id, json.loads(before)) for member_id, before, later, _ in rows if before and not later]
        self.db.conn.executemany("DELETE FROM member WHERE id = ?", removed)
        self.db.conn.executemany(
            "UPDATE member SET address = :address, language = :language, timezone = :timezone,"
            " attributes = :attributes, updated_at = :now,"
            " address_hash = CASE WHEN :address IS NULL THEN NULL ELSE address_hash END WHERE id = :id",
            [{**before, "id": member_id, "now": stamp(now)} for member_id, before in restored],
        )
        return Undone(len(removed), len(restored), len(rows) - len(removed) - len(restored))

    def _void_consents(self, number: int, now: datetime) -> None:
        """Let the import's records count no more, and derive anew what their members agree to.

        A no that an import which stands said too keeps counting, until that one is undone as well.
        """
        affected = (
            "(SELECT member_id FROM consent WHERE import_id = :number"
            " UNION SELECT member_id FROM import_no WHERE import_id = :number)"
        )
        self.db.execute(
            "INSERT OR IGNORE INTO consent_void (consent_id, at) SELECT id, :now FROM consent"  # noqa: S608
            f" WHERE member_id IN {affected} AND {_NOW_UNSAID} AND NOT (state = 'withdrawn' AND {_SAID_AGAIN})",
            {"number": number, "now": stamp(now)},
        )
        standing = self.db.execute(
            "SELECT topic, member_id, state, basis, at FROM consent"  # noqa: S608
            f" WHERE member_id IN {affected} AND id NOT IN (SELECT consent_id FROM consent_void) ORDER BY id",
            {"number": number},
        ).fetchall()
        self.db.execute(f"DELETE FROM subscription WHERE member_id IN {affected}", {"number": number})  # noqa: S608
        for topic, member_id, state, basis, at in standing:
            for statement in APPLY_CONSENT:
                self.db.execute(
                    statement, {"topic": topic, "member_id": member_id, "state": state, "basis": basis, "at": at}
                )


_NOW_UNSAID = (
    "(import_id = :number OR (EXISTS (SELECT 1 FROM import WHERE import.id = consent.import_id"
    " AND undone_at IS NOT NULL) AND EXISTS (SELECT 1 FROM import_no WHERE import_id = :number"
    " AND import_no.member_id = consent.member_id AND import_no.topic = consent.topic)))"
)
"""Records of import `:number`, or of one undone before it whose no it had kept in force."""
_SAID_AGAIN = (
    "EXISTS (SELECT 1 FROM import_no JOIN import ON import.id = import_no.import_id"
    " WHERE import_no.member_id = consent.member_id AND import_no.topic = consent.topic"
    " AND import_no.import_id <> consent.import_id AND import.undone_at IS NULL)"
)
_CHANGED_LATER = (
    "EXISTS (SELECT 1 FROM import_change AS later JOIN import ON import.id = later.import_id"
    " WHERE later.member_id = import_change.member_id AND later.import_id > import_change.import_id"
    " AND import.undone_at IS NULL)"
)
_SPOKE = (
    "(EXISTS (SELECT 1 FROM consent WHERE consent.member_id = import_change.member_id"
    " AND consent.import_id IS NOT import_change.import_id)"
    " OR EXISTS (SELECT 1 FROM import_no JOIN import ON import.id = import_no.import_id"
    " WHERE import_no.member_id = import_change.member_id AND import.undone_at IS NULL))"
)
"""Has anyone but this import said something of the member's consent, the member above all. The import counts as
undone already."""


def _snapshot(member: Member) -> str:
    return json.dumps(
        {
            "address": member.address,
            "language": member.language,
            "timezone": member.timezone,
            "attributes": attribute_json.encode(member.attributes),
        },
        ensure_ascii=False,
    )
