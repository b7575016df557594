"""The SQL of members, their consent and suppressions. It decides nothing; `consent.py` and `importing/` do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlite_utils.db import Database

from audiences import attributes as attribute_json
from audiences.addresses import address_hash, fold_case
from audiences.consent import BLOCKLISTED, Standing
from audiences.mailable import exclusion_sql
from audiences.models import (
    Basis,
    Consent,
    ConsentState,
    Frequency,
    Member,
    SuppressionScope,
    Topic,
)
from audiences.segments import Condition
from audiences.stepping import each_value
from audiences.times import stamp

EVERYONE = Condition("1", {})
_LARGE_CACHE = -64 * 1024
"""Of SQLite's page cache while a list is written, in KiB (negative, as the pragma wants it)."""
_MEMBER_COLUMNS = "member.id, member.address, member.language, member.timezone, member.attributes"
_SUPPRESS = (
    "INSERT INTO suppression (address_hash, scope, reason, at, import_id) VALUES (?, ?, ?, ?, ?)"  # noqa: S608
    " ON CONFLICT (address_hash, scope) DO UPDATE SET"
    f" reason = CASE WHEN excluded.reason = '{BLOCKLISTED}' OR (excluded.import_id IS NULL"
    f" AND suppression.import_id IS NOT NULL AND suppression.reason <> '{BLOCKLISTED}')"
    " THEN excluded.reason ELSE suppression.reason END,"
    " import_id = CASE WHEN suppression.import_id IS excluded.import_id THEN suppression.import_id END"
)


