"""The SQL of a rule: bound values, use of indexes, and SQLite's limits."""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlite_utils
from segment_databases import TODAY, fill, open_databases, selected

from audiences.models import Member, attribute_name
from audiences.segments import index_expression, matches, parse, resolve, to_sql

LIBRARIES = Path(__file__).parents[4] / "shared" / "data" / "libraries_pls_fy2015_systems.csv"


@pytest.fixture(scope="module")
def databases() -> Iterator[list[sqlite_utils.Database]]:
    opened = list(open_databases())
    for database in opened:
        for name in ("state", "size", "joined"):
            database.conn.execute(f"CREATE INDEX by_{name} ON member ({index_expression(name)})")
        database.conn.execute(f"CREATE INDEX by_language ON member ({index_expression('language')})")
        database.conn.execute(f"CREATE INDEX by_click ON member ({index_expression('clicked_at')})")
    yield opened
    for database in opened:
        database.close()


def plan(database: sqlite_utils.Database, rule: str) -> str:
    condition = to_sql(parse(rule), TODAY)
    rows = database.conn.execute(f"EXPLAIN QUERY PLAN SELECT * FROM member WHERE {condition.sql}", condition.parameters)
    return "\n".join(row[3] for row in rows)


@pytest.mark.parametrize(
    ("rule", "index"),
    [
        ("state = WA", "by_state (<expr>=?)"),
        ("state in (WA, OR, ID)", "by_state (<expr>=?)"),
        ("state = '99556'", "by_state (<expr>=?)"),
        ("state = WA and not size > 5", "by_state (<expr>=?)"),
        ("size > 10000", "by_size (<expr>>? AND <expr><?)"),
        ("size <= 10000", "by_size (<expr><?)"),
        ("joined > 2025-01-01", "by_joined (<expr>>? AND <expr><?)"),
        ("joined < today + 30 days", "by_joined (<expr>>? AND <expr><?)"),
        ("joined = today", "by_joined (<expr>>? AND <expr><?)"),
        ("language = en", "by_language (language=?)"),
        ("clicked any in 90 days", "by_click (clicked_at>?)"),
    ],
)
def test_the_index_is_searched(databases: list[sqlite_utils.Database], rule: str, index: str) -> None:
    for database in databases:
        assert f"SEARCH member USING INDEX {index}" in plan(database, rule)


def test_what_the_author_wrote_is_bound_and_never_part_of_the_sql() -> None:
    condition = to_sql(parse("""state = "x'); DROP TABLE member; --" and city contains '":1' and n > 77"""), TODAY)
    assert "DROP" not in condition.sql
    assert "77" not in condition.sql
    assert set(re.findall(r":(\w+)", condition.sql)) == set(condition.parameters)
    assert all(name.startswith("segment_") for name in condition.parameters)
    assert set(condition.parameters.values()) == {"x'); DROP TABLE member; --", '":1', 77}


@pytest.mark.parametrize("name", ["", 'a"b', "a'b", "a b", "a.b", "a\\b", "a\0"])
def test_a_name_that_attribute_name_never_gives_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of an attribute"):
        index_expression(name)


def test_every_name_a_rule_can_hold_can_be_asked_for(databases: list[sqlite_utils.Database]) -> None:
    for header in ("Großstadt", "राज्य", "名前", "2024", "a\"b'c", "x²", "½", "ⅷ", "_", "Ⓐ", "𝟘x", "٣"):
        if name := attribute_name(header):
            rule = parse(f"[{header}] = yes")
            assert rule.names() == {name}
            for database in databases:
                fill(database, [Member(None, {name: "yes"}), Member(None, {"other": "yes"})])
                assert selected(database, rule) == [0]


