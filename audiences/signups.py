"""All SQL of sign-ups that wait until the person confirms them. It decides nothing; `comms.engine.signup` does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from audiences.times import stamp

_COLUMNS = (
    "id, address, topics, language, source, request_address, request_network, requested_at, expires_at, confirmed_at"
)


@dataclass(frozen=True, slots=True)
class SignUp:
    """Somebody typed in an address; whether it is theirs, nobody knows before they confirm."""

    address: str
    topics: Mapping[str, str]
    """Slug -> the wording that the person is asked to agree to."""
    source: str
    """Evidence: which form, in which version; or who invited."""
    requested_at: datetime
    expires_at: datetime
    language: str | None = None
    request_address: str | None = None
    """IP address of the request; None for an invitation."""
    request_network: str | None = None
    """What requests are counted by, so that one visitor can not ask without end; None where they are not counted."""
    confirmed_at: datetime | None = None
    id: int | None = None


class SignUps:
    """The sign-ups of one association. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def add(self, signup: SignUp, token_hash: bytes) -> None:
        """Keep a sign-up, under the keyed hash of the token that confirms it."""
        self.db.execute(
            "INSERT INTO signup (token_hash, address, topics, language, source, request_address, request_network,"
            " requested_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                token_hash,
                signup.address,
                json.dumps(dict(signup.topics)),
                signup.language,
                signup.source,
                signup.request_address,
                signup.request_network,
                stamp(signup.requested_at),
                stamp(signup.expires_at),
            ],
        )

    def find(self, token_hash: bytes) -> SignUp | None:
        """The sign-up that a token confirms, used or expired ones among them; None when there is none."""
        row = self.db.execute(f"SELECT {_COLUMNS} FROM signup WHERE token_hash = ?", [token_hash]).fetchone()  # noqa: S608
        return _signup(row) if row else None

    def of_address(self, address: str) -> list[SignUp]:
        """Every sign-up of an address that is still kept, oldest first."""
        rows = self.db.execute(f"SELECT {_COLUMNS} FROM signup WHERE address = ? ORDER BY id", [address])  # noqa: S608
        return [_signup(row) for row in rows.fetchall()]

    def use(self, signup_id: int, now: datetime) -> bool:
        """Mark a sign-up as confirmed; False when it was before: a token is good for one time."""
        cursor = self.db.execute(
            "UPDATE signup SET confirmed_at = ? WHERE id = ? AND confirmed_at IS NULL", [stamp(now), signup_id]
        )
        return cursor.rowcount == 1

    def waiting_for(self, address: str, since: datetime) -> int:
        """Sign-ups of an address that were asked for after `since` and are not confirmed."""
        return self._count("address = ? AND requested_at > ? AND confirmed_at IS NULL", [address, stamp(since)])

    def asked_from(self, network: str, since: datetime) -> int:
        """Sign-ups asked for from a network after `since`."""
        return self._count("request_network = ? AND requested_at > ?", [network, stamp(since)])

    def waiting(self, now: datetime) -> int:
        """All sign-ups that may still be confirmed."""
        return self._count("confirmed_at IS NULL AND expires_at > ?", [stamp(now)])

    def addresses(self) -> set[str]:
        """Every address that a sign-up which is still kept was asked for."""
        return {row[0] for row in self.db.execute("SELECT DISTINCT address FROM signup")}

    def forget(self, address: str) -> int:
        """Delete every sign-up of an address."""
        return int(self.db.execute("DELETE FROM signup WHERE address = ?", [address]).rowcount)

    def _count(self, where: str, values: list[Any]) -> int:
        return int(self.db.execute(f"SELECT count(*) FROM signup WHERE {where}", values).fetchone()[0])  # noqa: S608


def _signup(row: tuple[Any, ...]) -> SignUp:
    values = dict(zip(_COLUMNS.split(", "), row, strict=True))
    values["topics"] = json.loads(values["topics"])
    for name in ("requested_at", "expires_at", "confirmed_at"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    return SignUp(**values)
