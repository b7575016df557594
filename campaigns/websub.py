"""All SQL of WebSub, in the host's database: what changed, who subscribed, who asks to, which hubs are to be told.

It decides nothing and asks nobody. A subscriber is owed one delivery at most, of the feed as it is then; a hub one ping
for each topic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlite_utils.db import Database

from campaigns.times import stamp

Mode = Literal["subscribe", "unsubscribe"]


@dataclass(frozen=True, slots=True)
class Intent:
    """A request to subscribe or unsubscribe that the callback has not confirmed yet."""

    mode: Mode
    topic: str
    """Address of the feed."""
    callback: str
    host: str
    """Of the callback."""
    site: str
    """To whom the host seems to belong: what callbacks are counted by."""
    network: str | None
    """What requests are counted by, as for sign-ups; None where they are not counted."""
    secret: bytes | None
    """Sealed; None where none was given."""
    lease_s: int
    """Seconds for which a subscription would last."""
    asked_at: datetime
    id: int = 0


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A callback that gets a feed when it changes. `round` counts the changes that it was, or is, owed."""

    id: int
    topic: str
    callback: str
    host: str
    secret: bytes | None
    """Sealed."""
    verified_at: datetime
    lease_until: datetime
    round: int
    owed_at: datetime | None
    """When the feed changed that it has not got yet; None when it is owed nothing."""
    next_at: datetime | None
    attempts: int
    sent_at: datetime | None
    """When it last took the feed."""
    fault: str
    """Why it did not take it at the last try; empty when it did."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A hub of others that is to be told of a change."""

    hub: str
    host: str
    topic: str
    round: int
    next_at: datetime
    attempts: int
    fault: str


_INTENT = "mode, topic, callback, host, site, network, secret, lease_s, asked_at, id"
_SUBSCRIBER = (
    "id, topic, callback, host, secret, verified_at, lease_until, round, owed_at, next_at, attempts, sent_at, fault"
)
_PING = "hub, host, topic, round, next_at, attempts, fault"


