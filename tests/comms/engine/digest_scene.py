"""A daily digest by topics in a workspace: members, items of feeds as if they had been read, and days that go by."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from control_scene import HOST, ListQueue

from audiences.choices import Choices
from audiences.models import Basis, Consent, ConsentState, Frequency, Member, Topic
from campaigns import definition
from campaigns.sources import ItemRow
from comms.delivery.batches import MailBatch, Outcome, Recipient, from_json
from comms.delivery.messages import MessageMaker
from comms.engine import sending, series, sources
from comms.engine.control import Control
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace
from comms.rendering.edition import Edition
from comms.rendering.render import Rendered, Renderer

START = datetime(2027, 2, 1, 12, tzinfo=UTC)
DIGEST = """\
---
campaign: reading
title: What is new
language: en
newsletter:
  subject: What is new
  template: digest
schedule:
  at: 2027-02-02 09:00
  timezone: UTC
  repeat: daily
---

# What is new

::: feed museum
topic: museums
since: last

## From the museum
:::

::: feed library
topic: libraries
since: last

## From the library
:::

::: feed own
topic: jobs
since: last

## Jobs with us
:::
"""
ENTRY = """\
---
campaign: {id}
title: {title}
language: en
audience:
  topic: {topic}
feed:
  summary: About {title}.
---

Words.
"""


class DigestScene:
    """Who follows what: `ana` all three topics, `ben` museums, `cas` libraries, `dan` a topic that no digest has."""

    def __init__(self, folder: Path, text: str = DIGEST) -> None:
        create_workspace(folder, HOST).close()
        self.now, self.queue = START, ListQueue()
        self.workspace = Workspace(folder, environment={}, clock=lambda: self.now)
        self.workspace.journal_folder.mkdir(exist_ok=True)
        self.control = Control(self.workspace, self.queue, senders=2)
        for topic in ("museums", "libraries", "jobs", "other"):
            self.workspace.add_topic(HOST.slug, Topic(topic, topic.title()))
        for name in ("museum", "library"):
            sources.add(self.workspace, f"https://{name}.org/feed", name=name, who="test")
        self.members = {
            name: self.add_member(name, *topics)
            for name, topics in {
                "ana": ("museums", "libraries", "jobs"),
                "ben": ("museums",),
                "cas": ("libraries",),
                "dan": ("other",),
            }.items()
        }
        self.text = text

    def add_member(self, name: str, *topics: str) -> Member:
        people = self.workspace.people(HOST.slug)
        with people.db.atomic():
            member = Member(f"{name}@example.org", {}, id=people.next_id())
            people.insert([member], self.now)
        for topic in topics:
            self.consent(member, topic, ConsentState.GRANTED)
        return member

    def consent(self, member: Member, topic: str, state: ConsentState) -> None:
        people, basis = self.workspace.people(HOST.slug), Basis.EXPRESS if state == ConsentState.GRANTED else None
        assert member.id is not None
        with people.db.atomic():
            people.record([(member.id, Consent(topic, state, self.now, "test", basis))], self.now)

    def wants(self, name: str, topic: str, frequency: Frequency) -> None:
        choices, member = Choices(self.workspace.association_db(HOST.slug)), self.members[name].id
        assert member is not None
        with choices.db.atomic():
            choices.choose_frequency(member, topic, frequency)

    def put(self, name: str, *titles: str) -> None:
        """Items as if they had been read now, the first the latest."""
        source = sources.find(self.workspace, name)
        items = [
            ItemRow(name, title, title, f"https://{name}.org/{title}", f"About {title}.", "",
                    self.now - timedelta(seconds=n), self.now, None)
            for n, title in enumerate(titles)
        ]  # fmt: skip
        with self.workspace.host.db.atomic():
            sources.store(self.workspace).take(source.id, items, self.now)

    def publish(self, campaign: str, title: str, topic: str) -> None:
        """An entry of the association's own."""
        text = ENTRY.format(id=campaign, title=title, topic=topic)
        row = sending.approve(self.workspace, sending.prepare(self.workspace, definition.read(text)), who="test")
        sending.start(self.workspace, row)

    def approve(self) -> series.Forecast:
        forecast = series.prepare(self.workspace, definition.read(self.text))
        series.approve(self.workspace, forecast, who="test")
        return forecast

    def day(self, number: int) -> dict[str, set[str]]:
        """Go to nine o'clock on that day of February, and let what is due go out: who got which items."""
        self.now = datetime(2027, 2, number, 9, tzinfo=UTC)
        self.control._recovered_at = float("-inf")
        got: dict[str, set[str]] = {}
        while self.control.step():
            for recipient, rendered in self.waiting():
                name = recipient.address.partition("@")[0]
                assert name not in got, "one mail per member"
                got[name] = shown(rendered)
            self.queue.answer(Outcome.ACCEPTED, 250, "ok")
        return got

    def waiting(self) -> list[tuple[Recipient, Rendered]]:
        """What a sender would make of all that waits."""
        return [
            (recipient, MessageMaker(batch, Renderer(edition), self.workspace.links).rendered(recipient))
            for work in self.queue.work
            if isinstance(batch := from_json(work), MailBatch)
            for edition in [Edition.from_json(batch.edition)]
            for recipient in batch.recipients
        ]

    def left_out(self) -> list[str]:
        """Why occurrences were, oldest first."""
        audit = self.workspace.host.audit("reading")
        return [detail.partition(": ")[2] for _, _, what, detail in audit if what == series.SKIPPED]


def shown(rendered: Rendered) -> set[str]:
    """The items that a mail shows, which HTML and text must agree on."""
    titles = set(re.findall(r"About (\w+)\.", rendered.html))
    assert titles == set(re.findall(r"About (\w+)\.", rendered.text))
    return titles
