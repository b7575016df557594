"""A campaign under way in a workspace, with a queue in memory in the place of senders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiences.models import ANY_TOPIC, Association, Basis, Consent, ConsentState, Member
from campaigns import definition
from comms.delivery.batches import Outcome, Receipt, Report
from comms.engine import sending
from comms.engine.control import Control
from comms.engine.workspace import Workspace

HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")
CAMPAIGN = """\
---
campaign: sized
title: Sized
language: en
newsletter:
  subject: Hello
  preview: A preview
---

Dear reader.
"""


class ListQueue:
    """A queue in memory, with a sender's reports."""

    def __init__(self) -> None:
        self.work: list[Mapping[str, Any]] = []
        self.reports: list[Mapping[str, Any]] = []

    def put(self, work: Mapping[str, Any]) -> None:
        self.work.append(work)

    def waiting(self) -> int:
        return len(self.work)

    def take_reports(self) -> list[Mapping[str, Any]]:
        taken, self.reports = self.reports, []
        return taken

    def addresses(self) -> list[str]:
        """Of all that waits."""
        return [each[1] for batch in self.work for each in batch["recipients"]]

    def sizes(self) -> list[int]:
        return [len(batch["recipients"]) for batch in self.work]

    def answer(self, outcome: Outcome, code: int = 450, text: str = "later") -> None:
        """What a sender would say of all that waits."""
        for batch in self.work:
            receipts = tuple(Receipt(each[0], outcome, code, text) for each in batch["recipients"])
            self.reports.append(Report(batch["id"], HOST.slug, receipts).to_json())
        self.work.clear()


Scene = tuple[Workspace, Control, ListQueue]


def begin(workspace: Workspace, text: str = CAMPAIGN) -> Scene:
    """Send the campaign to everyone there is, two senders to keep busy."""
    prepared = sending.prepare(workspace, definition.read(text, path="sized.md"))
    sending.start(workspace, sending.approve(workspace, prepared, who="somebody"))
    workspace.journal_folder.mkdir(exist_ok=True)
    queue = ListQueue()
    return workspace, Control(workspace, queue, senders=2), queue


def add_members(workspace: Workspace, count: int, domain: str = "example.org") -> None:
    """All of them agreed to everything."""
    people, now = workspace.people(HOST.slug), workspace.now()
    with people.db.atomic():
        first = people.next_id()
        people.insert([Member(f"p{n}@{domain}", {}, id=n) for n in range(first, first + count)], now)
        yes = Consent(ANY_TOPIC, ConsentState.GRANTED, now, "test", Basis.EXPRESS)
        people.record([(n, yes) for n in range(first, first + count)], now)
