"""Posts through cut lines and killed senders: one on Bluesky and Mastodon, one at most on X."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from campaigns import definition
from campaigns.store import PostRow
from comms.delivery.batches import PostOrder, from_json
from comms.delivery.journal import FileJournals
from comms.engine import deciding, posts, sending
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.events import PostState
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
POSTS = int(os.environ.get("COMMS_TEST_POSTS", "10"))
"""On each network; `make bench-social` takes more."""
LINKEDIN_APP = {
    "COMMS_LINKEDIN__CLIENT_ID": fake_linkedin.CLIENT_ID,
    "COMMS_LINKEDIN__CLIENT_SECRET": fake_linkedin.CLIENT_SECRET,
    "COMMS_LINKEDIN__REFRESH_TOKEN": fake_linkedin.REFRESH_TOKEN,
}
FAULTS = ("cut", "kill-after", "kill-before", "")


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


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    with ExitStack() as stack:
        yield lambda **environment: stack.enter_context(scene(tmp_path / "workspace", **environment))


def test_a_post_is_there_once_whatever_breaks_on_bluesky_and_mastodon(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for network in ("bluesky", "mastodon"):
        for number in range(POSTS):
            campaign = f"{network}-{number}"
            here.start(network, campaign, f"Post {number} {{{{ url }}}}")
            here.round(network, FAULTS[number % 3])
            assert here.post(campaign).state == PostState.DOUBTFUL
            for fault in (FAULTS[(number // 3) % 4], "", ""):
                here.later(400)
                here.round(network, fault)
            assert here.post(campaign).state == PostState.SENT, here.post(campaign).reason
            assert here.post(campaign).url
        assert len(here.texts(network)) == POSTS
        assert len(set(here.texts(network))) == POSTS


def test_x_has_one_post_at_most_and_a_person_is_asked(place: Callable[..., Scene]) -> None:
    here = place()
    for number, fault in enumerate(("cut", "kill-after", "kill-before")):
        here.start("x", f"x-{number}", f"Post {number} {{{{ url }}}}")
        here.round("x", fault)
        here.later(4000)
        here.round("x")
        assert here.post(f"x-{number}").state == PostState.UNCONFIRMED
    assert len(here.texts("x")) == 2


def test_x_is_read_back_only_where_that_is_paid_for_and_never_posts_again(place: Callable[..., Scene]) -> None:
    here = place(COMMS_X__READ_BACK="true")
    here.start("x", "cut", "Once {{ url }}")
    here.round("x", "cut")
    here.later(100)
    here.round("x")
    assert here.post("cut").state == PostState.SENT
    here.start("x", "lost", "Never {{ url }}")
    here.round("x", "kill-before")
    for wait in posts.ASK_AFTER_S:
        assert here.post("lost").state == PostState.DOUBTFUL
        here.later(wait + 1)
        here.round("x")
    assert here.post("lost").state == PostState.UNCONFIRMED
    assert len(here.texts("x")) == 1


def test_linkedin_is_looked_through_for_a_lost_post_and_never_posts_again(place: Callable[..., Scene]) -> None:
    here = place()
    for number in range(POSTS):
        campaign, fault = f"linkedin-{number}", FAULTS[number % 3]
        here.start("linkedin", campaign, f"Post {number} {{{{ url }}}} #Archives")
        here.round("linkedin", fault)
        assert here.post(campaign).state == PostState.DOUBTFUL
        for wait in posts.ASK_AFTER_S:
            here.later(wait + 1)
            here.round("linkedin")
        there = PostState.UNCONFIRMED if fault == "kill-before" else PostState.SENT
        assert here.post(campaign).state == there, here.post(campaign).reason
    lost = sum(FAULTS[number % 3] == "kill-before" for number in range(POSTS))
    assert len(set(here.texts("linkedin"))) == len(here.texts("linkedin")) == POSTS - lost


def test_what_is_in_doubt_of_a_cancelled_campaign_is_looked_for_but_not_posted(place: Callable[..., Scene]) -> None:
    here = place()
    here.start("bluesky", "stopped")
    here.round("bluesky", "kill-before")
    sending.cancel(here.workspace, "stopped", who="somebody")
    here.later(100)
    here.round("bluesky")
    assert here.texts("bluesky") == []
    assert here.post("stopped").state == PostState.DOUBTFUL


def test_a_thread_goes_on_at_the_first_part_that_is_not_there(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for network in ("bluesky", "mastodon", "x"):
        campaign = f"thread-{network}"
        here.start(network, campaign, "One {{ url }}\\n---\\nTwo\\n---\\nThree")
        here.round(network)
        here.later(700)
        here.round(network, "cut")
        if network == "x":
            assert [post.state for post in here.workspace.host.posts(campaign)] == ["sent", "unconfirmed", "queued"]
            assert not posts.are_open(here.workspace, campaign)
            second = here.workspace.host.posts(campaign)[1]
            where = "https://x.com/i/web/status/1900000000000000002"
            deciding.decide_post(here.workspace, campaign, second.id, arrived=True, url=where, who="somebody")
        for _ in range(3):
            here.later(700)
            here.round(network)
        assert [post.state for post in here.workspace.host.posts(campaign)] == ["sent"] * 3
        assert len(here.texts(network)) == 3
    assert [text for text, _ in here.x.replies] == ["Two", "Three"]
    replies = {record["text"]: record["reply"] for record in networks.records(here.servers["bluesky"])[1:]}
    assert replies["Three"]["root"] == replies["Two"]["parent"] != replies["Three"]["parent"]


def test_a_post_over_the_months_budget_is_held(place: Callable[..., Scene]) -> None:
    here = place(COMMS_X__MONTHLY_BUDGET="0.21")
    here.start("x", "first", "With a link {{ url }}")
    here.start("x", "second", "With a link, too {{ url }}")
    here.round("x")
    assert here.post("first").state == PostState.SENT
    assert here.post("second").state == PostState.QUEUED
    assert "monthly_budget" in here.post("second").reason
    assert len(here.texts("x")) == 1


def test_two_senders_share_a_login_and_an_expired_session_is_renewed_once(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True)
    for number in range(3):
        here.start("bluesky", f"login-{number}")
        here.round("bluesky")
    assert networks.counts(here.servers["bluesky"])["logins"] == 1
    networks.requests.post(f"{here.servers['bluesky']}/xrpc/expire", timeout=5).close()
    for number in range(3, 5):
        here.start("bluesky", f"login-{number}")
        here.round("bluesky")
    counted = networks.counts(here.servers["bluesky"])
    assert (counted["logins"], counted["refreshes"], counted["puts"]) == (1, 1, 5)


def test_credentials_stand_in_no_file_and_no_reason(place: Callable[..., Scene]) -> None:
    here = place(with_mastodon=True, COMMS_BLUESKY__APP_PASSWORD="wrong-secret-word", **LINKEDIN_APP)
    here.linkedin.access = "AQV-another"  # so that the token in the settings has to be renewed
    for network in ("bluesky", "mastodon", "linkedin"):
        here.start(network, f"secret-{network}")
        here.round(network, "cut")
        here.later(300)
        here.round(network)
    assert here.post("secret-bluesky").state == PostState.FAILED
    assert "login" in here.post("secret-bluesky").reason
    files = b"".join(path.read_bytes() for path in here.workspace.folder.rglob("*") if path.is_file())
    assert here.linkedin.refreshes == 1
    linkedin = (here.linkedin.access, here.linkedin.refresh, *LINKEDIN_APP.values(), fake_linkedin.ACCESS_TOKEN)
    for secret in ("wrong-secret-word", networks.MASTODON_TOKEN, networks.APP_PASSWORD, "refresh-1", *linkedin):
        assert secret.encode() not in files
