"""All SQL of relays between engines, in the host's database: what this one follows, and who answers it from elsewhere.

It decides nothing and trusts nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from campaigns.times import stamp


@dataclass(frozen=True, slots=True)
class FollowRow:
    """A feed of offers of another engine, and where its reading stands."""

    id: int
    name: str
    """Short name, with which ids of its offers begin here."""
    url: str
    author: str
    """Name of who offers."""
    association: str
    """Who is offered it, by the slug of this workspace."""
    remote: str
    """The same association, by the slug of the other engine."""
    passes_on: bool
    """Are its offers made to all other associations of this workspace, too."""
    key: str
    """The public key that it signs with, in 64 hexadecimal digits."""
    etag: str
    last_modified: str
    next_at: datetime | None
    """It is not asked for before; None: at once."""
    read_at: datetime | None
    failures: int
    fault: str
    added_at: datetime
    changed_at: datetime | None = None
    """When the latest copy of it that was taken last changed, by the clock of the other engine; an older copy is not
    taken. Never after it was read here."""


@dataclass(frozen=True, slots=True)
class FollowedRow:
    """One offer of a feed that is followed, and what the other engine was told of it."""

    id: int
    feed: str
    """Address of the feed, by which it is known again when somebody stopped following it and began anew."""
    remote: str
    """The campaign's id there."""
    campaign: str
    """Its id here."""
    version: int
    """The latest that was taken; 0 when none could be."""
    digest: str
    """Of what that version says: a version says one thing only."""
    origin: str
    """The engine that offered it first, and its id there."""
    via: str
    """The engines that it came through, the first first, parted by spaces."""
    fault: str
    """Why the latest version is not offered here; empty when it is."""
    number: int
    """Of the latest answer that was written down."""
    answer: str
    """That answer, as JSON; empty before there is one."""
    taken: bool
    """Has the other engine taken it."""
    next_at: datetime | None
    """It is not told before."""
    failures: int
    refusal: str
    """Why it was not taken, in words."""


@dataclass(frozen=True, slots=True)
class Peer:
    """An association that answers from an engine of its own."""

    association: str
    key: str
    """Public key, in 64 hexadecimal digits."""
    added_at: datetime


@dataclass(frozen=True, slots=True)
class PeerAnswer:
    """The latest answer about one relay."""

    relay: int
    number: int
    statement: str
    """As it was signed, without when it was sent: JSON."""
    came_at: datetime


_FOLLOW = (
    "id, name, url, author, association, remote, passes_on, key, etag, last_modified, next_at, read_at, failures,"
    " fault, added_at, changed_at"
)
_FOLLOWED = (
    "id, feed, remote, campaign, version, digest, origin, via, fault, number, answer, taken, next_at, failures, refusal"
)


