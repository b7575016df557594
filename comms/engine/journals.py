"""Where the senders of a workspace write down what they do: in its folder, and in Redis those on other machines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from redis.exceptions import RedisError

from campaigns.jobs import Job, Jobs
from comms.delivery import journal
from comms.delivery.journal import FileJournals, Reading
from comms.delivery.redis_journal import KEEP_S, RedisJournals
from comms.engine.workspace import Workspace
from comms.errors import StorageError

_SERVER, _ELSEWHERE = "queue server", "senders elsewhere"
_NOTE_EVERY = timedelta(minutes=10)


class WorkspaceJournals:
    """All journals of a workspace, as control sees them. Raises StorageError when Redis can not be asked.

    Call `look` before anything else, and every second or so.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._files = FileJournals(workspace.journal_folder)
        url = workspace.settings.queue.url
        self._redis = RedisJournals(url, workspace.key) if url else None
        self._server = ""
        self._doubted_to = float("-inf")
        """Unix time before which Redis may have forgotten what senders elsewhere had begun."""

    def look(self) -> int:
        """See who sends elsewhere, and whether Redis was started anew. Returns how many senders there are."""
        if self._redis is None:
            return 0
        with _failing_softly():
            self._server, senders = self._redis.server(), self._redis.senders()
            self._note_server()
            if senders:
                self._note_senders()
                self._redis.acknowledge(senders)  # only now: whoever sends is known to do so
        return len(senders)

    def was_begun(self, batch: str) -> bool:
        """As `Journals.was_begun`."""
        if self._files.was_begun(batch) or self._redis is None:
            return self._files.was_begun(batch)
        with _failing_softly():
            return self._redis.was_begun(batch)

    def reclaim(self, batch: str, handed_at: float) -> Reading | None:
        """As `Journals.reclaim`."""
        if self._redis is None or self._files.was_begun(batch):
            return self._files.reclaim(batch, handed_at)
        with _failing_softly():
            there = self._redis.reclaim(batch, trusted=self._server)
        here = self._files.reclaim(batch, handed_at) if there else None
        if there is None or here is None:
            return None
        if here.receipts or here.handed_over or not here.trustworthy:
            return here  # begun here between the two looks
        return replace(there, trustworthy=there.trustworthy and handed_at > self._doubted_to)

    def settle(self, batch: str) -> None:
        """As `Journals.settle`."""
        self._files.settle(batch)
        if self._redis is not None:
            with _failing_softly():
                self._redis.settle(batch)

    def sweep(self, *, older_than_s: float) -> None:
        """Delete closed journals that nobody needs any more; those in Redis go by themselves."""
        journal.sweep(self._files.folder, older_than_s=older_than_s)

    def _note_senders(self) -> None:
        host, now = self._workspace.host, self._workspace.now()
        jobs = Jobs(host.db)
        seen_at = jobs.job(_ELSEWHERE).done_at
        if seen_at is None or abs(now - seen_at) > _NOTE_EVERY:
            with host.db.atomic():
                jobs.save(_ELSEWHERE, Job(done_at=now))

    def _note_server(self) -> None:
        """Write down which start of Redis this is, and since when another was not."""
        host, now = self._workspace.host, self._workspace.now()
        jobs = Jobs(host.db)
        known = jobs.job(_SERVER)
        if known.reached != self._server:
            seen_at = jobs.job(_ELSEWHERE).done_at
            had_senders = seen_at is not None and now - seen_at < timedelta(seconds=KEEP_S)
            known = Job(done_at=now if known.reached and had_senders else None, reached=self._server)
            with host.db.atomic():
                jobs.save(_SERVER, known)
        self._doubted_to = known.done_at.timestamp() if known.done_at else float("-inf")


@contextmanager
def _failing_softly() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        hint = "Is it running? What is under way goes on when it is there again."
        raise StorageError(f"the queue's Redis does not answer: {error}.", hint=hint, passing=True) from error
