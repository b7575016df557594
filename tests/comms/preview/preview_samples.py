"""A workspace with two associations and a newsletter, to preview."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from audiences.models import ANY_TOPIC, Basis, Consent, ConsentState, Member
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from tests.support.template_gallery import association, drawn

NOW = datetime(2027, 1, 1, tzinfo=UTC)
CAMPAIGN = """\
---
campaign: spring
title: Spring news
language: en
{extra}
newsletter:
  subject: "Spring, {{{{ member.first_name or 'dear reader' }}}}"
  preview: What is new
feed:
  summary: It is spring.
social:
  mastodon: "It is spring. {{{{ url }}}}"
---

# Spring

Dear {{{{ member.first_name or "colleague" }}}}, you came {{{{ member.visits or 0 }}}} times.

![The reading room](reading-room.jpg)

{text}
"""


def office(folder: Path) -> Workspace:
    """The host with Ana, and the league with Ben."""
    workspace = create_workspace(folder / "workspace", association(sender_address="news@coalition.org"))
    (workspace.media_folder / "reading-room.jpg").write_bytes(drawn("reading-room.jpg"))
    workspace.add_association(association(slug="league", name="The League", sender_address="news@league.org"))
    for slug, address, name in (("coalition", "ana@archives.org", "Ana"), ("league", "ben@museum.org", "Ben")):
        people = workspace.people(slug)
        consent = Consent(ANY_TOPIC, ConsentState.GRANTED, NOW, "test", Basis.EXPRESS)
        with people.db.atomic():
            people.insert([Member(address, {"first_name": name, "visits": 3}, id=1)], NOW)
            people.record([(1, consent)], NOW)
            people.note_attributes(["first_name", "visits"])
    return workspace


def campaign(workspace: Workspace, text: str = "The end.", extra: str = "tags: [news]") -> Path:
    path = workspace.folder / "campaigns" / "spring.md"
    path.write_text(CAMPAIGN.format(text=text, extra=extra), encoding="utf-8")
    return path
