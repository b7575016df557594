"""Holds the receiver's log against the ledger: who was lost, who got two, and was that said. Pure but for `read`."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

OPEN = ("ready", "claimed", "deferred")


@dataclass(frozen=True, slots=True)
class Row:
    """One delivery, as the ledger tells of it."""

    campaign: str
    address: str
    state: str
    reason: str
    doubts: int
    """Cases in doubt that the ledger lists for it."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the ledger of an association says, and what SQLite says of its file."""

    rows: Sequence[Row]
    runs: Mapping[str, int]
    """Campaign -> how many it planned to write to."""
    damage: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a fault."""

    sends: int
    """Messages that the receiver took."""
    lost: int
    """People who were planned and are neither in the log nor in a final state that is true and says why."""
    doubled: int
    """Copies beyond the first."""
    unnamed: int
    """Of these, how many no case in doubt accounts for."""
    in_doubt: int
    held: int
    """Deliveries that end as uncertain, for a person to decide."""
    complaints: Sequence[str]
    """Each thing that is not as promised, in words."""

    @property
    def good(self) -> bool:
        return not (self.lost or self.unnamed or self.complaints)


def judge(ledger: Ledger, copies: Mapping[tuple[str, str], int], *, campaigns: Sequence[str], people: int) -> Verdict:
    """Hold the ledger against what was taken. Every campaign went to so many people, each of whom can be reached."""
    found = {row: fault for row in ledger.rows if (fault := _fault(row, copies.get((row.campaign, row.address), 0)))}
    beyond = {row: copies.get((row.campaign, row.address), 0) - 1 for row in ledger.rows}
    unnamed = {row: more - row.doubts for row, more in beyond.items() if more > row.doubts}
    known = {(row.campaign, row.address) for row in ledger.rows}
    return Verdict(
        sends=sum(copies.values()),
        lost=len(found) + sum(people for campaign in campaigns if campaign not in ledger.runs),
        doubled=sum(more for more in beyond.values() if more > 0),
        unnamed=sum(unnamed.values()) + sum(number for key, number in copies.items() if key not in known),
        in_doubt=sum(row.doubts for row in ledger.rows),
        held=sum(row.state == "uncertain" for row in ledger.rows),
        complaints=(
            *([f"SQLite says of the ledger: {ledger.damage}"] if ledger.damage else []),
            *_sums(ledger, campaigns, people),
            *(f"{row.campaign}, {row.address}: {fault}" for row, fault in found.items()),
            *(f"{row.campaign}, {row.address}: {more} copies too many" for row, more in unnamed.items()),
            *(f"{campaign}, {address}: taken, and not in the ledger" for campaign, address in copies.keys() - known),
        ),
    )


def total(verdicts: Sequence[Verdict]) -> Verdict:
    """What came of several tries."""
    return Verdict(
        sends=sum(each.sends for each in verdicts),
        lost=sum(each.lost for each in verdicts),
        doubled=sum(each.doubled for each in verdicts),
        unnamed=sum(each.unnamed for each in verdicts),
        in_doubt=sum(each.in_doubt for each in verdicts),
        held=sum(each.held for each in verdicts),
        complaints=[complaint for each in verdicts for complaint in each.complaints],
    )


def _fault(row: Row, copies: int) -> str:
    """Why this person counts as lost; empty when not."""
    if row.state in OPEN:
        return f"is still {row.state}"
    if row.state == "sent":
        return "" if copies else "counts as sent, and was not taken"
    if row.state == "uncertain":
        return "" if row.doubts else "is uncertain, and no case in doubt says why"
    # Nobody here is refused for good, may not be written to, or was cancelled.
    return f"is {row.state} ({row.reason or 'no reason'})"


def _sums(ledger: Ledger, campaigns: Sequence[str], people: int) -> Iterator[str]:
    rows = Counter(row.campaign for row in ledger.rows)
    for campaign in campaigns:
        if not rows[campaign] == ledger.runs.get(campaign) == people:
            yield f"{campaign}: {rows[campaign]} rows, planned {ledger.runs.get(campaign)}, people {people}"


def read(path: Path) -> Ledger:
    """Read the ledger in the database of an association."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as db:
        rows = db.execute(
            "SELECT run.campaign, member.address, delivery.state, coalesce(delivery.reason, ''),"
            " (SELECT count(*) FROM doubt WHERE doubt.delivery_id = delivery.id)"
            " FROM delivery JOIN run ON run.id = delivery.run_id JOIN member ON member.id = delivery.member_id"
        )
        found = [Row(*row) for row in rows]
        runs = dict(db.execute("SELECT campaign, planned FROM run").fetchall())
        (damage,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    return Ledger(found, runs, "" if damage == "ok" else damage)
