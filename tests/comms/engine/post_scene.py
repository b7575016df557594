"""A workspace with accounts on four networks, each behind a line that can break, and what senders do there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from campaigns import definition
from campaigns.posts import PostRow
from comms.delivery.batches import PostOrder, from_json
from comms.delivery.journal import FileJournals
from comms.engine import posts, sending
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from tests.comms.engine.control_scene import ListQueue
from tests.conftest import HOST, free_port
from tests.support import fake_linkedin, fake_x, networks
from tests.support.networks import Line

CAMPAIGN = """\
---
campaign: {id}
title: Three days in June
language: en
feed:
  summary: For small archives.
social:
  {network}: {text}
---

Words.
"""
LINKEDIN_APP = {
    "COMMS_LINKEDIN__CLIENT_ID": fake_linkedin.CLIENT_ID,
    "COMMS_LINKEDIN__CLIENT_SECRET": fake_linkedin.CLIENT_SECRET,
    "COMMS_LINKEDIN__REFRESH_TOKEN": fake_linkedin.REFRESH_TOKEN,
}


@dataclass
class Scene:
    """A workspace with accounts on four networks, each behind a line that can break."""

    workspace: Workspace
    lines: dict[str, Line]
    servers: dict[str, str]
    x: fake_x.FakeX
    linkedin: fake_linkedin.FakeLinkedIn
    ahead: list[float] = field(default_factory=lambda: [-1500.0])
    """Seconds by which the workspace's clock is ahead: what it does was long ago for the senders, so that no network
    is still busy with it."""
    queue: ListQueue = field(default_factory=ListQueue)

    def start(self, network: str, campaign: str, text: str = "Hello {{ url }} #Archives") -> None:
        """Approve a campaign with one post and queue it."""
        self.ahead[0] = -1500.0
        source = CAMPAIGN.format(id=campaign, network=network, text=f'"{text}"')
        prepared = sending.prepare(self.workspace, definition.read(source))
        sending.start(self.workspace, sending.approve(self.workspace, prepared, who="somebody"))

    def round(self, network: str, fault: str = "") -> None:
        """Hand out what is due, have a sender do it that the fault may kill, and settle what it left."""
        journals = FileJournals(self.workspace.journal_folder)
        posts.hand_out(self.workspace, journals, self.queue)
        while self.queue.work:
            order = from_json(self.queue.work.pop(0))
            assert isinstance(order, PostOrder)
            self.lines[network].fault = fault
            self.send(order, self.lines[network])
        posts.recover(self.workspace, journals, self.queue, starting=True)

    def send(self, order: PostOrder, line: Line) -> None:
        """What a sender process does, up to its report, which is lost."""
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.read(read, 1)
            try:
                journal = FileJournals(self.workspace.journal_folder).begin(order.id, [order.post], "")
                assert journal is not None
                posts.publish(order, journal, self.workspace.sessions)
            finally:
                os._exit(0)
        line.client = child
        os.write(write, b"!")
        os.waitpid(child, 0)
        os.close(read)
        os.close(write)

    def later(self, seconds: float) -> None:
        self.ahead[0] += seconds

    def post(self, campaign: str) -> PostRow:
        (post,) = self.workspace.host.posts(campaign)
        return post

    def texts(self, network: str) -> list[str]:
        """What readers of the network see."""
        if network == "x":
            return self.x.posts
        if network == "linkedin":
            return self.linkedin.texts
        if network == "bluesky":
            return [record["text"] for record in networks.records(self.servers[network])]
        return [status["content"] for status in networks.statuses(self.servers[network])]


@contextmanager
def scene(folder: Path, *, with_mastodon: bool = False, **environment: str) -> Iterator[Scene]:
    with ExitStack() as stack:
        x = stack.enter_context(fake_x.running())
        linkedin = stack.enter_context(fake_linkedin.running())
        servers = {"bluesky": stack.enter_context(networks.bluesky()), "x": x.url, "linkedin": linkedin.url}
        if with_mastodon:  # which takes seconds to start
            servers["mastodon"] = stack.enter_context(networks.mastodon(free_port()))
        lines = {network: stack.enter_context(networks.line_to(url)) for network, url in servers.items()}
        create_workspace(folder, HOST).close()
        ahead = [-1500.0]

        def clock() -> datetime:
            return datetime.now(UTC) + timedelta(seconds=ahead[0])

        settings = {
            "COMMS_SITE__URL": "https://news.example.org",
            "COMMS_BLUESKY__SERVICE": lines["bluesky"].url,
            "COMMS_BLUESKY__HANDLE": networks.HANDLE,
            "COMMS_BLUESKY__APP_PASSWORD": networks.APP_PASSWORD,
            "COMMS_MASTODON__URL": lines["mastodon"].url if with_mastodon else "",
            "COMMS_MASTODON__ACCESS_TOKEN": networks.MASTODON_TOKEN,
            "COMMS_X__API_URL": lines["x"].url,
            "COMMS_X__API_KEY": fake_x.API_KEY,
            "COMMS_X__API_SECRET": fake_x.API_SECRET,
            "COMMS_X__ACCESS_TOKEN": fake_x.ACCESS_TOKEN,
            "COMMS_X__ACCESS_SECRET": fake_x.ACCESS_SECRET,
            "COMMS_LINKEDIN__API_URL": lines["linkedin"].url,
            "COMMS_LINKEDIN__OAUTH_URL": linkedin.url,
            "COMMS_LINKEDIN__ORGANIZATION": fake_linkedin.ORGANIZATION,
            "COMMS_LINKEDIN__ACCESS_TOKEN": fake_linkedin.ACCESS_TOKEN,
        }
        workspace = stack.enter_context(Workspace(folder, environment={**settings, **environment}, clock=clock))
        workspace.journal_folder.mkdir(exist_ok=True)
        yield Scene(workspace, lines, servers, x, linkedin, ahead)
