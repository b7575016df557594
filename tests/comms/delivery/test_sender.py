"""Whatever happens on the way, every recipient of a batch is accounted for, and the journal knows it first."""

from __future__ import annotations

import re
import resource
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from delivery_samples import ASSOCIATION, SIGNER, a_batch, recipient
from scripted_server import CLOSE, SILENCE, Plan, ScriptedServer
from structlog.testing import capture_logs

from comms.delivery.batches import Outcome, Receipt, Recipient
from comms.delivery.journal import Journal, Reading, reclaim
from comms.delivery.sender import MailSender
from tests.conftest import MailServer

PIPELINED: Plan = {"EHLO": b"250-scripted\r\n250 PIPELINING\r\n"}


@contextmanager
def sender(stop: threading.Event | None = None) -> Iterator[MailSender]:
    made = MailSender(SIGNER, stop or threading.Event())
    try:
        yield made
    finally:
        made.close()


def send(
    folder: Path, people: Iterable[Recipient], *, port: int, stop: threading.Event | None = None, **changes: Any
) -> tuple[dict[int, Receipt], Reading]:
    """What the sender says of each delivery, and what its journal would have said had it died afterwards."""
    batch = a_batch(people, port=port, **changes)
    with sender(stop) as made:
        with Journal.begin(folder, batch.id) or pytest.fail("nobody has it") as log:
            receipts = made.send(batch, log)
        reading = reclaim(folder, batch.id)
    assert reading is not None
    assert len({receipt.item for receipt in receipts}) == len(receipts), "one receipt each"
    return {receipt.item: receipt for receipt in receipts}, reading


def outcomes(receipts: Iterable[Receipt]) -> dict[int, Outcome]:
    return {receipt.item: receipt.outcome for receipt in receipts}


def people(count: int) -> list[Recipient]:
    return [recipient(number) for number in range(1, count + 1)]


