"""What plan and check say of a campaign's times, and that entry and posts keep to days that are shut out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from control_scene import HOST, ListQueue, add_members

from campaigns import definition
from comms.config import FILE_NAME
from comms.engine import checking, sending
from comms.engine.control import Control
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import UsageError

NOON = datetime(2027, 2, 1, 12, 0, tzinfo=UTC)
CAMPAIGN = """\
---
campaign: school
title: School
language: en
newsletter:
  subject: Hello
  preview: A preview
feed:
  summary: A summary
social:
  mastodon: "A post. {{ url }}"
schedule:
  at: 2027-02-05 19:00
  timezone: America/Denver
---

Dear reader.
"""
Scene = Callable[..., Workspace]


class Clock:
    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def scene(tmp_path: Path, clock: Clock, request: pytest.FixtureRequest) -> Scene:
    """`scene(lines of [pacing])`: an association in Denver with two members, which sends on weekdays."""

    def make(*lines: str) -> Workspace:
        home = replace(HOST, timezone="America/Denver", send_window="Mon-Fri 08:00-18:00")
        create_workspace(tmp_path / "workspace", home).close()
        file = tmp_path / "workspace" / FILE_NAME
        file.write_text(file.read_text().replace("[pacing]\n", "\n".join(("[pacing]", *lines, ""))))
        workspace = Workspace(tmp_path / "workspace", environment={}, clock=clock)
        request.addfinalizer(workspace.close)
        workspace.journal_folder.mkdir(exist_ok=True)
        add_members(workspace, 2)
        return workspace

    return make


def found(workspace: Workspace, rule: str) -> list[str]:
    path = workspace.folder / "campaigns" / "school.md"
    path.write_text(CAMPAIGN)
    return [each.message for each in checking.check(workspace, path).findings if each.rule == rule]


def test_a_time_outside_of_the_hours_is_told_with_the_moment_from_which_newsletters_leave(scene: Scene) -> None:
    workspace = scene()
    plan = sending.prepare(workspace, definition.read(CAMPAIGN), scheduled=True).plan.newsletters[0]
    assert plan.moved_from is None
    assert plan.opens_at == datetime(2027, 2, 8, 15, tzinfo=UTC)
    assert "Monday 2027-02-08 08:00 (America/Denver)" in found(workspace, "schedule-closed")[0]
    assert found(workspace, "schedule-blackout") == []


def test_a_time_on_a_day_that_is_shut_out_is_told_with_the_day_it_moves_to(scene: Scene) -> None:
    workspace = scene('blackout = ["2027-02-05..2027-02-07"]')
    prepared = sending.prepare(workspace, definition.read(CAMPAIGN), scheduled=True)
    plan = prepared.plan.newsletters[0]
    assert plan.moved_from == datetime(2027, 2, 6, 2, tzinfo=UTC)
    assert prepared.due_at == plan.first_at == datetime(2027, 2, 9, 2, tzinfo=UTC)
    (message,) = found(workspace, "schedule-blackout")
    assert "Friday 2027-02-05 19:00" in message
    assert "Monday 2027-02-08 19:00" in message


def test_hours_that_leave_no_time_must_be_mended(scene: Scene) -> None:
    workspace = scene('quiet_hours = "07:00-19:00"', 'timezone = "America/Denver"')
    assert len(found(workspace, "schedule-never")) == 1
    plan = sending.prepare(workspace, definition.read(CAMPAIGN), scheduled=True).plan
    assert plan.to_json()["newsletters"][0]["opens_at"] is None


def test_a_window_that_is_none_is_refused_and_nothing_changes(scene: Scene) -> None:
    workspace = scene()
    host = workspace.association(HOST.slug)
    with pytest.raises(UsageError, match="no send window"):
        workspace.change_association(replace(host, send_window="office hours"))
    assert workspace.association(HOST.slug) == host


def test_entry_and_posts_of_what_is_sent_on_a_day_that_is_shut_out_wait_for_its_end(scene: Scene, clock: Clock) -> None:
    workspace, queue = scene('blackout = ["2027-02-01"]'), ListQueue()
    prepared = sending.prepare(workspace, definition.read(CAMPAIGN))
    row = sending.approve(workspace, prepared, who="somebody")
    control = Control(workspace, queue, senders=2)
    control.step()
    assert (queue.work, workspace.host.entry(HOST.slug, row.id), workspace.host.posts(row.id)) == ([], None, [])
    clock.now = datetime(2027, 2, 2, 7, 0, tzinfo=UTC)
    control.step()
    assert workspace.host.entry(HOST.slug, row.id) is not None
    assert [post.state for post in workspace.host.posts(row.id)] == ["simulated"]
    assert not any("recipients" in work for work in queue.work), "the window opens at eight"
    clock.now = datetime(2027, 2, 2, 15, 0, tzinfo=UTC)
    control.step()
    assert sum(len(work.get("recipients", ())) for work in queue.work) == 2


def test_a_post_that_was_queued_before_waits_as_well(scene: Scene, clock: Clock) -> None:
    workspace, queue = scene('blackout = ["2027-02-02"]'), ListQueue()
    row = sending.approve(workspace, sending.prepare(workspace, definition.read(CAMPAIGN)), who="somebody")
    sending.start(workspace, row)
    control = Control(workspace, queue, senders=2)
    clock.now = datetime(2027, 2, 2, 12, 0, tzinfo=UTC)
    control.step()
    assert [post.state for post in workspace.host.posts(row.id)] == ["queued"]
    clock.now = datetime(2027, 2, 3, 7, 0, tzinfo=UTC)
    control.step()
    assert [post.state for post in workspace.host.posts(row.id)] == ["simulated"]
