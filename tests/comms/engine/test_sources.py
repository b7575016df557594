"""Feeds of others: asked for once in a period whoever asks, items kept once, edits and moves known. A real server."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from pathlib import Path

import pytest

from comms.engine import sources
from comms.engine.reader import reader
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from tests.conftest import HOST
from tests.support.feed_server import FeedServer, Page, feed_server, rss

HOUR = timedelta(hours=1)


@dataclass
class Scene:
    """A workspace with a clock that tests move, and a site."""

    site: FeedServer
    folder: Path
    now: datetime = datetime(2027, 2, 1, 9, tzinfo=UTC)
    workspace: Workspace = field(init=False)

    def __post_init__(self) -> None:
        create_workspace(self.folder, HOST).close()
        self.workspace = self.another()

    def another(self) -> Workspace:
        return Workspace(self.folder, environment={}, clock=lambda: self.now)

    def add(self, name: str, page: Page) -> None:
        self.site.pages[name] = page
        sources.add(self.workspace, self.site.url(name), name=name.partition(".")[0], who="test")

    def read(self, *names: str) -> list[sources.Reading]:
        return sources.read(self.workspace, names, by=self.site.fetcher())

    def titles(self, name: str) -> list[str]:
        found = sources.store(self.workspace).items(sources.find(self.workspace, name))
        return [item.title for item in found]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with feed_server() as site:
        scene = Scene(site, tmp_path / "workspace")
        yield scene
        scene.workspace.close()


ONE, TWO = ("One", "https://museum.org/1"), ("Two", "https://museum.org/2")


def test_a_feed_is_asked_for_once_an_hour_whoever_asks_and_conditionally_from_then_on(scene: Scene) -> None:
    scene.add("museum.org/feed", Page(rss("News", ONE)))
    assert [(r.asked, r.new) for r in scene.read()] == [(True, 1)]
    with scene.another() as other:
        assert [r.asked for r in sources.read(other, by=scene.site.fetcher())] == [False]
    scene.now += HOUR - timedelta(seconds=1)
    assert [r.asked for r in scene.read("museum")] == [False]
    scene.now += timedelta(seconds=1)
    assert [(r.asked, r.new) for r in scene.read()] == [(True, 0)]
    assert [request.status for request in scene.site.asked] == [200, 304]


def test_who_is_killed_while_asking_asks_no_second_time_within_the_hour(scene: Scene) -> None:
    scene.add("museum.org/feed", Page(rss("News", ONE)))
    asked = []

    class Killed(BaseException):
        pass

    def kill() -> bool:
        if asked:
            raise Killed
        asked.append(1)
        return False

    fetcher = scene.site.fetcher()
    fetch = fetcher.fetch

    def fetch_and_die(*words: object) -> object:
        fetch(*words)  # type: ignore[arg-type]
        raise Killed

    fetcher.fetch = fetch_and_die  # type: ignore[method-assign,assignment]
    with pytest.raises(Killed):
        sources.read(scene.workspace, by=fetcher, stopped=kill)
    assert [r.asked for r in scene.read()] == [False]
    scene.now += HOUR
    assert [r.new for r in scene.read()] == [1]


def test_new_items_and_edits_are_told_apart_and_nothing_is_kept_twice(scene: Scene) -> None:
    scene.add("museum.org/feed", Page(rss("News", ONE)))
    scene.read()
    scene.now += HOUR
    scene.site.pages["museum.org/feed"] = Page(rss("News", TWO, ("One, corrected", ONE[1])))
    assert [(r.new, r.edited) for r in scene.read()] == [(1, 1)]
    assert scene.titles("museum") == ["Two", "One, corrected"]


def test_an_item_dated_in_the_future_came_out_when_it_was_first_seen(scene: Scene) -> None:
    scene.add("museum.org/feed", Page(rss("News", ONE, date="Mon, 01 Feb 2027 20:00:00 GMT")))
    scene.read()
    (item,) = sources.store(scene.workspace).items(sources.find(scene.workspace, "museum"))
    assert item.appeared_at == item.first_seen_at == scene.now


def test_a_feed_that_moved_is_asked_for_at_its_new_address_and_one_that_is_gone_never(scene: Scene) -> None:
    scene.add("museum.org/feed", Page(status=301, headers={"Location": scene.site.url("library.org/feed")}))
    scene.site.pages["library.org/feed"] = Page(rss("News", ONE))
    scene.read()
    scene.now += HOUR
    scene.site.pages["library.org/feed"] = Page(status=410)
    scene.read()
    scene.now += timedelta(days=400)
    (reading,) = scene.read()
    assert not reading.asked
    assert sources.shown(reading.source)["state"] == "gone"
    assert [request.name for request in scene.site.asked] == ["museum.org/feed", "library.org/feed", "library.org/feed"]
    assert scene.titles("museum") == ["One"]


def test_a_page_that_is_no_feed_is_said_to_be_none_and_what_was_read_stays(scene: Scene) -> None:
    scene.add("museum.org/feed", Page(rss("News", ONE)))
    scene.read()
    scene.now += HOUR
    scene.site.pages["museum.org/feed"] = Page(b"<html>Sorry</html>", headers={"Content-Type": "text/html"})
    (reading,) = scene.read()
    assert reading.source.fault == "what is there is no feed"
    assert scene.titles("museum") == ["One"]


def test_two_feeds_of_one_site_are_asked_for_one_after_the_other(scene: Scene) -> None:
    for number in range(3):
        page = f"museum.org/{number}"
        scene.site.pages[page] = Page(rss("News", ONE))
        sources.add(scene.workspace, scene.site.url(page), who="test")
    assert [source.name for source in sources.store(scene.workspace).all()] == [
        "museum-org",
        "museum-org-2",
        "museum-org-3",
    ]
    assert [r.new for r in scene.read()] == [1, 1, 1]


@pytest.mark.parametrize(
    "url", ["", "feed", "file:///etc/passwd", "https://me:secret@museum.org/feed", "http://[", "x" * 10**6]
)
def test_what_is_no_address_of_a_feed_is_refused(scene: Scene, url: str) -> None:
    with pytest.raises(UsageError):
        sources.add(scene.workspace, url, who="test")


def test_a_list_of_feeds_is_taken_once_and_a_dry_run_changes_nothing(scene: Scene, data: Path) -> None:
    file = data / "feeds" / "glam_libraries.opml"
    dry = sources.import_opml(scene.workspace, file, who="test", dry_run=True)
    assert len(dry.added) == 34
    assert sources.store(scene.workspace).all() == []
    imported = sources.import_opml(scene.workspace, file, who="test")
    assert len(imported.added) == len(set(imported.added)) == 34
    again = sources.import_opml(scene.workspace, file, who="test")
    assert (len(again.added), len(again.known)) == (0, 34)


def test_the_feeds_of_34_libraries_cost_one_request_each_an_hour_and_conditional_ones_later(
    scene: Scene, data: Path
) -> None:
    def here(found: re.Match[str]) -> str:
        host, _, path = unescape(found[1]).partition("/")
        scene.site.pages[f"{host}/{path}".rstrip("/")] = Page(rss(host, ONE, TWO))
        return f'xmlUrl="{escape(scene.site.url(f"{host}/{path}"))}"'

    file = scene.folder / "feeds.opml"
    text = (data / "feeds" / "glam_libraries.opml").read_text()
    file.write_text(re.sub(r'xmlUrl="https?://([^"]+)"', here, text))
    sources.import_opml(scene.workspace, file, who="test")
    for expected in (200, 304):
        scene.site.asked.clear()
        for _ in range(3):
            scene.read()
            scene.now += timedelta(minutes=10)
        assert len(scene.site.asked) == 34
        assert {request.status for request in scene.site.asked} == {expected}
        scene.now += HOUR
    kept = sources.store(scene.workspace).count_items()
    assert (len(kept), sum(kept.values())) == (34, 68)


def test_items_are_forgotten_once_they_are_old_and_left_their_feed(scene: Scene) -> None:
    scene.add("museum.org/feed", Page(rss("News", ONE, TWO)))
    scene.read()
    scene.now += timedelta(days=200)
    scene.site.pages["museum.org/feed"] = Page(rss("News", TWO))
    scene.read()
    assert scene.titles("museum") == ["Two"]


def test_beside_control_feeds_are_read_by_themselves_in_a_thread_that_ends(scene: Scene) -> None:
    scene.add("museum.org/feed", Page(rss("News", ONE)))
    with reader(scene.another, by=scene.site.fetcher()):
        deadline = time.monotonic() + 30
        while not scene.titles("museum") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert scene.titles("museum") == ["One"]
    assert not [thread for thread in threading.enumerate() if thread.name == "feed-reader"]
    assert len(scene.site.asked) == 1
