"""Control hands out batches of a fitting size, and leaves a campaign alone for which nothing can be done now."""

from __future__ import annotations

import itertools
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from control_scene import HOST, Scene, add_members, begin

from comms.db import patience
from comms.delivery.batches import Outcome
from comms.delivery.sizes import SMALLEST
from comms.engine.control import Control
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace


@pytest.fixture
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[..., Scene]:
    """`scene(people, batch_size)`: a campaign under way to so many, two senders to keep busy."""

    def make(people: int, batch_size: int = 500) -> Scene:
        create_workspace(tmp_path / "workspace", HOST).close()
        workspace = Workspace(tmp_path / "workspace", environment={"COMMS_DELIVERY__BATCH_SIZE": str(batch_size)})
        request.addfinalizer(workspace.close)
        add_members(workspace, people)
        return begin(workspace)

    return make


def test_a_round_leaves_enough_for_the_next_and_no_batch_is_too_small_to_be_worth_it(
    scene: Callable[..., Scene],
) -> None:
    _, control, queue = scene(1000)
    control.step()
    assert queue.sizes() == [250, 188, 141, 106], "a quarter of what is left, for two senders with two batches each"
    queue.answer(Outcome.ACCEPTED)
    control.step()
    assert queue.sizes() == [SMALLEST, SMALLEST, SMALLEST, 15]


def test_no_batch_is_larger_than_the_settings_allow(scene: Callable[..., Scene]) -> None:
    _, control, queue = scene(200, batch_size=30)
    control.step()
    assert queue.sizes() == [30, 30, 30, 30]


def test_a_campaign_that_waits_for_a_later_try_writes_nothing_meanwhile(scene: Callable[..., Scene]) -> None:
    """Whoever else wants to write to the members' database is not in its way, nor it in theirs."""
    workspace, control, queue = scene(50)
    control.step()
    queue.answer(Outcome.DEFERRED)
    while control.step():
        pass
    assert workspace.ledger(HOST.slug).counts(1) == {"deferred": 50}
    path = workspace.association_path(HOST.slug)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with patience(workspace.association_db(HOST.slug), 0):
            assert not any(control.step() for _ in range(5))
        other.execute("ROLLBACK")


def test_what_was_put_off_goes_out_when_its_time_has_come_and_the_run_ends(
    scene: Callable[..., Scene], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, control, queue = scene(50)
    control.step()
    queue.answer(Outcome.DEFERRED)
    control.step()
    assert queue.work == []
    tomorrow = workspace.now() + timedelta(days=1)
    monkeypatch.setattr(workspace, "now", lambda: tomorrow)
    control.step()
    assert queue.sizes() == [50]
    queue.answer(Outcome.ACCEPTED)
    list(itertools.islice(iter(control.step, False), 10))
    run = workspace.ledger(HOST.slug).run("sized", "newsletter")
    assert run is not None
    assert (run.state, workspace.ledger(HOST.slug).counts(run.id)) == ("done", {"sent": 50})
    row = workspace.host.campaign("sized")
    assert row is not None
    assert row.state == "sent"


def test_control_at_rest_reads_through_no_table_that_grows_with_the_members(scene: Callable[..., Scene]) -> None:
    """It looks once a second: with a million deliveries in the ledger that must not take longer than with none."""
    workspace, control, queue = scene(50)
    control.step()
    queue.answer(Outcome.REJECTED, 550, "no such user")
    while control.step():
        pass
    connections = [workspace.host.db.conn, workspace.association_db(HOST.slug).conn]
    said: list[tuple[sqlite3.Connection, str]] = []
    for each in connections:
        each.set_trace_callback(lambda statement, each=each: said.append((each, statement)))  # type: ignore[misc]
    Control(workspace, queue, senders=2).step()  # a new one looks at everything
    for each in connections:
        each.set_trace_callback(None)
    questions = {(each, text) for each, text in said if text.startswith(("SELECT", "UPDATE", "DELETE", "WITH"))}
    assert any("FROM refusal" in text for _, text in questions)
    plans = [(row[3], text) for each, text in questions for row in each.execute(f"EXPLAIN QUERY PLAN {text}")]
    assert not [plan for plan in plans if re.match(r"SCAN (delivery|member|consent|event|bounce)\b", plan[0])]
