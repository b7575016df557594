"""The SQL of associations, campaigns, editions and what is noted of them; what else a host has, is in files of its own.

It decides nothing: what a state may become, its callers know.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.posts import PostStore
from campaigns.searching import searchable
from campaigns.times import stamp


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign as the workspace knows it: the definition's text, where it stands, who sends it."""

    id: str
    title: str
    definition: str
    state: str
    senders: tuple[str, ...]
    """Slugs of the associations that send it."""
    due_at: datetime | None
    created_at: datetime
    series: str | None = None
    """The series of which it is an occurrence."""
    wall: datetime | None = None
    """The occurrence's time by the clock on the wall, without zone."""
    reason: str = ""
    """Why it waits for a person; empty when none has to decide."""
    gathered: str = ""
    """The items of feeds that it shows, as `gathering.kept` writes them."""
    relay_of: str = ""
    """Of an edition that an association relays: the campaign that was offered."""
    adaptation: str = ""
    """What the association made of it, as `relay.Adaptation` writes it."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry of an association's feed. `published` never changes; `updated` only on real edits."""

    campaign: str
    association: str
    topic: str
    tag_uri: str
    title: str
    summary: str
    content: str
    language: str
    tags: tuple[str, ...]
    published: datetime
    updated: datetime
    enclosure: Mapping[str, Any] | None = None
    """The file that belongs to it: `url`, `type`, `length` in bytes."""
    note: str = ""
    """What was corrected, or why it was withdrawn; empty for an entry as it was published."""
    correction: str = ""
    """The definition's text with the correction in it; empty for an entry as it was published."""
    withdrawn: datetime | None = None

    @property
    def picture(self) -> str:
        """Address of the picture that belongs to it; empty for none."""
        is_picture = self.enclosure is not None and str(self.enclosure["type"]).startswith("image/")
        return str(self.enclosure["url"]) if self.enclosure and is_picture else ""


_CAMPAIGN = (
    "id, title, definition, state, senders, due_at, created_at, series, wall, reason, gathered, relay_of, adaptation"
)
ENTRY = (
    "campaign, association, topic, tag_uri, title, summary, content, language, tags, published, updated,"
    " enclosure, note, correction, withdrawn"
)
"""The columns of an EntryRow, for `entry_of`."""


