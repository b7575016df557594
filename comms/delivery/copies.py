"""One copy of a relayed campaign per person, however many associations would send it: who does. Pure but for `Holders`.

Nothing is remembered of what went out: the ledgers say that. Kept here is only which association has which person,
under a keyed hash that is another one for every campaign; it is made anew from the ledgers whenever it is missing, and
thrown away when the campaign is closed.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from sqlite_utils.utils import sqlite3  # type: ignore[attr-defined] # the driver it chose

from comms.events import DeliveryState

REACHED = frozenset({DeliveryState.SENT, DeliveryState.UNCERTAIN})
"""The person has it, or may have."""
ABLE = frozenset({DeliveryState.READY, DeliveryState.DEFERRED})
"""It can go out yet, or once more."""


class Verdict(StrEnum):
    """What an association does about a person."""

    SEND = "send"
    LEAVE = "leave"
    """Somebody else has reached them."""
    WAIT = "wait"
    """Somebody else is to reach them, or is about to."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far one edition is with one person."""

    edition: str
    association: str
    state: DeliveryState
    is_open: bool
    """It goes out, or will: neither paused nor over."""


def judge(mine: Standing, others: Collection[Standing], token: bytes, choice: str | None) -> tuple[Verdict, Standing]:
    """(what an edition does about a person, for whom). `choice`: through which association the person wants it.

    Who has tried before goes on trying, and all others wait for it; so no two wait for each other. The person's own
    choice counts then; then it is whoever alone can; among several one is drawn, for each campaign and person anew
    (rendezvous hashing: Thaler and Ravishankar 1998), so that each gets its share and all agree on who it is.
    """
    for other in others:
        if other.state in REACHED:
            return Verdict.LEAVE, other
    for other in others:
        if other.state is DeliveryState.CLAIMED:
            return Verdict.WAIT, other
    able = [mine, *(each for each in others if each.is_open and each.state in ABLE)]
    able = [each for each in able if each.state is DeliveryState.DEFERRED] or able
    able = [each for each in able if each.association == choice] or able
    first = max(able, key=lambda each: _draw(token, each.edition))
    return (Verdict.SEND if first is mine else Verdict.WAIT), first


def token_of(key: bytes, address_hash: bytes) -> bytes:
    """Stands for a person in one campaign alone; `key` is the campaign's."""
    return hmac.digest(key, address_hash, hashlib.sha256)


def _draw(token: bytes, edition: str) -> bytes:
    return hmac.digest(token, edition.encode(), hashlib.sha256)


class Holders:
    """Which editions of one campaign have which person. A file of its own, which may be deleted at any time."""

    def __init__(self, path: Path, key: bytes) -> None:
        """One that is damaged is thrown away. Raises sqlite3.Error, and OSError, when the file can not be made."""
        self._key = key
        path.parent.mkdir(mode=0o700, exist_ok=True)
        try:
            self._db = _opened(path)
        except sqlite3.OperationalError:  # locked, or no room: nothing is wrong with the file
            raise
        except sqlite3.DatabaseError:
            discard(path)
            self._db = _opened(path)

    def marks(self) -> Mapping[str, str]:
        """Edition -> what its rows were made from."""
        return dict(self._db.execute("SELECT edition, mark FROM listed").fetchall())

    def replace(self, edition: str, mark: str, people: Iterable[tuple[bytes, int | None]]) -> None:
        """Write down whom an edition has: (keyed hash of the address, delivery; None before there are any)."""
        with self._atomic():
            self._forget(edition)
            self._insert(edition, people)
            self._db.execute("INSERT INTO listed VALUES (?, ?)", [edition, mark])

    def add(self, edition: str, people: Iterable[tuple[bytes, int | None]]) -> None:
        """Write down under which addresses an edition's people are known now. Those they had before still count."""
        with self._atomic():
            self._insert(edition, people)

    def forget(self, edition: str) -> None:
        """An edition that no longer goes out has nobody."""
        with self._atomic():
            self._forget(edition)

    def who(self, address_hash: bytes) -> tuple[bytes, dict[str, int | None]]:
        """(the person's token, edition -> delivery of all that have them)."""
        token = token_of(self._key, address_hash)
        rows = self._db.execute("SELECT edition, delivery FROM reader WHERE token = ?", [token])
        return token, dict(rows.fetchall())

    def close(self) -> None:
        self._db.close()

    def _forget(self, edition: str) -> None:
        self._db.execute("DELETE FROM reader WHERE edition = ?", [edition])
        self._db.execute("DELETE FROM listed WHERE edition = ?", [edition])

    def _insert(self, edition: str, people: Iterable[tuple[bytes, int | None]]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO reader (token, edition, delivery) VALUES (?, ?, ?)",
            ((token_of(self._key, digest), edition, delivery) for digest, delivery in people),
        )

    @contextlib.contextmanager
    def _atomic(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise


def discard(path: Path) -> None:
    """Delete the file, and what SQLite keeps beside it."""
    for each in (path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        each.unlink(missing_ok=True)


def _opened(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        path.chmod(0o600)
        for statement in (
            # A process that is killed while it writes must leave nothing half written: what is missing here is not
            # noticed, and somebody gets a second copy. Losing the last of it with the machine does no harm.
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = NORMAL",
            "PRAGMA secure_delete = ON",
            "CREATE TABLE IF NOT EXISTS reader (token BLOB NOT NULL, edition TEXT NOT NULL, delivery INTEGER,"
            " PRIMARY KEY (token, edition)) WITHOUT ROWID",
            "CREATE TABLE IF NOT EXISTS listed (edition TEXT PRIMARY KEY, mark TEXT NOT NULL) WITHOUT ROWID",
        ):
            db.execute(statement)
    except BaseException:
        db.close()
        raise
    return db
