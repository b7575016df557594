"""A digest over a real list of feeds: they are read politely, and each member gets one mail with theirs."""

from __future__ import annotations

import email
import email.policy
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.sax.saxutils import quoteattr

import pytest

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member, Topic
from campaigns import definition
from comms.delivery.batches import MailBatch, Report, from_json
from comms.delivery.journal import FileJournals
from comms.delivery.sender import MailSender
from comms.engine import series, sources
from comms.engine.control import Control
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.reading import opml
from tests.conftest import HOST, MailServer
from tests.support.feed_server import FeedServer, Page, feed_server, rss

TOPICS = ("research", "public", "archives", "museums", "jobs")
HEAD = """\
---
campaign: reading
title: What libraries write
language: en
newsletter:
  subject: What libraries write
  template: digest
schedule:
  at: 2027-02-02 09:00
  timezone: UTC
  repeat: daily
---

# What libraries write
"""
FOLLOWED: Mapping[str, tuple[str, ...]] = {
    "all": (ANY_TOPIC,),
    "one": ("research",),
    "two": ("public", "jobs"),
    "three": ("archives", "museums", "research"),
    "elsewhere": ("weather",),
}


class SendingQueue:
    """A queue whose every batch is sent at once, over real SMTP, by what senders use."""

    def __init__(self, workspace: Workspace) -> None:
        self._journals = FileJournals(workspace.journal_folder)
        self._sender = MailSender(workspace.links.signer, threading.Event())
        self._reports: list[Mapping[str, Any]] = []

    def put(self, work: Mapping[str, Any]) -> None:
        batch = from_json(work)
        assert isinstance(batch, MailBatch)
        journal = self._journals.begin(batch.id, [each.delivery for each in batch.recipients], "")
        assert journal is not None
        with journal:
            receipts = self._sender.send(batch, journal)
        self._reports.append(Report(batch.id, batch.association.slug, receipts).to_json())

    def waiting(self) -> int:
        return 0

    def take_reports(self) -> list[Mapping[str, Any]]:
        taken, self._reports = self._reports, []
        return taken

    def close(self) -> None:
        self._sender.close()


@dataclass
class Feed:
    """One of the list: its name here, its page, the topic that its section belongs to, and its items."""

    source: str
    page: Page
    topic: str
    items: list[str]

    def write(self, title: str) -> None:
        """The newest item on top, as feeds have it."""
        self.items.insert(0, title)
        self.page.body = rss(self.source, *((each, f"https://{self.source}.example/{each}") for each in self.items))


