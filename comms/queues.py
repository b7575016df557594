"""The two Huey queues between control and senders: work one way, reports the other.

Payloads are JSON, compressed and sealed with the workspace key: a queue that others can write to can not make us run
or send anything. Huey deletes a task before it runs it, so nothing here is relied on to arrive.
"""

from __future__ import annotations

import contextlib
import json
import logging
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import structlog
from huey import RedisHuey, SqliteHuey
from huey.exceptions import HueyException
from huey.registry import Message
from huey.serializer import Serializer
from redis.exceptions import RedisError

from comms.db import DATABASE_ERRORS, damage
from comms.delivery.batches import Report
from comms.delivery.redis_journal import prefix
from comms.engine.workspace import Workspace
from comms.errors import StorageError
from comms.keys import TamperedError, WorkspaceKey

log = structlog.get_logger(__name__)

_DAMAGED = ("malformed", "not a database")
"""Parts of what SQLite says of a file that will not mend by itself."""


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


class _Telling:
    """A queue that says once that it is away and once that it is back, not at each of ten looks a second."""

    is_away = False

    def dequeue(self) -> Any:
        try:
            task = super().dequeue()  # type: ignore[misc]
        except (RedisError, *DATABASE_ERRORS) as error:
            if not self.is_away:
                log.warning("the queue does not answer; waiting for it", reason=" ".join(str(error).split()))
            self.is_away = True
            raise
        if self.is_away:
            log.warning("the queue answers again")
        self.is_away = False
        return task


class _RedisWork(_Telling, RedisHuey):  # type: ignore[misc]
    """Work in Redis."""


class _FileWork(_Telling, SqliteHuey):  # type: ignore[misc]
    """Work in a file."""


def _is_news(record: logging.LogRecord) -> bool:
    """False for what Huey's threads say each second of a queue that is away: `_Telling` has said it."""
    error = record.exc_info[1] if record.exc_info else None
    return record.msg not in _OF_THE_QUEUE or not isinstance(error, (RedisError, *DATABASE_ERRORS))


_OF_THE_QUEUE = ("Error reading from queue", "Error reading schedule.")
for _thread in ("Worker", "Scheduler"):
    logging.getLogger(f"huey.consumer.{_thread}").addFilter(_is_news)

OnWork = Callable[[Mapping[str, Any], str], None]
"""Takes an item, and the name of the start of Redis that handed it out (empty for a file)."""


class HueyQueue:
    """The queue between control and senders: on a file of the workspace, or in Redis."""

    def __init__(self, key: WorkspaceKey, *, url: str, path: Path | None = None) -> None:
        """In the Redis at `url`; if that is empty in the file at `path`."""
        self._url = url
        parts = urlsplit(url)
        # Without user and password, which stand in front of the host.
        self._place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.scheme else str(path)
        self.work: Any = _open("work", key, url, path, blocking=True)
        self.reports: Any = _open("reports", key, url, path, blocking=False)
        self.on_work: OnWork = _refuse
        """What a sender does with an item; set in sender processes."""
        self._taken: list[Mapping[str, Any]] = []

        # Explicit names: renaming a function must not strand what waits in the queue.
        def send(work: Mapping[str, Any], server: str = "") -> None:
            self.on_work(work, server)

        def report(data: Mapping[str, Any]) -> None:
            self._taken.append(data)

        self._send = self.work.task(name="send", retries=0)(send)
        self._report = self.reports.task(name="report", retries=0)(report)

    def put(self, work: Mapping[str, Any]) -> None:
        """Hand a batch or a post to whichever sender comes first."""
        with self._failing_softly():
            self._send(dict(work), self._server())

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

    def _server(self) -> str:
        """Names this start of Redis, for senders that keep their journals there."""
        return str(self.work.storage.conn.info("server")["run_id"]) if self._url else ""

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


def queue_of(workspace: Workspace) -> HueyQueue:
    """The queue that a workspace's settings name."""
    return HueyQueue(workspace.key, url=workspace.settings.queue.url, path=workspace.queue_path)


def _open(name: str, key: WorkspaceKey, url: str, path: Path | None, *, blocking: bool) -> Any:
    serializer = SealedSerializer(key)
    if url:
        name = f"{prefix(key)}-{name}"
        kind = _RedisWork if blocking else RedisHuey
        return kind(name, url=url, blocking=blocking, results=False, serializer=serializer, clean_name=False)
    assert path is not None, "without Redis there is a file"
    # fsync off: the ledger is the truth, and what the queue loses is found there.
    kind = _FileWork if blocking else SqliteHuey
    huey = kind(
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


def _refuse(work: Mapping[str, Any], handed_by: str) -> None:
    raise RuntimeError("only a sender process runs this task")
