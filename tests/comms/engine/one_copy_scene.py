"""What the tests of one copy for each person share: senders with bad days, and what became of everybody in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from relay_scene import Scene, Senders

from audiences.models import Member
from campaigns.relay import RelayState
from comms.delivery.batches import Outcome, Receipt, Report
from comms.engine.relaying import answering, seating
from comms.engine.workspace import Workspace
from comms.errors import StateError

OFFER = """\
---
campaign: partner
title: We seek a partner
language: en
newsletter:
  subject: Could you host us?
  preview: Proposals are welcome
relay:
  associations: all
---

Dear colleague, the Coalition seeks a partner.
"""


@dataclass
class MoodySenders(Senders):
    """Senders that answer one batch after the other, each association's as its mail server feels."""

    moods: dict[str, Outcome] = field(default_factory=dict)
    doubted: list[str] = field(default_factory=list)
    """Addresses whose answer was lost, once for each time."""

    def __post_init__(self) -> None:
        super().__init__()

    def answer(self, most: int = 1_000) -> None:
        for batch in self.work[:most]:
            if batch["kind"] == "letter":
                receipts = (Receipt(batch["letter"], Outcome.ACCEPTED, 250, "ok"),)
                self.reports.append(Report(batch["id"], batch["association"], receipts).to_json())
            elif batch["kind"] == "mail":
                slug = batch["association"]["slug"]
                receipts = tuple(self._receipt(slug, each[0], each[1]) for each in batch["recipients"])
                self.reports.append(Report(batch["id"], slug, receipts).to_json())
        del self.work[:most]

    def _receipt(self, slug: str, delivery: int, address: str) -> Receipt:
        mood = self.moods.get(slug, Outcome.ACCEPTED)
        if mood in (Outcome.ACCEPTED, Outcome.UNKNOWN):
            self.got.append((slug, address))
        if mood is Outcome.UNKNOWN:
            self.doubted.append(address)
        code = {Outcome.ACCEPTED: 250, Outcome.DEFERRED: 450, Outcome.REJECTED: 550}.get(mood, 0)
        return Receipt(delivery, mood, code, mood.value)


def accept(scene: Scene, slug: str) -> None:
    row = answering.find(scene.workspace, "partner", slug)
    answering.accept(scene.workspace, row, who="Luis", seat=seating.seats(scene.workspace, slug)[0])


def try_to_accept(scene: Scene, slug: str) -> None:
    if answering.find(scene.workspace, "partner", slug).state is not RelayState.WITHDRAWN:
        try:
            accept(scene, slug)
        except StateError:
            return


def move(workspace: Workspace, slug: str, address: str, new: str) -> bool:
    """Somebody has another address now; False where that is not possible."""
    people, now = workspace.people(slug), workspace.now()
    member = people.find(address)
    if member is None or people.find(new) is not None:
        return False
    with people.db.atomic():
        people.update([Member(new, dict(member.attributes), id=member.id)], now)
    return True


def rounds(scene: Scene, number: int = 8, step: timedelta = timedelta(minutes=20)) -> None:
    for _ in range(number):
        scene.work()
        scene.now += step
