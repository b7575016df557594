"""The Huey object, its two thin tasks, and the processes that run them.

Control puts batches on one queue and reads reports from another; senders do the reverse. Payloads are JSON,
compressed and sealed with the workspace key: a queue that others can write to can not make us run or send
anything. Huey deletes a task before it runs it, so nothing here is relied on to arrive.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from huey import RedisHuey, SqliteHuey
from huey.consumer import Consumer
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import Serializer
from redis.exceptions import RedisError

from comms.db import DATABASE_ERRORS, damage
from comms.delivery.batches import LetterOrder, MailBatch, Receipt, Report, from_json
from comms.delivery.journal import Journal
from comms.delivery.sender import MailSender
from comms.engine import posts
from comms.engine.workspace import Workspace
from comms.errors import StorageError
from comms.keys import TamperedError, WorkspaceKey
from comms.links import LinkSigner

log = structlog.get_logger(__name__)

_DAMAGED = ("malformed", "not a database")
"""Parts of what SQLite says of a file that will not mend by itself."""
POLL_S = 0.1
"""How often an idle sender looks for work, and the longest that a stop takes when nothing is on the wire."""


class SealedSerializer(Serializer):  # type: ignore[misc]
    """Huey's messages as sealed JSON. Anything not sealed with our key is refused before it is parsed.

    Raises TamperedError for it.
    """

    def __init__(self, key: WorkspaceKey) -> None:
        super().__init__()
        self._key = key

    def _serialize(self, data: Any) -> bytes:
        return self._key.seal(zlib.compress(json.dumps(data).encode(), 1))

    def _deserialize(self, data: object) -> Any:
        if not isinstance(data, bytes | memoryview):  # a column of SQLite holds whatever was put there
            raise TamperedError(f"the queue holds a {type(data).__name__} where sealed bytes belong")
        values = json.loads(zlib.decompress(self._key.unseal(bytes(data))))
        if not isinstance(values, list) or len(values) > len(Message._fields):
            raise TamperedError("the queue holds something sealed by us that is no message")
        return Message(*values)  # an older Huey's messages have fewer fields


class HueyQueue:
    """The queue between control and senders: on a file of the workspace, or in Redis."""

    def __init__(self, workspace: Workspace) -> None:
        parts = urlsplit(workspace.settings.queue.url)
        # Without user and password, which stand in front of the host.
        self._place = (
            f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.scheme else str(workspace.queue_path)
        )
        self.work: Any = _open(workspace, "work", blocking=True)
        self.reports: Any = _open(workspace, "reports", blocking=False)
        self.on_work: Callable[[Mapping[str, Any]], None] = _refuse
        """What a sender does with an item; set in sender processes."""
        self._taken: list[Mapping[str, Any]] = []

        # Explicit names: renaming a function must not strand what waits in the queue.
        def send(work: Mapping[str, Any]) -> None:
            self.on_work(work)

        def report(data: Mapping[str, Any]) -> None:
            self._taken.append(data)

        self._send = self.work.task(name="send", retries=0)(send)
        self._report = self.reports.task(name="report", retries=0)(report)

    def put(self, work: Mapping[str, Any]) -> None:
        """Hand a batch or a post to whichever sender comes first."""
        with self._failing_softly():
            self._send(dict(work))

    def waiting(self) -> int:
        """Batches and posts that no sender has taken yet."""
        with self._failing_softly():
            return int(self.work.pending_count())

    def take_reports(self) -> list[Mapping[str, Any]]:
        """Reports that came in since the last call; what is not sealed with our key is dropped."""
        while True:
            try:
                with self._failing_softly():
                    task = self.reports.dequeue()
            except (TamperedError, HueyException) as error:  # HueyException: a task of the other queue
                log.warning("dropped what is no report of this workspace", reason=str(error))
                continue
            if task is None:
                break
            self.reports.execute(task)
        taken, self._taken[:] = list(self._taken), []
        return taken

    def report(self, report: Report) -> None:
        """Tell control what became of a batch."""
        with self._failing_softly():
            self._report(report.to_json())

    @contextlib.contextmanager
    def _failing_softly(self) -> Iterator[None]:
        """A queue that can not be reached now is waited for: the ledger knows what was to be done."""
        try:
            yield
        except (RedisError, *DATABASE_ERRORS) as error:
            if any(word in str(error) for word in _DAMAGED):
                hint = "Start comms again: it makes a new one, and nothing is lost by that."
                raise StorageError(f"the queue {self._place} is damaged: {error}.", hint=hint) from error
            hint = "Is it running, and is there room? What is under way goes on when it is there again."
            raise StorageError(f"the queue {self._place} does not answer: {error}.", hint=hint, passing=True) from error


def _open(workspace: Workspace, name: str, *, blocking: bool) -> Any:
    """One Huey. In Redis its name holds a mark of the workspace, so that several can share a server."""
    serializer = SealedSerializer(workspace.key)
    url = workspace.settings.queue.url
    if url:
        mark = workspace.key.derive("queue").hex()[:16]
        return RedisHuey(
            f"comms-{mark}-{name}", url=url, blocking=blocking, results=False, serializer=serializer, clean_name=False
        )
    path = workspace.queue_path
    # fsync off: the ledger is the truth, and what the queue loses is found there.
    huey = SqliteHuey(
        name, filename=str(path), results=False, serializer=serializer, fsync=False, strict_fifo=True, timeout=30
    )
    path.chmod(0o600)
    return huey


def renew_damaged_queue(workspace: Workspace) -> None:
    """Delete the file of the queue if it is damaged, as by a power cut: the ledger knows what was to be done.

    Only before senders start: one that has the file open would go on waiting at it.
    """
    path = workspace.queue_path
    if not workspace.settings.queue.url and path.exists() and (fault := damage(path)):
        log.warning("the queue is damaged; making a new one", reason=fault)
        for name in ("", "-wal", "-shm"):
            path.with_name(path.name + name).unlink(missing_ok=True)


def _refuse(work: Mapping[str, Any]) -> None:
    raise RuntimeError("only a sender process runs this task")


class SenderTask:
    """What a sender does with one item of work. Lives in one thread."""

    def __init__(self, workspace: Workspace, queue: HueyQueue, stop: threading.Event) -> None:
        self._folder = workspace.journal_folder
        self._queue = queue
        self._mail = MailSender(LinkSigner(workspace.key), stop)

    def __call__(self, work: Mapping[str, Any]) -> None:
        try:
            item = from_json(work)
        except (KeyError, TypeError, ValueError) as error:
            log.error("dropped work of another version; do all processes run the same?", reason=str(error))
            return
        try:
            journal = Journal.begin(self._folder, item.id)
        except OSError as error:
            log.error("batch can not be begun", batch=item.id, reason=str(error))
            return  # control finds it again
        if journal is None:
            return
        with journal:
            # Only now: until here control could give it to another, and forget the journal that tells.
            if time.time() > item.not_after:
                log.warning("batch is too old to begin; is the clock of this machine right?", batch=item.id)
                return
            receipts: tuple[Receipt, ...]
            if isinstance(item, MailBatch):
                association, receipts = item.association.slug, self._mail.send(item, journal)
            elif isinstance(item, LetterOrder):
                association, receipts = item.association, self._mail.send_letter(item, journal)
            else:
                association, receipts = "", (posts.publish(item, journal),)
        try:
            self._queue.report(Report(item.id, association, receipts))
        except StorageError as error:
            log.error("batch can not be reported; control reads its journal", batch=item.id, reason=str(error))

    def close(self) -> None:
        self._mail.close()


class SenderConsumer(Consumer):  # type: ignore[misc]
    """A Huey consumer that ends after the messages on the wire, on SIGTERM, Ctrl-C and a closed terminal alike."""

    def __init__(self, queue: HueyQueue) -> None:
        super().__init__(
            queue.work, workers=1, periodic=False, initial_delay=POLL_S, max_delay=POLL_S, check_worker_health=True
        )
        self._signal_actions = dict.fromkeys((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), (False, True))


def run_sender(folder: Path, *, tethered: bool) -> None:
    """Be a sender until stopped. `tethered`: also stop when standard input ends, as it does when the parent dies."""
    with Workspace(folder) as workspace:
        queue = HueyQueue(workspace)
        consumer = SenderConsumer(queue)
        task = SenderTask(workspace, queue, consumer.stop_flag)
        queue.on_work = task
        queue.work.on_shutdown(name="goodbye")(task.close)  # in the thread that uses the sessions
        _settle_memory()
        if tethered:
            threading.Thread(target=_stop_with_parent, name="tether", daemon=True).start()
        consumer.run()


def _settle_memory() -> None:
    """Keep Python's search for garbage away from what stays for good, as modules do.

    Unpacking a batch makes so many objects that it would look through all of them, for longer than the rest takes.
    """
    gc.collect()
    gc.freeze()


def _stop_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


class SenderPool:
    """Sender processes of this machine, started anew when one dies."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.folder
        self.size = workspace.settings.delivery.senders or os.cpu_count() or 1
        self._processes: list[subprocess.Popen[bytes]] = []
        self._seen_at = 0.0

    def keep(self) -> None:
        """Start what is missing. Call it often: it looks once a second."""
        if time.monotonic() - self._seen_at < 1.0:
            return
        self._seen_at = time.monotonic()
        living = [process for process in self._processes if process.poll() is None]
        for process in self._processes:
            if process not in living and process.stdin:
                process.stdin.close()
        if died := len(self._processes) - len(living):
            log.warning("a sender died; starting another", senders=died)
        self._processes = living + [self._spawn() for _ in range(self.size - len(living))]

    def stop(self, *, patience_s: float = 30.0) -> None:
        """Ask all to end after the messages on the wire; end those that do not."""
        for process in self._processes:
            process.terminate()
        deadline = time.monotonic() + patience_s
        for process in self._processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()
        self._processes = []

    def _spawn(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches control alone, which then stops the senders in good order.
        return subprocess.Popen(
            [sys.executable, "-m", "comms", "-w", str(self._folder), "worker", "--tethered"],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )


@contextlib.contextmanager
def senders(workspace: Workspace) -> Iterator[SenderPool]:
    """A pool of senders for the time of a block."""
    renew_damaged_queue(workspace)
    pool = SenderPool(workspace)
    try:
        yield pool
    finally:
        pool.stop()
