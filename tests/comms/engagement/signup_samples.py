"""A workspace whose clock can be moved, its mail sent in this process over real SMTP."""

from __future__ import annotations

import email
import email.policy
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from audiences.models import Topic
from comms.delivery.batches import Report
from comms.delivery.journal import FileJournals
from comms.engine import letters
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.queues import HueyQueue, queue_of
from comms.worker import SenderTask
from tests.conftest import HOST, MailServer


@dataclass
class Clock:
    """The time here, plus what a test adds to it."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + self.ahead


@dataclass
class Office:
    """An association with its queue, and a sender that is there when it is called."""

    workspace: Workspace
    clock: Clock
    queue: HueyQueue
    server: MailServer
    slug: str = HOST.slug

    def hand_out(self) -> int:
        return letters.hand_out(self.workspace, self.slug, self.queue)

    def send(self) -> None:
        """What a sender process does with all that waits in the queue, and control with its reports."""
        task = SenderTask(
            self.workspace.key,
            FileJournals(self.workspace.journal_folder),
            self.queue,
            threading.Event(),
            self.workspace.sessions,
        )
        self.queue.on_work = task
        while (work := self.queue.work.dequeue()) is not None:
            self.queue.work.execute(work)
        task.close()
        for data in self.queue.take_reports():
            letters.take_report(self.workspace, FileJournals(self.workspace.journal_folder), Report.from_json(data))

    def deliver(self) -> None:
        self.hand_out()
        self.send()

    def recover(self, *, starting: bool = False) -> int:
        return letters.recover(
            self.workspace, FileJournals(self.workspace.journal_folder), self.slug, self.queue, starting=starting
        )

    def mails(self) -> list[EmailMessage]:
        records = self.server.taken()
        return [email.message_from_string(r["content"], policy=email.policy.default) for r in records]

    def letters(self, address: str) -> list[tuple[str, int]]:
        """State and attempts of every letter to an address."""
        rows = self.workspace.association_db(self.slug).execute(
            "SELECT state, attempts FROM letter WHERE address = ? ORDER BY id", [address]
        )
        return rows.fetchall()


@contextmanager
def office(folder: Path, server: MailServer) -> Iterator[Office]:
    clock = Clock()
    create_workspace(folder, HOST).close()
    environment = {"COMMS_SMTP__PORT": str(server.port), "COMMS_SMTP__TIMEOUT": "5"}
    with Workspace(folder, environment=environment, clock=clock) as workspace:
        workspace.journal_folder.mkdir(exist_ok=True)
        workspace.add_topic(HOST.slug, Topic("news", "Coalition news"))
        workspace.add_topic(HOST.slug, Topic("jobs", "Jobs"))
        workspace.add_topic(HOST.slug, Topic("board", "Board papers", public=False))
        yield Office(workspace, clock, queue_of(workspace), server)


def token_in(mail: EmailMessage) -> str:
    """The token of the one link that a mail holds, in both of its parts."""
    tokens = set()
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        assert part is not None
        tokens |= set(re.findall(r"/s/([A-Za-z0-9._-]+)", part.get_content()))
    assert len(tokens) == 1, tokens
    return tokens.pop()
