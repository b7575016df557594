"""What can be done about an entry that is published: correcting it, and withdrawing it."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import feedparser
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engagement"))  # where the workspace of these tests is made

from sent_newsletter import NOW, association, make_workspace

from campaigns import definition
from comms.engine import archive, corrections, editions, feeds, occasions
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError

DEFINITION = """---
campaign: open-day
title: Open day
language: en
audience:
  topic: news
tags: [visits]
feed:
  summary: Come and see.
---

Dear {{ member.first_name or "colleague" }}, come at nine.

::: event Open day
start: 2027-05-04 09:00
timezone: America/New_York
place: Reading room
:::
"""
CORRECTED = DEFINITION.replace("come at nine", "come at ten").replace("09:00", "10:00")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """Two associations published the same campaign."""
    owners = [association("coalition", "The Coalition"), association("lakeland", "Lakeland")]
    with make_workspace(tmp_path / "w", owners) as workspace:
        campaign = definition.read(DEFINITION, path="open-day.md")
        host = workspace.host
        with host.db.atomic():
            host.save_campaign(
                "open-day",
                title=campaign.title,
                definition=DEFINITION,
                state="sent",
                senders=["coalition", "lakeland"],
                due_at=None,
                now=NOW,
            )
            for owner in workspace.associations():
                host.save_entry(editions.entry(workspace, campaign, owner, NOW))
        yield workspace


def write(workspace: Workspace, text: str) -> Path:
    path = workspace.folder / "open-day.md"
    path.write_text(text)
    return path


def correct(workspace: Workspace, text: str = CORRECTED, **options: str) -> list[corrections.Change]:
    changes = corrections.correction(workspace, "open-day", write(workspace, text), note="At ten.", **options)
    corrections.apply(workspace, changes, who="ann")
    return changes


def withdraw(workspace: Workspace, **options: str) -> None:
    changes = corrections.withdrawal(workspace, "open-day", reason="It does not take place.", **options)
    corrections.apply(workspace, changes, who="ann")


def atom(workspace: Workspace, slug: str = "coalition") -> feedparser.FeedParserDict:
    public = feeds.feed(workspace, slug, "", "atom")
    assert public is not None
    return feedparser.parse(public.body)


def test_a_corrected_entry_keeps_id_and_first_date_moves_its_change_and_names_it(workspace: Workspace) -> None:
    (before,) = atom(workspace).entries
    assert [change.fields for change in correct(workspace)] == [("content",), ("content",)]
    (after,) = atom(workspace).entries
    assert (after.id, after.published, after.link) == (before.id, before.published, before.link)
    assert after.updated > before.updated
    assert after.content[0].value.startswith("<p><em>Corrected on February 1, 2027: At ten.</em></p>")
    assert "come at ten" in after.content[0].value
    page = archive.entry_page(workspace, "coalition", "open-day")
    assert page is not None
    assert (page.note, page.withdrawn) == ("At ten.", None)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("es", "<p><em>Corregido el 1 de febrero de 2027: A las 10 &lt; 11.</em></p>"),
        ("fr-CA", "<p><em>Corrigé le 1er février 2027\u00a0: A las 10 &lt; 11.</em></p>"),
        ("qu", '<p><em><span lang="en" dir="ltr">Corrected on February 1, 2027:</span> A las 10 &lt; 11.</em></p>'),
    ],
)
def test_a_correction_is_named_in_the_entrys_own_language(workspace: Workspace, language: str, said: str) -> None:
    correct(workspace)
    row = workspace.host.entry("coalition", "open-day")
    assert row is not None
    assert (
        feeds.corrected(workspace, dataclasses.replace(row, language=language, note="A las 10 < 11.")).strip() == said
    )


def test_a_feed_says_what_it_is_in_its_own_language(workspace: Workspace) -> None:
    workspace.change_association(dataclasses.replace(workspace.association("coalition"), language="fr"))
    assert atom(workspace).feed.subtitle == "Actualités de The Coalition"


def test_the_file_for_calendars_and_the_data_for_machines_say_what_was_corrected(workspace: Workspace) -> None:
    old = occasions.calendar_file(workspace, "coalition", "open-day", 0)
    correct(workspace)
    new = occasions.calendar_file(workspace, "coalition", "open-day", 0)
    assert old is not None
    assert new is not None
    assert b"T090000" in old
    assert b"T100000" in new
    assert [line for line in old.splitlines() if line.startswith(b"UID")] == [
        line for line in new.splitlines() if line.startswith(b"UID")
    ]
    page = archive.entry_page(workspace, "coalition", "open-day")
    assert page is not None
    assert [thing["@type"] for thing in page.data] == ["NewsArticle", "Event"]
    assert page.data[1]["startDate"] == "2027-05-04T10:00:00-04:00"


def test_the_same_words_again_are_no_correction(workspace: Workspace) -> None:
    assert correct(workspace, DEFINITION) == []
    correct(workspace)
    assert correct(workspace) == []


def test_one_association_can_correct_its_own_alone(workspace: Workspace) -> None:
    correct(workspace, association="lakeland")
    assert "come at nine" in atom(workspace, "coalition").entries[0].content[0].value
    assert "come at ten" in atom(workspace, "lakeland").entries[0].content[0].value


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("campaign: open-day", "campaign: other", "is the campaign other"),
        ("language: en", "language: fr", "another language"),
        ("topic: news", "topic: jobs", "another topic"),
        ("[visits]", "[visits, spring]", "another tags"),
        ("feed:\n  summary: Come and see.\n", "newsletter:\n  subject: x\n", "no `feed:`"),
    ],
)
def test_a_correction_can_not_make_another_entry_of_it(workspace: Workspace, old: str, new: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        correct(workspace, DEFINITION.replace(old, new))


@pytest.mark.parametrize("note", ["", " \n\x00", "x" * 501])
def test_what_was_corrected_must_be_said(workspace: Workspace, note: str) -> None:
    with pytest.raises(UsageError, match="must say what was corrected"):
        corrections.correction(workspace, "open-day", write(workspace, CORRECTED), note=note)
    with pytest.raises(UsageError, match="must say why"):
        corrections.withdrawal(workspace, "open-day", reason=note)


def test_a_withdrawn_entry_leaves_feeds_lists_and_searches_and_its_page_says_why(workspace: Workspace) -> None:
    withdraw(workspace)
    for kind in feeds.MEDIA_TYPES:
        public = feeds.feed(workspace, "coalition", "/news", kind)
        assert public is not None
        assert b"come at nine" not in public.body
        assert (b"deleted-entry" in public.body) is (kind == "atom")
    for words in ("", "nine"):
        listed = archive.archive_page(workspace, "coalition", words=words)
        assert listed is not None
        assert (listed.total, listed.lines) == (0, ())
    page = archive.entry_page(workspace, "coalition", "open-day")
    assert page is not None
    assert (page.note, page.content, page.summary, page.data) == ("It does not take place.", "", "", ())
    assert occasions.calendar_file(workspace, "coalition", "open-day", 0) is None


def test_what_is_withdrawn_is_not_corrected_nor_withdrawn_again(workspace: Workspace) -> None:
    withdraw(workspace, association="lakeland")
    assert [change.after.association for change in correct(workspace)] == ["coalition"]
    withdraw(workspace)
    with pytest.raises(StateError, match="withdrawn already, on 2027-02-01"):
        withdraw(workspace)
    with pytest.raises(StateError, match="withdrawn already"):
        correct(workspace)


def test_every_change_is_noted_with_who_made_it(workspace: Workspace) -> None:
    correct(workspace, association="coalition")
    withdraw(workspace)
    assert [(who, what, detail) for _, who, what, detail in workspace.host.audit("open-day")] == [
        ("ann", "entry corrected", "coalition: At ten."),
        ("ann", "entry withdrawn", "coalition: It does not take place."),
        ("ann", "entry withdrawn", "lakeland: It does not take place."),
    ]


def test_of_two_who_change_an_entry_at_once_the_second_is_told(workspace: Workspace) -> None:
    changes = corrections.correction(workspace, "open-day", write(workspace, CORRECTED), note="At ten.")
    withdraw(workspace, association="lakeland")
    with pytest.raises(StateError, match="changed by somebody else"):
        corrections.apply(workspace, changes, who="ann")
    assert "come at nine" in atom(workspace).entries[0].content[0].value  # all or none


def test_old_entries_that_were_changed_stand_in_the_document_that_readers_fetch(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "NEWEST", 2)
    row = workspace.host.entry("coalition", "open-day")
    assert row is not None
    with workspace.host.db.atomic():
        for number in range(1, 6):
            workspace.host.save_campaign(
                f"c{number}",
                title="x",
                definition=DEFINITION,
                state="sent",
                senders=["coalition"],
                due_at=None,
                now=NOW,
            )
            at = NOW + timedelta(days=number)
            fresh = dataclasses.replace(row, campaign=f"c{number}", tag_uri=f"{row.tag_uri}{number}", published=at)
            workspace.host.save_entry(dataclasses.replace(fresh, updated=at))

    def links(page: int | None) -> list[str]:
        public = feeds.feed(workspace, "coalition", "", "atom", page)
        assert public is not None
        return [entry.link.rpartition("/")[2] for entry in feedparser.parse(public.body).entries]

    assert links(None) == ["c5", "c4"]
    assert (links(1), links(2)) == (["c1", "open-day"], ["c3", "c2"])
    assert feeds.feed(workspace, "coalition", "", "atom", 3) is None
    correct(workspace, association="coalition")
    assert links(None) == ["c5", "c4", "open-day"]
    assert "come at ten" in feeds.feed(workspace, "coalition", "", "atom", 1).body.decode()  # type: ignore[union-attr]
