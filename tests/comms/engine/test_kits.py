"""Kits as associations get them: a ZIP that is whole, checked, and the same whenever it is made."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import icalendar
import pytest
from PIL import Image

from audiences.models import Association
from campaigns import definition
from campaigns.models import Campaign
from campaigns.slots import filled
from comms.engine.kits import Kit, make_kit, tool_named
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.kits.tools import TOOLS
from comms.preflight import markup

HOST = Association("coalition", "The Coalition", "news@coalition.test-site.org", "1 Main Street\nSpringfield")
LAKE = Association(
    "lakeland", "Lakeland Library Association", "news@lakeland.test-site.org", "1 Pier Road\nLakeland", language="es-MX"
)
SOURCE = """\
---
campaign: partner
title: The Coalition seeks a partner
language: en
newsletter:
  subject: "{{ member.first_name or 'Colleague' }}, could you host us?"
  preview: Proposals are welcome
feed:
  summary: The Coalition seeks a partner to help it grow in every state of the country.
social:
  x: "=Could you host us? {{ url }}"
  networks: [bluesky]
  mastodon: |
    We look for a partner.
    ---
    More here: {{ url }}
schedule:
  at: 2027-02-01 09:00
  timezone: America/Denver
relay:
  associations: all
  respond_by: 2027-01-25
---
# A partner for the next step

