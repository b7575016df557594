"""A campaign with a feed: checked, previewed and sent with the items that were there when it was prepared."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from control_scene import HOST, add_members

from campaigns import definition
from campaigns.gathering import feeds
from campaigns.sources import ItemRow
from comms.engine import checking, editions, preview, sending, series, sources
from comms.engine.feeds import single_entry
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.rendering.edition import Edition

NOW = datetime(2027, 2, 1, 9, tzinfo=UTC)
CAMPAIGN = """\
---
campaign: reading
title: What others write
language: en
newsletter:
  subject: What others write
  preview: The latest of the museum's blog
feed:
---

# What others write

Dear reader, this is what was written elsewhere.

::: feed museum
count: 2
since: 30d
show: title, summary, image
:::
"""
HOSTILE = "{{ 7 * 7 }} <script>alert(1)</script> {% raw %}"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    folder = tmp_path / "workspace"
    create_workspace(folder, HOST).close()
    with Workspace(folder, environment={}, clock=lambda: NOW) as workspace:
        add_members(workspace, 2)
        sources.add(workspace, "https://museum.org/feed", name="museum", who="test")
        yield workspace


def put(workspace: Workspace, *titles: str, days: int = 1) -> None:
    """Items as if they had been read, the first the latest."""
    source, now = sources.find(workspace, "museum"), workspace.now()
    items = [
        ItemRow("museum", title, title, f"https://museum.org/{n}", f"About {title}", f"https://museum.org/{n}.jpg",
                now - timedelta(days=days, hours=n), now, None)
        for n, title in enumerate(titles)
    ]  # fmt: skip
    with workspace.host.db.atomic():
        sources.store(workspace).take(source.id, items, now)


def sent(workspace: Workspace) -> tuple[Edition, str]:
    """(the newsletter, the feed entry) as they go out."""
    prepared = sending.prepare(workspace, definition.read(CAMPAIGN))
    row = sending.approve(workspace, prepared, who="test")
    put(workspace, "Too late", days=0)
    sending.start(workspace, row)
    body = workspace.host.edition("reading", HOST.slug, "newsletter")
    entry = workspace.host.entry(HOST.slug, "reading")
    assert body is not None
    assert entry is not None
    return Edition.from_json(body.decode()), single_entry(workspace, HOST, entry).decode()


def test_html_text_and_entry_show_the_items_of_the_moment_in_which_it_was_prepared(workspace: Workspace) -> None:
    put(workspace, "Old maps", "New globes", "One too many")
    edition, entry = sent(workspace)
    for shown in (edition.html, edition.text, entry):
        assert "Old maps" in shown
        assert "About New globes" in shown
        assert "One too many" not in shown
        assert "Too late" not in shown
    assert "https://museum.org/0.jpg" in edition.html
    row = sending.find(workspace, "reading")
    assert "Too late" not in str(sending.read_back(row).blocks)
    assert "Old maps" in str(sending.read_back(row).blocks)


def test_a_variant_shows_the_same_items_as_the_campaign_and_keeps_them(workspace: Workspace, tmp_path: Path) -> None:
    put(workspace, "Opened", "Closed")
    (tmp_path / "reading.md").write_text(CAMPAIGN)
    (tmp_path / "reading.es.md").write_text(
        "---\ntitle: Lo que escriben otros\n---\n\n# Lo que escriben otros\n\n::: feed museum\ncount: 1\n:::\n"
    )
    prepared = sending.prepare(workspace, editions.read_definition(tmp_path / "reading.md"))
    row = sending.approve(workspace, prepared, who="test")
    put(workspace, "Too late", days=0)
    shown = [[item.title for item in block.items] for block in feeds(sending.read_back(row))]
    assert shown == [["Opened", "Closed"], ["Opened"]]
    spanish = workspace.host.edition("reading", HOST.slug, "newsletter:es")
    assert spanish is not None
    assert "Opened" in Edition.from_json(spanish.decode()).html


def test_words_of_others_are_words_whatever_they_look_like(workspace: Workspace, tmp_path: Path) -> None:
    put(workspace, HOSTILE)
    file = tmp_path / "reading.md"
    file.write_text(CAMPAIGN)
    preview.write(workspace, file, tmp_path / "out", address=None, association=None)
    html, text = ((tmp_path / "out" / f"message.{kind}").read_text() for kind in ("html", "txt"))
    assert HOSTILE.split(" <")[0] in html
    assert "<script>alert" not in html
    assert " ".join(HOSTILE.split()) in " ".join(text.split())
    assert "<script>" not in (tmp_path / "out" / "entry.xml").read_text()


def check(workspace: Workspace, tmp_path: Path) -> dict[str, str]:
    file = tmp_path / "reading.md"
    file.write_text(CAMPAIGN)
    return {
        each.rule: each.message for each in checking.check(workspace, file).findings if each.rule.startswith("feed-")
    }


def test_check_says_which_feed_is_unknown_failing_or_empty(workspace: Workspace, tmp_path: Path) -> None:
    assert set(check(workspace, tmp_path)) == {"feed-empty"}
    put(workspace, "Too old", days=31)
    assert "no items of the last 30 days" in check(workspace, tmp_path)["feed-empty"]
    put(workspace, "Old maps")
    assert check(workspace, tmp_path) == {}
    with workspace.host.db.atomic():
        workspace.host.db.execute("UPDATE source SET fault = 'the site takes no connection'")
    assert "takes no connection (last read: never)" in check(workspace, tmp_path)["feed-failing"]
    sources.remove(workspace, "museum", who="test")
    assert set(check(workspace, tmp_path)) == {"feed-unknown"}


def test_a_campaign_with_a_feed_that_is_not_read_here_is_not_prepared(workspace: Workspace) -> None:
    sources.remove(workspace, "museum", who="test")
    with pytest.raises(UsageError, match="line 15: the feed `museum` is not read here"):
        sending.prepare(workspace, definition.read(CAMPAIGN))


DIGEST = CAMPAIGN.replace("feed:\n", "schedule:\n  at: 2027-02-02 09:00\n  timezone: UTC\n  repeat: weekly\n").replace(
    "since: 30d", "since: last"
)


def test_a_digest_shows_each_item_once_and_does_not_go_out_when_nothing_is_new(tmp_path: Path) -> None:
    now = [NOW]
    create_workspace(tmp_path / "workspace", HOST).close()
    with Workspace(tmp_path / "workspace", environment={}, clock=lambda: now[0]) as workspace:
        add_members(workspace, 2)
        sources.add(workspace, "https://museum.org/feed", name="museum", who="test")
        put(workspace, "Old maps", "New globes")
        series.approve(workspace, series.prepare(workspace, definition.read(DIGEST)), who="test")
        maker = series.Maker(workspace)
        for week, titles in enumerate([(), (), ("Atlases", "Old maps", "New globes"), ()]):
            now[0] = datetime(2027, 2, 2, 9, tzinfo=UTC) + timedelta(weeks=week)
            if titles:
                put(workspace, *titles)
            maker.make_due()
            maker.make_due()
        shown = {
            row.id: [item.title for block in feeds(sending.read_back(row)) for item in block.items]
            for row in workspace.host.campaigns()
        }
        assert shown == {"reading-2027-02-02": ["Old maps", "New globes"], "reading-2027-02-16": ["Atlases"]}
        skipped = [detail for _, _, what, detail in workspace.host.audit("reading") if what == "skipped"]
        assert [detail.partition(": ")[::2] for detail in skipped] == [
            ("2027-02-09 09:00", "nothing is new in its feeds"),
            ("2027-02-23 09:00", "nothing is new in its feeds"),
        ]
