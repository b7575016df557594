"""Nobody gets more newsletters of an association than its settings allow, over all campaigns; notices may go past."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from control_scene import CAMPAIGN, HOST, ListQueue, add_members

from campaigns import definition
from comms.config import FILE_NAME
from comms.delivery.batches import Outcome
from comms.delivery.cap import Cap
from comms.engagement.html import to_html
from comms.engine import reporting, sending
from comms.engine.control import Control
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace

NOON = datetime(2027, 2, 1, 12, 0, tzinfo=UTC)


class Scene:
    """A workspace with four members, in which one gets at most two newsletters in seven days."""

    def __init__(self, folder: Path) -> None:
        create_workspace(folder, HOST).close()
        file = folder / FILE_NAME
        file.write_text(file.read_text().replace("[pacing]\n", "[pacing]\nmost_per_member = 2\n"))
        self.now = NOON
        self.workspace = Workspace(folder, environment={}, clock=lambda: self.now)
        self.workspace.journal_folder.mkdir(exist_ok=True)
        add_members(self.workspace, 4)
        self.queue = ListQueue()
        self.control = Control(self.workspace, self.queue, senders=2)

    def prepare(self, name: str, *, ignore_cap: bool = False) -> sending.Prepared:
        text = CAMPAIGN.replace("campaign: sized", f"campaign: {name}")
        if ignore_cap:
            text = text.replace("  subject:", "  ignore_cap: true\n  subject:")
        return sending.prepare(self.workspace, definition.read(text))

    def begin(self, name: str, *, ignore_cap: bool = False) -> None:
        prepared = self.prepare(name, ignore_cap=ignore_cap)
        sending.start(self.workspace, sending.approve(self.workspace, prepared, who="somebody"))

    def send(self, name: str, outcome: Outcome = Outcome.ACCEPTED, *, ignore_cap: bool = False) -> int:
        """How many get it."""
        self.begin(name, ignore_cap=ignore_cap)
        return self.step(outcome)

    def step(self, outcome: Outcome = Outcome.ACCEPTED) -> int:
        got = 0
        while self.control.step():
            got += len(self.queue.addresses())
            self.queue.answer(outcome, 250 if outcome is Outcome.ACCEPTED else 550, "said")
        return got


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path / "workspace")
    yield scene
    scene.workspace.close()


def test_who_had_as_many_as_allowed_is_left_out_and_counted_in_plan_and_report(scene: Scene) -> None:
    assert (scene.send("first"), scene.send("second")) == (4, 4)
    add_members(scene.workspace, 1)
    plan = scene.prepare("third").plan
    assert (plan.audience, plan.newsletters[0].excluded) == (1, {"heard_enough": 4})
    assert scene.send("third") == 1
    assert reporting.report(scene.workspace, "third").associations[0].excluded == {"heard_enough": 4}


def test_days_later_they_get_newsletters_again(scene: Scene) -> None:
    scene.send("first")
    scene.now = NOON + timedelta(days=3)
    scene.send("second")
    scene.now = NOON + timedelta(days=7) - timedelta(seconds=1)
    assert scene.prepare("third").plan.audience == 0
    scene.now = NOON + timedelta(days=7)
    assert scene.send("third") == 4
    assert scene.prepare("fourth").plan.audience == 0, "the second and the third are within the days"


def test_a_notice_that_must_reach_all_does_and_counts(scene: Scene) -> None:
    scene.send("first")
    assert scene.send("notice", ignore_cap=True) == 4
    assert scene.send("urgent", ignore_cap=True) == 4
    assert scene.prepare("third").plan.audience == 0


def test_what_was_refused_counts_for_nobody(scene: Scene) -> None:
    scene.send("first", Outcome.REJECTED)
    scene.send("second", Outcome.REJECTED)
    assert scene.prepare("third").plan.audience == 4


def test_of_campaigns_that_were_frozen_together_the_last_is_left_out_at_its_turn(scene: Scene) -> None:
    """Also while the others are in the hands of senders, and nobody knows yet what becomes of them."""
    for name in ("first", "second", "third"):
        scene.begin(name)
    scene.control.step()
    assert len(scene.queue.addresses()) == 8, "two for each, before any was answered"
    scene.queue.answer(Outcome.ACCEPTED, 250, "ok")
    assert scene.step() == 0
    data = reporting.report(scene.workspace, "third")
    part = data.associations[0]
    assert (part.deliveries["skipped"], part.skips) == (4, {"heard_enough": 4})
    assert "Left out at the last moment: heard enough" in to_html(data)


def test_the_condition_is_answered_by_the_index_that_there_is_anyway(scene: Scene) -> None:
    reason = Cap(2, 7).reason(NOON)
    rows = scene.workspace.association_db("coalition").execute(
        f"EXPLAIN QUERY PLAN SELECT {reason.sql} FROM member", dict(reason.parameters)
    )
    plan = [row[3] for row in rows]
    assert any("SEARCH heard USING" in step and "(run_id=? AND member_id=?)" in step for step in plan), plan
