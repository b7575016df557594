"""Databases of every age end in the same tables: they know the steps that they took by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlite_utils.db import Database

from campaigns.migrations import CAMPAIGNS, STEPS
from comms.db import open_database

TAKEN = (
    "campaigns publications indexes jobs welcomes schedules doubtful_posts sources entries_for_good relays"
    " collective_reports post_figures websub told_figures engines"
).split()
"""What databases out there remember, in this order."""


def test_steps_that_databases_remember_keep_their_name_and_place() -> None:
    assert [step.__name__ for step in STEPS][: len(TAKEN)] == TAKEN


@pytest.mark.parametrize("reached", TAKEN)
def test_a_database_that_stopped_at_any_step_ends_like_a_new_one(reached: str, tmp_path: Path) -> None:
    old = open_database(tmp_path / "old.db", (), create=True)
    CAMPAIGNS.apply(old, stop_before=reached)
    old.close()
    caught_up = open_database(tmp_path / "old.db", (CAMPAIGNS,))
    new = open_database(tmp_path / "new.db", (CAMPAIGNS,), create=True)
    assert tables(caught_up) == tables(new)
    caught_up.close()
    new.close()


def tables(db: Database) -> list[tuple[str, str | None]]:
    """Every table, index and trigger with the statement that makes it."""
    rows = db.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '%sqlite%' ORDER BY 1")
    return rows.fetchall()
