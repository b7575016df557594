"""A workspace with entries, an announcer that is driven by hand, and a clock that is moved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from campaigns.store import EntryRow
from campaigns.websub import Subscriber, WebSub
from comms.engine import hub
from comms.engine.announcing import AT_A_TIME, Announcer
from comms.engine.hub import Answer
from comms.engine.workspace import Workspace
from comms.outside.websub import Caller
from tests.support.websub_server import WebSubServer

SITE = "https://news.example.org"
TOPIC = f"{SITE}/feeds/coalition.atom"
NEWS = f"{SITE}/feeds/coalition/news.atom"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2027, 2, 1, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **amount: float) -> None:
        self.now += timedelta(**amount)


@dataclass
class Scene:
    workspace: Workspace
    server: WebSubServer
    clock: Clock
    pool: ThreadPoolExecutor
    announcer: Announcer

    def ask(self, host: str = "reader.example", ip: str | None = "192.0.2.1", **fields: str) -> Answer:
        """A request to our hub, to subscribe unless it says otherwise."""
        wanted = {"mode": "subscribe", "topic": TOPIC, "callback": self.server.url(f"{host}/cb"), **fields}
        return hub.request(self.workspace, {f"hub.{name}": value for name, value in wanted.items()}, ip)

    def work(self) -> None:
        """Step until there is nothing to do at this moment."""
        deadline = time.monotonic() + 30
        while self.announcer.step():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def subscribe(self, host: str = "reader.example", **fields: str) -> None:
        assert self.ask(host, **fields).status == 202
        self.work()

    def begin_anew(self, caller: Caller | None = None) -> None:
        """As after a kill: what was under way is not known any more."""
        self.announcer = Announcer(self.workspace, caller or self.server.caller(), self.pool)

    def publish(
        self, name: str = "first", *, topic: str = "news", title: str = "A partner", association: str = "coalition"
    ) -> None:
        host, now = self.workspace.host, self.clock.now
        with host.db.atomic():
            host.save_campaign(
                name, title=name, definition="x", state="sent", senders=[association], due_at=None, now=now
            )
            host.save_entry(
                EntryRow(
                    campaign=name,
                    association=association,
                    topic=topic,
                    tag_uri=f"tag:news.example.org,2026:{association}/{name}",
                    title=title,
                    summary="",
                    content="<p>Hello</p>",
                    language="en",
                    tags=("hosting",),
                    published=now,
                    updated=now,
                )
            )

    def change(self, name: str = "first", **values: object) -> None:
        host = self.workspace.host
        row = host.entry("coalition", name)
        assert row is not None
        with host.db.atomic():
            host.save_entry(replace(row, **values))  # type: ignore[arg-type]

    @property
    def store(self) -> WebSub:
        return WebSub(self.workspace.host.db)

    @property
    def subscribers(self) -> list[Subscriber]:
        return self.store.subscribers()


@contextmanager
def scene(folder: Path, server: WebSubServer, **environment: str) -> Iterator[Scene]:
    clock = Clock()
    with (
        Workspace(folder, environment={"COMMS_SITE__URL": SITE, **environment}, clock=clock) as workspace,
        ThreadPoolExecutor(AT_A_TIME) as pool,
    ):
        yield Scene(workspace, server, clock, pool, Announcer(workspace, server.caller(), pool))