class FollowStore:
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # --- feeds that are followed --------------------------------------------------------------

    def follows(self) -> list[FollowRow]:
        """By name."""
        return [_follow(row) for row in self._db.execute(f"SELECT {_FOLLOW} FROM follow ORDER BY name")]  # noqa: S608

    def follow(self, name_or_url: str) -> FollowRow | None:
        sql = f"SELECT {_FOLLOW} FROM follow WHERE name = :key OR url = :key"  # noqa: S608
        row = self._db.execute(sql, {"key": name_or_url}).fetchone()
        return _follow(row) if row else None

    def add(self, row: FollowRow) -> int:
        """Returns its id. Raises sqlite3.IntegrityError when name or address are there already."""
        cursor = self._db.execute(
            "INSERT INTO follow (name, url, author, association, remote, passes_on, key, added_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                row.name, row.url, row.author, row.association, row.remote, int(row.passes_on), row.key,
                stamp(row.added_at),
            ],
        )  # fmt: skip
        return int(cursor.lastrowid or 0)

    def remove(self, follow_id: int) -> None:
        """Read it no more. What was taken from it stays."""
        self._db.execute("DELETE FROM follow WHERE id = ?", [follow_id])

    def claim(self, follow_id: int, now: datetime, until: datetime, *, at_once: bool) -> bool:
        """Take the right to ask for it now, which nobody else has before `until`; False when it is not due."""
        cursor = self._db.execute(
            "UPDATE follow SET next_at = :until WHERE id = :id AND (:at_once OR next_at IS NULL OR next_at <= :now)",
            {"id": follow_id, "now": stamp(now), "until": stamp(until), "at_once": int(at_once)},
        )
        return cursor.rowcount == 1

    def save(self, row: FollowRow) -> None:
        """Write down how its reading stands."""
        self._db.execute(
            "UPDATE follow SET author = ?, key = ?, etag = ?, last_modified = ?, next_at = ?, read_at = ?,"
            " failures = ?, fault = ?, changed_at = ? WHERE id = ?",
            [
                row.author, row.key, row.etag, row.last_modified, _text(row.next_at), _text(row.read_at), row.failures,
                row.fault, _text(row.changed_at), row.id,
            ],
        )  # fmt: skip

    # --- their offers -------------------------------------------------------------------------

    def followed(self, feed: str) -> list[FollowedRow]:
        """Every offer of one feed, in the order in which they came."""
        sql = f"SELECT {_FOLLOWED} FROM followed WHERE feed = ? ORDER BY id"  # noqa: S608
        return [_followed(row) for row in self._db.execute(sql, [feed])]

    def taken(self, campaign: str) -> FollowedRow | None:
        """The offer that a campaign of this workspace came from; None for one of its own."""
        sql = f"SELECT {_FOLLOWED} FROM followed WHERE campaign = ? AND version > 0"  # noqa: S608
        row = self._db.execute(sql, [campaign]).fetchone()
        return _followed(row) if row else None

    def of_origin(self, origin: str) -> list[FollowedRow]:
        """What was taken of one campaign, by whichever ways it came."""
        sql = f"SELECT {_FOLLOWED} FROM followed WHERE origin = ? AND version > 0"  # noqa: S608
        return [_followed(row) for row in self._db.execute(sql, [origin])]

    def author(self, campaign: str) -> str | None:
        """Name of who offered a campaign from elsewhere; None for one of this workspace."""
        row = self._db.execute("SELECT author FROM followed WHERE campaign = ? AND version > 0", [campaign]).fetchone()
        return str(row[0]) if row else None

    def save_followed(self, row: FollowedRow, *, author: str) -> None:
        """Insert or replace what is known of an offer, but not what was told of it. Its `id` plays no part."""
        self._db.execute(
            "INSERT INTO followed (feed, remote, campaign, version, digest, origin, via, fault, author)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (feed, remote) DO UPDATE SET"
            " version = excluded.version, digest = excluded.digest, origin = excluded.origin, via = excluded.via,"
            " fault = excluded.fault, author = excluded.author",
            [row.feed, row.remote, row.campaign, row.version, row.digest, row.origin, row.via, row.fault, author],
        )

    def tell(self, row: FollowedRow) -> None:
        """Write down what is to be told of an offer, and how that stands."""
        self._db.execute(
            "UPDATE followed SET number = ?, answer = ?, taken = ?, next_at = ?, failures = ?, refusal = ?"
            " WHERE id = ?",
            [row.number, row.answer, int(row.taken), _text(row.next_at), row.failures, row.refusal, row.id],
        )

    # --- who answers from elsewhere -----------------------------------------------------------

    def peers(self) -> list[Peer]:
        """By association."""
        rows = self._db.execute("SELECT association, key, added_at FROM peer ORDER BY association")
        return [_peer(row) for row in rows]

    def peer(self, association: str) -> Peer | None:
        row = self._db.execute("SELECT association, key, added_at FROM peer WHERE association = ?", [association])
        found = row.fetchone()
        return _peer(found) if found else None

    def save_peer(self, peer: Peer) -> None:
        """Insert, or replace its key."""
        self._db.execute(
            "INSERT INTO peer (association, key, added_at) VALUES (?, ?, ?) ON CONFLICT (association)"
            " DO UPDATE SET key = excluded.key, added_at = excluded.added_at",
            [peer.association, peer.key, stamp(peer.added_at)],
        )

    def remove_peer(self, association: str) -> None:
        self._db.execute("DELETE FROM peer WHERE association = ?", [association])

    def answer(self, relay_id: int) -> PeerAnswer | None:
        sql = "SELECT relay, number, statement, came_at FROM peer_answer WHERE relay = ?"
        row = self._db.execute(sql, [relay_id]).fetchone()
        return PeerAnswer(row[0], row[1], row[2], datetime.fromisoformat(row[3])) if row else None

    def save_answer(self, answer: PeerAnswer) -> None:
        """Insert, or replace the one before."""
        self._db.execute(
            "INSERT INTO peer_answer (relay, number, statement, came_at) VALUES (?, ?, ?, ?) ON CONFLICT (relay)"
            " DO UPDATE SET number = excluded.number, statement = excluded.statement, came_at = excluded.came_at",
            [answer.relay, answer.number, answer.statement, stamp(answer.came_at)],
        )


def _text(moment: datetime | None) -> str | None:
    return stamp(moment) if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _follow(row: Sequence[Any]) -> FollowRow:
    values = dict(zip(_FOLLOW.split(", "), row, strict=True))
    for name in ("next_at", "read_at", "added_at", "changed_at"):
        values[name] = _moment(values[name])
    return FollowRow(**{**values, "passes_on": bool(values["passes_on"])})


def _followed(row: Sequence[Any]) -> FollowedRow:
    values = dict(zip(_FOLLOWED.split(", "), row, strict=True))
    return FollowedRow(**{**values, "taken": bool(values["taken"]), "next_at": _moment(values["next_at"])})


def _peer(row: Sequence[Any]) -> Peer:
    return Peer(row[0], row[1], datetime.fromisoformat(row[2]))
