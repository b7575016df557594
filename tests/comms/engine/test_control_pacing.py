"""Newsletters go out no faster than asked for, not at night, and not to whom has enough for now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from control_scene import HOST, ListQueue, add_members, begin

from comms.config import FILE_NAME
from comms.delivery.batches import Outcome
from comms.engine.control import Control
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace

NOON = datetime(2027, 2, 1, 12, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


Scene = tuple[Clock, Control, ListQueue]


@pytest.fixture
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[Mapping[str, int], Mapping[str, str]], Scene]:
    """`scene(members by domain, settings of [pacing])`: a campaign that begins at noon."""

    def make(people: Mapping[str, int], settings: Mapping[str, str]) -> Scene:
        create_workspace(tmp_path / "workspace", HOST).close()
        clock = Clock()
        file = tmp_path / "workspace" / FILE_NAME
        lines = "".join(f"{key} = {value}\n" for key, value in settings.items())
        file.write_text(file.read_text().replace("[pacing]\n", f"[pacing]\n{lines}"))
        workspace = Workspace(tmp_path / "workspace", environment={}, clock=clock)
        request.addfinalizer(workspace.close)
        for domain, count in people.items():
            add_members(workspace, count, domain)
        _, control, queue = begin(workspace)
        return clock, control, queue

    return make


def gone(control: Control, queue: ListQueue) -> int:
    """How many go out in one step, and are taken."""
    control.step()
    count = sum(queue.sizes())
    queue.answer(Outcome.ACCEPTED, 250, "ok")
    return count


def test_no_more_go_out_in_a_second_than_asked_for(scene: Callable[..., Scene]) -> None:
    clock, control, queue = scene({"example.org": 60}, {"max_per_second": "10"})
    counts = []
    for _ in range(12):
        counts.append(gone(control, queue))
        clock.now += timedelta(milliseconds=500)
    assert counts == [10, *[5] * 10, 0]


def test_what_a_day_allows_goes_out_and_the_rest_on_the_next(scene: Callable[..., Scene]) -> None:
    clock, control, queue = scene({"example.org": 50}, {"max_per_day": "30", "timezone": '"America/Denver"'})
    assert [gone(control, queue) for _ in range(3)] == [30, 0, 0]
    clock.now = datetime(2027, 2, 2, 6, 59, tzinfo=UTC)
    assert gone(control, queue) == 0, "it is still the first of February in Denver"
    clock.now = datetime(2027, 2, 2, 7, 0, tzinfo=UTC)
    assert gone(control, queue) == 20


def test_a_new_sender_sends_twice_as_much_on_each_day(scene: Callable[..., Scene]) -> None:
    clock, control, queue = scene({"example.org": 100}, {"warm_up": "10"})
    counts = []
    for _ in range(4):
        counts.append(gone(control, queue) + gone(control, queue))
        clock.now += timedelta(days=1)
    assert counts == [10, 20, 40, 30]


def test_at_night_nothing_goes_out(scene: Callable[..., Scene]) -> None:
    clock, control, queue = scene({"example.org": 5}, {"quiet_hours": '"21:30-07:00"', "timezone": '"Europe/Berlin"'})
    for hours in (8.5, 11, 17.9):
        clock.now = NOON + timedelta(hours=hours)
        assert gone(control, queue) == 0
    clock.now = NOON + timedelta(hours=18)
    assert gone(control, queue) == 5


def test_a_domain_that_has_enough_waits_and_the_others_go_on(scene: Callable[..., Scene]) -> None:
    clock, control, queue = scene({"busy.example": 800, "free.example": 100}, {})
    control.step()
    first = queue.addresses()
    assert all(address.endswith("@busy.example") for address in first)
    queue.answer(Outcome.DEFERRED, 421, "4.7.0 [TSS04] Messages temporarily deferred due to unexpected volume")
    control.step()
    clock.now += timedelta(seconds=1)
    seen = []
    for _ in range(20):
        control.step()
        seen += queue.addresses()
        queue.answer(Outcome.ACCEPTED, 250, "ok")
    assert len(seen) == 100
    assert all(address.endswith("@free.example") for address in seen)


def test_a_domain_that_had_enough_is_asked_with_a_few_first(scene: Callable[..., Scene]) -> None:
    clock, control, queue = scene({"busy.example": 300}, {})
    control.step()
    queue.answer(Outcome.DEFERRED, 421, "too many messages")
    control.step()
    assert queue.work == []
    clock.now += timedelta(minutes=2)
    control.step()
    assert sum(queue.sizes()) == 5
    queue.answer(Outcome.ACCEPTED, 250, "ok")
    counts = []
    for _ in range(40):
        clock.now += timedelta(seconds=10)
        counts.append(gone(control, queue))
    assert sum(counts) == 295


def test_a_domain_with_a_limit_gets_so_many_a_minute(scene: Callable[..., Scene]) -> None:
    clock, control, queue = scene({"slow.example": 90, "example.org": 50}, {"per_domain": '{"Slow.Example" = 30}'})
    slow = other = 0
    for _ in range(60):
        control.step()
        slow += sum(address.endswith("@slow.example") for address in queue.addresses())
        other += sum(address.endswith("@example.org") for address in queue.addresses())
        queue.answer(Outcome.ACCEPTED, 250, "ok")
        clock.now += timedelta(seconds=1)
    assert other == 50
    assert 25 <= slow <= 31


def test_on_days_that_are_shut_out_nothing_goes_out_and_nothing_is_tried_again(scene: Callable[..., Scene]) -> None:
    clock, control, queue = scene({"example.org": 5}, {"blackout": '["2027-02-02..2027-02-03"]'})
    control.step()
    queue.answer(Outcome.DEFERRED, 450, "try later")
    control.step()
    for hours in (12, 24, 47.9):
        clock.now = datetime(2027, 2, 2, tzinfo=UTC) + timedelta(hours=hours)
        assert gone(control, queue) == 0
    clock.now = datetime(2027, 2, 4, tzinfo=UTC)
    assert gone(control, queue) == 5


def test_outside_of_its_window_an_association_sends_nothing(scene: Callable[..., Scene]) -> None:
    clock, control, queue = scene({"example.org": 5}, {"quiet_hours": '"08:00-09:00"'})
    workspace = control.workspace
    window = replace(workspace.association(HOST.slug), timezone="America/Denver", send_window="Tue-Fri 01:00-18:00")
    workspace.change_association(window)
    for text in ("2027-02-01 20:00", "2027-02-02 07:59", "2027-02-02 08:30"):
        clock.now = datetime.fromisoformat(text).replace(tzinfo=UTC)
        assert gone(control, queue) == 0, "Monday; before one o'clock in Denver; the quiet hours"
    clock.now = datetime(2027, 2, 2, 9, 0, tzinfo=UTC)
    assert gone(control, queue) == 5
