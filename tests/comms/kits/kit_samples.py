"""A campaign with everything that a tool of somebody else could not answer, and a kit's mail of it."""

from __future__ import annotations

from audiences.models import Association
from campaigns import definition
from campaigns.models import Campaign
from comms.kits.mail import KitMail, kit_mail
from comms.kits.tools import Tool
from comms.rendering.library import TemplateLibrary
from comms.surroundings import NOTHING_AROUND, Surroundings

PAGE = "https://coalition.example/a/coalition/partner"
MEDIA = "https://coalition.example/media/"
SENDER = Association(
    "lakeland",
    "Lakeland Library Association",
    "news@lakeland.example",
    "1 Pier Road\nLakeland, WA 98001",
    homepage="https://lakeland.example",
)
SOURCE = """\
---
campaign: partner
title: A hosting partner
language: en
newsletter:
  subject: "{{ member.first_name or 'Colleague' }}, could you host us?"
  preview: Proposals are welcome
feed:
  summary: The Coalition seeks a partner.
social:
  x: "Could you host us? {{ url }}"
  mastodon: |
    We look for a partner.
    ---
    More here: {{ url }}
---
# A partner for the next step

Dear {{ member.first_name or "colleague" }}, proposals from every state are welcome until the end of spring, and
questions before that. [The request](https://archives.test-site.org/rfp?utm_source=own&a=1) has all conditions, and
[its page]({{ url }}) too. [Your file](https://archives.test-site.org/?for={{ member.address }}&b=2) is there as well.

![Shelves in a reading room](shelves.png)

::: button https://archives.test-site.org/rfp
Read the request
:::

::: when state = WA
Only in Washington
:::

::: otherwise
Everywhere else
:::

::: event Questions and answers
start: 2027-06-14 09:00
timezone: America/Los_Angeles
place: Lakeland
link: https://archives.test-site.org/school

Bring a hat.
:::

::: poll Which day suits you?
- Monday
- Friday
:::

::: slot local "Local news"
Words of the association.
:::

::: locked
Nobody changes this.
:::
"""


def campaign(source: str = SOURCE) -> Campaign:
    return definition.read(source)


def made(tool: Tool, source: str = SOURCE, *, sender: Association = SENDER, template: str = "announcement") -> KitMail:
    around = Surroundings(relayed_from="The Coalition") if source == SOURCE else NOTHING_AROUND
    found = TemplateLibrary().find(template)
    return kit_mail(campaign(source), sender, found, tool, url=PAGE, media_url=MEDIA, around=around)


def with_text(text: str, subject: str = "News") -> str:
    return f"---\ncampaign: c\ntitle: T\nlanguage: en\nnewsletter:\n  subject: {subject!r}\n---\n\n{text}\n"
