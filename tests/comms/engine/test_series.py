"""A campaign that repeats: each occurrence is made once, at its time, whatever is cut off; what is late is left out."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from control_scene import HOST, ListQueue, add_members

from campaigns import definition
from campaigns.series import SeriesRow
from comms.config import FILE_NAME
from comms.db import DATABASE_ERRORS
from comms.delivery.batches import Outcome
from comms.engine import maintenance, reporting, sending, series
from comms.engine.control import Control
from comms.engine.restore import restore
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError

NOON = datetime(2027, 2, 1, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CAMPAIGN = """\
---
campaign: news
title: News
language: en
newsletter:
  subject: Hello
  preview: A preview
  template: {template}
feed:
  summary: A summary
schedule:
  at: 2027-02-02 09:00
  timezone: {zone}
  repeat: {repeat}
---

Dear reader.
"""


class Scene:
    """A workspace with two members and a clock, and control."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now, self.queue = folder, NOON, ListQueue()
        self.open()

    def open(self) -> None:
        """Begin anew, as after a kill."""
        self.workspace = Workspace(self.folder, environment={}, clock=lambda: self.now)
        self.workspace.journal_folder.mkdir(exist_ok=True)
        self.control = Control(self.workspace, self.queue, senders=2)

    def approve(self, repeat: str = "daily", zone: str = "UTC", template: str = "announcement") -> SeriesRow:
        text = CAMPAIGN.format(repeat=repeat, zone=zone, template=template)
        return series.approve(self.workspace, series.prepare(self.workspace, definition.read(text)), who="somebody")

    def step(self, at: str) -> list[str]:
        """Let control work at a time (UTC) until nothing moves; who got something."""
        self.now = datetime.fromisoformat(at).replace(tzinfo=UTC)
        self.control._recovered_at = float("-inf")
        got = []
        while self.control.step():
            got += self.queue.addresses()
            self.queue.answer(Outcome.ACCEPTED, 250, "ok")
        return got

    def made(self) -> dict[str, str]:
        """The occurrences there are -> their state."""
        return {row.id: row.state for row in self.workspace.host.campaigns()}

    def skipped(self) -> list[str]:
        return [detail for _, _, what, detail in self.workspace.host.audit("news") if what == series.SKIPPED]

    def row(self) -> SeriesRow:
        row = series.find(self.workspace, "news")
        assert row is not None
        return row


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    create_workspace(tmp_path / "workspace", HOST).close()
    scene = Scene(tmp_path / "workspace")
    add_members(scene.workspace, 2)
    yield scene
    scene.workspace.close()


def setting(scene: Scene, section: str, line: str) -> None:
    scene.workspace.close()
    file = scene.folder / FILE_NAME
    file.write_text(file.read_text().replace(f"[{section}]\n", f"[{section}]\n{line}\n"))
    scene.open()


# --- at its time ------------------------------------------------------------------------------


def test_each_occurrence_is_a_campaign_of_its_own_that_goes_to_everyone(scene: Scene) -> None:
    scene.approve()
    assert scene.step("2027-02-02 08:59:59") == []
    assert sorted(scene.step("2027-02-02 09:00")) == ["p1@example.org", "p2@example.org"]
    assert scene.step("2027-02-02 23:00") == []
    add_members(scene.workspace, 1)
    assert len(scene.step("2027-02-03 09:00")) == 3, "planned anew at its own time"
    assert scene.made() == {"news-2027-02-02": "sent", "news-2027-02-03": "sent"}
    assert scene.workspace.host.entry("coalition", "news-2027-02-03") is not None
    (note,) = [detail for _, who, _, detail in scene.workspace.host.audit("news-2027-02-03") if "plan" in detail]
    assert note.endswith("of news")


def test_nine_oclock_stays_nine_oclock_when_clocks_change(scene: Scene) -> None:
    scene.approve("FREQ=DAILY;UNTIL=20270401", "America/Denver")
    scene.step("2027-03-13 16:00")
    assert scene.row().due_at == datetime(2027, 3, 14, 15, tzinfo=UTC)


