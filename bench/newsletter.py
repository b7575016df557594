"""The newsletter that is rendered and sent in the benches: 40 KB of HTML, 12 merge fields, 25 tracked links."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiences import attributes
from audiences.models import Association
from bench import people
from campaigns import definition
from comms.delivery.batches import MailBatch, Recipient
from comms.delivery.messages import list_id
from comms.rendering.compile import compile_edition
from comms.rendering.context import campaign_data
from comms.rendering.edition import Edition
from comms.rendering.library import TemplateLibrary

SITE = "https://news.coalition.example"
ASSOCIATION = Association(
    "coalition", "The Coalition", "news@coalition.example", "1 Main Street\nSpringfield, IL 62701"
)
FIELDS = (
    "first_name", "last_name", "organization", "sector", "state", "city", "zip", "population_served", "branches",
    "joined", "renewal", "membership_status",
)  # fmt: skip
STORIES, BUTTONS = 14, 11
LINKS = STORIES + BUTTONS
_HEAD = """---
campaign: spring-letter
title: What the spring brings
language: en
newsletter:
  subject: "{{ member.first_name or 'Colleague' }}, what the spring brings"
  preview: Grants, meetings and a new partner
---

# What the spring brings

"""
_WORDS = (
    "the library archive museum member coalition reading room collection visitor exhibition opening grant partner "
    "meeting volunteer catalogue shelf manuscript and of with for to new small every public regional open history"
).split()


@dataclass(frozen=True)
class Story:
    """One part of the newsletter; `field` is a merge field in Jinja, or a few words."""

    heading: str
    before: str
    field: str
    after: str
    address: str
    button: str


def stories() -> list[Story]:
    """The same each time."""
    draw = random.Random(3)
    return [
        Story(
            heading=_sentence(draw)[:40],
            before=_sentence(draw),
            field=_field(FIELDS[number]) if number < len(FIELDS) else "your house",
            after=_sentence(draw),
            address=f"https://www.example.org/news/2027/{number}",
            button=f"Register for number {number}" if number < BUTTONS else "",
        )
        for number in range(STORIES)
    ]


def write_campaign(path: Path) -> None:
    """The newsletter as a campaign file."""
    parts = []
    for each in stories():
        text = f"{each.before} This matters to {each.field}, and [the report]({each.address}/) says why. {each.after}"
        button = f"\n\n::: button {each.address}/register\n{each.button}\n:::" if each.button else ""
        parts.append(f"## {each.heading}\n\n{text}{button}")
    path.write_text(_HEAD + "\n\n---\n\n".join(parts) + "\n", encoding="utf-8")


def mjml() -> str:
    """Much the same as MJML with Jinja in it, for those who compile it anew for every reader."""
    parts = []
    for number, each in enumerate(stories()):
        link = f"{{{{ links.click }}}}/{number}"
        text = f'{each.before} This matters to {each.field}, and <a href="{link}">the report</a> says why. {each.after}'
        button = f'<mj-button href="{link}/register">{each.button}</mj-button>' if each.button else ""
        parts.append(
            f'<mj-text font-size="20px">{each.heading}</mj-text><mj-text>{text}</mj-text>{button}<mj-divider />'
        )
    sections = "".join(f"<mj-section><mj-column>{part}</mj-column></mj-section>" for part in parts)
    return f"<mjml><mj-body>{sections}</mj-body></mjml>"


def edition(path: Path) -> Edition:
    """The newsletter as `write_campaign` wrote it, compiled as for sending."""
    campaign = definition.read_file(path)
    return compile_edition(campaign, ASSOCIATION, TemplateLibrary().find("announcement"), media_url=f"{SITE}/media")


def batch(path: Path, members: int) -> MailBatch:
    """The newsletter for so many made-up readers, all of whom agreed to be tracked by name."""
    campaign = definition.read_file(path)
    return MailBatch(
        id="bench",
        run=1,
        association=ASSOCIATION,
        campaign=campaign_data(campaign),
        edition=edition(path).to_json(),
        list_id=list_id(ASSOCIATION, "coalition-news"),
        url="",
        site_url=SITE,
        smtp={},
        recipients=tuple(_readers(path.with_suffix(".csv"), members)),
        not_after=4e9,
    )


def _readers(path: Path, members: int) -> Iterator[Recipient]:
    people.write_csv(path, members)
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            values = {name: attributes.attribute_value(row[name]) for name in FIELDS}
            known = {name: value for name, value in values.items() if value is not None}
            yield Recipient(number, row["email"], None, attributes.encode(known), tracked=True)


def _field(name: str) -> str:
    return f'{{{{ member.{name} or "your {name.replace("_", " ")}" }}}}'


def _sentence(draw: random.Random) -> str:
    return f"{' '.join(draw.choices(_WORDS, k=16)).capitalize()}."