class Scene:
    def __init__(self, folder: Path, list_of_feeds: bytes, site: FeedServer, server: MailServer) -> None:
        create_workspace(folder, HOST).close()
        self.now, self.site, self.server = datetime(2027, 2, 1, 12, tzinfo=UTC), site, server
        settings = {"COMMS_SMTP__PORT": str(server.port)}
        self.workspace = Workspace(folder, environment=settings, clock=lambda: self.now)
        self.workspace.journal_folder.mkdir(exist_ok=True)
        self.queue = SendingQueue(self.workspace)
        self.control = Control(self.workspace, self.queue, senders=1)
        self.feeds = self._served(list_of_feeds, folder.parent / "here.opml")
        self._join()

    def _served(self, list_of_feeds: bytes, file: Path) -> list[Feed]:
        """Every feed of the list, under its own host and path."""
        outlines, pages = [], []
        for named in opml.read(list_of_feeds):
            parts = urlsplit(named.url)
            name = f"{parts.hostname}{parts.path}{f'?{parts.query}' if parts.query else ''}"
            pages.append(self.site.pages.setdefault(name.rstrip("/"), Page()))
            outlines.append(
                f"<outline text={quoteattr(named.title)} type='rss' xmlUrl={quoteattr(self.site.url(name))}/>"
            )
        file.write_text(f"<opml version='2.0'><head/><body>{''.join(outlines)}</body></opml>", encoding="utf-8")
        added = sources.import_opml(self.workspace, file, who="test").added
        feeds = [
            Feed(name, page, TOPICS[number % len(TOPICS)], [])
            for number, (name, page) in enumerate(zip(added, pages, strict=True))
        ]
        for number, feed in enumerate(feeds):
            feed.write(f"f{number}a")
            feed.write(f"f{number}b")
        return feeds

    def _join(self) -> None:
        people = self.workspace.people(HOST.slug)
        for topic in (*TOPICS, "weather"):
            self.workspace.add_topic(HOST.slug, Topic(topic, topic.title()))
        with people.db.atomic():
            for number, (name, topics) in enumerate(FOLLOWED.items(), people.next_id()):
                people.insert([Member(f"{name}@example.org", {}, id=number)], self.now)
                yes = [Consent(topic, ConsentState.GRANTED, self.now, "test", Basis.EXPRESS) for topic in topics]
                people.record([(number, each) for each in yes], self.now)

    def approve(self) -> None:
        blocks = (f"\n::: feed {feed.source}\ntopic: {feed.topic}\nsince: last\n:::\n" for feed in self.feeds)
        campaign = definition.read(HEAD + "".join(blocks))
        series.approve(self.workspace, series.prepare(self.workspace, campaign), who="test")

    def read(self) -> Counter[int]:
        """Read whatever is due; how the site answered."""
        self.site.asked.clear()
        sources.read(self.workspace, by=self.site.fetcher())
        assert len({each.name for each in self.site.asked}) == len(self.site.asked), "no feed was asked for twice"
        return Counter(each.status for each in self.site.asked)

    def send(self) -> dict[str, set[str]]:
        """Let what is due go out: which items stand in the one mail that each member got."""
        before = len(self.server.taken())
        self.control._recovered_at = float("-inf")
        while self.control.step():
            pass
        got: dict[str, set[str]] = {}
        for record in self.server.taken()[before:]:
            name = record["to"].partition("@")[0]
            assert name not in got, "one mail per member"
            mail = email.message_from_string(record["content"], policy=email.policy.default)
            parts = (mail.get_body((kind,)) for kind in ("html", "plain"))
            html, text = (set(re.findall(r"About (f\w+)\.", part.get_content())) for part in parts)  # type: ignore[union-attr]
            assert html == text
            got[name] = html
        return got

    def expected(self, *titles: str) -> dict[str, set[str]]:
        """Who is to get which of these items."""
        meant = {
            name: {
                each for feed in self.feeds for each in feed.items
                if each in titles and (feed.topic in topics or ANY_TOPIC in topics)
            }
            for name, topics in FOLLOWED.items()
        }  # fmt: skip
        return {name: items for name, items in meant.items() if items}


@pytest.fixture
def scene(data: Path, tmp_path: Path, mail_server: Callable[..., MailServer]) -> Iterator[Scene]:
    with feed_server() as site:
        list_of_feeds = (data / "feeds" / "glam_libraries.opml").read_bytes()
        scene = Scene(tmp_path / "workspace", list_of_feeds, site, mail_server(content=True))
        yield scene
        scene.queue.close()
        scene.workspace.close()


@pytest.mark.data
def test_each_member_gets_one_mail_a_day_with_what_is_new_in_the_topics_they_follow(scene: Scene) -> None:
    assert len(scene.feeds) == 34
    scene.now = datetime(2027, 2, 2, 8, 50, tzinfo=UTC)
    assert scene.read() == {200: 34}
    assert scene.read() == {}, "once in a period"
    scene.approve()
    scene.now = datetime(2027, 2, 2, 9, tzinfo=UTC)
    everything = scene.expected(*(title for feed in scene.feeds for title in feed.items))
    assert {name: len(items) for name, items in everything.items()} == {"all": 68, "one": 14, "two": 26, "three": 42}
    assert scene.send() == everything

    scene.now = datetime(2027, 2, 3, 9, tzinfo=UTC)
    assert scene.read() == {304: 34}
    assert scene.send() == {}, "nothing is new"

    scene.feeds[3].write("f3c")
    scene.feeds[5].write("f5c")
    scene.now = datetime(2027, 2, 4, 9, tzinfo=UTC)
    assert scene.read() == {304: 32, 200: 2}
    assert scene.send() == scene.expected("f3c", "f5c")
    assert scene.send() == {}