Dear {{ member.first_name or "colleague" }}, proposals from every state are welcome until the end of spring, and
questions before that. [The request](https://archives.library.org/rfp) has all conditions.

![Shelves in a reading room](Lesesaal%20%231.jpg)

::: person Ana Ruiz
photo: ana.png
role: Head of conservation
:::

::: event Questions and answers
start: 2027-06-14 09:00
timezone: America/Los_Angeles
place: Lakeland
link: https://archives.library.org/school
:::

::: event Second evening
start: 2027-07-14 19:00
end: 2027-07-14 21:00
timezone: America/Los_Angeles
:::

::: slot local "Local news"
Words of the association.
:::
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with create_workspace(tmp_path / "w", HOST) as workspace:
        workspace.add_association(LAKE)
        Image.new("RGB", (900, 600), "#884422").save(workspace.media_folder / "Lesesaal #1.jpg")
        Image.new("RGB", (300, 300), "#224488").save(workspace.media_folder / "ana.png")
        yield workspace


def campaign(source: str = SOURCE) -> Campaign:
    return definition.read(source)


def kit(workspace: Workspace, tool: str = "mailchimp", source: str = SOURCE) -> Kit:
    return make_kit(workspace, campaign(source), LAKE, TOOLS[tool])


def opened(made: Kit) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        assert archive.testzip() is None
        assert tuple(archive.namelist()) == made.files
        return {name: archive.read(name) for name in archive.namelist()}


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


@pytest.mark.parametrize("tool", TOOLS)
def test_a_kit_passes_the_checks_of_newsletters_and_keeps_its_tag(workspace: Workspace, tool: str) -> None:
    made = kit(workspace, tool)
    html = opened(made)["newsletter.html"].decode()

    assert made.ok
    assert {finding.rule for finding in made.findings} <= {"sender-example"}
    assert (TOOLS[tool].unsubscribe or "mailto:news@lakeland.test-site.org?subject=Unsubscribe") in markup.read(
        html
    ).links


def test_a_template_without_a_way_out_makes_no_good_kit(workspace: Workspace) -> None:
    (workspace.templates_folder / "bare.mjml").write_text(
        "<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    made = kit(workspace, source=SOURCE.replace("  preview:", "  template: bare\n  preview:"))

    assert not made.ok
    assert {"footer-unsubscribe", "footer-postal"} <= {finding.rule for finding in made.findings}


def test_the_same_kit_has_the_same_bytes_a_year_later(workspace: Workspace) -> None:
    first = kit(workspace)
    with Workspace(workspace.folder, clock=lambda: datetime(2028, 2, 1, tzinfo=UTC)) as later:
        assert kit(later).data == first.data
    assert kit(workspace, "listmonk").data != first.data


def test_pictures_come_with_their_words_and_the_address_that_the_mail_links(workspace: Workspace) -> None:
    files = opened(kit(workspace))
    table = rows(files["images.csv"])
    shown = re.findall(r'<img[^>]+src="([^"]+)"', files["newsletter.html"].decode())

    assert [(row["file"], row["alt text"]) for row in table] == [
        ("images/lesesaal-1.jpg", "Shelves in a reading room"),
        ("images/ana.png", "Ana Ruiz"),
    ]
    assert {row["address"] for row in table} == set(shown)
    for row in table:
        with Image.open(io.BytesIO(files[row["file"]])) as picture:
            picture.verify()


def test_posts_are_in_the_associations_name_and_no_cell_is_a_formula(workspace: Workspace) -> None:
    table = rows(opened(kit(workspace))["social.csv"])
    link = "http://127.0.0.1:8625/a/coalition/partner?utm_source=lakeland&utm_campaign=partner"

    assert [(row["network"], row["part"]) for row in table] == [
        ("x", "1"), ("mastodon", "1"), ("mastodon", "2"), ("bluesky", "1")
    ]  # fmt: skip
    assert table[0]["text"] == f"'=Could you host us? {link}"
    assert table[0]["link"] == link
    assert (table[0]["image"], table[0]["alt text"]) == ("images/lesesaal-1.jpg", "Shelves in a reading room")
    assert (table[1]["link"], table[2]["link"], table[2]["image"]) == ("", link, "")
    assert "seeks a partner to help it grow" in table[3]["text"]


def test_each_event_is_a_file_that_calendars_take(workspace: Workspace) -> None:
    files = opened(kit(workspace))
    events = [icalendar.Calendar.from_ical(files[name]).walk("VEVENT")[0] for name in ("event.ics", "event-2.ics")]

    assert [str(event["summary"]) for event in events] == ["Questions and answers", "Second evening"]
    assert str(events[0]["url"]) == "https://archives.library.org/school?utm_source=lakeland&utm_campaign=partner"
    assert "url" not in events[1]
    assert events[0]["uid"] != events[1]["uid"]


def test_the_guide_says_what_to_do_by_when_and_whom_to_ask(workspace: Workspace) -> None:
    guide = opened(kit(workspace))["guide.html"].decode()

    for words in ("Lakeland Library Association", "Mailchimp", "5 minutes", "30 minutes", "an hour", "January 25, 2027",
                  "February 1, 2027, 9:00", "news@coalition.test-site.org", "Paste in code", "social.csv",
                  "*|IF:FNAME|*"):  # fmt: skip
        assert words in guide.replace("\xa0", " "), words
    assert "<script" not in guide
    assert not re.search(r"\ssrc=|url\(|@import", guide)
    page = "http://127.0.0.1:8625/a/coalition/partner?utm_source=lakeland&amp;utm_campaign=partner"
    assert set(re.findall(r'href="(http[^"]+)"', guide)) == {page}


def test_what_people_wrote_is_text_in_the_guide(workspace: Workspace) -> None:
    title = "title: '<script>alert(1)</script> & more'"
    made = kit(workspace, source=SOURCE.replace("title: The Coalition seeks a partner", title))
    guide = opened(made)["guide.html"].decode()

    assert "<script" not in guide
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in guide


def test_the_association_gets_its_language_and_its_own_words_in_slots(workspace: Workspace) -> None:
    variant = "---\nnewsletter:\n  subject: Hola a todos\n---\n# Un socio\n\nQueremos saber de ustedes.\n"
    spanish = definition.read(f"{SOURCE}\x1ees\n{variant}")
    made = make_kit(workspace, spanish, LAKE, TOOLS["plain"])
    assert "Queremos saber" in opened(made)["newsletter.txt"].decode()

    ours = filled(campaign(), {"local": "We meet on **Friday**."})
    assert isinstance(ours, Campaign)
    text = opened(make_kit(workspace, ours, LAKE, TOOLS["plain"]))["newsletter.txt"].decode()
    assert "We meet on Friday." in text
    assert "Words of the association" not in text


def test_a_picture_that_is_missing_is_listed_by_its_address(workspace: Workspace) -> None:
    (workspace.media_folder / "ana.png").unlink()
    table = rows(opened(kit(workspace))["images.csv"])

    assert (table[1]["file"], table[1]["alt text"]) == ("", "Ana Ruiz")


def test_a_campaign_without_newsletter_or_a_tool_that_is_none_is_refused_with_words(workspace: Workspace) -> None:
    bare = replace(campaign(), newsletter=None)
    with pytest.raises(UsageError, match="no newsletter"):
        make_kit(workspace, bare, LAKE, TOOLS["plain"])
    with pytest.raises(UsageError, match="no tool is called"):
        tool_named("mail\x00chump")
