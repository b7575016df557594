"""Senders: the processes that take work from the queue, here and on other machines, and what they do with it."""

from __future__ import annotations

import contextlib
import gc
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog
from huey.consumer import Consumer
from redis.exceptions import RedisError

from comms.channels.sessions import MemorySessions, Sessions
from comms.delivery.batches import LetterOrder, MailBatch, PostOrder, Receipt, Report, from_json
from comms.delivery.journal import FileJournals, SenderJournals
from comms.delivery.presence import Presence
from comms.delivery.redis_journal import PULSE_S, RedisJournals
from comms.delivery.relays import Tell
from comms.delivery.sender import MailSender
from comms.engine import posts
from comms.engine.workspace import Workspace
from comms.errors import StorageError
from comms.keys import WorkspaceKey
from comms.links import LinkSigner
from comms.queues import HueyQueue, queue_of, renew_damaged_queue

log = structlog.get_logger(__name__)

QUEUE_VARIABLE = "COMMS_QUEUE__URL"
PATIENCE_S = 10.0
"""After so long a sender elsewhere says that it still waits for control."""
POLL_S = 0.1
"""How often an idle sender looks for work, and the longest that a stop takes when nothing is on the wire."""


class SenderTask:
    """What a sender does with one item of work. Lives in one thread."""

    def __init__(
        self,
        key: WorkspaceKey,
        journals: SenderJournals,
        queue: HueyQueue,
        stop: threading.Event,
        sessions: Sessions,
        tell: Tell = lambda standings: None,
    ) -> None:
        self._sessions = sessions
        self._journals = journals
        self._queue = queue
        self._mail = MailSender(LinkSigner(key), stop, tell)

    def __call__(self, work: Mapping[str, Any], handed_by: str) -> None:
        try:
            item = from_json(work)
        except (KeyError, TypeError, ValueError) as error:
            log.error("dropped work of another version; do all processes run the same?", reason=str(error))
            return
        try:
            journal = self._journals.begin(item.id, _items(item), handed_by)
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
            begun_at = time.monotonic()
            if isinstance(item, MailBatch):
                association, receipts = item.association.slug, self._mail.send(item, journal)
            elif isinstance(item, LetterOrder):
                association, receipts = item.association, self._mail.send_letter(item, journal)
            else:
                association, receipts = "", (posts.publish(item, journal, self._sessions),)
        try:
            self._queue.report(Report(item.id, association, receipts, time.monotonic() - begun_at))
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


def _items(work: MailBatch | LetterOrder | PostOrder) -> list[int]:
    """What receipts will be about, in the order in which it goes out; of several mail servers each has a stretch."""
    if isinstance(work, MailBatch):
        return [recipient.delivery for recipient in work.recipients]
    return [work.letter if isinstance(work, LetterOrder) else work.post]


def run_sender(folder: Path, *, tethered: bool) -> None:
    """Be a sender of a workspace on this machine until stopped. `tethered`: also stop when standard input ends, as it
    does when the parent dies."""
    if tethered:
        _tether()
    with Workspace(folder) as workspace, Presence(workspace.folder) as presence:
        _run(
            workspace.key,
            queue_of(workspace),
            FileJournals(workspace.journal_folder),
            workspace.sessions,
            presence.tell,
        )


def run_sender_elsewhere(url: str, key: WorkspaceKey) -> None:
    """Be a sender of a workspace on another machine, which shares a Redis with this one and nothing else.

    Stops when standard input ends, as it does when the parent dies.
    """
    _tether()
    journals = RedisJournals(url, key)
    with _enrolled(journals):
        _run(key, HueyQueue(key, url=url), journals, MemorySessions())


def _run(
    key: WorkspaceKey,
    queue: HueyQueue,
    journals: SenderJournals,
    sessions: Sessions,
    tell: Tell = lambda standings: None,
) -> None:
    consumer = SenderConsumer(queue)
    task = SenderTask(key, journals, queue, consumer.stop_flag, sessions, tell)
    queue.on_work = task
    queue.work.on_shutdown(name="goodbye")(task.close)  # in the thread that uses the sessions
    settle_memory()
    consumer.run()


@contextlib.contextmanager
def _enrolled(journals: RedisJournals) -> Iterator[None]:
    """Have control know of this sender for the time of a block, which begins once it does."""
    name, stop = f"{socket.gethostname()}.{os.getpid()}.{secrets.token_hex(4)}", threading.Event()
    started = time.monotonic()

    def enrol() -> bool:
        with contextlib.suppress(RedisError):  # tried again soon
            return journals.enrol(name)
        return False

    while not enrol():
        if started and time.monotonic() - started > PATIENCE_S:
            log.warning("waiting until `comms run` of the workspace answers in the queue's Redis")
            started = 0.0
        time.sleep(POLL_S)
    log.info("sender is known", name=name)

    def stay() -> None:
        while not stop.wait(PULSE_S):
            enrol()

    roll = threading.Thread(target=stay, name="roll", daemon=True)
    roll.start()
    try:
        yield
    finally:
        stop.set()
        roll.join()
        with contextlib.suppress(RedisError):
            journals.leave(name)


def settle_memory() -> None:
    """Keep Python's search for garbage away from what stays for good, as modules do.

    Unpacking a batch makes so many objects that it would look through all of them, for longer than the rest takes.
    """
    gc.collect()
    gc.freeze()


def _tether() -> None:
    threading.Thread(target=_stop_with_parent, name="tether", daemon=True).start()


def _stop_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


class SenderPool:
    """Sender processes of this machine, started anew when one dies."""

    def __init__(self, size: int, words: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """`words` are what `comms` is called with to be one sender."""
        self.size = size
        self._words = words
        self._environment = {**os.environ, **(environment or {})}
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

    def __enter__(self) -> SenderPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

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
            [sys.executable, "-m", "comms", *self._words, "--tethered"],
            stdin=subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
        )


@contextlib.contextmanager
def senders(workspace: Workspace, *, none: bool = False) -> Iterator[SenderPool]:
    """As many senders as the workspace's settings say, or `none`, for the time of a block."""
    renew_damaged_queue(workspace)
    size = 0 if none else workspace.settings.delivery.senders or _processors()
    with SenderPool(size, ["-w", str(workspace.folder), "worker"]) as pool:
        yield pool


def run_senders_elsewhere(url: str, key_file: Path, size: int, stop: threading.Event) -> None:
    """Keep `size` senders (0: one per processor) of a workspace on another machine, until `stop`."""
    # The address may hold a password, which everyone on the machine could read in a list of processes.
    words, environment = ["worker", "--key-file", str(key_file)], {QUEUE_VARIABLE: url}
    with SenderPool(size or _processors(), words, environment) as pool:
        while not stop.is_set():
            pool.keep()
            stop.wait(1.0)


def _processors() -> int:
    return os.cpu_count() or 1
