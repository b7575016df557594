"""Batches go out, come back, get lost and are found again; what nobody can know is named."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from delivery_samples import ASSOCIATION, EDITION
from hypothesis import given
from hypothesis import strategies as st
from ledger_samples import GIVE_UP_S, NOW, Book

from comms.delivery import dispatch
from comms.delivery.batches import MailBatch, Outcome, Receipt, Report, from_json
from comms.delivery.dispatch import LOST_AFTER_S, MACHINE_STOPPED, SENDER_DIED, Outfit, Turns
from comms.delivery.journal import FileJournals, Journal, reclaim
from comms.delivery.runs import Run

OUTFIT = Outfit(
    association=ASSOCIATION,
    campaign={"id": "spring"},
    edition=EDITION.to_json(),
    list_id="newsletter.coalition.coalition.example",
    url="",
    site_url="https://news.example.org",
    smtp={"port": 25},
)
SOON = timedelta(seconds=LOST_AFTER_S + 1)


class ListQueue:
    """A queue in memory."""

    def __init__(self) -> None:
        self.work: list[str] = []

    def put(self, work: Mapping[str, Any]) -> None:
        self.work.append(json.dumps(work))

    def waiting(self) -> int:
        return len(self.work)

    def take_reports(self) -> list[Mapping[str, Any]]:
        return []

    def take(self) -> MailBatch:
        batch = from_json(json.loads(self.work.pop(0)))
        assert isinstance(batch, MailBatch)
        return batch


class Scene:
    """Four people, a run to them, a queue and the senders' journals."""

    def __init__(self, folder: Path, doubt: str = "resend") -> None:
        self.book = Book(folder / "coalition.db")
        for name in ("ana", "ben", "cem", "dee"):
            self.book.join(f"{name}@example.org")
        self.run: Run = self.book.freeze(doubt=doubt)
        self.queue = ListQueue()
        self.turns = Turns()
        self.folder = folder / "journal"
        self.folder.mkdir()

    def dispatch(self, size: int = 10, now: datetime = NOW) -> int:
        return dispatch.dispatch(self.book.ledger, self.run, OUTFIT, self.queue, size=size, now=now)

    def recover(self, now: datetime = NOW, *, starting: bool = False) -> int:
        return dispatch.recover(
            self.book.ledger,
            FileJournals(self.folder),
            self.queue,
            turns=self.turns,
            now=now,
            give_up_s=GIVE_UP_S,
            starting=starting,
        )

    def report(self, batch: str, *receipts: Receipt, now: datetime = NOW) -> bool:
        report = Report(batch, "coalition", receipts)
        return dispatch.take_report(
            self.book.ledger, FileJournals(self.folder), report, turns=self.turns, now=now, give_up_s=GIVE_UP_S
        )

    def begin(self, batch: MailBatch) -> Journal:
        log = Journal.begin(self.folder, batch.id)
        assert log is not None
        return log

    def states(self) -> list[str]:
        return [state for state, _, _ in self.book.rows().values()]

    def doubts(self) -> list[tuple[int, str, str]]:
        return [(case.delivery, case.cause, case.resolution) for case in self.book.ledger.doubts(self.run.id)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.book.db.close()


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, "hold")
    yield made
    made.book.db.close()


def accepted(delivery: int) -> Receipt:
    return Receipt(delivery, Outcome.ACCEPTED, 250, "ok")


def test_a_batch_says_all_that_a_sender_needs_and_survives_the_queue(scene: Scene) -> None:
    assert scene.dispatch(2) == 2
    batch = scene.queue.take()
    assert [each.address for each in batch.recipients] == ["ana@example.org", "ben@example.org"]
    assert (batch.association, batch.edition, batch.run) == (ASSOCIATION, EDITION.to_json(), scene.run.id)
    assert scene.states() == ["claimed", "claimed", "ready", "ready"]


def test_a_batch_that_waits_in_the_queue_is_left_there_while_control_lives(scene: Scene) -> None:
    scene.dispatch()
    assert scene.recover(NOW + timedelta(hours=1)) == 0


def test_a_task_that_the_queue_lost_is_found_after_a_while_and_not_before(scene: Scene) -> None:
    scene.dispatch()
    scene.queue.work.clear()
    assert scene.recover(NOW + timedelta(seconds=1)) == 0
    assert scene.recover(NOW + SOON) == 1
    assert set(scene.states()) == {"ready"}
    assert scene.doubts() == []


def test_a_lost_task_is_found_when_the_clock_was_put_back(scene: Scene) -> None:
    scene.dispatch()
    scene.queue.work.clear()
    assert scene.recover(NOW - timedelta(days=365)) == 1


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_task_that_the_queue_lost_is_found_while_others_wait_once_a_later_one_was_begun(scene: Scene) -> None:
    for at in (0, 1, 2):
        scene.dispatch(1, later(at))
    scene.queue.work.pop(0)
    assert scene.recover(later(60)) == 0, "its turn may still come"
    with scene.begin(scene.queue.take()):
        assert scene.recover(later(61)) == 0, "a sender may just have taken it"
        assert scene.recover(later(62)) == 0
        assert scene.recover(later(61 + LOST_AFTER_S)) == 1
        assert scene.queue.waiting() == 1, "the third one waits on"
        assert scene.states() == ["ready", "claimed", "claimed", "ready"]


def test_a_task_that_the_queue_lost_is_found_while_others_wait_once_a_later_one_was_reported(scene: Scene) -> None:
    for at in (0, 1, 2):
        scene.dispatch(1, later(at))
    scene.queue.work.pop(0)
    batch = scene.queue.take()
    with scene.begin(batch):
        pass
    assert scene.report(batch.id, accepted(2), now=later(60))
    assert scene.recover(later(61)) == 0
    assert scene.recover(later(60 + LOST_AFTER_S)) == 1
    assert scene.states() == ["ready", "sent", "claimed", "ready"]


