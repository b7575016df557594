"""A workspace in which nothing is wrong, and a campaign in it in which nothing is, for tests that break one thing."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from PIL import Image

from audiences.models import ANY_TOPIC, Association, Basis, Brand, Consent, ConsentState, Member
from comms.engine import checking
from comms.engine.checking import Finding
from comms.engine.setup import POSTAL_PLACEHOLDER, create_workspace
from comms.engine.workspace import Workspace

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOST = Association(
    "coalition", "The Coalition", "news@coalition.org", "1 Main Street\nSpringfield", homepage="https://coalition.org/"
)
PALE = Association(
    "pale",
    "Pale Archives",
    "news@pale.org",
    "2 Main Street",
    brand=Brand(accent="#ffd54d"),
    homepage="https://pale.org/",
)
FREEMAIL = Association("volunteers", "The Volunteers", "the.volunteers@gmail.com", "3 Main Street")
RESERVED = Association("reserved", "Reserved Museum", "news@museum.example", "5 Main Street")
UNSET = Association("unset", "New Museum", "news@museum.org", POSTAL_PLACEHOLDER)
SILENT = Association("silent", "Silent Museum", "no-reply@silent.org", "4 Main Street", sender_name="news@silent.org")
MONDAYS = Association(
    "mondays",
    "Monday Museum",
    "news@monday.org",
    "6 Main Street",
    timezone="America/Chicago",
    send_window="Mon 08:00-18:00",
)

GOOD = """\
---
campaign: spring-school
title: Spring school for small archives
language: en
audience:
  topic: news
newsletter:
  subject: "{{ member.first_name or 'Colleague' }}, join the spring school"
  preview: Three days in May, free for members, in Springfield and online
  template: announcement
feed:
  summary: Three days in May for small archives, free for members.
social:
  mastodon: "Three days in May for small archives. {{ url }}"
schedule:
  at: 2027-04-01 09:00
  timezone: America/Chicago
---

# Spring school

Dear {{ member.first_name or "colleague" }}, for three days in May we mend maps, scan glass plates and talk about money.
Everyone who works in a small archive is welcome, whether paid or not.

## The programme

The first evening is Wednesday, 12 May 2027, and [the whole programme](https://coalition.org/spring/programme) is open.

![Two people mend a torn map at a long table](map.jpg)

::: event Opening evening
start: 2027-05-12 18:00
timezone: America/Chicago
place: Springfield Archives
:::

::: button https://coalition.org/spring/register?utm_source=newsletter
Register by 15 April
:::

### Where to stay

Write to [the office](mailto:office@coalition.org) and we find you a bed.
"""

TEMPLATE = """\
<mjml lang="{{ language }}">
  <mj-head><mj-title>{{ campaign.title }}</mj-title></mj-head>
  <mj-body>
    <mj-section><mj-column>
      {% for block in blocks %}{% if block.kind == "text" %}
      <mj-text>{% for span in block.spans %}{% if span.kind == "text" %}{{ span.text }}{% endif %}{% endfor %}</mj-text>
      {% endif %}{% endfor %}
      <!-- here -->
      <mj-text>{% for line in postal_lines %}{{ line }} {% endfor %}</mj-text>
      <mj-text><a href="{{ links.unsubscribe }}">{{ strings.unsubscribe }}</a></mj-text>
    </mj-column></mj-section>
  </mj-body>
</mjml>
"""
"""A template in which nothing is wrong; what stands for `<!-- here -->` may be."""

TEMPLATES = {
    "no-way-out": TEMPLATE.replace("{{ links.unsubscribe }}", "https://coalition.org/"),
    "no-post": TEMPLATE.replace("{% for line in postal_lines %}{{ line }} {% endfor %}", "The Coalition"),
    "no-language": TEMPLATE.replace(' lang="{{ language }}"', ' lang=""'),
    "grey": TEMPLATE.replace("<!-- here -->", '<mj-text color="#bbbbbb">Words in grey</mj-text>'),
    "pixel": TEMPLATE.replace(
        "<!-- here -->",
        '<mj-raw><img src="https://spy.org/p.gif" width="1" height="1" alt="" /></mj-raw>',
    ),
    "wordy": TEMPLATE.replace("<!-- here -->", f"<mj-text>{' '.join(f'word{n}' for n in range(400))}</mj-text>"),
    "own-link": TEMPLATE.replace("<!-- here -->", '<mj-text><a href="https://shop.org/">Our shop</a></mj-text>'),
    "plain": TEMPLATE,
}


@contextmanager
def good_workspace(folder: Path) -> Iterator[Workspace]:
    """The host and some associations with something to mend; Ana and Ben read the host's news."""
    with create_workspace(folder, HOST) as made:
        for association in (PALE, FREEMAIL, RESERVED, UNSET, SILENT, MONDAYS):
            made.add_association(association)
    for name, text in TEMPLATES.items():
        (folder / "templates" / f"{name}.mjml").write_text(text, encoding="utf-8")
    save_picture(folder / "media" / "map.jpg")
    (folder / "media" / "broken.jpg").write_bytes(b"no picture")
    with Workspace(
        folder, environment={"COMMS_SITE__URL": "https://news.coalition.org"}, clock=lambda: NOW
    ) as workspace:
        for association in workspace.associations():
            subscribe(workspace, association.slug)
        yield workspace


def subscribe(workspace: Workspace, association: str) -> None:
    people = workspace.people(association)
    with people.db.atomic():
        readers = {"ana": {"first_name": "Ana", "state": "WA"}, "ben": {"state": "NY"}}
        for number, (name, values) in enumerate(readers.items(), people.next_id()):
            people.note_attributes(values)
            people.insert([Member(f"{name}@readers.org", values, id=number)], NOW)
            people.record([(number, Consent(ANY_TOPIC, ConsentState.GRANTED, NOW, "form", Basis.EXPRESS))], NOW)


def save_picture(path: Path, *, noise: bool = False) -> None:
    """A picture; with `noise` one that no format makes small."""
    out = io.BytesIO()
    image = Image.effect_noise((1200, 900), 90) if noise else Image.linear_gradient("L").resize((600, 300))
    image.convert("RGB").save(out, "PNG" if noise else "JPEG")
    path.write_bytes(out.getvalue())


def check(workspace: Workspace, text: str, *senders: str) -> tuple[Finding, ...]:
    path = workspace.folder / "campaigns" / "checked.md"
    path.write_text(text, encoding="utf-8")
    return checking.check(workspace, path, senders).findings


def edited(*edits: tuple[str, str]) -> str:
    """The good campaign with each first text replaced by the second."""
    text = GOOD
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def line_of(text: str, marker: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if marker in line)
