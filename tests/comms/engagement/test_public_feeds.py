"""Feeds of a workspace, as bytes and as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import feedparser
import pytest
from sent_newsletter import NOW, Sent, add_topics, association, make_workspace, publish, save_campaign

from comms.engine import archive, feeds
from comms.engine.workspace import Workspace
from comms.errors import StorageError


@pytest.fixture
def published(workspace: Workspace) -> Workspace:
    add_topics(workspace, "coalition", news="Coalition news")
    save_campaign(workspace, ["coalition"])
    publish(workspace, "coalition")
    return workspace


def test_a_feed_names_itself_its_owner_and_its_entries(published: Workspace) -> None:
    public = feeds.feed(published, "coalition", "/news", "atom")
    assert public is not None
    assert public.updated == NOW
    parsed = feedparser.parse(public.body)
    assert parsed.feed.id == "tag:news.example.org,2026:feed/coalition/news"
    assert parsed.feed.title == "The Coalition: Coalition news"
    assert [entry.link for entry in parsed.entries] == ["https://news.example.org/a/coalition/hosting-partner"]


def test_a_topic_has_a_feed_before_its_first_entry_so_that_people_can_follow_it(workspace: Workspace) -> None:
    add_topics(workspace, "coalition", board="Board news")
    public = feeds.feed(workspace, "coalition", "/board", "rss")
    assert public is not None
    assert public.updated is None
    assert feedparser.parse(public.body).entries == []
    assert feeds.feed(workspace, "coalition", "/nothing", "rss") is None
    assert feeds.feed(workspace, "nobody", "", "rss") is None
    empty = feeds.feed(workspace, "coalition", "", "rss")
    assert empty is not None
    assert not feedparser.parse(empty.body).bozo


def test_written_feeds_are_the_served_ones_and_stay_untouched_when_nothing_changed(
    published: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "site" / "feeds"
    paths = feeds.write_feeds(published, folder)
    stems = ["coalition", "coalition/news", "coalition/tag/hosting"]
    names = [f"{stem}.{kind}" for stem in stems for kind in ("rss", "atom", "json")]
    assert paths == [folder / name for name in names]
    served = feeds.feed(published, "coalition", "/news", "atom")
    assert served is not None
    assert paths[4].read_bytes() == served.body
    before = [path.stat().st_ino for path in paths]
    assert feeds.write_feeds(published, folder) == paths
    assert [path.stat().st_ino for path in paths] == before
    assert sorted(path for path in folder.rglob("*") if path.is_file()) == sorted(paths)


def test_a_changed_entry_replaces_its_files_whole(published: Workspace, tmp_path: Path) -> None:
    paths = feeds.write_feeds(published, tmp_path / "feeds")
    publish(published, "coalition", title="Corrected")
    feeds.write_feeds(published, tmp_path / "feeds")
    assert all(b"Corrected" in path.read_bytes() for path in paths)


def test_a_folder_that_can_not_be_written_to_is_a_plain_message(published: Workspace, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file, no folder")
    with pytest.raises(StorageError, match="the feeds can not be written to"):
        feeds.write_feeds(published, blocked)


@pytest.mark.parametrize("site", ["http://[::1]:8625", "http://münchen.example", "https://my_host.example/news"])
@pytest.mark.parametrize(
    "homepage", ["", "not a web address", "https://münchen.example/über uns", "javascript:alert(1)"]
)
def test_odd_addresses_do_not_kill_a_feed(tmp_path: Path, site: str, homepage: str) -> None:
    owner = replace(association("coalition", "The Coalition"), homepage=homepage)
    make_workspace(tmp_path / "w", [owner]).close()
    with Workspace(tmp_path / "w", environment={"COMMS_SITE__URL": site}) as workspace:
        save_campaign(workspace, ["coalition"])
        publish(workspace, "coalition", topic="")
        public = feeds.feed(workspace, "coalition", "", "atom")
    assert public is not None
    assert not feedparser.parse(public.body).bozo


def test_an_entry_without_a_feed_topic_has_a_page_with_the_associations_feed(sent: Sent) -> None:
    publish(sent.workspace, "coalition", topic="", content="<p onclick=x>Hi</p><script>alert(1)</script>")
    page = archive.entry_page(sent.workspace, "coalition", "hosting-partner")
    assert page is not None
    assert page.content == "<p>Hi</p>"
    assert page.url == "https://news.example.org/a/coalition/hosting-partner"
    assert page.association.feeds[0].rss == "https://news.example.org/feeds/coalition.rss"
    assert archive.entry_page(sent.workspace, "coalition", "other") is None