LARGEST = {
    "one list of 1,400 texts": f"state in ({', '.join(f'v{n}' for n in range(1_400))})",
    "one list of 800 days": f"joined in ({','.join(['2025-01-01'] * 800)})",
    "1,400 alternatives": " or ".join(["a=b"] * 1_400),
    "1,100 conditions": " and ".join(["a=b"] * 1_100),
    "50 levels, deep part last": "not(a=1 and b=2 or " * 16 + "(a=1 and " * 18 + "c=3" + ")" * 34,
    "50 levels, deep part first": "(" * 50 + "a=1" + " or b>2) and c!=today" * 49 + ")",
    "50 levels, deep part in the middle": "(a=1 or b=2 and " * 50 + "c>3" + " and d=4 or e=5)" * 50,
    "50 negations": "not " * 50 + "joined > today",
    "50 broad levels": "(a=1 and b=2 and c=3 and d=4 and e=5 or f=6 or g=7 or (" * 25 + "c!=3" + "))" * 25,
    "1,024 conditions in a balanced tree": functools.reduce(
        lambda tree, word: f"({tree} {word} {tree})", ["and", "or"] * 5, "a=1"
    )[:-1].removeprefix("("),
    "50 levels around what takes most": "not(a=1 and tag=x or " * 16
    + "(a=1 and " * 18
    + "membership is lapsed"
    + ")" * 34,
    "50 levels around a consent": "not(no click and tag=x or " * 25 + "topic in (a, b)" + ")" * 25,
    "50 levels of except": "everyone except (a=1 or " * 25 + "tag contains x" + ")" * 25,
    "900 tags": " or ".join(["tag=b"] * 900),
    "600 topics": " or ".join([f"topic=b{n}" for n in range(600)]),
    "400 memberships": " and ".join(["membership is lapsed"] * 400),
    "1,000 topics in a list": f"topic in ({', '.join(f'v{n}' for n in range(1_000))})",
    "280 regions": " or ".join(["a in region south"] * 280),
    "deep siblings": " and ".join(["(a=1 or b=2 and " * 50 + "c>3" + ")" * 50] * 10),
}


@pytest.mark.parametrize("rule", LARGEST.values(), ids=LARGEST)
def test_the_largest_rules_stay_within_the_limits_of_sqlite(databases: list[sqlite_utils.Database], rule: str) -> None:
    read = resolve(parse(rule))
    members = [Member(None, {"state": "v7", "joined": "2025-01-01", "a": "b"}), Member(None, {"a": 1, "c": 4})]
    expected = [number for number, member in enumerate(members) if matches(read, member, TODAY)]
    for database in databases:
        fill(database, members)
        assert selected(database, read) == expected


@pytest.mark.data
def test_the_public_libraries_of_the_survey_are_found_alike(databases: list[sqlite_utils.Database]) -> None:
    if not LIBRARIES.exists():
        pytest.skip(f"the sample data is not here: {LIBRARIES}")
    with LIBRARIES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    members = [
        Member(None, {k: int(v) if k in ("population_served", "branches") else v for k, v in row.items() if v})
        for row in rows
    ]
    rules = {
        "state in (WA, OR, ID) and population_served > 10000": lambda r: (
            r["state"] in ("WA", "OR", "ID") and int(r["population_served"]) > 10000
        ),
        "city = anchorage": lambda r: r["city"] == "ANCHORAGE",
        "library contains 'public library' and not branches > 0": lambda r: (
            "PUBLIC LIBRARY" in r["library"] and int(r["branches"]) <= 0
        ),
    }
    for text, by_hand in rules.items():
        expected = [number for number, row in enumerate(rows) if by_hand(row)]
        assert expected
        rule = parse(text)
        assert [n for n, member in enumerate(members) if matches(rule, member, TODAY)] == expected
        for database in databases:
            fill(database, members)
            # Without them, what steps from value to value reads the whole table at each step.
            for name in rule.names():
                database.conn.execute(f"CREATE INDEX survey_{name} ON member ({index_expression(name)})")
            assert selected(database, rule) == expected
            for name in rule.names():
                database.conn.execute(f"DROP INDEX survey_{name}")
