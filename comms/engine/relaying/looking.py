"""What somebody who answers for an association looks at: its edition as it would go out now. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from audiences.models import Association
from audiences.segments import RuleError
from campaigns import relay as rules
from campaigns.models import Campaign, RelayPart, Slot
from campaigns.relay import AGREED, ANSWERABLE, Adaptation, Difference, RelayState
from campaigns.relays import OfferRow, RelayRow, Step
from comms.engine import editions
from comms.engine.relaying import copying, making
from comms.engine.sending import Prepared
from comms.engine.workspace import Workspace
from comms.errors import CommsError
from comms.rendering.errors import TemplateError


@dataclass(frozen=True, slots=True)
class Place:
    """A slot of an offer, and what stands in it."""

    name: str
    purpose: str
    text: str
    """The association's own words, as Markdown; empty while the campaign's own stand there."""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """All that somebody who answers for an association has before them."""

    offer: OfferRow
    relay: RelayRow
    association: Association
    campaign: Campaign
    """As it is offered now."""
    host: str
    """Name of the coalition."""
    places: tuple[Place, ...]
    audience: int | None
    """How many members would get it; None while it can not be counted, as where they are in another tool."""
    obstacle: str
    """Why it can not be sent as it is; empty when it can."""
    fingerprint: str
    """Of what the preview shows; an acceptance names it."""
    at: datetime | None
    """When it goes out, by the association's clock; None for as soon as it is accepted."""
    due_at: datetime | None
    """The first moment of that."""
    subject: str
    change: Difference | None
    """What was changed since the association last looked; None when nothing was."""
    two_seats: bool
    own_tool: bool
    """The association sends it with a tool of its own: nothing goes out from here."""
    steps: tuple[Step, ...]
    preview: Prepared | None
    now: datetime
    """By the association's clock."""

    @property
    def part(self) -> RelayPart:
        assert self.campaign.relay is not None
        return self.campaign.relay

    @property
    def may_answer(self) -> bool:
        """Is there still something to say about it."""
        is_open = self.offer.state == "open" and self.relay.state in ANSWERABLE
        return is_open and not rules.is_over(self.part, self.now.date())

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "campaign": self.offer.campaign,
            "title": self.offer.title,
            "association": self.association.slug,
            "state": self.relay.state.value,
            "audience": self.audience,
            "obstacle": self.obstacle,
            "respond_by": self.part.respond_by.isoformat() if self.part.respond_by else None,
            "not_before": self.part.not_before.isoformat() if self.part.not_before else None,
            "not_after": self.part.not_after.isoformat() if self.part.not_after else None,
            "at": self.at.isoformat(timespec="minutes") if self.at else None,
            "timezone": self.association.timezone,
            "own_tool": self.own_tool,
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "slots": {place.name: place.text for place in self.places},
            "change": self.change.to_json() if self.change else None,
            "fingerprint": self.fingerprint,
            "steps": [
                {"at": step.at.isoformat(), "who": step.who, "state": step.state, "detail": step.detail}
                for step in self.steps
            ],
        }


def desk(workspace: Workspace, row: RelayRow) -> Desk:
    """What the association would send now, and everything that it has to know about it. Changes nothing."""
    offer = workspace.relays.offer(row.campaign)
    assert offer is not None, "there is a relay of it"
    campaign = making.offered(workspace, row.campaign, offer.version)
    association = workspace.association(row.association)
    ready, obstacle = prepared(workspace, row)
    elsewhere = sends_elsewhere(workspace, row)
    edition = ready.campaign if ready else None
    change = None
    if row.version != offer.version:
        change = rules.difference(making.offered(workspace, row.campaign, row.version), campaign, row.adaptation)
    return Desk(
        offer=offer,
        relay=row,
        association=association,
        campaign=campaign,
        host=editions.author_name(workspace, campaign),
        places=_places(campaign, row.adaptation),
        audience=copying.audience(workspace, ready.campaign, row.association) if ready and not elsewhere else None,
        obstacle=obstacle,
        fingerprint=making.seen(workspace, row, ready) if ready else "",
        at=edition.schedule.at if edition and edition.schedule else None,
        due_at=ready.due_at if ready else None,
        subject=edition.newsletter.subject if edition and edition.newsletter else "",
        change=change,
        two_seats=workspace.relays.rule(row.association).two_seats,
        own_tool=elsewhere,
        steps=tuple(workspace.relays.steps(row.id)),
        preview=ready,
        now=workspace.now().astimezone(ZoneInfo(association.timezone)),
    )


def sends_elsewhere(workspace: Workspace, row: RelayRow) -> bool:
    """Does the association send it with a tool of its own. What was accepted stays as it was accepted."""
    if row.state in AGREED:
        return row.state is RelayState.ACCEPTED
    return workspace.relays.rule(row.association).own_tool


def prepared(workspace: Workspace, row: RelayRow) -> tuple[Prepared | None, str]:
    """(the edition as it would be sent, why it can not be)."""
    campaign = making.current(workspace, row.campaign)
    for place in _places(campaign, row.adaptation):
        if place.problems:
            return None, f"{place.purpose or place.name}: {place.problems[0]}"
    try:
        return making.prepared(workspace, row, elsewhere=sends_elsewhere(workspace, row)), ""
    except (TemplateError, RuleError, CommsError) as error:
        return None, str(error)


def _places(campaign: Campaign, adaptation: Adaptation) -> tuple[Place, ...]:
    return tuple(_place(campaign, slot, adaptation) for slot in rules.open_places(campaign))


def _place(campaign: Campaign, slot: Slot, adaptation: Adaptation) -> Place:
    text = adaptation.texts.get(slot.name, "")
    found = rules.text_problems(campaign, {slot.name: text}) if text else ()
    return Place(slot.name, slot.purpose, text, tuple(f"line {p.line}: {p.message}; {p.hint}" for p in found))
