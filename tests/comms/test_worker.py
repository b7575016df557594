"""Senders as processes: what they trust, how they end, and that no two do the same work."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comms.config import Smtp
from comms.delivery.batches import MailBatch, Outcome, Receipt, Recipient, Report
from comms.delivery.journal import reclaim, was_begun
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.keys import WorkspaceKey
from comms.queues import HueyQueue, SealedSerializer, queue_of
from comms.rendering.edition import Edition
from comms.worker import SenderPool
from tests.conftest import HOST, MailServer
from tests.support.processes import kill, of_workspace, wait_until

PASSWORD = "correct horse battery staple"
EDITION = Edition("spring", "Spring", "en", "coalition", "Spring", "", "<p>Dear {{ member.name }}</p>", "Dear you")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / "workspace"
    create_workspace(folder, HOST).close()
    with Workspace(folder) as opened:
        yield opened


@pytest.fixture
def queue(workspace: Workspace) -> HueyQueue:
    return queue_of(workspace)


def batch(name: str, count: int, port: int = 1, **changes: Any) -> MailBatch:
    values: dict[str, Any] = {
        "id": name,
        "run": 1,
        "association": HOST,
        "campaign": {"id": "spring", "title": "Spring", "language": "en", "tags": []},
        "edition": EDITION.to_json(),
        "list_id": "newsletter.coalition.coalition.example",
        "url": "",
        "site_url": "https://news.example.org",
        "smtp": Smtp(host="127.0.0.1", port=port, timeout=10, connections=2).model_dump(),
        "recipients": tuple(
            Recipient(n, f"{name}-{n}@example.org", None, '{"name": "Ana Example"}', tracked=False)
            for n in range(1, count + 1)
        ),
        "not_after": time.time() + 3600,
    }
    return MailBatch(**{**values, **changes})


@contextlib.contextmanager
def sender(workspace: Workspace, *, stderr: Any = None) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-m", "comms", "-w", str(workspace.folder), "worker"]
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=stderr) as process:
        try:
            yield process
        finally:
            process.kill()


def reports(queue: HueyQueue, count: int) -> list[Report]:
    """The next `count` reports."""
    found: list[Report] = []

    def come() -> bool:
        found.extend(Report.from_json(data) for data in queue.take_reports())
        return len(found) >= count

    wait_until(come)
    return found


def plant(queue: HueyQueue, workspace: Workspace, name: str, data: Any) -> None:
    """Put a row into the queue's file, as anyone could who may write to it."""
    with contextlib.closing(sqlite3.connect(workspace.queue_path)) as db, db:
        db.execute("INSERT INTO task (queue, data, priority) VALUES (?, ?, 100)", [name, data])


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.folder),)


def foreign_rows(folder: Path, queue: HueyQueue) -> list[Any]:
    """What no row of ours looks like; the last is ours, but from the other queue."""
    stranger = SealedSerializer(WorkspaceKey(bytes(32)))
    mine = queue.work.serializer
    return [
        pickle.dumps(Bomb(folder / "boom")),
        stranger.serialize({"batch": "x"}),
        b"",
        b"\x00" * 11,
        b"x" * 1_000_000,
        "text",
        10**12,
        -1,
        0.5,
        mine.serialize({"batch": "x"}),
        mine.serialize([1, 2, 3]),
        mine.serialize(None),
    ]


def test_what_waits_in_the_queue_shows_nothing_of_anybody(workspace: Workspace, queue: HueyQueue) -> None:
    secret = batch("b", 5, smtp=Smtp(password=PASSWORD).model_dump())
    queue.put(secret.to_json())
    queue.report(Report("b", "coalition", (Receipt(1, Outcome.REJECTED, 550, "ana@example.org unknown"),)))
    written = b"".join(path.read_bytes() for path in workspace.folder.glob("queue.db*"))
    assert len(written) > 1000
    for word in (b"example.org", b"Ana Example", PASSWORD.encode(), b"accepted", b"550", b"Dear"):
        assert word not in written
    assert workspace.queue_path.stat().st_mode & 0o077 == 0
    assert [report.receipts[0].text for report in reports(queue, 1)] == ["ana@example.org unknown"]


def test_foreign_rows_among_the_reports_do_not_stop_control(
    workspace: Workspace, queue: HueyQueue, tmp_path: Path
) -> None:
    for data in foreign_rows(tmp_path, queue):
        plant(queue, workspace, "reports", data)
    queue.put(batch("b", 1).to_json())
    with contextlib.closing(sqlite3.connect(workspace.queue_path)) as db, db:
        db.execute(
            "INSERT INTO task (queue, data, priority) SELECT 'reports', data, 100 FROM task WHERE queue = 'work'"
        )
    queue.report(Report("b", "coalition", ()))
    assert [report.batch for report in reports(queue, 1)] == ["b"]
    assert queue.take_reports() == []
    assert not (tmp_path / "boom").exists()


