"""Segments kept by name, and the indexes that large lists get from the rules that are asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audiences import indexes
from audiences.indexes import MANY_MEMBERS, MOST_INDEXES, UNUSED_DAYS
from audiences.models import Association
from audiences.segments import RuleError
from comms.engine import retention, segments
from comms.engine.audience import import_members
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError

NOON = datetime(2027, 2, 1, 12, 0, tzinfo=UTC)
CITIES = ("Port Townsend", "Portland", "Westport", "Salem", "Bend")


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workspace(tmp_path: Path, clock: Clock) -> Iterator[Workspace]:
    """Host `coalition` and association `league`, without members."""
    folder = tmp_path / "workspace"
    create_workspace(folder, Association("coalition", "Coalition", "news@c.example.org", "1 High Street")).close()
    with Workspace(folder, clock=clock) as opened:
        opened.add_association(Association("league", "League", "news@l.example.org", "2 High Street"))
        yield opened


def bring(workspace: Workspace, association: str, members: int) -> None:
    """Members in five cities in turn, `size` from 0 upwards."""
    path = workspace.folder / "members.csv"
    with path.open("w") as file:
        file.write("email,city,size,joined\n")
        for n in range(members):
            file.write(f"m{n}@example.org,{CITIES[n % 5]},{n},{2000 + n % 27}-0{1 + n % 9}-11\n")
    import_members(workspace, path, association)


def kept_indexes(workspace: Workspace, association: str) -> set[str]:
    rows = workspace.association_db(association).execute("SELECT name FROM sqlite_master WHERE type = 'index'")
    return {row[0] for row in rows if row[0].startswith("segment_")}


# --- by name ----------------------------------------------------------------------------------


def test_a_segment_is_part_of_other_rules_by_its_name(workspace: Workspace) -> None:
    bring(workspace, "coalition", 100)
    assert segments.save(workspace, "On the Water", "city contains port", "coalition") == "on-the-water"
    assert segments.count_members(workspace, "segment on-the-water", "coalition") == 60
    assert segments.count_members(workspace, "segment on-the-water and size < 10", "coalition") == 6
    found = segments.explain_rule(workspace, "everyone except segment on-the-water", "coalition")
    assert (found.count, len(found.examples)) == (40, 10)
    assert "on-the-water" in found.words
    assert "port" in found.words


def test_an_association_sees_the_segments_of_the_host_and_may_have_its_own_of_that_name(workspace: Workspace) -> None:
    for association in ("coalition", "league"):
        bring(workspace, association, 50)
    segments.save(workspace, "big", "size >= 40", "coalition")
    assert segments.count_members(workspace, "segment big", "league") == 10
    segments.save(workspace, "big", "size >= 45", "league")
    assert segments.count_members(workspace, "segment big", "league") == 5
    assert segments.count_members(workspace, "segment big", "coalition") == 10
    assert segments.saved(workspace, "coalition") == {"big": "size >= 40"}


def test_a_circle_is_refused_before_it_is_saved(workspace: Workspace) -> None:
    bring(workspace, "coalition", 5)
    segments.save(workspace, "a", "size > 1", "coalition")
    segments.save(workspace, "b", "segment a", "coalition")
    for rule in ("segment b", "segment a", "city = Bend or not segment b"):
        with pytest.raises(RuleError, match="circle"):
            segments.save(workspace, "a", rule, "coalition")
    assert segments.saved(workspace, "coalition")["a"] == "size > 1"


@pytest.mark.parametrize("rule", ["citty = Bend", "size >", "segment nothing", "tag = nobody"])
def test_a_rule_that_can_not_be_used_is_not_saved(workspace: Workspace, rule: str) -> None:
    bring(workspace, "coalition", 5)
    with pytest.raises(RuleError):
        segments.save(workspace, "mine", rule, "coalition")
    assert segments.saved(workspace, "coalition") == {}


def test_a_segment_goes_when_no_other_is_made_of_it(workspace: Workspace) -> None:
    bring(workspace, "coalition", 5)
    segments.save(workspace, "a", "size > 1", "coalition")
    segments.save(workspace, "b", "segment a and size < 4", "coalition")
    with pytest.raises(StateError, match="part of b"):
        segments.remove(workspace, "a", "coalition")
    segments.remove(workspace, "b", "coalition")
    segments.remove(workspace, "A", "coalition")
    with pytest.raises(StateError, match="no segment 'a'"):
        segments.remove(workspace, "a", "coalition")
    with pytest.raises(UsageError):
        segments.save(workspace, "-- !", "size > 1", "coalition")


# --- indexes ----------------------------------------------------------------------------------


def test_a_small_list_gets_no_index(workspace: Workspace) -> None:
    bring(workspace, "coalition", 200)
    assert segments.count_members(workspace, "size >= 100", "coalition") == 100
    assert kept_indexes(workspace, "coalition") == set()


@pytest.fixture
def many(workspace: Workspace) -> Workspace:
    bring(workspace, "coalition", MANY_MEMBERS)
    return workspace


@pytest.mark.slow
def test_a_large_list_is_counted_from_an_index_alone_and_the_count_is_the_same(many: Workspace) -> None:
    rules = {
        "city contains port": MANY_MEMBERS * 3 // 5,
        "city starts with por": MANY_MEMBERS * 2 // 5,
        "size starts with 1999": 11,
        "size >= 100 and size < 200 and city = Bend": 20,
        "joined >= 2026-01-01 and joined < 2026-05-01": sum(n % 27 == 26 and n % 9 < 4 for n in range(MANY_MEMBERS)),
        "city is missing or size = 5": 1,
    }
    for rule, members in rules.items():
        for _ in ("the index is made", "the index is used"):
            assert segments.count_members(many, rule, "coalition") == members, rule
    made = kept_indexes(many, "coalition")
    assert len(made) == 4  # some share one
    db = many.association_db("coalition")
    for rule in rules:
        condition = segments.compile_rule(many, rule, "coalition", NOON.date())
        plan = db.execute(f"EXPLAIN QUERY PLAN SELECT count(*) FROM member WHERE {condition.sql}", condition.parameters)
        steps = [row[3] for row in plan]
        assert not any("SCAN member" in step and "COVERING" not in step for step in steps), (rule, steps)


@pytest.mark.slow
def test_an_index_that_no_rule_uses_goes_after_two_months(many: Workspace, clock: Clock) -> None:
    segments.count_members(many, "city = Bend", "coalition")
    segments.count_members(many, "size > 100", "coalition")
    both = kept_indexes(many, "coalition")
    clock.now += timedelta(days=UNUSED_DAYS)
    segments.count_members(many, "city = Salem", "coalition")
    assert segments.drop_unused_indexes(many, "coalition") == 0
    clock.now += timedelta(days=1)
    while retention.daily(many):
        pass
    assert len(kept_indexes(many, "coalition") & both) == 1
    assert segments.count_members(many, "size > 100", "coalition") == MANY_MEMBERS - 101
    assert kept_indexes(many, "coalition") == both


@pytest.mark.slow
def test_while_somebody_writes_the_index_is_not_waited_for(many: Workspace) -> None:
    with Workspace(many.folder) as other, other.association_db("coalition").atomic():
        assert segments.count_members(many, "city = Bend", "coalition") == MANY_MEMBERS // 5
        assert kept_indexes(many, "coalition") == set()
    segments.count_members(many, "city = Bend", "coalition")
    assert len(kept_indexes(many, "coalition")) == 1


def test_of_too_many_indexes_the_one_used_longest_ago_goes(workspace: Workspace, clock: Clock) -> None:
    bring(workspace, "coalition", 3)
    kept = indexes.SegmentIndexes(workspace.association_db("coalition"))
    with workspace.association_db("coalition").atomic():
        for number in range(MOST_INDEXES + 3):
            clock.now += timedelta(days=1)
            kept.make((f"a{number}",), clock.now)
    assert len(kept_indexes(workspace, "coalition")) == MOST_INDEXES
    assert sorted(kept.leading()) == sorted(f"a{number}" for number in range(3, MOST_INDEXES + 3))


def test_a_rule_that_an_association_can_not_use_does_not_hide_the_others(workspace: Workspace) -> None:
    bring(workspace, "coalition", 3)
    workspace.add_association(Association("empty", "Empty", "news@empty.example", "3 Main Street, Springfield"))
    name = next(iter(workspace.people("coalition").attribute_names()))
    segments.save(workspace, "known", f"[{name}] is present", "coalition")
    segments.save(workspace, "all", "everyone", "coalition")
    every, known = segments.listed(workspace, "empty")
    assert (every.name, every.count, every.problem) == ("all", 0, "")
    assert (known.name, known.count) == ("known", None)
    assert name in known.problem