def test_everybody_of_a_batch_gets_one_and_the_journal_says_the_same(
    tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server()
    said, reading = send(tmp_path, people(30), port=server.port, smtp={"connections": 4})
    assert Counter(server.recipients()) == Counter(f"p{number}@example.org" for number in range(1, 31))
    assert {receipt.outcome for receipt in said.values()} == {Outcome.ACCEPTED}
    assert outcomes(reading.receipts) == outcomes(said.values())
    assert not reading.handed_over


@pytest.mark.parametrize("attempt", range(3))
def test_a_server_that_fails_at_random_leaves_nobody_unaccounted(
    tmp_path: Path, mail_server: Callable[..., MailServer], attempt: int
) -> None:
    server = mail_server(
        seed=attempt, drop_after_dot=0.1, drop_in_data=0.1, defer=0.1, busy=0.1, reject="p[123]@"
    )  # fmt: skip
    said, reading = send(tmp_path, people(80), port=server.port, smtp={"connections": 3})
    assert said.keys() == set(range(1, 81))
    taken = Counter(server.recipients())
    for number, receipt in said.items():
        copies = taken[f"p{number}@example.org"]
        match receipt.outcome:
            case Outcome.ACCEPTED:
                assert copies == 1
            case Outcome.UNKNOWN:
                assert copies <= 1
            case _:
                assert copies == 0, receipt
    assert {said[number].outcome for number in (1, 2, 3)} <= {Outcome.REJECTED, Outcome.DEFERRED}
    assert outcomes(reading.receipts) == outcomes(said.values())


def test_a_line_lost_before_the_message_is_tried_once_more(tmp_path: Path) -> None:
    with ScriptedServer({"RCPT": CLOSE}, {}) as server:
        said, reading = send(tmp_path, people(1), port=server.port)
    assert outcomes(said.values()) == {1: Outcome.ACCEPTED}
    assert not reading.handed_over


def test_a_line_that_is_lost_before_every_message_costs_a_wait(tmp_path: Path) -> None:
    with ScriptedServer({"RCPT": CLOSE}) as server:
        said, reading = send(tmp_path, people(2), port=server.port)
        assert server.connections == 4
    assert outcomes(said.values()) == {1: Outcome.DEFERRED, 2: Outcome.DEFERRED}
    assert not reading.handed_over


def test_a_line_lost_after_the_message_leaves_a_doubt_and_no_second_copy(tmp_path: Path) -> None:
    with ScriptedServer({"DOT": CLOSE}, {}) as server:
        said, _ = send(tmp_path, people(2), port=server.port)
        assert len(server.messages) == 2
    assert outcomes(said.values()) == {1: Outcome.UNKNOWN, 2: Outcome.ACCEPTED}


def test_an_envelope_that_rode_behind_a_lost_message_was_no_try(tmp_path: Path) -> None:
    """Twice the second rides behind a message on whose dot the line is cut; it still has both of its tries."""
    cut: Plan = {**PIPELINED, "DOT": CLOSE}
    last: Plan = {**PIPELINED, "RCPT": CLOSE}
    with ScriptedServer(cut, cut, last, PIPELINED) as server:
        said, reading = send(tmp_path, people(3), port=server.port)
        assert server.connections == 4
    assert outcomes(said.values()) == {1: Outcome.UNKNOWN, 2: Outcome.ACCEPTED, 3: Outcome.UNKNOWN}
    assert outcomes(reading.receipts) == outcomes(said.values())
    assert not reading.handed_over


def test_a_line_that_is_lost_before_every_message_costs_a_wait_with_groups_too(tmp_path: Path) -> None:
    with ScriptedServer({**PIPELINED, "RCPT": CLOSE}) as server:
        said, reading = send(tmp_path, people(3), port=server.port, smtp={"connections": 2})
        assert server.messages == []
    assert outcomes(said.values()) == dict.fromkeys((1, 2, 3), Outcome.DEFERRED)
    assert not reading.handed_over


def test_every_message_is_in_the_journal_before_the_server_can_have_it(tmp_path: Path) -> None:
    """With the next message's envelope behind it, and sessions that share the journal."""
    arrived: set[int] = set()
    unknown: set[int] = set()
    journal = tmp_path / "batch-1.journal"

    class Noting(ScriptedServer):
        def _read_message(self, lines: object) -> bool:
            whole = super()._read_message(lines)
            here = {
                int(number) for each in self.messages for number in re.findall(rb"<spring\.coalition\.(\d+)@", each)
            }
            lines_now = journal.read_bytes()
            unknown.update(number for number in here if b'["dot", %d]\n' % number not in lines_now)
            arrived.update(here)
            return whole

    with Noting(PIPELINED) as server:
        said, _ = send(tmp_path, people(40), port=server.port, smtp={"connections": 3})
    assert arrived == set(range(1, 41))
    assert not unknown
    assert set(outcomes(said.values()).values()) == {Outcome.ACCEPTED}


def test_a_server_that_can_not_be_reached_defers_everybody_with_the_reason(tmp_path: Path) -> None:
    said, reading = send(tmp_path, people(3), port=1, smtp={"connections": 2})
    assert outcomes(said.values()) == dict.fromkeys((1, 2, 3), Outcome.DEFERRED)
    assert "Connection refused" in said[1].text
    assert said[1].code == 0
    assert outcomes(reading.receipts) == outcomes(said.values())


def test_a_server_that_allows_fewer_connections_than_we_want_still_gets_everything(tmp_path: Path) -> None:
    plans: list[Plan] = [{}, {"GREETING": b"421 too many connections\r\n"}]
    with ScriptedServer(*plans) as server:
        said, _ = send(tmp_path, people(10), port=server.port, smtp={"connections": 4})
        assert len(server.messages) == 10
    assert set(outcomes(said.values()).values()) == {Outcome.ACCEPTED}


@pytest.mark.parametrize("after", [(CLOSE,), (b"421 4.4.2 timeout\r\n", CLOSE)])
@pytest.mark.parametrize("second", [{}, {"RCPT1": CLOSE}])
def test_sessions_that_ended_between_two_batches_are_no_try_and_no_doubt(
    tmp_path: Path, after: tuple[Any, ...], second: Plan
) -> None:
    """Not even the one try that every message has in hand: `second` uses that up."""
    ending = {"DOT": (b"250 taken\r\n", *after)}
    with ScriptedServer(ending, second, {}) as server, sender() as made:
        for number in (1, 2):
            batch = a_batch([recipient(number)], port=server.port, id=f"batch-{number}")
            with Journal.begin(tmp_path, batch.id) or pytest.fail("nobody has it") as log:
                receipts = made.send(batch, log)
            assert outcomes(receipts) == {number: Outcome.ACCEPTED}
            time.sleep(0.3)


# --- one member's fault -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        recipient(2, name=""),
        recipient(2, address="not an address"),
        recipient(2, address="p2@example.org\r\nRCPT TO:<eve@example.org>"),
        recipient(2, address="p\udce42@example.org"),
        Recipient(2, "p2@example.org", None, "{not json", tracked=False),
        Recipient(2, "p2@example.org", None, "[" * 100_000, tracked=False),
        Recipient(2, "p2@example.org", None, "[1]", tracked=False),
    ],
)
def test_a_member_whose_message_can_not_be_made_hurts_nobody_else(tmp_path: Path, bad: Recipient) -> None:
    with ScriptedServer() as server:
        said, reading = send(tmp_path, [recipient(1), bad, recipient(3)], port=server.port)
        assert [line for line in server.commands if line.startswith(b"RCPT")] == [
            b"RCPT TO:<p1@example.org>\r\n",
            b"RCPT TO:<p3@example.org>\r\n",
        ]
    assert outcomes(said.values()) == {1: Outcome.ACCEPTED, 2: Outcome.REJECTED, 3: Outcome.ACCEPTED}
    assert said[2].text.startswith("can not be written: ")
    assert outcomes(reading.receipts) == outcomes(said.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"edition": "{}"},
        {"edition": "no json"},
        {"smtp": {"port": 0}},
        {"smtp": {"a_key_of_another_version": 1}},
    ],
)
def test_a_batch_that_no_sender_can_use_waits_with_the_reason_instead_of_going_round(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    said, _ = send(tmp_path, people(2), port=1, **changes)
    assert outcomes(said.values()) == {1: Outcome.DEFERRED, 2: Outcome.DEFERRED}
    assert "can not use the batch" in said[1].text


# --- ends ahead of time -----------------------------------------------------------------------


def test_a_stop_lets_out_what_the_server_was_told_of_and_makes_no_further_message(tmp_path: Path) -> None:
    stop = threading.Event()
    slow: Plan = {**PIPELINED, "DOT": (b"",) * 10 + (b"250 taken\r\n",)}
    with ScriptedServer(slow) as server:

        def stop_at_the_first() -> None:
            while not server.messages:
                time.sleep(0.005)
            stop.set()

        watcher = threading.Thread(target=stop_at_the_first)
        watcher.start()
        said, reading = send(tmp_path, people(50), port=server.port, stop=stop)
        watcher.join()
        assert len(server.messages) == 2, "the one on the wire, and the one whose envelope rode behind it"
    assert outcomes(said.values()) == {1: Outcome.ACCEPTED, 2: Outcome.ACCEPTED}
    assert not reading.handed_over


def test_a_stop_ends_after_the_message_on_the_wire_and_the_rest_was_not_written_to(tmp_path: Path) -> None:
    stop = threading.Event()
    slow = {"DOT": (b"", b"", b"", b"", b"250 taken\r\n")}
    with ScriptedServer(slow) as server:
        threading.Timer(0.3, stop.set).start()
        said, reading = send(tmp_path, people(50), port=server.port, stop=stop)
        written = len(server.messages)
    assert 0 < written < 50
    assert outcomes(said.values()) == dict.fromkeys(range(1, written + 1), Outcome.ACCEPTED)
    assert outcomes(reading.receipts) == outcomes(said.values())
    assert not reading.handed_over


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file may grow beyond `size`: what a full disk looks like to the one who writes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("room", range(5, 400, 23))
@pytest.mark.parametrize("plan", [{}, PIPELINED])
def test_a_journal_that_is_full_lets_nothing_out_that_it_does_not_know_of(
    tmp_path: Path, room: int, plan: Plan
) -> None:
    with ScriptedServer(plan) as server, sender() as made:
        batch = a_batch(people(8), port=server.port, smtp={"connections": 3})
        with Journal.begin(tmp_path, batch.id) or pytest.fail("nobody has it") as log:
            start = (tmp_path / f"{batch.id}.journal").stat().st_size
            with room_for(start + room), capture_logs() as logged:
                said = outcomes(made.send(batch, log))
        written = len(server.messages)
        reading = reclaim(tmp_path, batch.id)
    assert reading is not None
    assert {entry["event"] for entry in logged} == {"batch ended early"}
    assert Counter(said.values())[Outcome.ACCEPTED] == written, "what was on the wire ended in good order"
    assert set(said.values()) <= {Outcome.ACCEPTED}, "a full disk puts nobody in doubt while the report gets through"
    known = set(outcomes(reading.receipts)) | reading.handed_over
    assert said.keys() <= known, "without the report, a message would have gone out of which nobody knows"
    assert reading.trustworthy


def test_a_server_that_is_silent_for_ever_is_left_alone(tmp_path: Path) -> None:
    with ScriptedServer({"MAIL": SILENCE}) as server:
        begun = time.monotonic()
        said, _ = send(tmp_path, people(2), port=server.port, smtp={"timeout": 0.2})
        assert time.monotonic() - begun < 5
    assert outcomes(said.values()) == {1: Outcome.DEFERRED, 2: Outcome.DEFERRED}


def test_a_second_try_carries_the_same_message_id(tmp_path: Path, mail_server: Callable[..., MailServer]) -> None:
    server = mail_server()
    for number in (1, 2):
        send(tmp_path, people(1), port=server.port, id=f"batch-{number}")
    first, second = (record["message_id"] for record in server.taken())
    assert first == second == f"<spring.coalition.1@{ASSOCIATION.sender_address.partition('@')[2]}>"


def test_closing_says_goodbye_to_the_server(tmp_path: Path) -> None:
    with ScriptedServer() as server:
        send(tmp_path, people(1), port=server.port)
        assert server.commands[-1] == b"QUIT\r\n"
