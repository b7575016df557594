"""The posts of the host's database: what is posted where, and what became of it. Decides and posts nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from campaigns.times import stamp


@dataclass(frozen=True, slots=True)
class PostRow:
    """One post on one network, in one of the states that its channel's vocabulary names."""

    id: int
    campaign: str
    association: str
    network: str
    part: int
    text: str
    state: str
    remote_id: str
    url: str
    reason: str
    attempts: int
    next_at: datetime | None
    updated_at: datetime
    tried_at: datetime | None = None
    """When the latest try began; of a post in doubt the first that may have come through."""
    doubts: int = 0
    """Tries in a row that ended without anyone knowing whether the network has the post."""
    replies: int | None = None
    shares: int | None = None
    likes: int | None = None
    """What readers did, when that was last looked at; None where it never was, or where the network does not tell."""
    counted_at: datetime | None = None
    looks: int = 0
    """How many of the looks at what readers did are over."""


_POST = (
    "id, campaign, association, network, part, text, state, remote_id, url, reason, attempts, next_at, updated_at,"
    " tried_at, doubts, replies, shares, likes, counted_at, looks"
)


class PostStore:
    """Reads and writes posts. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def add_post(
        self, campaign: str, association: str, network: str, text: str, state: str, now: datetime, *, part: int = 1
    ) -> None:
        """Queue a post; one that exists for this campaign, association, network and part stays as it is."""
        self.db.execute(
            "INSERT OR IGNORE INTO post (campaign, association, network, part, text, state, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            [campaign, association, network, part, text, state, stamp(now)],
        )

    def post(self, post_id: int) -> PostRow | None:
        row = self.db.execute(f"SELECT {_POST} FROM post WHERE id = ?", [post_id]).fetchone()  # noqa: S608
        return _post(row) if row else None

    def posts_tried(self, network: str, since: datetime) -> list[PostRow]:
        """Posts on a network whose latest try began at `since` or later."""
        sql = f"SELECT {_POST} FROM post WHERE network = ? AND tried_at >= ? ORDER BY id"  # noqa: S608
        return [_post(row) for row in self.db.execute(sql, [network, stamp(since)])]

    def posts(self, campaign: str | None = None, states: Sequence[str] | None = None) -> list[PostRow]:
        conditions, values = ["1"], list[Any]()
        if campaign is not None:
            conditions.append("campaign = ?")
            values.append(campaign)
        if states is not None:
            conditions.append(f"state IN ({','.join('?' * len(states))})")
            values.extend(states)
        sql = f"SELECT {_POST} FROM post WHERE {' AND '.join(conditions)} ORDER BY id"  # noqa: S608
        return [_post(row) for row in self.db.execute(sql, values)]

    def update_post(
        self,
        post_id: int,
        *,
        was: str,
        state: str,
        now: datetime,
        remote_id: str = "",
        url: str = "",
        reason: str = "",
        next_at: datetime | None = None,
        attempt: bool = False,
        doubts: int = 0,
    ) -> bool:
        """Move a post from state `was` to `state`; False, and nothing done, when it was in another.

        An `attempt` notes when it began, unless the post is in doubt (`doubts`) from an earlier one.
        """
        cursor = self.db.execute(
            "UPDATE post SET state = ?, remote_id = ?, url = ?, reason = ?, next_at = ?, attempts = attempts + ?,"
            " tried_at = CASE WHEN ? THEN ? ELSE tried_at END, doubts = ?, updated_at = ? WHERE id = ? AND state = ?",
            [
                state,
                remote_id,
                url,
                reason,
                stamp(next_at) if next_at else None,
                int(attempt),
                attempt and not doubts,
                stamp(now),
                doubts,
                stamp(now),
                post_id,
                was,
            ],
        )
        return cursor.rowcount == 1

    def reword_post(self, post_id: int, *, state: str, text: str) -> bool:
        """Note another text of a post; False, and nothing done, when the post is not in `state`."""
        sql = "UPDATE post SET text = ? WHERE id = ? AND state = ?"
        return self.db.execute(sql, [text, post_id, state]).rowcount == 1

    def posts_to_look_at(self, looks: int) -> list[PostRow]:
        """Posts that are there and were looked at fewer than so many times, oldest first."""
        sql = f"SELECT {_POST} FROM post WHERE state = 'sent' AND looks < ? ORDER BY updated_at, id"  # noqa: S608
        return [_post(row) for row in self.db.execute(sql, [looks])]

    def claim_look(self, post_id: int, *, was: int, looks: int) -> bool:
        """Take the right to look at a post; False when somebody else has it, or it is not there any more."""
        sql = "UPDATE post SET looks = ? WHERE id = ? AND looks = ? AND state = 'sent'"
        return self.db.execute(sql, [looks, post_id, was]).rowcount == 1

    def save_figures(
        self, post_id: int, replies: int | None, shares: int | None, likes: int | None, now: datetime
    ) -> None:
        """Keep what readers did with a post so far."""
        self.db.execute(
            "UPDATE post SET replies = ?, shares = ?, likes = ?, counted_at = ? WHERE id = ?",
            [replies, shares, likes, stamp(now), post_id],
        )

    def note_reason(self, post_id: int, reason: str) -> None:
        """Say something about a post that is there."""
        self.db.execute("UPDATE post SET reason = ? WHERE id = ? AND state = 'sent'", [reason, post_id])

    def cancel_posts(self, campaign: str, *, was: str, state: str, now: datetime) -> None:
        """Move all posts of a campaign from state `was` to `state`."""
        self.db.execute(
            "UPDATE post SET state = ?, updated_at = ? WHERE campaign = ? AND state = ?",
            [state, stamp(now), campaign, was],
        )


def _post(row: Sequence[Any]) -> PostRow:
    values = dict(zip(_POST.split(", "), row, strict=True))
    for name in ("next_at", "updated_at", "tried_at", "counted_at"):
        values[name] = datetime.fromisoformat(values[name]) if values[name] else None
    return PostRow(**values)
