"""The index that a rule wants is one with which SQLite need not read the table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlite_utils
from segment_databases import TODAY, open_databases

from audiences.segments import Rule, index_expression, parse, resolve, to_sql, wanted_index

CASES = {
    "state = WA": ("state",),
    "population_served > 10 and state = WA": ("state", "population_served"),
    "has zip and joined > 2025-01-01 and state in (WA, OR) and sector = library": ("state", "sector", "joined", "zip"),
    "joined = 2025-01-01 and state = WA": ("state", "joined"),
    "state != WA and size < 5": ("size", "state"),
    "not (a = 1 or b = 2)": ("a", "b"),
    "language = en and clicked any in 90 days": ("language", "clicked_at"),
    "no open and state in region west": ("state", "opened_at"),
    "membership is current and state = WA": ("state", "membership_status", "renewal"),
    "renewal >= today and renewal < today + 30 days and city starts with a": ("renewal", "city"),
    "size > 5 and joined > 2025-01-01 and (has zip or city contains x)": ("size", "joined", "zip", "city"),
    "segment big and state = WA": ("state", "population_served"),
    "not clicked(spring) and state = WA and sample 10%": ("state",),
}


def resolved(text: str) -> Rule:
    return resolve(parse(text), {"big": "population_served > 10000"}.get)


@pytest.fixture(scope="module")
def newest() -> Iterator[sqlite_utils.Database]:
    """The SQLite that the product runs on, where it has wheels."""
    opened = list(open_databases())
    yield opened[0]
    for database in opened:
        database.close()


@pytest.mark.parametrize(("text", "names"), CASES.items(), ids=CASES)
def test_certain_values_come_first_then_ranges_then_the_rest(text: str, names: tuple[str, ...]) -> None:
    assert wanted_index(resolved(text)) == names


@pytest.mark.parametrize(
    "text",
    ["everyone", "tag = donor and clicked(spring)", "a = 1 or b = 2 or c = 3 or d = 4 or e = 5", "opened_at = x"],
)
def test_some_rules_want_no_index(text: str) -> None:
    assert wanted_index(resolved(text)) == ()


@pytest.mark.parametrize("text", CASES)
def test_with_the_index_that_a_rule_wants_the_table_is_not_read(newest: sqlite_utils.Database, text: str) -> None:
    if newest.execute("SELECT sqlite_version()").fetchone()[0] < "3.53":
        pytest.skip("an older SQLite does not answer from indexes on expressions")
    rule = resolved(text)
    columns = ", ".join(map(index_expression, wanted_index(rule)))
    newest.conn.execute("DROP INDEX IF EXISTS wanted")
    newest.conn.execute(f"CREATE INDEX wanted ON member ({columns})")
    condition = to_sql(rule, TODAY)
    sql = f"EXPLAIN QUERY PLAN SELECT count(*) FROM member WHERE {condition.sql}"
    steps = [row[3] for row in newest.conn.execute(sql, condition.parameters)]
    assert "USING COVERING INDEX wanted" in steps[0]
