"""What `campaign check` says of conditions and pictures, and what comes out of a campaign that has them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from audiences.models import ANY_TOPIC, Association, Basis, Consent, ConsentState, Member
from comms.engine import checking, editions, pictures, preview, segments
from comms.engine.checking import Finding
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace

HOST = Association("coalition", "The Coalition", "news@coalition.org", "1 Main Street, Springfield")
HEAD = """\
---
campaign: blocks
title: Blocks
language: en
newsletter:
  subject: Hello
  preview: A preview
feed:
---

"""
FIRST_LINE = HEAD.count("\n") + 1


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """Ana in WA with a renewal, Ben in NY without."""
    with create_workspace(tmp_path / "workspace", HOST) as workspace:
        people = workspace.people("coalition")
        with people.db.atomic():
            for number, (name, values) in enumerate(
                {"ana": {"state": "WA", "renewal": "2030-01-01"}, "ben": {"state": "NY"}}.items(), people.next_id()
            ):
                people.note_attributes(values)
                people.insert([Member(f"{name}@e.org", values, id=number)], workspace.now())
                consent = Consent(ANY_TOPIC, ConsentState.GRANTED, workspace.now(), "form", Basis.EXPRESS)
                people.record([(number, consent)], workspace.now())
        yield workspace


def check(workspace: Workspace, body: str) -> tuple[Finding, ...]:
    path = workspace.folder / "blocks.md"
    path.write_text(HEAD + body, encoding="utf-8")
    return checking.check(workspace, path).findings


def save_picture(workspace: Workspace, name: str, kind: str = "JPEG", size: tuple[int, int] = (2000, 1000)) -> Path:
    path = workspace.media_folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, kind)
    path.write_bytes(out.getvalue())
    return path


# --- conditions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "words", "hint"),
    [
        ("sate = WA", "sate", "state"),
        ("state = ", "column", ""),
        ("state in region Wets", "region", "west"),
        ("segment nobody", "no segment", ""),
        ("topic = news", "can not depend on topics", "audience.segment"),
        ("timezone = UTC", "can not depend on time zones", "audience.segment"),
    ],
)
def test_a_condition_that_can_not_be_used_is_named_at_its_line_and_nothing_else_is_blamed(
    workspace: Workspace, rule: str, words: str, hint: str
) -> None:
    found = check(
        workspace, f"Text\n\n::: columns\n::: column\nA\n:::\n::: column\n::: when {rule}\nB\n:::\n:::\n:::\n"
    )

    (finding,) = (finding for finding in found if finding.level == "must fix")
    assert (finding.line, finding.field) == (FIRST_LINE + 7, "body")
    assert words in finding.message
    assert hint in finding.hint


def test_segments_by_name_can_be_conditions_and_travel_with_the_edition(workspace: Workspace) -> None:
    segments.save(workspace, "western", "state in region west", "coalition")
    assert not [f for f in check(workspace, "::: when segment western\nA\n:::\n") if f.level == "must fix"]

    campaign = editions.read_definition(workspace.folder / "blocks.md")
    (condition,) = editions.newsletter(workspace, campaign, workspace.association(None)).conditions
    assert "state in region west" in condition


def test_a_merge_field_counts_only_those_who_see_it(workspace: Workspace) -> None:
    inside = "::: when renewal is present\nUntil {{ member.renewal }}\n:::\n"
    assert not [f for f in check(workspace, inside) if f.level == "must fix"]

    (finding,) = (f for f in check(workspace, "Until {{ member.renewal }}\n") if f.level == "must fix")
    assert "1 of 2 recipients" in finding.message
    other = "::: when state = WA\nA\n:::\n::: otherwise\nUntil {{ member.renewal }}\n:::\n"
    (finding,) = (f for f in check(workspace, other) if f.level == "must fix")
    assert finding.line == FIRST_LINE + 4
    assert "1 of 1 recipients" in finding.message


def test_a_preview_shows_what_each_member_gets(workspace: Workspace, tmp_path: Path) -> None:
    check(workspace, "::: when state = WA\nWestern words\n:::\n::: otherwise\nOther words\n:::\n")
    for address, words in (("ana@e.org", "Western words"), ("ben@e.org", "Other words")):
        preview.write(workspace, workspace.folder / "blocks.md", tmp_path / "p", address=address, association=None)
        for name in ("message.txt", "message.html", "message.eml"):
            text = (tmp_path / "p" / name).read_text()
            assert words in text
            assert text.count(" words") - text.count("first words") == text.count(words)
        entry = (tmp_path / "p" / "entry.xml").read_text()
        assert "Other words" in entry
        assert "Western words" not in entry


# --- pictures ---------------------------------------------------------------------------------


def test_mails_and_feeds_link_a_copy_that_is_made_once(workspace: Workspace, tmp_path: Path) -> None:
    save_picture(workspace, "photos/große tür.jpg")
    save_picture(workspace, "ana.jpg", size=(800, 600))
    body = "![A door](<photos/große tür.jpg>)\n\n::: person Ana\nphoto: ana.jpg\n:::\n"
    assert not [f for f in check(workspace, body) if "image" in f.message]

    folder = workspace.media_folder / pictures.FOLDER
    made = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(made) == 2
    preview.write(workspace, workspace.folder / "blocks.md", tmp_path / "p", address="ana@e.org", association=None)
    html, entry = (tmp_path / "p" / "message.html").read_text(), (tmp_path / "p" / "entry.xml").read_text()
    for name in made:
        assert f"/media/mail/{name}" in html
        assert f"/media/mail/{name}" in entry
    assert 'width="544" height="272"' in html
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == made


def test_a_picture_that_was_changed_is_another(workspace: Workspace) -> None:
    path = save_picture(workspace, "a.jpg")
    first = pictures.copy_of(workspace, path, portrait=False)
    save_picture(workspace, "a.jpg", size=(300, 100))
    second = pictures.copy_of(workspace, path, portrait=False)

    assert first.url != second.url
    assert (second.width, second.height) == (300, 100)


def test_pictures_that_can_not_be_used_are_named_at_their_lines(workspace: Workspace) -> None:
    (workspace.media_folder / "broken.jpg").write_bytes(b"no picture")
    save_picture(workspace, "modern.webp", "WEBP")
    body = "![a](missing.jpg)\n\n![b](broken.jpg)\n\n![c](modern.webp)\n\n::: person Ana\nphoto: gone.jpg\n:::\n"
    found = {f.line - FIRST_LINE: f for f in check(workspace, body) if "image" in f.message}

    assert {line: finding.level for line, finding in found.items()} == {
        0: "must fix",
        2: "must fix",
        4: "should fix",
        6: "must fix",
    }
    assert "broken" in found[2].message
    assert "JPEG or PNG" in found[4].hint


def test_no_link_leads_pictures_out_of_the_media_folder(workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "secret.jpg"
    outside.write_bytes(save_picture(workspace, "a.jpg").read_bytes())
    (workspace.media_folder / "link.jpg").symlink_to(outside)

    for src in ("link.jpg", "../workspace/comms.toml", "%2e%2e/secret.jpg", "a\0.jpg", "x" * 5_000):
        assert pictures.media_file(workspace, src) is None
