"""A coalition whose associations share people, a campaign that is offered to them, and a clock that can be moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from audiences.models import ANY_TOPIC, Association, Basis, Consent, ConsentState, Member
from campaigns import definition
from comms.delivery.batches import Outcome, Receipt, Report
from comms.engine.control import Control
from comms.engine.relaying import offering, seating
from comms.engine.setup import create_workspace
from comms.engine.workspace import Workspace

HOST = Association("coalition", "The Coalition", "news@coalition.example", "1 Main Street, Springfield")
AT_ONCE = """\
---
campaign: partner
title: We seek a partner
language: en
newsletter:
  subject: Could you host us?
relay:
  associations: all
---

Dear colleague, the Coalition seeks a partner.
"""
"""Goes out as soon as it is accepted."""
OFFER = """\
---
campaign: partner
title: We seek a partner
language: en
newsletter:
  subject: Could you host us?
  preview: Proposals are welcome
feed:
  summary: The Coalition seeks a partner.
schedule:
  at: 2027-02-01 09:00
  timezone: UTC
relay:
  associations: all
  respond_by: 2027-01-25
  not_before: 2027-01-28
  not_after: 2027-02-10
---

# A partner for the next step

Dear colleague, the Coalition seeks a partner.

::: slot near-you "What does this mean where you are?"
Ask us about it.
:::

The deadline is 1 March.
"""
SLOWLY = timedelta(hours=3, minutes=1)
"""So long before the end of a stretch of work time passes in small steps."""
START = datetime(2027, 1, 10, 12, tzinfo=UTC)


class Senders:
    """A queue in memory, and senders that answer as they are told to."""

    def __init__(self) -> None:
        self.work: list[Mapping[str, Any]] = []
        self.reports: list[Mapping[str, Any]] = []
        self.got: list[tuple[str, str]] = []
        """(association, address) of every mail that was taken."""
        self.refused: set[tuple[str, str]] = set()
        """Of whom the server says that the mailbox does not exist, when it comes from this association."""

    def put(self, work: Mapping[str, Any]) -> None:
        self.work.append(work)

    def waiting(self) -> int:
        return len(self.work)

    def take_reports(self) -> list[Mapping[str, Any]]:
        taken, self.reports = self.reports, []
        return taken

    def answer(self) -> None:
        for batch in self.work:
            if batch["kind"] == "mail":
                slug = batch["association"]["slug"]
                receipts = tuple(self._receipt(slug, each[0], each[1]) for each in batch["recipients"])
                self.reports.append(Report(batch["id"], slug, receipts).to_json())
            elif batch["kind"] == "letter":
                receipt = Receipt(batch["letter"], Outcome.ACCEPTED, 250, "ok")
                self.reports.append(Report(batch["id"], batch["association"], (receipt,)).to_json())
        self.work.clear()

    def _receipt(self, slug: str, delivery: int, address: str) -> Receipt:
        if (slug, address) in self.refused:
            return Receipt(delivery, Outcome.REJECTED, 550, "no such user")
        self.got.append((slug, address))
        return Receipt(delivery, Outcome.ACCEPTED, 250, "ok")

    def copies(self) -> Counter[str]:
        """Address -> how many copies it got."""
        return Counter(address for _, address in self.got)


@dataclass
class Scene:
    workspace: Workspace
    senders: Senders = field(default_factory=Senders)
    now: datetime = START

    def __post_init__(self) -> None:
        self.workspace.now = lambda: self.now
        self.workspace.journal_folder.mkdir(exist_ok=True)
        self.control = Control(self.workspace, self.senders, senders=2)

    def offer(self, text: str = OFFER) -> None:
        offering.offer(self.workspace, offering.plan(self.workspace, definition.read(text)), who="dana")

    def work(self, *, until: datetime | None = None) -> None:
        """Let control and senders work until nothing moves; with a moment, again and again until that has come."""
        self._settle()
        while until is not None and self.now < until:
            step = timedelta(hours=12) if until - self.now > SLOWLY else timedelta(minutes=10)
            self.now = min(until, self.now + step)
            self._settle()

    def _settle(self) -> None:
        """Two rounds: who waits for another association looks again after some seconds."""
        for _ in range(2):
            for _ in range(200):
                self.control._recovered_at = float("-inf")  # what is done once a second is due
                moved = self.control.step()
                self.senders.answer()
                if not moved and not self.senders.reports:
                    break
            self.now += timedelta(seconds=20)

    def restart(self) -> None:
        """Another control process goes on."""
        self.control = Control(self.workspace, self.senders, senders=2)


def association(slug: str, **values: Any) -> Association:
    return Association(slug, f"{slug.title()} Libraries", f"news@{slug}.example", f"1 High Street, {slug}", **values)


def scene_of(folder: Path, members: Mapping[str, Iterable[str]], *, moment: datetime = START) -> Scene:
    """A workspace with these associations (slug -> addresses of its members), each with one seat."""
    create_workspace(folder, HOST).close()
    workspace = Workspace(folder, clock=lambda: moment)
    for slug, addresses in members.items():
        if slug != HOST.slug:
            workspace.add_association(association(slug))
            seating.add(workspace, slug, f"Luis of {slug}", f"luis@{slug}.example")
        add_members(workspace, slug, addresses)
    return Scene(workspace, now=moment)


def add_members(workspace: Workspace, slug: str, addresses: Iterable[str]) -> None:
    """All of them agreed to everything."""
    people, now = workspace.people(slug), workspace.now()
    with people.db.atomic():
        first = people.next_id()
        found = [Member(address, {}, id=first + n) for n, address in enumerate(addresses)]
        people.insert(found, now)
        yes = Consent(ANY_TOPIC, ConsentState.GRANTED, now, "test", Basis.EXPRESS)
        people.record([(member.id or 0, yes) for member in found], now)


MakeScene = Callable[[Mapping[str, Iterable[str]]], Scene]
