"""A clock that was wrong for a while must not make anyone wait for the time it showed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ledger_samples import GIVE_UP_S, NOW, Book

from comms.delivery.batches import Outcome, Receipt
from comms.delivery.letterbox import Letterbox
from comms.delivery.retry import LONGEST_S, wait_s
from comms.engine.control import RECOVER_EVERY_S, Control
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from tests.conftest import HOST

TOMORROW = NOW + timedelta(days=1)
OUTCOMES = [Outcome.DEFERRED, Outcome.UNKNOWN]


class NoQueue:
    """A queue that takes everything and gives nothing."""

    def put(self, work: Mapping[str, Any]) -> None:
        pass

    def waiting(self) -> int:
        return 0

    def take_reports(self) -> list[Mapping[str, Any]]:
        return []


def put_off(book: Book, outcome: Outcome, now: datetime) -> None:
    """One delivery is tried, and waits."""
    run = book.freeze()
    with book.db.atomic():
        (recipient,) = book.ledger.claim(run, "b", 1, now).recipients
        receipt = Receipt(recipient.delivery, outcome, 451, "later")
        assert book.ledger.settle("b", [receipt], in_doubt={}, now=now, give_up_s=GIVE_UP_S)


def due(book: Book, now: datetime) -> int:
    return book.ledger.due(1, now, 10)


@pytest.fixture
def book(tmp_path: Path) -> Book:
    made = Book(tmp_path / "a.db")
    made.join("ana@example.org")
    return made


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_what_was_put_off_by_a_clock_that_ran_ahead_is_due_once_it_is_right(book: Book, outcome: Outcome) -> None:
    put_off(book, outcome, TOMORROW)
    assert due(book, NOW) == 0
    with book.db.atomic():
        assert book.ledger.bring_forward(NOW) == 1
    assert due(book, NOW) == 1


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_wait_that_is_meant_is_kept(book: Book, outcome: Outcome) -> None:
    put_off(book, outcome, NOW)
    with book.db.atomic():
        assert book.ledger.bring_forward(NOW) == 0


def test_what_was_never_tried_keeps_the_time_that_a_person_chose(book: Book) -> None:
    book.freeze()
    book.db.execute("UPDATE delivery SET next_at = ?", [int(TOMORROW.timestamp())])
    with book.db.atomic():
        assert book.ledger.bring_forward(NOW) == 0


def test_no_wait_is_longer_than_the_longest() -> None:
    assert max(wait_s(tries, item=item, reached=True) for tries in range(1, 20) for item in range(1000)) <= LONGEST_S


def test_control_brings_forward_what_waits_when_its_clock_is_put_back(tmp_path: Path) -> None:
    create_workspace(tmp_path / "workspace", HOST).close()
    clock = [TOMORROW]
    with Workspace(tmp_path / "workspace", clock=lambda: clock[0]) as workspace:
        workspace.journal_folder.mkdir(exist_ok=True)
        control = Control(workspace, NoQueue(), senders=1)
        control.step()
        box = Letterbox(workspace.association_db(HOST.slug))
        with box.db.atomic():
            letter = box.add("confirm", "ana@example.org", b"", now=TOMORROW, expires_at=TOMORROW + timedelta(days=9))
            assert box.take(letter, "task", TOMORROW)
            assert box.settle("task", Receipt(letter, Outcome.DEFERRED, 451, "later"), TOMORROW) == "queued"
        assert not box.due(NOW, 1)
        clock[0] = NOW
        time.sleep(RECOVER_EVERY_S)
        control.step()
        assert box.of_address("ana@example.org")[0].state == "failed", "nobody can read it: it was tried, and said so"