def test_members_get_an_occurrence_by_their_own_clocks(scene: Scene) -> None:
    db = scene.workspace.association_db("coalition")
    with db.atomic():
        db.execute("UPDATE member SET timezone = 'Asia/Kathmandu' WHERE id = 1")
    scene.approve("weekly", "member")
    assert scene.step("2027-02-02 03:15") == ["p1@example.org"]
    assert scene.made() == {"news-2027-02-02": "sending"}
    assert scene.step("2027-02-02 09:00") == ["p2@example.org"]


def test_the_last_occurrence_ends_the_series(scene: Scene) -> None:
    scene.approve("FREQ=DAILY;COUNT=2")
    scene.step("2027-02-02 09:00")
    scene.step("2027-02-03 09:00")
    assert (scene.row().state, scene.row().due_at) == ("ended", None)
    assert scene.step("2027-02-04 09:00") == []
    with pytest.raises(StateError, match="ended"):
        series.pause(scene.workspace, "news", who="somebody")
    with pytest.raises(UsageError, match="no occurrence to come"):
        scene.approve("FREQ=DAILY;COUNT=2")


# --- cut off ----------------------------------------------------------------------------------


def cut_off(scene: Scene, after: int) -> bool:
    """Let control work until SQLite has done so many steps, then end as a kill would; True when it was cut."""
    left = after

    def count() -> int:
        nonlocal left
        left -= 1
        return int(left < 0)

    scene.workspace.host.db.conn.set_progress_handler(count, 1)
    try:
        scene.control._series.make_due()
    except DATABASE_ERRORS:
        return True
    finally:
        scene.workspace.host.db.conn.set_progress_handler(None, 0)
        scene.workspace.close()
        scene.open()
    return False


def test_an_occurrence_that_is_cut_off_anywhere_is_made_once_and_none_is_left_out(scene: Scene) -> None:
    scene.approve()
    scene.now, cuts, expected = datetime(2027, 2, 2, 9, tzinfo=UTC), 0, []
    for number in range(5):
        after, before = 31 * number, cuts
        while cut_off(scene, after):
            cuts += 1
            after += 151
            ids = list(scene.made())
            assert ids in (expected, [*expected, f"news-{scene.now:%Y-%m-%d}"])
        assert cuts > before, "nothing was cut off, so nothing is proved"
        expected.append(f"news-{scene.now:%Y-%m-%d}")
        assert list(scene.made()) == expected
        scene.now += DAY
    assert scene.skipped() == []


def test_of_two_that_make_the_same_occurrence_one_does(scene: Scene) -> None:
    """Were there ever two controls, as on two machines that share a folder without locks."""
    row = scene.approve()
    scene.now = datetime(2027, 2, 2, 9, tzinfo=UTC)
    other = Workspace(scene.folder, environment={}, clock=lambda: scene.now)
    assert series._make(scene.workspace, row)
    assert series._make(other, row), "with what it had read before"
    other.close()
    assert list(scene.made()) == ["news-2027-02-02"]
    assert scene.skipped() == []
    host = scene.workspace.host
    with pytest.raises(DATABASE_ERRORS, match="UNIQUE"), host.db.atomic():
        host.db.execute("INSERT INTO campaign SELECT 'twin', title, definition, state, senders, due_at, created_at,"
                        " updated_at, series, wall, reason, gathered, relay_of, adaptation FROM campaign")  # fmt: skip


def test_a_pause_in_the_very_moment_holds(scene: Scene) -> None:
    row = scene.approve()
    scene.now = datetime(2027, 2, 2, 9, tzinfo=UTC)
    series.pause(scene.workspace, "news", who="somebody")
    assert series._make(scene.workspace, row)
    assert scene.made() == {}


# --- people -----------------------------------------------------------------------------------