class People:
    """The members of one association.

    `hash_key` is the workspace's suppression key. Writing methods expect to run inside `db.atomic()`.
    """

    def __init__(self, db: Database, hash_key: bytes) -> None:
        self.db = db
        self._hash_key = hash_key

    # --- reading ------------------------------------------------------------------------------

    def find(self, address: str) -> Member | None:
        """The member with this address, whatever its ASCII case."""
        return next(self._members("member.address = ?", [address]), None)

    def get(self, member_id: int) -> Member | None:
        return next(self._members("member.id = ?", [member_id]), None)

    def select(self, condition: Condition = EVERYONE, *, limit: int | None = None) -> Iterator[Member]:
        """Members for whom `condition` holds, in order of id."""
        suffix = "" if limit is None else f" LIMIT {int(limit)}"
        return self._members(f"{condition.sql} ORDER BY member.id{suffix}", condition.parameters)

    def count(self, condition: Condition = EVERYONE) -> int:
        sql = f"SELECT count(*) FROM member WHERE {condition.sql}"  # noqa: S608 - compiled, values bound
        return int(self.db.execute(sql, dict(condition.parameters)).fetchone()[0])

    def exclusions(
        self, condition: Condition, topic: str | None, now: datetime, further: Condition | None = None
    ) -> dict[str | None, int]:
        """Of those for whom `condition` holds: how many are excluded for which reason; None: how many are not.

        `further` as in `exclusion_sql`.
        """
        reason = exclusion_sql(topic, now, further)
        sql = f"SELECT {reason.sql}, count(*) FROM member WHERE {condition.sql} GROUP BY 1"  # noqa: S608
        return dict(self.db.execute(sql, {**condition.parameters, **reason.parameters}).fetchall())

    def lacking(self, condition: Condition, topic: str | None, name: str, now: datetime) -> int:
        """How many of those who would get a newsletter have no attribute (or field) of this name."""
        reason = exclusion_sql(topic, now)
        field = name if name in ("address", "language", "timezone") else None
        absent = f"member.{field} IS NULL" if field else "json_type(member.attributes, :path) IS NULL"
        sql = f"SELECT count(*) FROM member WHERE {condition.sql} AND {reason.sql} IS NULL AND {absent}"  # noqa: S608
        parameters = {**condition.parameters, **reason.parameters, "path": f'$."{name}"'}
        return int(self.db.execute(sql, parameters).fetchone()[0])

    def attribute_names(self) -> set[str]:
        """Every attribute that some member has."""
        rows = self.db.execute("SELECT name FROM attribute")
        return {row[0] for row in rows}

    def tag_names(self) -> set[str]:
        """Every tag that some member has. Asks the index for one after the other: members have many, of few kinds."""
        rows = self.db.execute(f"{each_value('tag', 'tag')} SELECT value FROM each WHERE value IS NOT NULL")  # noqa: S608
        return {row[0] for row in rows}

    def languages(self) -> set[str]:
        """Every language that some member has, as it was written down."""
        rows = self.db.execute("SELECT DISTINCT language FROM member WHERE language IS NOT NULL")
        return {row[0] for row in rows}

    def timezones(self) -> set[str | None]:
        return {row[0] for row in self.db.execute("SELECT DISTINCT timezone FROM member")}

    def standings(self, members: Mapping[int, str | None]) -> dict[int, Standing]:
        """What each of these members (id -> address) agrees to now."""
        marks = ",".join("?" * len(members))
        states: dict[int, dict[str, ConsentState]] = {member_id: {} for member_id in members}
        for member_id, topic, state in self.db.execute(
            f"SELECT member_id, topic, state FROM subscription WHERE member_id IN ({marks})",  # noqa: S608
            list(members),
        ):
            states[member_id][topic] = ConsentState(state)
        suppressed = self.suppressed(address for address in members.values() if address)
        return {
            member_id: Standing(MappingProxyType(states[member_id]), bool(address) and address in suppressed)
            for member_id, address in members.items()
        }

    def suppressed(self, addresses: Iterable[str]) -> set[str]:
        """Which of these addresses must not be written to by this association."""
        return self._suppressed(addresses, SuppressionScope.ASSOCIATION)

    def suppressed_for_relays(self, addresses: Iterable[str]) -> set[str]:
        """Which of these addresses want nothing that is relayed.

        Those who want it from nobody are in the host's database, those who said so to one association in its own:
        whoever relays asks both.
        """
        return self._suppressed(addresses, SuppressionScope.RELAYS)

    def is_suppressed(self, digest: bytes, scope: SuppressionScope) -> bool:
        """Is an address suppressed, of which only the keyed hash is known (`hash_of`)."""
        row = self.db.execute(
            "SELECT 1 FROM suppression WHERE address_hash = ? AND scope IN (?, 'all')", [digest, scope.value]
        ).fetchone()
        return row is not None

    def hash_of(self, address: str) -> bytes:
        """The keyed hash by which an address is known to suppressions, the same for all associations."""
        return address_hash(self._hash_key, address)

    def address_hashes(self, condition: Condition) -> Iterator[bytes]:
        """The keyed hash of the address of each member for whom `condition` holds, and who has one."""
        sql = f"SELECT address_hash FROM member WHERE {condition.sql} AND address_hash IS NOT NULL"  # noqa: S608
        for (digest,) in self.db.execute(sql, dict(condition.parameters)):
            yield bytes(digest)

    def suppressions_of(self, address: str) -> list[tuple[SuppressionScope, str]]:
        """Every suppression of an address: (scope, reason)."""
        rows = self.db.execute(
            "SELECT scope, reason FROM suppression WHERE address_hash = ? ORDER BY scope",
            [address_hash(self._hash_key, address)],
        )
        return [(SuppressionScope(scope), reason) for scope, reason in rows]

    def _suppressed(self, addresses: Iterable[str], scope: SuppressionScope) -> set[str]:
        if self.db.execute("SELECT 1 FROM suppression LIMIT 1").fetchone() is None:
            return set()
        by_hash: dict[bytes, list[str]] = {}
        for address in addresses:
            by_hash.setdefault(address_hash(self._hash_key, address), []).append(address)
        marks = ",".join("?" * len(by_hash))
        rows = self.db.execute(
            f"SELECT address_hash FROM suppression WHERE address_hash IN ({marks}) AND scope IN (?, 'all')",  # noqa: S608
            [*by_hash, scope.value],
        )
        return {address for (digest,) in rows for address in by_hash[bytes(digest)]}

    def consent_log(self, member_id: int) -> list[Consent]:
        """The member's consent records, oldest first."""
        rows = self.db.execute(
            "SELECT topic, state, at, source, basis, wording, request_address, confirmed FROM consent"
            " WHERE member_id = ? ORDER BY id",
            [member_id],
        )
        return [
            Consent(
                topic,
                ConsentState(state),
                datetime.fromisoformat(at),
                source,
                Basis(basis) if basis else None,
                wording,
                request_address,
                confirmed,
            )
            for topic, state, at, source, basis, wording, request_address, confirmed in rows
        ]

    def subscriptions(self) -> dict[str, int]:
        """Topic -> number of members who agree to it; `ANY_TOPIC` and `TRACKING` among them."""
        rows = self.db.execute("SELECT topic, count(*) FROM subscription WHERE state = 'granted' GROUP BY topic")
        return dict(rows.fetchall())

    def topics(self) -> list[Topic]:
        rows = self.db.execute("SELECT slug, title, frequency, public FROM topic ORDER BY slug")
        return [Topic(slug, title, Frequency(frequency), bool(public)) for slug, title, frequency, public in rows]

    # --- writing ------------------------------------------------------------------------------

    def add_topic(self, topic: Topic) -> None:
        """Add or retitle a topic."""
        self.db.execute(
            "INSERT INTO topic (slug, title, frequency, public) VALUES (?, ?, ?, ?) ON CONFLICT (slug) DO UPDATE"
            " SET title = excluded.title, frequency = excluded.frequency, public = excluded.public",
            [topic.slug, topic.title, Frequency(topic.frequency).value, int(topic.public)],
        )

    def by_address(self, addresses: Sequence[str]) -> dict[str, Member]:
        """Members with one of these addresses, under `fold_case` of the address."""
        marks = ",".join("?" * len(addresses))
        found = self._members(f"member.address IN ({marks})", list(addresses))
        return {fold_case(member.address): member for member in found if member.address}

    @contextmanager
    def many(self) -> Iterator[None]:
        """Writes many members with less work: the pages of the index of addresses, met at random, stay in memory."""
        small = self.db.execute("PRAGMA cache_size").fetchone()[0]
        self.db.execute(f"PRAGMA cache_size = {_LARGE_CACHE}")
        try:
            yield
        finally:
            self.db.execute(f"PRAGMA cache_size = {small}")

    def next_id(self) -> int:
        """First id that no member has had; holds until the transaction ends."""
        row = self.db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'member'").fetchone()
        return int(row[0]) + 1 if row else 1

    def by_external(self, ids: Sequence[str]) -> dict[str, Member]:
        """Members known under one of these ids of other systems, under that id."""
        marks = ",".join("?" * len(ids))
        rows = self.db.execute(f"SELECT id, member_id FROM external WHERE id IN ({marks})", list(ids)).fetchall()  # noqa: S608
        member_marks = ",".join("?" * len(rows))
        found = {m.id: m for m in self._members(f"member.id IN ({member_marks})", [row[1] for row in rows])}
        return {external: found[member_id] for external, member_id in rows}

    def tags(self, member_ids: Iterable[int]) -> dict[int, set[str]]:
        """The tags of each of these members, case folded."""
        tags: dict[int, set[str]] = {member_id: set() for member_id in member_ids}
        marks = ",".join("?" * len(tags))
        for member_id, tag in self.db.execute(
            f"SELECT member_id, tag FROM tag WHERE member_id IN ({marks})",  # noqa: S608
            list(tags),
        ):
            tags[member_id].add(tag.casefold())
        return tags

    def insert(self, members: Sequence[Member], now: datetime) -> None:
        """Add members that carry their id."""
        written = stamp(now)
        self.db.conn.executemany(
            "INSERT INTO member (id, address, address_hash, language, timezone, attributes, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    member.id,
                    member.address,
                    address_hash(self._hash_key, member.address) if member.address else None,
                    member.language,
                    member.timezone,
                    attribute_json.encode(member.attributes),
                    written,
                    written,
                )
                for member in members
            ],
        )

    def update(self, members: Sequence[Member], now: datetime) -> None:
        """Write down members that exist as they are now."""
        self.db.conn.executemany(
            "UPDATE member SET address = ?, address_hash = ?, language = ?, timezone = ?, attributes = ?,"
            " updated_at = ? WHERE id = ?",
            [
                (
                    member.address,
                    address_hash(self._hash_key, member.address) if member.address else None,
                    member.language,
                    member.timezone,
                    attribute_json.encode(member.attributes),
                    stamp(now),
                    member.id,
                )
                for member in members
            ],
        )

    def note_attributes(self, names: Iterable[str]) -> None:
        """Remember that attributes of these names exist."""
        self.db.conn.executemany("INSERT OR IGNORE INTO attribute (name) VALUES (?)", [(name,) for name in names])

    def note_topics(self, slugs: Iterable[str]) -> None:
        """Make topics of these slugs known, under a title made from the slug, unless they are. They stay private:
        what a list of members mentions is nobody else's business."""
        self.db.conn.executemany(
            "INSERT OR IGNORE INTO topic (slug, title, public) VALUES (?, ?, 0)",
            [(slug, slug.replace("-", " ").capitalize()) for slug in sorted(slugs)],
        )

    def record(self, changes: Iterable[tuple[int, Consent]], now: datetime, import_number: int | None = None) -> None:
        """Append to the consent log: (member's id, change). Whether it is allowed was decided before."""
        written = stamp(now)
        self.db.conn.executemany(
            "INSERT INTO consent (member_id, topic, state, basis, at, source, wording, request_address, confirmed,"
            " recorded_at, import_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    member_id,
                    change.topic,
                    change.state.value,
                    change.basis.value if change.basis else None,
                    stamp(change.at),
                    change.source,
                    change.wording,
                    change.request_address,
                    change.confirmed,
                    written,
                    import_number,
                )
                for member_id, change in changes
            ],
        )

    def suppress(
        self, address: str, scope: SuppressionScope, reason: str, now: datetime, import_number: int | None = None
    ) -> None:
        """Never write to this address again within `scope`.

        The first reason stays, unless it came with an import and this one did not, or this one is that the
        association shut the address out, which lasts longest. What two say, no undone import lifts.
        """
        self.db.execute(_SUPPRESS, [
            address_hash(self._hash_key, address), scope.value, reason, stamp(now), import_number,
        ])  # fmt: skip

    def note_erased(self, address: str, reason: str, now: datetime) -> None:
        """Never write to the address of somebody who was erased, nor keep them when a backup brings them back."""
        self.suppress(address, SuppressionScope.ASSOCIATION, reason, now)
        self.db.execute(
            "UPDATE suppression SET erased_at = ? WHERE address_hash = ? AND scope = 'association'",
            [stamp(now), address_hash(self._hash_key, address)],
        )

    def lift(self, address: str, scope: SuppressionScope) -> bool:
        """End a suppression; False when there was none. Whether it may end was decided before."""
        cursor = self.db.execute(
            "DELETE FROM suppression WHERE address_hash = ? AND scope = ?",
            [address_hash(self._hash_key, address), scope.value],
        )
        return bool(cursor.rowcount)

    def remove(self, member_id: int) -> None:
        """Delete a member with all that hangs on it: consent, tags, ids, snapshots of imports."""
        self.db.execute("DELETE FROM member WHERE id = ?", [member_id])

    def add_tags(self, tags: Iterable[tuple[int, str]], import_number: int | None = None) -> None:
        """Tag members: (member's id, tag)."""
        self.db.conn.executemany(
            "INSERT OR IGNORE INTO tag (member_id, tag, import_id) VALUES (?, ?, ?)",
            [(member_id, tag, import_number) for member_id, tag in tags],
        )

    def note_external(self, ids: Mapping[str, int]) -> None:
        """Remember under which ids other systems know members."""
        self.db.conn.executemany("INSERT OR REPLACE INTO external (id, member_id) VALUES (?, ?)", list(ids.items()))

    # --- helpers ------------------------------------------------------------------------------

    def _members(self, where: str, parameters: Sequence[Any] | Mapping[str, Any]) -> Iterator[Member]:
        sql = f"SELECT {_MEMBER_COLUMNS} FROM member WHERE {where}"  # noqa: S608 - built here, values bound
        for member_id, address, language, timezone, text in self.db.conn.execute(sql, parameters):
            yield Member(address, attribute_json.decode(text), language, timezone, member_id)
