"""All SQL by which a host's database, restored from a backup, learns what was approved and answered since.

`before` is the database as it stood, of the same version. What is newer here stays; what belongs to an association that
the backup does not know is left out. It decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlite_utils.db import Database

_OF_CAMPAIGN = {
    "edition": ("campaign", "association", "channel"),
    "entry": ("campaign", "association"),
    "post": ("campaign", "association", "network", "part"),
}
"""What belongs to a campaign -> what tells its rows from one another."""
_AS_IT_STOOD = ("relay_choice", "peer", "figures_secret", "follow", "followed")
"""What is taken whole: a key or a secret that was taken back is not believed again, and what came from other engines
can be recalled from there."""
_NEWER = "excluded.updated_at >= {table}.updated_at"
"""Of two from the same second that of `before` is the later one: it lived on after the backup."""
_ALWAYS, _NEVER = "1", "0"


class HostCarrier:
    """Brings the host's records up to date. Expects to run inside `db.atomic()`."""

    def __init__(self, db: Database, before: Database) -> None:
        self.db, self.before = db, before
        self._known = frozenset(row[0] for row in db.execute("SELECT slug FROM association"))

    def take_campaigns(self) -> None:
        """What was approved, sent, paused or cancelled, with its editions, entries and posts: none is made twice."""
        series = {row[0] for row in self.db.execute("SELECT id FROM series")}
        for row in self._read("campaign"):
            if not self._known.issuperset(json.loads(row["senders"])):
                continue
            if row["series"] not in series:
                row["series"] = None  # of one that began since
            if not self._put("campaign", ("id",), row, when=_NEWER):
                continue
            for table, key in _OF_CAMPAIGN.items():
                for part in self._read(table, "campaign = ?", [row["id"]]):
                    self._put(table, key, _without_id(part), when=_ALWAYS)

    def take_offers(self) -> None:
        """Offers, and what associations made of them; closes; who speaks for whom, and through whom people want it."""
        self._take("offer", ("campaign",), when=_NEWER)
        self._take("offer_version", ("campaign", "version"), when=_NEVER)
        self._take("collective", ("campaign",), when=_NEVER)
        self._take("relay_rule", ("association",), when=_ALWAYS)
        if self._goes_on():
            for table in _AS_IT_STOOD:
                self._replace(table)
        else:
            self._take("relay_choice", ("address_hash",), when=_ALWAYS)
            self._take("peer", ("association",), when=_NEVER)
        self._take_seats()
        for row in self._read("relay"):
            self._put("relay", ("campaign", "association"), _without_id(row), when=_NEWER)
            here = self._relay(row["campaign"], row["association"])
            self._take_steps(row["id"], here)
            for answer in self._read("peer_answer", "relay = ?", [row["id"]]):
                newer = "excluded.number >= peer_answer.number"
                self._put("peer_answer", ("relay",), {**answer, "relay": here}, when=newer)
        self._take("told", ("campaign", "association"), when="excluded.at >= told.at")

    def _goes_on(self) -> bool:
        """Is `before` what the backup became, and not a copy that was older, or went another way."""
        last = self.db.execute("SELECT id, at, who, what FROM audit ORDER BY id DESC LIMIT 1").fetchone()
        sql = "SELECT 1 FROM audit WHERE id = ? AND at = ? AND who = ? AND what = ?"
        return last is None or self.before.execute(sql, last).fetchone() is not None

    def _replace(self, table: str) -> None:
        rows = list(self._read(table))
        self.db.execute(f"DELETE FROM {table}")  # noqa: S608
        for row in rows:
            sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({_marks(row)})"  # noqa: S608
            self.db.execute(sql, list(row.values()))

    def _take_seats(self) -> None:
        """A link that was ended stays ended."""
        for row in self._read("seat"):
            self.db.execute(
                "UPDATE seat SET serial = max(serial, ?), removed_at = coalesce(removed_at, ?) WHERE id = ?",
                [row["serial"], row["removed_at"], row["id"]],
            )
            names = ", ".join(row)
            sql = f"INSERT OR IGNORE INTO seat ({names}) VALUES ({_marks(row)})"  # noqa: S608
            self.db.execute(sql, list(row.values()))

    def _relay(self, campaign: str, association: str) -> int:
        sql = "SELECT id FROM relay WHERE campaign = ? AND association = ?"
        (here,) = self.db.execute(sql, [campaign, association]).fetchone()
        return int(here)

    def _take_steps(self, relay: int, here: int) -> None:
        known = self.db.execute("SELECT at, who, state, detail FROM relay_step WHERE relay_id = ?", [here]).fetchall()
        for step in self.before.execute(
            "SELECT at, who, state, detail FROM relay_step WHERE relay_id = ? ORDER BY id", [relay]
        ).fetchall():
            if step not in known:
                sql = "INSERT INTO relay_step (relay_id, at, who, state, detail) VALUES (?, ?, ?, ?, ?)"
                self.db.execute(sql, [here, *step])

    def _take(self, table: str, key: Sequence[str], *, when: str) -> None:
        for row in self._read(table):
            self._put(table, key, row, when=when)

    def _read(self, table: str, where: str = "1", values: Sequence[object] = ()) -> Iterator[dict[str, Any]]:
        """Rows of `before`, but for those of associations that are not here."""
        cursor = self.before.execute(f"SELECT * FROM {table} WHERE {where}", list(values))  # noqa: S608
        names = [column[0] for column in cursor.description]
        for values_of in cursor.fetchall():
            row = dict(zip(names, values_of, strict=True))
            if row.get("association") is None or row["association"] in self._known:
                yield row

    def _put(self, table: str, key: Sequence[str], row: Mapping[str, Any], *, when: str) -> bool:
        """Insert, or `when` (of `excluded` and the table) replace what has the same key; was either done."""
        changed = ", ".join(f"{name} = excluded.{name}" for name in row if name not in key)
        cursor = self.db.execute(
            f"INSERT INTO {table} ({', '.join(row)}) VALUES ({_marks(row)})"  # noqa: S608 - names of our own tables
            f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed} WHERE {when.format(table=table)}",
            list(row.values()),
        )
        return cursor.rowcount > 0


def _marks(row: Mapping[str, Any]) -> str:
    return ", ".join("?" * len(row))


def _without_id(row: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers are given anew: another row may have this one here."""
    return {name: value for name, value in row.items() if name != "id"}
