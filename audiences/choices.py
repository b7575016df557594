"""All SQL of what members choose beside yes and no: a pause, and how often. It decides nothing; `consent.py` does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Any

from sqlite_utils.db import Database

from audiences.consent import GAPS, Pace, Wishes
from audiences.models import Frequency
from audiences.segments import Condition


def paused_sql(now: datetime) -> Condition:
    """Did `member` ask for a pause that still holds: the SQL twin of `Wishes.pauses`."""
    return Condition("member.paused_until > :pause_today", {"pause_today": now.date().isoformat()})


def too_often_sql(topic: str | None, now: datetime, *, name: str = "topic") -> Condition:
    """Did `member` have a newsletter of `topic` too recently: the SQL twin of `Wishes.had_enough`.

    `name` is that of the parameter for the topic. False for None: a frequency is that of a topic. SQLite asks the
    first subquery once, not once a member, so that where nobody keeps count nothing is looked up.
    """
    if topic is None:
        return Condition("0", {})
    since = {f"pace_{frequency}": now.timestamp() - gap.total_seconds() for frequency, gap in GAPS.items()}
    cases = " ".join(f"WHEN '{frequency}' THEN :pace_{frequency}" for frequency in GAPS)
    chosen = f"coalesce(frequency, (SELECT frequency FROM topic WHERE slug = :{name}))"  # noqa: S608 - a name of ours
    return Condition(
        f"(EXISTS (SELECT 1 FROM pace WHERE topic = :{name}) AND EXISTS (SELECT 1 FROM pace"  # noqa: S608
        f" WHERE topic = :{name} AND member_id = member.id AND sent_at > CASE {chosen} {cases} END))",
        {name: topic, **since},
    )


def weekly_sql(topic: str, *, name: str = "topic") -> Condition:
    """Does `member`, who had something of `topic` before, want it weekly. `name` as in `too_often_sql`."""
    chosen = f"coalesce(frequency, (SELECT frequency FROM topic WHERE slug = :{name}))"  # noqa: S608 - a name of ours
    return Condition(
        f"EXISTS (SELECT 1 FROM pace WHERE topic = :{name} AND member_id = member.id"  # noqa: S608
        f" AND sent_at IS NOT NULL AND {chosen} = '{Frequency.WEEKLY}')",
        {name: topic},
    )


class Choices:
    """The choices of one association's members. Writing methods expect to run inside `db.atomic()`."""

    def __init__(self, db: Database) -> None:
        self.db = db

    def wishes(self, member_id: int) -> Wishes:
        """How often, and from when on, the member wants what they agreed to."""
        row = self.db.execute("SELECT paused_until FROM member WHERE id = ?", [member_id]).fetchone()
        paces = self.db.execute(
            "SELECT pace.topic, coalesce(pace.frequency, topic.frequency, 'each'), sent_at FROM pace"
            " LEFT JOIN topic ON topic.slug = pace.topic WHERE member_id = ?",
            [member_id],
        )
        found = {
            topic: Pace(Frequency(frequency), datetime.fromtimestamp(sent_at, UTC) if sent_at is not None else None)
            for topic, frequency, sent_at in paces
        }
        return Wishes(date.fromisoformat(row[0]) if row and row[0] else None, MappingProxyType(found))

    def pause(self, member_id: int, until: date | None) -> None:
        """No newsletter before `until`; None ends a pause."""
        self.db.execute(
            "UPDATE member SET paused_until = ? WHERE id = ?", [until.isoformat() if until else None, member_id]
        )

    def choose_frequency(self, member_id: int, topic: str, frequency: Frequency | None) -> None:
        """How often the member wants a topic; None: as often as the topic's own frequency says."""
        if frequency is None:
            self.db.execute("UPDATE pace SET frequency = NULL WHERE topic = ? AND member_id = ?", [topic, member_id])
            return
        self.db.execute(
            "INSERT INTO pace (topic, member_id, frequency) VALUES (?, ?, ?)"
            " ON CONFLICT (topic, member_id) DO UPDATE SET frequency = excluded.frequency",
            [topic, member_id, frequency.value],
        )

    def note_sent(self, topic: str, members: Condition, rows: Iterable[dict[str, Any]], now: datetime) -> None:
        """Remember that a newsletter of `topic` was taken for members, where somebody counts.

        `members` selects the id of one of them; each of `rows` holds its parameters.
        """
        row = self.db.execute(
            "SELECT (SELECT frequency FROM topic WHERE slug = :topic) <> 'each',"
            " EXISTS (SELECT 1 FROM pace WHERE topic = :topic)",
            {"topic": topic},
        ).fetchone()
        of_all, of_some = bool(row[0]), bool(row[1])
        if of_all:
            statement = (
                "INSERT INTO pace (topic, member_id, sent_at)"  # noqa: S608 - compiled, values bound
                f" SELECT :topic, id, :sent_at FROM ({members.sql}) WHERE 1"
                " ON CONFLICT (topic, member_id) DO UPDATE SET sent_at = excluded.sent_at"
            )
        elif of_some:
            statement = (
                "UPDATE pace SET sent_at = :sent_at WHERE topic = :topic AND frequency IS NOT NULL"  # noqa: S608
                f" AND member_id = ({members.sql})"
            )
        else:
            return
        shared = {**members.parameters, "topic": topic, "sent_at": int(now.timestamp())}
        self.db.conn.executemany(statement, ({**shared, **values} for values in rows))
