"""One copy of a relayed campaign per person, however many associations would send it: who does. Pure but for `Holders`.

Nothing is remembered of what went out: the ledgers say that. Kept here is only which association has which person,
under a keyed hash that is another one for every campaign; it is made anew from the ledgers whenever it is missing, and
thrown away when the campaign is closed.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined] # the driver it chose

from comms.events import DeliveryState

REACHED = frozenset({DeliveryState.SENT, DeliveryState.UNCERTAIN})
"""The person has it, or may have."""
UNDER_WAY = frozenset({DeliveryState.CLAIMED, DeliveryState.DEFERRED})
"""A sender has it, or tries again: what becomes of it is known soon."""


class Verdict(StrEnum):
    """What an association does about a person."""

    SEND = "send"
    LEAVE = "leave"
    """Somebody else has reached them."""
    WAIT = "wait"
    """Somebody else is to reach them, or is about to."""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What another association is about to do for the same person."""

    association: str
    state: DeliveryState
    is_open: bool
    """Its edition goes out, or will: neither paused nor over."""


def judge(me: str, others: Collection[Elsewhere], token: bytes, choice: str | None) -> tuple[Verdict, str]:
    """(what association `me` does about a person, whom it waits for). `choice`: through whom the person wants it.

    The person's own choice counts first; then it is whoever alone can; among several one is drawn, for each campaign
    and person anew (rendezvous hashing: Thaler and Ravishankar 1998), so that each gets its share and all agree on who
    it is.
    """
    for other in others:
        if other.state in REACHED:
            return Verdict.LEAVE, other.association
    for other in others:
        if other.state in UNDER_WAY:
            return Verdict.WAIT, other.association
    able = {me, *(each.association for each in others if each.is_open and each.state is DeliveryState.READY)}
    first = choice if choice in able else max(able, key=lambda slug: _draw(token, slug))
    return (Verdict.SEND, me) if first == me else (Verdict.WAIT, first)


def token_of(key: bytes, address_hash: bytes) -> bytes:
    """Stands for a person in one campaign alone; `key` is the campaign's."""
    return hmac.digest(key, address_hash, hashlib.sha256)


def _draw(token: bytes, slug: str) -> bytes:
    return hmac.digest(token, slug.encode(), hashlib.sha256)


class Holders:
    """Which associations have which person of one campaign. A file of its own, which may be deleted at any time."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Raises sqlite3.Error, and OSError, when the file can not be made."""
        self._key = key
        path.parent.mkdir(mode=0o700, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        for statement in (
            # What is lost with the machine is made again.
            "PRAGMA journal_mode = MEMORY",
            "PRAGMA synchronous = OFF",
            "PRAGMA secure_delete = ON",
            "CREATE TABLE IF NOT EXISTS holder (token BLOB NOT NULL, association TEXT NOT NULL, delivery INTEGER,"
            " PRIMARY KEY (token, association)) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS known (association TEXT PRIMARY KEY, mark TEXT NOT NULL) WITHOUT ROWID",
        ):
            self._db.execute(statement)

    def marks(self) -> Mapping[str, str]:
        """Association -> what its rows were made from."""
        return dict(self._db.execute("SELECT association, mark FROM known").fetchall())

    def replace(self, association: str, mark: str, people: Iterable[tuple[bytes, int | None]]) -> None:
        """Write down whom an association has: (keyed hash of the address, delivery; None before there are any)."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self.forget(association)
            self._db.executemany(
                "INSERT OR REPLACE INTO holder (token, association, delivery) VALUES (?, ?, ?)",
                ((token_of(self._key, digest), association, delivery) for digest, delivery in people),
            )
            self._db.execute("INSERT INTO known VALUES (?, ?)", [association, mark])
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def forget(self, association: str) -> None:
        """An association that no longer takes part has nobody."""
        self._db.execute("DELETE FROM holder WHERE association = ?", [association])
        self._db.execute("DELETE FROM known WHERE association = ?", [association])

    def others(self, address_hash: bytes, me: str) -> tuple[bytes, list[tuple[str, int | None]]]:
        """(the person's token, who else has them: association and delivery)."""
        token = token_of(self._key, address_hash)
        rows = self._db.execute(
            "SELECT association, delivery FROM holder WHERE token = ? AND association <> ?", [token, me]
        ).fetchall()
        return token, rows

    def overlap(self) -> int:
        """How many people two or more associations have."""
        sql = "SELECT count(*) FROM (SELECT 1 FROM holder GROUP BY token HAVING count(*) > 1)"
        return int(self._db.execute(sql).fetchone()[0])

    def people(self) -> int:
        """How many people there are in all."""
        return int(self._db.execute("SELECT count(DISTINCT token) FROM holder").fetchone()[0])

    def close(self) -> None:
        self._db.close()