def test_what_falls_into_a_pause_is_left_out_and_what_is_under_way_goes_on(scene: Scene) -> None:
    scene.approve()
    scene.now = datetime(2027, 2, 2, 9, tzinfo=UTC)
    scene.control._series.make_due()
    series.pause(scene.workspace, "news", who="somebody")
    assert [each.id for each in series.under_way(scene.workspace, "news")] == ["news-2027-02-02"]
    assert len(scene.step("2027-02-02 09:00")) == 2
    assert scene.step("2027-02-03 09:00") == []
    scene.now = datetime(2027, 2, 3, 9, 30, tzinfo=UTC)
    series.resume(scene.workspace, "news", who="somebody")
    assert scene.step("2027-02-03 10:00") == []
    assert len(scene.step("2027-02-04 09:00")) == 2
    series.cancel(scene.workspace, "news", who="somebody")
    assert scene.step("2027-02-05 09:00") == []
    assert series.upcoming(scene.workspace, scene.row()) == []


def test_another_text_takes_the_place_of_the_first_and_no_day_has_two(scene: Scene) -> None:
    scene.approve()
    scene.step("2027-02-02 09:00")
    text = CAMPAIGN.format(repeat="daily", zone="UTC", template="announcement").replace("02 09:00", "02 11:00")
    forecast = series.prepare(scene.workspace, definition.read(text))
    assert [f"{wall:%d %H}" for wall, _ in forecast.coming[:2]] == ["03 11", "04 11"]
    series.approve(scene.workspace, forecast, who="somebody")
    assert scene.step("2027-02-02 11:00") == []
    assert len(scene.step("2027-02-03 11:00")) == 2
    assert list(scene.made()) == ["news-2027-02-02", "news-2027-02-03"]


def test_one_id_is_a_series_or_a_campaign_that_goes_out_once(scene: Scene) -> None:
    once = definition.read(
        CAMPAIGN.format(repeat="daily", zone="UTC", template="announcement").replace("  repeat: daily\n", "")
    )
    prepared = sending.prepare(scene.workspace, once)
    scene.approve()
    with pytest.raises(StateError, match="repeats"):
        sending.approve(scene.workspace, prepared, who="somebody")
    with pytest.raises(UsageError, match="repeats"):
        reporting.status(scene.workspace, "news")
    with pytest.raises(UsageError, match="sent just once"):
        sending.prepare(scene.workspace, definition.read(scene.row().definition))


# --- late -------------------------------------------------------------------------------------


def test_after_some_hours_without_power_the_occurrence_goes_out_at_once(scene: Scene) -> None:
    scene.approve("weekly")
    assert len(scene.step("2027-02-03 09:00")) == 2


def test_what_was_missed_by_more_is_left_out_and_said(scene: Scene) -> None:
    scene.approve("weekly")
    assert scene.step("2027-02-03 09:01") == []
    (text,) = scene.skipped()
    assert "was missed by 24 hours" in text
    assert scene.row().due_at == datetime(2027, 2, 9, 9, tzinfo=UTC)


def test_after_days_without_power_only_the_latest_goes_out(scene: Scene) -> None:
    scene.approve()
    assert len(scene.step("2027-02-06 10:00")) == 2
    assert list(scene.made()) == ["news-2027-02-06"]
    (text,) = scene.skipped()
    assert text.startswith("2027-02-02 to 2027-02-05 09:00: 4 were missed")
    status = reporting.series_status(scene.workspace, scene.row()).to_json()
    assert (status["audience"], status["deliveries"]["sent"], status["skipped"]) == (2, 2, [text])