class WebSub:
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # --- what changed -------------------------------------------------------------------------

    def news(self) -> list[tuple[str, str]]:
        """(association, campaign) of entries that were published, corrected or withdrawn and not reckoned with yet."""
        return self._db.execute("SELECT association, campaign FROM news").fetchall()

    def take_news(self, association: str, campaign: str) -> bool:
        """It is reckoned with; False when it was before."""
        cursor = self._db.execute("DELETE FROM news WHERE association = ? AND campaign = ?", [association, campaign])
        return cursor.rowcount == 1

    def owe(self, topics: Iterable[str], now: datetime) -> None:
        """Every subscriber of these topics is owed the feed as it is now, and the first try begins anew."""
        self._db.conn.executemany(
            "UPDATE subscriber SET round = round + 1, owed_at = ?1, next_at = ?1, attempts = 0 WHERE topic = ?2",
            [(stamp(now), topic) for topic in topics],
        )

    def owe_ping(self, hub: str, host: str, topic: str, now: datetime) -> None:
        """This hub is to be told that the topic changed, and the first try begins anew."""
        self._db.execute(
            "INSERT INTO ping (hub, host, topic, next_at) VALUES (?, ?, ?, ?) ON CONFLICT (hub, topic)"
            " DO UPDATE SET round = round + 1, next_at = excluded.next_at, attempts = 0",
            [hub, host, topic, stamp(now)],
        )

    # --- requests -----------------------------------------------------------------------------

    def ask(self, intent: Intent) -> None:
        """Keep a request until its callback was asked."""
        values = [getattr(intent, name) for name in _INTENT.split(", ")[:-2]]
        self._db.execute(
            "INSERT INTO intent (mode, topic, callback, host, site, network, secret, lease_s, asked_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [*values, stamp(intent.asked_at)],
        )

    def waiting(self) -> int:
        """Requests that wait for their callback to be asked."""
        return self._count("intent WHERE done_at IS NULL", [])

    def asked_for(self, site: str, since: datetime) -> int:
        """Requests that named a callback of this site after `since`."""
        return self._count("intent WHERE site = ? AND asked_at > ?", [site, stamp(since)])

    def asked_from(self, network: str, since: datetime) -> int:
        """Requests that came from this network after `since`."""
        return self._count("intent WHERE network = ? AND asked_at > ?", [network, stamp(since)])

    def intents(self, limit: int) -> list[Intent]:
        """Requests that wait, of each host the first one."""
        rows = self._db.execute(
            f"SELECT {_INTENT} FROM intent WHERE id IN"  # noqa: S608 - constants
            " (SELECT min(id) FROM intent WHERE done_at IS NULL GROUP BY host) ORDER BY id LIMIT ?",
            [limit],
        )
        return [Intent(**_values(_INTENT, row)) for row in rows]

    def settle(self, intent: Intent, now: datetime) -> None:
        """The callback was asked; the request still counts for a while."""
        self._db.execute("UPDATE intent SET done_at = ?, secret = NULL WHERE id = ?", [stamp(now), intent.id])

    # --- subscribers --------------------------------------------------------------------------

    def subscribe(self, intent: Intent, now: datetime, lease_until: datetime) -> None:
        """The callback confirmed: it subscribes, or goes on with the secret and the lease that it asked for now."""
        self._db.execute(
            "INSERT INTO subscriber (topic, callback, host, site, secret, verified_at, lease_until)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (topic, callback) DO UPDATE SET secret = excluded.secret,"
            " verified_at = excluded.verified_at, lease_until = excluded.lease_until",
            [intent.topic, intent.callback, intent.host, intent.site, intent.secret, stamp(now), stamp(lease_until)],
        )

    def unsubscribe(self, topic: str, callback: str) -> None:
        """The callback confirmed that it wants no more, or is gone."""
        self._db.execute("DELETE FROM subscriber WHERE topic = ? AND callback = ?", [topic, callback])

    def subscribers(self) -> list[Subscriber]:
        """Every one, by topic."""
        sql = f"SELECT {_SUBSCRIBER} FROM subscriber ORDER BY topic, id"  # noqa: S608 - constants
        return [Subscriber(**_values(_SUBSCRIBER, row)) for row in self._db.execute(sql)]

    def is_subscribed(self, topic: str, callback: str) -> bool:
        return bool(self._count("subscriber WHERE topic = ? AND callback = ?", [topic, callback]))

    def count(self, site: str | None = None) -> int:
        """Subscriptions, of callbacks of this site or of all."""
        return self._count("subscriber WHERE ?1 IS NULL OR site = ?1", [site])

    def owed(self, now: datetime, limit: int) -> list[Subscriber]:
        """Subscribers whose delivery is due, of each host the one that has waited longest."""
        rows = self._db.execute(
            f"SELECT {_SUBSCRIBER} FROM subscriber WHERE id IN (SELECT id FROM"  # noqa: S608 - constants
            " (SELECT id, min(next_at) FROM subscriber WHERE owed_at IS NOT NULL AND next_at <= ?1"
            " AND lease_until > ?1 GROUP BY host)) ORDER BY next_at, id LIMIT ?2",
            [stamp(now), limit],
        )
        return [Subscriber(**_values(_SUBSCRIBER, row)) for row in rows]

    def try_delivery(self, subscriber_id: int, next_at: datetime) -> None:
        """A try begins; should nobody ever hear how it ended, the next one comes at `next_at`."""
        self._db.execute(
            "UPDATE subscriber SET attempts = attempts + 1, next_at = ? WHERE id = ?", [stamp(next_at), subscriber_id]
        )

    def delivered(self, subscriber: Subscriber, now: datetime) -> None:
        """It took the feed; a change that came meanwhile stays owed."""
        self._db.execute(
            "UPDATE subscriber SET sent_at = :now, fault = '', owed_at = CASE WHEN round = :round THEN NULL ELSE"
            " owed_at END WHERE id = :id",
            {"now": stamp(now), "round": subscriber.round, "id": subscriber.id},
        )

    def failed(self, subscriber: Subscriber, fault: str, *, is_last: bool) -> None:
        """It did not take the feed. After the last try it is owed nothing until the feed changes again."""
        self._db.execute(
            "UPDATE subscriber SET fault = :fault, owed_at = CASE WHEN :last AND round = :round THEN NULL ELSE"
            " owed_at END WHERE id = :id",
            {"fault": fault, "last": int(is_last), "round": subscriber.round, "id": subscriber.id},
        )

    # --- hubs of others -----------------------------------------------------------------------

    def all_pings(self) -> list[Ping]:
        """Every one that waits."""
        sql = f"SELECT {_PING} FROM ping ORDER BY hub, topic"  # noqa: S608 - constants
        return [Ping(**_values(_PING, row)) for row in self._db.execute(sql)]

    def pings(self, now: datetime, limit: int) -> list[Ping]:
        """Those that are due, of each host the one that has waited longest."""
        rows = self._db.execute(
            f"SELECT {_PING} FROM (SELECT {_PING}, min(next_at) FROM ping WHERE next_at <= ? GROUP BY host)"  # noqa: S608
            " ORDER BY next_at LIMIT ?",
            [stamp(now), limit],
        )
        return [Ping(**_values(_PING, row)) for row in rows]

    def try_ping(self, ping: Ping, next_at: datetime) -> None:
        """A try begins, as `try_delivery`."""
        self._db.execute(
            "UPDATE ping SET attempts = attempts + 1, next_at = ? WHERE hub = ? AND topic = ?",
            [stamp(next_at), ping.hub, ping.topic],
        )

    def pinged(self, ping: Ping) -> None:
        """The hub knows, or is not told again: unless the topic changed meanwhile, that is all."""
        self._db.execute(
            "DELETE FROM ping WHERE hub = ? AND topic = ? AND round = ?", [ping.hub, ping.topic, ping.round]
        )

    def ping_failed(self, ping: Ping, fault: str) -> None:
        self._db.execute("UPDATE ping SET fault = ? WHERE hub = ? AND topic = ?", [fault, ping.hub, ping.topic])

    # --- what ends by itself ------------------------------------------------------------------

    def is_over(self, now: datetime, before: datetime) -> bool:
        """Is there anything for `expire` to do."""
        return bool(
            self._count("subscriber WHERE lease_until <= ?", [stamp(now)])
            or self._count("intent WHERE done_at < ?", [stamp(before)])
        )

    def expire(self, now: datetime, before: datetime) -> None:
        """End subscriptions whose lease is over, and forget requests that were done `before`."""
        self._db.execute("DELETE FROM intent WHERE done_at < ?", [stamp(before)])
        self._db.execute("DELETE FROM subscriber WHERE lease_until <= ?", [stamp(now)])

    def _count(self, rest: str, values: Sequence[Any]) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {rest}", list(values)).fetchone()[0])  # noqa: S608


def _values(columns: str, row: Sequence[Any]) -> dict[str, Any]:
    values = dict(zip(columns.split(", "), row, strict=True))
    for name in values:
        if name.endswith(("_at", "_until")) and values[name] is not None:
            values[name] = datetime.fromisoformat(values[name])
    if values.get("secret") is not None:
        values["secret"] = bytes(values["secret"])
    return values
