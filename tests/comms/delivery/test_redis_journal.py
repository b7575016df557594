"""Journals in Redis: what they prove, who may write on, and what a server that forgets does to them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comms.delivery import redis_journal
from comms.delivery.batches import Outcome, Receipt
from comms.delivery.redis_journal import AHEAD, RedisJournal, RedisJournals
from comms.keys import WorkspaceKey
from tests.conftest import free_port
from tests.support.processes import wait_until
from tests.support.redis_server import REDIS, RedisServer

pytestmark = pytest.mark.skipif(REDIS is None, reason="redis-server is not installed")
KEY = WorkspaceKey(bytes(range(32)))
MANY = range(1, 101)


@pytest.fixture(scope="module")
def running() -> Iterator[RedisServer]:
    server = RedisServer(free_port())
    yield server
    server.stop()


@pytest.fixture
def journals(running: RedisServer, monkeypatch: pytest.MonkeyPatch) -> RedisJournals:
    monkeypatch.setattr(redis_journal, "LEASE_S", 0.4)
    monkeypatch.setattr(redis_journal, "PULSE_S", 0.1)
    return RedisJournals(running.url, KEY)


def begun(journals: RedisJournals, batch: str, items: range | list[int] = MANY) -> RedisJournal:
    return journals.begin(batch, items, journals.server()) or pytest.fail("it was not begun")


def accepted(item: int) -> Receipt:
    return Receipt(item, Outcome.ACCEPTED, 250, "ok")


def abandon(journal: RedisJournal) -> None:
    """What a kill does."""
    journal._ended.set()
    journal._pulse.join()


def reclaimed(journals: RedisJournals, batch: str) -> redis_journal.Reading:
    found: list[redis_journal.Reading] = []

    def is_free() -> bool:
        reading = journals.reclaim(batch, trusted=journals.server())
        found.extend([reading] if reading else [])
        return reading is not None

    wait_until(is_free, seconds=5)
    return found[0]


def name() -> str:
    return secrets.token_hex(8)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(order=st.permutations(range(1, 61)), killed_after=st.integers(0, 60), unanswered=st.integers(0, 4))
def test_what_a_killed_sender_handed_over_is_answered_or_in_doubt_and_little_else_is(
    journals: RedisJournals, order: list[int], killed_after: int, unanswered: int
) -> None:
    batch = name()
    journal = begun(journals, batch, order)
    handed = order[:killed_after]
    for number, item in enumerate(handed):
        journal.about_to(item)
        if number >= unanswered:
            journal.done(accepted(handed[number - unanswered]))
    abandon(journal)
    reading = reclaimed(journals, batch)
    answered = {receipt.item for receipt in reading.receipts}
    assert reading.trustworthy
    assert set(handed) <= answered | reading.handed_over
    assert answered <= set(handed)
    assert not answered & reading.handed_over
    assert len(reading.handed_over) <= 2 * AHEAD + unanswered


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=st.integers(1, 99), turns=st.lists(st.booleans(), max_size=100))
def test_with_two_mail_servers_leave_is_asked_ahead_and_what_is_in_doubt_stays_little(
    journals: RedisJournals, first: int, turns: list[bool]
) -> None:
    batch = name()
    journal = begun(journals, batch)
    lanes = [iter(range(1, first + 1)), iter(range(first + 1, len(MANY) + 1))]
    handed = []
    for turn in turns:
        if item := next(lanes[turn], None):
            journal.about_to(item)
            journal.done(accepted(item))
            handed.append(item)
    chunks = journal._length
    abandon(journal)
    reading = reclaimed(journals, batch)
    answered = {receipt.item for receipt in reading.receipts}
    assert set(handed) <= answered | reading.handed_over
    assert answered <= set(handed)
    assert len(reading.handed_over) <= 2 * 2 * AHEAD
    assert chunks <= 1 + 2 + len(handed) / AHEAD + 1, "a message costs a part of a round trip"


def test_a_journal_that_ended_tells_every_answer_and_is_free_at_once(journals: RedisJournals) -> None:
    batch = name()
    with begun(journals, batch) as journal:
        for item in MANY:
            journal.about_to(item)
            journal.done(accepted(item))
    reading = journals.reclaim(batch, trusted=journals.server())
    assert reading is not None
    assert sorted(receipt.item for receipt in reading.receipts) == list(MANY)
    assert reading.handed_over == frozenset()
    assert reading.trustworthy


def test_a_living_sender_keeps_its_batch_however_little_it_says(journals: RedisJournals) -> None:
    batch = name()
    with begun(journals, batch):
        for _ in range(12):
            assert journals.reclaim(batch, trusted=journals.server()) is None
            redis_journal.threading.Event().wait(0.1)


def test_a_batch_is_begun_once_and_not_after_control_closed_it(journals: RedisJournals) -> None:
    batch, other = name(), name()
    with begun(journals, batch):
        assert journals.begin(batch, MANY, journals.server()) is None
    assert journals.begin(batch, MANY, journals.server()) is None
    reading = journals.reclaim(other, trusted=journals.server())
    assert reading is not None
    assert (reading.receipts, reading.handed_over, reading.trustworthy) == ((), frozenset(), True)
    assert journals.begin(other, MANY, journals.server()) is None
    assert journals.was_begun(other)


def test_a_sender_that_was_away_too_long_may_not_go_on(journals: RedisJournals) -> None:
    batch = name()
    journal = begun(journals, batch)
    journal.about_to(1)
    abandon(journal)
    assert reclaimed(journals, batch).handed_over == frozenset(range(1, AHEAD + 1))
    journal.done(accepted(1))
    with pytest.raises(OSError, match="taken from this sender"):
        journal.about_to(AHEAD + 1)
    with pytest.raises(OSError, match="taken from this sender"):
        journal.about_to(2)  # although it was announced: nothing more goes out
    assert reclaimed(journals, batch).receipts == ()


def test_a_settled_journal_keeps_nothing_and_stays_closed(journals: RedisJournals, running: RedisServer) -> None:
    batch = name()
    with begun(journals, batch) as journal:
        journal.about_to(1)
        journal.done(accepted(1))
    journals.settle(batch)
    assert journals.begin(batch, MANY, journals.server()) is None
    assert reclaimed(journals, batch).receipts == ()


def test_nothing_in_redis_can_be_read_or_made_up_without_the_key(journals: RedisJournals, running: RedisServer) -> None:
    batch, stranger = name(), RedisJournals(running.url, WorkspaceKey(bytes(32)))
    with begun(journals, batch) as journal:
        journal.about_to(1)
        journal.done(Receipt(1, Outcome.REJECTED, 550, "ana@example.org unknown"))
    kept = b"".join(journals._redis.lrange(journals._keys(batch)[0], 0, -1))
    assert len(kept) > 50
    assert b"ana@" not in kept
    stranger._prefix = journals._prefix
    assert not reclaimed(stranger, batch).trustworthy


def test_a_server_that_forgot_stops_the_sender_and_what_it_held_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_journal, "LEASE_S", 0.4)
    server = RedisServer(free_port())
    try:
        journals = RedisJournals(server.url, KEY)
        before = journals.server()
        journal = journals.begin("b", MANY, before) or pytest.fail("it was not begun")
        journal.about_to(1)
        server.stop()
        server.start()
        with pytest.raises(OSError, match="taken from this sender"):
            journal.about_to(AHEAD + 1)
        abandon(journal)
        assert journals.begin("c", MANY, before) is None  # handed out before the server forgot what was begun
    finally:
        server.stop()


def test_what_was_begun_under_an_earlier_start_of_the_server_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_journal, "LEASE_S", 0.4)
    server = RedisServer(free_port(), tmp_path)
    try:
        journals = RedisJournals(server.url, KEY)
        journal = journals.begin("b", MANY, journals.server()) or pytest.fail("it was not begun")
        journal.about_to(1)
        journal.done(accepted(1))
        journal.about_to(AHEAD + 1)
        abandon(journal)
        server.stop()
        server.start()
        reading = reclaimed(journals, "b")
        assert [receipt.item for receipt in reading.receipts] == [1]
        assert not reading.trustworthy
    finally:
        server.stop()


def test_an_item_that_is_tried_again_after_an_answer_is_in_doubt_until_the_next(journals: RedisJournals) -> None:
    refused = Receipt(1, Outcome.DEFERRED, 454, "Throttling failure")
    for tries, in_doubt in ((1, False), (2, True)):
        batch = name()
        with begun(journals, batch, []) as journal:
            for number in range(tries):
                if number:
                    journal.done(refused)
                journal.about_to(1)
            if tries == 1:
                journal.done(refused)
                journal.about_to(2)
            abandon(journal)
            reading = reclaimed(journals, batch)
        assert (1 in reading.handed_over) is in_doubt
        assert (1 in {each.item for each in reading.receipts}) is not in_doubt