def test_foreign_rows_among_the_work_are_neither_run_nor_in_the_way(
    workspace: Workspace, queue: HueyQueue, tmp_path: Path, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server()
    for data in foreign_rows(tmp_path, queue):
        plant(queue, workspace, "work", data)
    queue.put(batch("b", 3, server.port).to_json())
    with sender(workspace, stderr=subprocess.DEVNULL):
        (report,) = reports(queue, 1)
    assert {receipt.outcome for receipt in report.receipts} == {Outcome.ACCEPTED}
    assert len(server.recipients()) == 3
    assert not (tmp_path / "boom").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_sender_asked_to_stop_ends_within_the_batch_and_accounts_for_every_message(
    workspace: Workspace, queue: HueyQueue, mail_server: Callable[..., MailServer], number: signal.Signals
) -> None:
    server = mail_server(delay=0.05)
    queue.put(batch("b", 400, server.port).to_json())
    with sender(workspace) as process:
        wait_until(lambda: len(server.taken()) > 5)
        process.send_signal(number)
        assert process.wait(20) == 0
    taken = server.recipients()
    assert len(taken) < 400
    (report,) = reports(queue, 1)
    assert {receipt.outcome for receipt in report.receipts} == {Outcome.ACCEPTED}
    assert sorted(f"b-{receipt.item}@example.org" for receipt in report.receipts) == sorted(taken)
    reading = reclaim(workspace.journal_folder, "b")
    assert reading is not None
    assert {receipt.item for receipt in reading.receipts} == {receipt.item for receipt in report.receipts}
    assert not reading.handed_over


def test_a_sender_that_was_killed_left_a_journal_that_accounts_for_every_message(
    workspace: Workspace, queue: HueyQueue, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server(delay=0.05)
    queue.put(batch("b", 400, server.port).to_json())
    with sender(workspace) as process:
        wait_until(lambda: len(server.taken()) > 5)
        assert reclaim(workspace.journal_folder, "b") is None
        process.kill()
        process.wait()
    time.sleep(0.2)  # what the server had already read, it takes
    reading = reclaim(workspace.journal_folder, "b")
    assert reading is not None
    taken = {int(address.split("-")[1].split("@")[0]) for address in server.recipients()}
    answered = {receipt.item for receipt in reading.receipts}
    assert answered <= taken <= answered | reading.handed_over
    assert len(reading.handed_over) <= 2, "no more than connections"


PARENT = """
import subprocess, sys
words = [sys.executable, "-m", "comms", "-w", sys.argv[1], "worker", "--tethered"]
subprocess.Popen(words, stdin=subprocess.PIPE, start_new_session=True).wait()
"""


def test_a_tethered_sender_ends_with_its_parent_after_the_messages_on_the_wire(
    workspace: Workspace, queue: HueyQueue, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server(delay=0.05)
    queue.put(batch("b", 400, server.port).to_json())
    with subprocess.Popen([sys.executable, "-c", PARENT, str(workspace.folder)]) as parent:
        try:
            wait_until(lambda: len(server.taken()) > 5)
            parent.kill()
            wait_until(lambda: not of_workspace(workspace.folder, "--tethered"), seconds=20)
        finally:
            kill(of_workspace(workspace.folder, "--tethered"))
    (report,) = reports(queue, 1)
    assert 5 < len(report.receipts) == len(server.taken()) < 400


def test_two_senders_never_take_the_same_batch_however_often_it_is_queued(
    workspace: Workspace, queue: HueyQueue, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server()
    batches = [batch(f"b{number}", 5, server.port) for number in range(8)]
    for _ in range(4):
        for each in batches:
            queue.put(each.to_json())
    with sender(workspace), sender(workspace):
        told = reports(queue, len(batches))
        wait_until(lambda: not queue.waiting())
        time.sleep(0.5)
    assert Counter(report.batch for report in told) == Counter(each.id for each in batches)
    assert queue.take_reports() == []
    assert set(Counter(server.recipients()).values()) == {1}
    assert len(server.taken()) == 40


def test_a_batch_whose_time_is_over_is_not_sent(
    workspace: Workspace, queue: HueyQueue, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server()
    queue.put(batch("old", 3, server.port, not_after=time.time() - 1).to_json())
    queue.put(batch("new", 3, server.port).to_json())
    with sender(workspace, stderr=subprocess.DEVNULL):
        assert [report.batch for report in reports(queue, 1)] == ["new"]
    assert not [address for address in server.recipients() if address.startswith("old")]
    reading = reclaim(workspace.journal_folder, "old")
    assert reading is not None
    assert reading.trustworthy
    assert not reading.handed_over


def test_a_batch_that_can_not_be_begun_stays_with_control(
    workspace: Workspace, queue: HueyQueue, mail_server: Callable[..., MailServer]
) -> None:
    server = mail_server()
    (workspace.journal_folder / "bad.journal").mkdir()
    queue.put(batch("bad", 3, server.port).to_json())
    queue.put(batch("good", 3, server.port).to_json())
    with sender(workspace, stderr=subprocess.PIPE) as process:
        assert [report.batch for report in reports(queue, 1)] == ["good"]
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert b"Traceback" not in err
    assert b"batch can not be begun" in err
    assert not [address for address in server.recipients() if address.startswith("bad")]
    assert was_begun(workspace.journal_folder, "good")


def test_a_pool_starts_another_sender_for_one_that_died_and_ends_them_all(workspace: Workspace) -> None:
    pool = SenderPool(2, ["-w", str(workspace.folder), "worker"])

    def running() -> list[int]:
        pool.keep()
        return of_workspace(workspace.folder, "--tethered")

    try:
        wait_until(lambda: len(running()) == 2)
        first = set(running())
        kill([min(first)])
        wait_until(lambda: len(set(running()) - {min(first)}) == 2)
    finally:
        pool.stop(patience_s=20)
    assert of_workspace(workspace.folder, "--tethered") == []