def test_a_campaign_that_goes_out_once_is_held_when_it_is_late_and_goes_out_when_a_person_says_so(
    scene: Scene,
) -> None:
    text = CAMPAIGN.format(repeat="daily", zone="UTC", template="announcement").replace("  repeat: daily\n", "")
    prepared = sending.prepare(scene.workspace, definition.read(text), scheduled=True)
    sending.approve(scene.workspace, prepared, who="somebody")
    assert scene.step("2027-02-04 09:00") == []
    status = reporting.status(scene.workspace, "news").to_json()
    assert status["state"] == "paused"
    assert "was missed by 48 hours" in str(status["reason"])
    held = [finding for finding in maintenance._held(scene.workspace) if not finding.ok]
    assert "news is held" in held[0].what
    sending.resume(scene.workspace, "news", who="somebody")
    assert len(scene.step("2027-02-04 09:00")) == 2
    assert "reason" not in reporting.status(scene.workspace, "news").to_json()


# --- hindrances -------------------------------------------------------------------------------


def test_an_occurrence_that_can_not_be_made_is_tried_until_it_is_late(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "RETRY_S", 0.0)
    template = scene.workspace.templates_folder / "ours.mjml"
    source = (scene.workspace.templates_folder / "house-style.mjml").read_text()
    template.write_text(source)
    scene.approve(template="ours")
    template.unlink()
    assert scene.step("2027-02-02 09:00") == []
    assert "ours" in scene.row().reason
    assert any("can not be made" in finding.what for finding in maintenance._held(scene.workspace))
    template.write_text(source)
    assert len(scene.step("2027-02-02 09:30")) == 2
    assert scene.row().reason == ""
    template.unlink()
    scene.step("2027-02-03 09:00")
    scene.step("2027-02-04 08:59")
    assert scene.skipped() == []
    scene.step("2027-02-04 09:30")
    template.write_text(source)
    assert len(scene.step("2027-02-05 08:00")) == 2, "that of the fourth, late by less"
    assert len(scene.skipped()) == 1


def test_an_occurrence_for_nobody_is_left_out(scene: Scene) -> None:
    text = CAMPAIGN.format(repeat="daily", zone="UTC", template="announcement").replace(
        "feed:\n  summary: A summary\n", ""
    )
    forecast = series.prepare(scene.workspace, definition.read(text))
    series.approve(scene.workspace, forecast, who="somebody")
    db = scene.workspace.association_db("coalition")
    with db.atomic():
        db.execute("DELETE FROM subscription")
    assert scene.step("2027-02-02 09:00") == []
    assert scene.made() == {}
    assert scene.skipped() == ["2027-02-02 09:00: nobody would get anything"]


def test_what_falls_on_days_that_are_shut_out_goes_out_once_after_them(scene: Scene) -> None:
    setting(scene, "pacing", 'blackout = ["2027-02-02..2027-02-04"]')
    scene.approve()
    for day in (2, 3, 4):
        assert scene.step(f"2027-02-0{day} 12:00") == []
    assert len(scene.step("2027-02-05 09:00")) == 2
    assert list(scene.made()) == ["news-2027-02-05"]
    assert scene.skipped() == []


def test_days_that_are_shut_out_later_move_what_was_approved(scene: Scene) -> None:
    scene.approve("weekly")
    setting(scene, "pacing", 'blackout = ["2027-02-02"]')
    assert scene.step("2027-02-02 09:00") == []
    assert len(scene.step("2027-02-03 09:00")) == 2
    assert list(scene.made()) == ["news-2027-02-02"]


def test_a_restored_backup_makes_no_occurrence_until_a_person_says_so(scene: Scene, tmp_path: Path) -> None:
    scene.approve()
    maintenance.back_up(scene.workspace, tmp_path / "backup.tar.gz")
    assert len(scene.step("2027-02-02 09:00")) == 2
    done = restore(tmp_path / "backup.tar.gz", tmp_path / "restored")
    assert done.paused == ("news",)
    scene.workspace.close()
    scene.folder = tmp_path / "restored"
    scene.open()
    series.resume(scene.workspace, "news", who="somebody")
    assert scene.step("2027-02-02 10:00") == [], "that of today went out before"
    assert len(scene.step("2027-02-03 09:00")) == 2
