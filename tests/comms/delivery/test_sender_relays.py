"""Several mail servers carry a batch: by weight, for each other, and never twice what one may have taken."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from delivery_samples import SIGNER, a_batch, recipient
from scripted_server import CLOSE, Plan, ScriptedServer

from comms.delivery.batches import Outcome, Receipt
from comms.delivery.journal import Journal, Reading, boot_id, read, reclaim
from comms.delivery.relays import FAULTS, Standing
from comms.delivery.sender import MailSender
from tests.conftest import MailServer, free_port

THROTTLING = b"454 Throttling failure: Maximum sending rate exceeded.\r\n"
USED_UP = b"454 Throttling failure: Daily message quota exceeded.\r\n"


class Desk:
    """A sender with the servers of `[smtp]` and `[smtp_relays]`, and what it says of them."""

    def __init__(self, folder: Path) -> None:
        self.told: list[list[Standing]] = []
        self.stop = threading.Event()
        self.folder = folder
        self.sent = 0
        self._sender = MailSender(SIGNER, self.stop, self.told.append)

    def send(self, count: int, port: int, relays: dict[str, dict[str, Any]], **smtp: Any) -> dict[int, Receipt]:
        self.sent += 1
        common = {"host": "127.0.0.1", "timeout": 5.0, "connections": 2}
        batch = a_batch(
            [recipient(number) for number in range(1, count + 1)],
            port=port,
            id=f"batch-{self.sent}",
            smtp={**common, **smtp},
            relays={name: {**common, **relay} for name, relay in relays.items()},
        )
        with Journal.begin(self.folder, batch.id) or pytest.fail("nobody has it") as log:
            receipts = self._sender.send(batch, log)
        assert len({each.item for each in receipts}) == len(receipts), "one receipt each"
        return {each.item: each for each in receipts}

    def reading(self) -> Reading:
        reading = reclaim(self.folder, f"batch-{self.sent}")
        assert reading is not None
        return reading

    def close(self) -> None:
        self._sender.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()


@contextmanager
def scripted(*plans: Plan) -> Iterator[ScriptedServer]:
    with ScriptedServer(*plans) as server:
        yield server


def outcomes(receipts: dict[int, Receipt]) -> Counter[Outcome]:
    return Counter(each.outcome for each in receipts.values())


def test_each_server_gets_its_share_and_everybody_one_copy(desk: Desk, mail_server: Callable[..., MailServer]) -> None:
    first, second, spare = mail_server(), mail_server(), mail_server()
    relays = {"second": {"port": second.port, "weight": 3}, "spare": {"port": spare.port, "backup": True}}
    for _ in range(3):
        assert outcomes(desk.send(41, first.port, relays)) == {Outcome.ACCEPTED: 41}
    assert abs(len(first.taken()) - 123 / 4) <= 2
    assert abs(len(second.taken()) - 123 * 3 / 4) <= 2
    assert spare.taken() == []
    copies = Counter(first.recipients() + second.recipients())
    assert set(copies.values()) == {3}
    assert len(copies) == 41
    assert {each.state for each in desk.told[-1]} == {"closed"}


def test_when_a_server_dies_in_the_middle_the_others_carry_on_and_nobody_is_lost(
    desk: Desk, mail_server: Callable[..., MailServer]
) -> None:
    dying, other = mail_server(delay=0.01), mail_server()
    killer = threading.Timer(0.4, dying.process.kill)
    killer.start()
    receipts = desk.send(400, dying.port, {"other": {"port": other.port}})
    killer.join()
    assert set(receipts) == set(range(1, 401))
    assert set(outcomes(receipts)) <= {Outcome.ACCEPTED, Outcome.UNKNOWN}
    copies = Counter(dying.recipients() + other.recipients())
    in_doubt = {f"p{each.item}@example.org" for each in receipts.values() if each.outcome is Outcome.UNKNOWN}
    assert len(in_doubt) <= 2, "no more than the open transactions"
    assert set(copies) | in_doubt == {f"p{number}@example.org" for number in range(1, 401)}
    assert max(copies.values()) == 1, "what may have arrived goes to no other server"
    assert 0 < len(dying.taken()) < 200
    assert {each.name: each.state for each in desk.told[-1]} == {"smtp": "open", "other": "closed"}
    assert re.search("Connection (refused|reset)", desk.told[-1][0].reason)


def test_a_backup_fills_in_while_the_only_other_server_is_away(
    desk: Desk, mail_server: Callable[..., MailServer]
) -> None:
    spare = mail_server()
    receipts = desk.send(20, free_port(), {"spare": {"port": spare.port, "backup": True}})
    assert outcomes(receipts) == {Outcome.ACCEPTED: 20}
    assert len(spare.taken()) == 20


def test_a_message_without_an_answer_stays_in_doubt_although_another_server_is_there(
    desk: Desk, mail_server: Callable[..., MailServer]
) -> None:
    other = mail_server()
    with scripted({"DOT": CLOSE}) as dropping:
        receipts = desk.send(60, dropping.port, {"other": {"port": other.port}}, connections=1)
        in_doubt = {each.item for each in receipts.values() if each.outcome is Outcome.UNKNOWN}
        assert len(in_doubt) == FAULTS
        assert len(dropping.messages) == FAULTS
        assert not {f"p{number}@example.org" for number in in_doubt} & set(other.recipients())
        assert len(other.recipients()) == 60 - FAULTS
        assert desk.reading().handed_over == frozenset()


def test_a_server_that_is_too_fast_for_waits_a_moment_and_everybody_gets_one(desk: Desk) -> None:
    with scripted({"DOT3": THROTTLING, "DOT7": THROTTLING}) as ses:
        began = time.monotonic()
        receipts = desk.send(12, ses.port, {}, connections=1)
        assert outcomes(receipts) == {Outcome.ACCEPTED: 12}
        assert time.monotonic() - began >= 2.0, "a second for each"
        assert len(ses.messages) == 14
        assert desk.reading().handed_over == frozenset()


def test_what_a_throttled_server_refused_goes_through_the_other(
    desk: Desk, mail_server: Callable[..., MailServer]
) -> None:
    other = mail_server()
    with scripted({"DOT": THROTTLING}) as ses:
        receipts = desk.send(30, ses.port, {"other": {"port": other.port}}, connections=1)
        assert outcomes(receipts) == {Outcome.ACCEPTED: 30}
        assert len(other.taken()) == 30
        assert len(ses.messages) <= 2, "what was refused, and what rode behind it"
        assert {each.name: each.state for each in desk.told[-1]} == {"smtp": "open", "other": "closed"}


def test_a_used_up_quota_sets_the_server_aside_for_long_and_the_rest_is_put_off_with_the_reason(desk: Desk) -> None:
    with scripted({"DOT4": USED_UP}) as ses:
        receipts = desk.send(10, ses.port, {}, connections=1)
        assert outcomes(receipts) == {Outcome.ACCEPTED: 4, Outcome.DEFERRED: 6}, (
            "the envelope that rode behind still went"
        )
        assert all("quota exceeded" in each.text for each in receipts.values() if each.outcome is Outcome.DEFERRED)
        assert desk.told[-1][0].until > time.time() + 800
        assert len(desk.send(5, ses.port, {}, connections=1)) == 5
        assert len(ses.messages) == 5, "it is not asked again before"


def test_all_servers_away_puts_everybody_off_and_later_all_arrive(
    desk: Desk, mail_server: Callable[..., MailServer]
) -> None:
    ports = [free_port(), free_port()]
    relays = {"other": {"port": ports[1]}}
    receipts = desk.send(20, ports[0], relays)
    assert outcomes(receipts) == {Outcome.DEFERRED: 20}
    assert all(each.code == 0 and "Connection refused" in each.text for each in receipts.values())
    first, other = mail_server(port=ports[0]), mail_server(port=ports[1])
    time.sleep(2.6)
    assert outcomes(desk.send(20, ports[0], relays)) == {Outcome.ACCEPTED: 20}
    assert len(first.taken()) + len(other.taken()) == 20


def test_a_message_that_every_server_refuses_for_reasons_of_its_own_is_put_off(desk: Desk) -> None:
    plan = {"MAIL": b"451 4.3.0 queue file write error\r\n"}
    with scripted(plan) as first, scripted(plan) as other:
        receipts = desk.send(3, first.port, {"other": {"port": other.port}}, connections=1)
        assert outcomes(receipts) == {Outcome.DEFERRED: 3}
        assert all("451" in f"{each.code} {each.text}" for each in receipts.values())


def test_a_recipient_that_a_server_refuses_is_not_tried_with_another(
    desk: Desk, mail_server: Callable[..., MailServer]
) -> None:
    first, other = mail_server(reject="^p1@"), mail_server(reject="^p1@")
    receipts = desk.send(1, first.port, {"other": {"port": other.port}})
    assert receipts[1].outcome is Outcome.REJECTED


def test_a_sender_that_is_stopped_while_it_waits_gives_the_rest_back_at_once(desk: Desk) -> None:
    with scripted({"DOT": THROTTLING}) as ses:
        threading.Timer(0.3, desk.stop.set).start()
        began = time.monotonic()
        receipts = desk.send(5, ses.port, {}, connections=1)
        assert time.monotonic() - began < 3
        assert outcomes(receipts) == {}
        reading = desk.reading()
        assert reading.handed_over == frozenset(), "an answer was given: it is known not to have arrived"


def test_a_try_after_an_answer_is_in_doubt_again_until_it_is_answered() -> None:
    data = b"".join(
        json.dumps(line).encode() + b"\n"
        for line in (
            ["begin", boot_id()],
            ["dot", 7],
            ["done", 7, "deferred", 454, "Throttling failure", {}],
            ["dot", 7],
        )
    )
    reading = read(data)
    assert reading.handed_over == {7}
    assert reading.receipts == ()


def test_no_password_of_a_server_is_told_or_logged(
    desk: Desk, mail_server: Callable[..., MailServer], capfd: pytest.CaptureFixture[str]
) -> None:
    other = mail_server()
    away = {"port": free_port(), "username": "u", "password": "hunter2"}
    desk.send(3, other.port, {"away": away})
    assert "hunter2" not in repr(desk.told)
    assert "hunter2" not in "".join(capfd.readouterr())
