"""A tally says at any time how many members have which values, or there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date

import pytest
import sqlite_utils
from hypothesis import given, settings
from hypothesis import strategies as st

from audiences import tallies
from audiences.migrations import AUDIENCES
from audiences.segments import parse
from audiences.tallies import Tallies

TODAY = date(2027, 2, 1)
VALUES = ("WA", "wa", "", "é", '"', 1, 1.0, "1", -0.0, 0, True, None, [1, "a"], 1e300)
members = st.tuples(st.integers(1, 6), st.sampled_from([None, "en", "EN"]), st.sampled_from(VALUES))
steps = st.lists(st.tuples(st.sampled_from(["add", "change", "remove"]), members), max_size=12)


@pytest.fixture
def database() -> Iterator[sqlite_utils.Database]:
    opened = sqlite_utils.Database(memory=True)
    AUDIENCES.apply(opened)
    yield opened
    opened.close()


def take(database: sqlite_utils.Database, step: str, member: tuple[int, str | None, object]) -> None:
    number, language, value = member
    attributes = json.dumps({"state": value, "other": number})
    if step == "add":
        sql = "INSERT INTO member (id, language, attributes, created_at, updated_at) VALUES (?, ?, ?, '', '')"
        database.execute(f"{sql} ON CONFLICT DO NOTHING", [number, language, attributes])
    elif step == "change":
        database.execute("UPDATE member SET language = ?, attributes = ? WHERE id = ?", [language, attributes, number])
    else:
        database.execute("DELETE FROM member WHERE id = ?", [number])


def rows(database: sqlite_utils.Database, name: str) -> list[tuple[str, int]]:
    found = database.execute("SELECT attributes, members FROM segment_tally WHERE name = ? AND members <> 0", [name])
    return sorted(found.fetchall())


@settings(deadline=None, max_examples=200)
@given(before=steps, after=steps)
def test_after_any_changes_a_tally_holds_what_a_new_one_would(before: list, after: list) -> None:
    database = sqlite_utils.Database(memory=True)
    AUDIENCES.apply(database)
    take(database, "add", (99, None, "WA"))
    for step, member in before:
        take(database, step, member)
    Tallies(database).keep("kept", ("language", "state"))
    for step, member in after:
        take(database, step, member)
    Tallies(database).keep("fresh", ("language", "state"))
    assert rows(database, "kept") == rows(database, "fresh") != []
    database.close()


def test_a_rule_is_counted_by_the_tally_alone(database: sqlite_utils.Database) -> None:
    for number in range(10):
        take(database, "add", (number, "en", "WA" if number % 2 else "OR"))
    kept = Tallies(database)
    kept.keep("kept", ("state",))
    database.execute("UPDATE segment_tally SET members = members * 100")
    assert kept.count("kept", ["state"], parse("state = wa"), TODAY) == 500


def test_too_many_combinations_are_not_tallied_and_no_longer_when_they_become_so(
    database: sqlite_utils.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "MOST_COMBINATIONS", 3)
    rule = parse("other > 0")
    kept = Tallies(database)
    for number in range(3):
        take(database, "add", (number, "en", "WA"))
    kept.keep("kept", ("other",))
    assert kept.count("kept", ["other"], rule, TODAY) == 2
    take(database, "add", (7, "en", "WA"))
    kept.keep("kept", ("other",))
    kept.keep("late", ("other",))
    assert kept.count("kept", ["other"], rule, TODAY) is kept.count("late", ["other"], rule, TODAY) is None
    assert database.execute(
        "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'kept%'"
    ).fetchone() == (0,)


def test_combinations_that_nobody_has_any_more_are_not_held_against_a_tally(
    database: sqlite_utils.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "MOST_COMBINATIONS", 3)
    kept = Tallies(database)
    take(database, "add", (1, "en", "WA"))
    kept.keep("kept", ("state",))
    for value in ("OR", "ID", "CA", "NY", "ME"):
        take(database, "change", (1, "en", value))
    kept.keep("kept", ("state",))
    assert kept.count("kept", ["state"], parse("state = me"), TODAY) == 1
    assert database.execute("SELECT count(*) FROM segment_tally").fetchone() == (1,)


def test_a_change_that_is_taken_back_is_taken_back_in_the_tally(database: sqlite_utils.Database) -> None:
    take(database, "add", (1, "en", "WA"))
    kept = Tallies(database)
    kept.keep("kept", ("state",))
    before = rows(database, "kept")
    with pytest.raises(RuntimeError), database.atomic():  # noqa: PT012 - the transaction is what is tried
        take(database, "add", (2, "en", "WA"))
        take(database, "change", (1, "en", "OR"))
        assert rows(database, "kept") != before
        raise RuntimeError
    assert rows(database, "kept") == before