class HostStore(PostStore):
    """Reads and writes `host.db`. Writing methods expect to run inside `db.atomic()`."""

    # --- associations -------------------------------------------------------------------------

    def associations(self) -> list[dict[str, Any]]:
        """Every association as a row, the host first."""
        rows = self.db.query("SELECT * FROM association ORDER BY is_host DESC, slug")
        return [{**row, "brand": json.loads(str(row["brand"]))} for row in rows]

    def association(self, slug: str) -> dict[str, Any] | None:
        """One association as a row, None when there is none."""
        rows = self.db.query("SELECT * FROM association WHERE slug = ?", [slug])
        return next(({**row, "brand": json.loads(str(row["brand"]))} for row in rows), None)

    def add_association(self, row: Mapping[str, Any], now: datetime, *, is_host: bool = False) -> None:
        """Insert one; its keys are the columns. Raises sqlite3.IntegrityError when the slug is taken."""
        values = {**row, "brand": json.dumps(row["brand"]), "is_host": int(is_host), "created_at": stamp(now)}
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        self.db.execute(f"INSERT INTO association ({names}) VALUES ({marks})", values)  # noqa: S608

    def update_association(self, row: Mapping[str, Any]) -> None:
        """Change an association; its keys are the columns, `slug` among them."""
        values = {**row, "brand": json.dumps(row["brand"])}
        changes = ", ".join(f"{name} = :{name}" for name in values if name != "slug")
        self.db.execute(f"UPDATE association SET {changes} WHERE slug = :slug", values)  # noqa: S608

    # --- campaigns and editions ---------------------------------------------------------------

    def campaign(self, campaign_id: str) -> CampaignRow | None:
        row = self.db.execute(f"SELECT {_CAMPAIGN} FROM campaign WHERE id = ?", [campaign_id]).fetchone()  # noqa: S608
        return _campaign(row) if row else None

    def campaigns(self, states: Sequence[str] | None = None) -> list[CampaignRow]:
        """Campaigns in one of `states` (in any, when None), oldest first."""
        where = "" if states is None else f" WHERE state IN ({','.join('?' * len(states))})"
        sql = f"SELECT {_CAMPAIGN} FROM campaign{where} ORDER BY created_at, id"  # noqa: S608
        return [_campaign(row) for row in self.db.execute(sql, list(states or ()))]

    def editions_of(self, campaign_id: str) -> list[CampaignRow]:
        """The editions that associations relay of a campaign, by id."""
        sql = f"SELECT {_CAMPAIGN} FROM campaign WHERE relay_of = ? ORDER BY id"  # noqa: S608
        return [_campaign(row) for row in self.db.execute(sql, [campaign_id])]

    def campaign_ids(self) -> set[str]:
        """The id of every campaign there is."""
        return {row[0] for row in self.db.execute("SELECT id FROM campaign")}

    def save_campaign(
        self,
        campaign_id: str,
        *,
        title: str,
        definition: str,
        state: str,
        senders: Sequence[str],
        due_at: datetime | None,
        now: datetime,
        series: str | None = None,
        wall: datetime | None = None,
        gathered: str = "",
        relay_of: str = "",
        adaptation: str = "",
    ) -> None:
        """Insert, or replace all but `created_at`, `series`, `wall` and `relay_of`.

        Raises sqlite3.IntegrityError when the series has an occurrence at `wall` under another id.
        """
        self.db.execute(
            "INSERT INTO campaign (id, title, definition, state, senders, due_at, created_at, updated_at, series, wall,"
            " gathered, relay_of, adaptation)"
            " VALUES (:id, :title, :definition, :state, :senders, :due_at, :now, :now, :series, :wall, :gathered,"
            " :relay_of, :adaptation)"
            " ON CONFLICT (id) DO UPDATE SET title = :title, definition = :definition, state = :state,"
            " senders = :senders, due_at = :due_at, updated_at = :now, reason = '', gathered = :gathered,"
            " adaptation = :adaptation",
            {
                "id": campaign_id,
                "title": title,
                "definition": definition,
                "state": state,
                "senders": json.dumps(list(senders)),
                "due_at": stamp(due_at) if due_at else None,
                "now": stamp(now),
                "series": series,
                "wall": wall.isoformat() if wall else None,
                "gathered": gathered,
                "relay_of": relay_of,
                "adaptation": adaptation,
            },
        )

    def set_state(self, campaign_id: str, state: str, now: datetime, *, was: Sequence[str], reason: str = "") -> bool:
        """Move a campaign to `state` if it is in one of `was`; False, and nothing done, when it is not.

        `reason` says why it waits for a person.
        """
        marks = ",".join("?" * len(was))
        cursor = self.db.execute(
            f"UPDATE campaign SET state = ?, reason = ?, updated_at = ? WHERE id = ? AND state IN ({marks})",  # noqa: S608
            [state, reason, stamp(now), campaign_id, *was],
        )
        return cursor.rowcount == 1

    def save_edition(
        self, campaign: str, association: str, channel: str, digest: str, body: bytes, now: datetime
    ) -> None:
        """Keep an edition for good; one that exists already stays as it was."""
        self.db.execute(
            "INSERT OR IGNORE INTO edition (campaign, association, channel, digest, body, created_at)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            [campaign, association, channel, digest, body, stamp(now)],
        )

    def drop_editions(self, campaign: str) -> None:
        """Forget the editions of a campaign that never went out, because it is prepared anew."""
        self.db.execute("DELETE FROM edition WHERE campaign = ?", [campaign])

    def edition(self, campaign: str, association: str, channel: str) -> bytes | None:
        """The body of an edition, None when there is none."""
        row = self.db.execute(
            "SELECT body FROM edition WHERE campaign = ? AND association = ? AND channel = ?",
            [campaign, association, channel],
        ).fetchone()
        return bytes(row[0]) if row else None

    # --- feed entries -------------------------------------------------------------------------

    def save_entry(self, entry: EntryRow) -> None:
        """Insert; of an entry that exists, change what is said and `updated`, only if something differs.

        An entry that was withdrawn comes back by this only when it is saved as not withdrawn.
        """
        said = "title, summary, content, language, tags, enclosure, note, correction, withdrawn"
        self.db.execute(
            f"INSERT INTO entry ({ENTRY}) VALUES ({','.join('?' * 15)})"  # noqa: S608 - constants
            " ON CONFLICT (campaign, association) DO UPDATE SET"
            f" {', '.join(f'{name} = excluded.{name}' for name in said.split(', '))}, updated = excluded.updated"
            f" WHERE ({', '.join(f'entry.{name}' for name in said.split(', '))}) IS NOT"
            f" ({', '.join(f'excluded.{name}' for name in said.split(', '))})",
            [
                entry.campaign,
                entry.association,
                entry.topic,
                entry.tag_uri,
                entry.title,
                entry.summary,
                entry.content,
                entry.language,
                json.dumps(list(entry.tags)),
                stamp(entry.published),
                stamp(entry.updated),
                json.dumps(dict(entry.enclosure)) if entry.enclosure else "",
                entry.note,
                entry.correction,
                stamp(entry.withdrawn) if entry.withdrawn else None,
            ],
        )
        self._make_searchable(entry)

    def _make_searchable(self, entry: EntryRow) -> None:
        which = "(SELECT id FROM entry WHERE campaign = ? AND association = ?)"
        names = [entry.campaign, entry.association]
        self.db.execute(f"DELETE FROM entry_text WHERE rowid = {which}", names)  # noqa: S608 - constants
        if entry.withdrawn is None:
            texts = [searchable(text) for text in (entry.title, entry.summary, entry.content)]
            self.db.execute(
                f"INSERT INTO entry_text (rowid, title, summary, body) VALUES ({which}, ?, ?, ?)",  # noqa: S608
                [*names, *texts],
            )

    def entry(self, association: str, campaign: str) -> EntryRow | None:
        """The entry of one campaign in one association's feed."""
        row = self.db.execute(
            f"SELECT {ENTRY} FROM entry WHERE association = ? AND campaign = ?",  # noqa: S608
            [association, campaign],
        ).fetchone()
        return entry_of(row) if row else None

    def state_counts(self) -> tuple[dict[str, int], dict[str, int]]:
        """(state -> number of campaigns, state -> number of posts)."""
        campaigns = self.db.execute("SELECT state, count(*) FROM campaign GROUP BY state").fetchall()
        posts = self.db.execute("SELECT state, count(*) FROM post GROUP BY state").fetchall()
        return dict(campaigns), dict(posts)

    # --- audit --------------------------------------------------------------------------------

    def note(self, who: str, what: str, campaign: str | None, detail: str, now: datetime) -> None:
        """Append to the audit log."""
        self.db.execute(
            "INSERT INTO audit (at, who, what, campaign, detail) VALUES (?, ?, ?, ?, ?)",
            [stamp(now), who, what, campaign, detail],
        )

    def last_noted(self) -> datetime | None:
        """When the audit log was last added to."""
        row = self.db.execute("SELECT max(at) FROM audit").fetchone()
        return datetime.fromisoformat(row[0]) if row[0] else None

    def audit(self, campaign: str) -> list[tuple[str, str, str, str]]:
        """What was done with a campaign, oldest first: (time, who, what, detail)."""
        return self.db.execute(
            "SELECT at, who, what, detail FROM audit WHERE campaign = ? ORDER BY id", [campaign]
        ).fetchall()


def _campaign(row: Sequence[Any]) -> CampaignRow:
    values = dict(zip(_CAMPAIGN.split(", "), row, strict=True))
    values["senders"] = tuple(json.loads(values["senders"]))
    values["created_at"] = datetime.fromisoformat(values["created_at"])
    for name in ("due_at", "wall"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    return CampaignRow(**values)


def entry_of(row: Sequence[Any]) -> EntryRow:
    """A row with the columns of `ENTRY`."""
    values = dict(zip(ENTRY.split(", "), row, strict=True))
    values["tags"] = tuple(json.loads(values["tags"]))
    values["enclosure"] = json.loads(values["enclosure"]) if values["enclosure"] else None
    for name in ("published", "updated", "withdrawn"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    return EntryRow(**values)