def test_a_batch_behind_others_is_not_lost_however_long_they_take(scene: Scene) -> None:
    scene.dispatch(1, NOW)
    scene.dispatch(1, later(1))
    scene.begin(scene.queue.take()).close()
    assert scene.recover(later(60)) == 1, "that of the sender that died"
    assert scene.recover(later(3600)) == 0
    assert scene.states() == ["ready", "claimed", "ready", "ready"]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 40)), max_size=20), st.integers(0, 30), st.integers(0, 60))
def test_a_turn_is_over_when_a_later_one_was_seen_some_seconds_ago(
    seen: list[tuple[int, int]], claimed_at: int, now: int
) -> None:
    turns = Turns()
    seen = [(each, at) for each, at in sorted(seen, key=lambda pair: pair[1]) if each <= at <= now]
    for each, at in seen:
        turns.note(each, datetime.fromtimestamp(at, UTC))
    expected = any(each > claimed_at and now - at >= LOST_AFTER_S for each, at in seen)
    assert turns.is_over(claimed_at, datetime.fromtimestamp(now, UTC)) == expected


def test_a_sender_that_took_a_batch_and_was_declared_dead_too_soon_can_not_begin_it(scene: Scene) -> None:
    scene.dispatch()
    batch = scene.queue.take()
    scene.recover(NOW + SOON)
    assert Journal.begin(scene.folder, batch.id) is None


def test_after_a_restart_of_control_old_tasks_in_the_queue_start_nothing(scene: Scene) -> None:
    scene.dispatch(2)
    assert scene.recover(starting=True) == 1
    old = scene.queue.take()
    scene.dispatch(4)
    assert Journal.begin(scene.folder, old.id) is None
    assert len(scene.queue.take().recipients) == 4


def test_a_living_sender_keeps_its_batch_through_a_restart_of_control(scene: Scene) -> None:
    scene.dispatch()
    batch = scene.queue.take()
    with scene.begin(batch) as log:
        log.about_to(1)
        assert scene.recover(NOW + timedelta(hours=12), starting=True) == 0
        log.done(accepted(1))
    assert scene.report(batch.id, accepted(1))
    assert scene.states() == ["sent", "ready", "ready", "ready"]


def test_a_dead_senders_journal_settles_its_batch(scene: Scene) -> None:
    scene.dispatch()
    batch = scene.queue.take()
    with scene.begin(batch) as log:
        log.about_to(1)
        log.done(accepted(1))
        log.about_to(2)
        log.done(Receipt(3, Outcome.REJECTED, 550, "no"))
    assert scene.recover() == 1
    assert scene.states() == ["sent", "ready", "failed", "ready"]
    assert scene.doubts() == [(2, SENDER_DIED, "resent")]
    assert not scene.report(batch.id, accepted(1), accepted(2), accepted(3)), "the report came after the fact"
    assert scene.states() == ["sent", "ready", "failed", "ready"]


def test_control_can_die_at_any_moment_of_a_recovery(scene: Scene) -> None:
    """After the journal is closed and before the ledger has it: the next recovery reads the same."""
    scene.dispatch()
    batch = scene.queue.take()
    with scene.begin(batch) as log:
        log.about_to(1)
        log.done(accepted(1))
        log.about_to(2)
    reclaim(scene.folder, batch.id)
    assert scene.recover(starting=True) == 1
    assert scene.states() == ["sent", "ready", "ready", "ready"]
    assert scene.doubts() == [(2, SENDER_DIED, "resent")]


def test_after_a_power_cut_everything_that_was_begun_and_not_answered_is_in_doubt(holding: Scene) -> None:
    holding.dispatch(3)
    holding.dispatch(1)
    begun = holding.queue.take()
    holding.begin(begun).close()
    path = holding.folder / f"{begun.id}.journal"
    lines = ['["begin", "the boot before"]', '["dot", 1]', json.dumps(["done", *accepted(1).to_json()]), '["dot", 2]']
    path.write_text("\n".join(lines) + "\n")
    assert holding.recover(starting=True) == 2
    assert holding.states() == ["sent", "uncertain", "uncertain", "ready"]
    assert holding.doubts() == [(2, MACHINE_STOPPED, "held"), (3, MACHINE_STOPPED, "held")]


def test_a_report_is_taken_once_and_closes_the_journal(scene: Scene) -> None:
    scene.dispatch()
    batch = scene.queue.take()
    with scene.begin(batch) as log:
        for delivery in (1, 2, 3, 4):
            log.about_to(delivery)
            log.done(Receipt(delivery, Outcome.ACCEPTED, 250, "taken for ana@example.org"))
    assert scene.report(batch.id, *map(accepted, (1, 2, 3, 4)))
    assert not scene.report(batch.id, *map(accepted, (1, 2, 3, 4)))
    assert Journal.begin(scene.folder, batch.id) is None
    assert b"example.org" not in (scene.folder / f"{batch.id}.journal").read_bytes()
    with scene.book.db.atomic():
        assert scene.book.ledger.finish(scene.run.id, NOW)


def test_a_run_whose_people_all_withdrew_ends_without_a_batch(scene: Scene) -> None:
    for name in ("ana", "ben", "cem", "dee"):
        scene.book.suppress(f"{name}@example.org")
    assert scene.dispatch() == 4
    assert scene.queue.work == []
    assert set(scene.states()) == {"skipped"}
    assert scene.dispatch() == 0
