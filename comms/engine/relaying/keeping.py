"""What control does about relays: where editions stand, reminders, last days, closes. Each step can be done again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import structlog

from campaigns import relay as rules
from campaigns.relay import UNANSWERED, RelayState
from campaigns.relays import OfferRow, RelayRow
from campaigns.store import CampaignRow
from comms.engine.relaying import closing, correcting, letters, making
from comms.engine.workspace import Workspace
from comms.events import CampaignState

log = structlog.get_logger(__name__)

FOLLOWS = {
    CampaignState.SCHEDULED: RelayState.SCHEDULED,
    CampaignState.SENDING: RelayState.SENDING,
    CampaignState.PAUSED: RelayState.SENDING,
    CampaignState.SENT: RelayState.SENT,
}
"""Where a relay stands while its edition is on its way."""
PATIENCE = timedelta(minutes=5)
"""Whoever offers, corrects or recalls something has told everybody within so long, or never will."""


def keep(workspace: Workspace) -> None:
    """Do what is due for every offer that is not closed."""
    for offer in workspace.relays.untold():
        if workspace.now() - offer.updated_at >= PATIENCE:
            correcting.catch_up(workspace, offer)
    for offer in workspace.relays.unfinished():
        if offer.state == "open":
            for row in workspace.relays.relays(offer.campaign):
                _follow(workspace, row)
                _mind_days(workspace, offer, row)
        closing.close_if_due(workspace, offer)


def _follow(workspace: Workspace, row: RelayRow) -> None:
    """Let the relay stand where its edition stands."""
    if row.state not in (RelayState.SCHEDULED, RelayState.SENDING):
        return
    edition = making.campaign_row(workspace, row)
    state = FOLLOWS.get(CampaignState(edition.state)) if edition else None
    if state is None or state is row.state or not rules.may_become(row.state, state):
        return
    _move(workspace, row, state, _told(edition))


def _told(edition: CampaignRow | None) -> str:
    return edition.reason if edition else ""


def _mind_days(workspace: Workspace, offer: OfferRow, row: RelayRow) -> None:
    """Remind who has not answered, and end the time of who never did."""
    if row.state not in UNANSWERED:
        return
    campaign = making.offered(workspace, offer.campaign, offer.version)
    part = campaign.relay
    assert part is not None, "it is offered"
    zone = ZoneInfo(workspace.association(row.association).timezone)
    today = workspace.now().astimezone(zone).date()
    if rules.has_expired(part, today) or rules.is_over(part, today):
        _move(workspace, row, RelayState.EXPIRED, "nobody answered in time")
        return
    days = rules.reminder_due(part, today, row.offered_at.astimezone(zone).date(), row.reminded)
    if days is None:
        return
    reminded = replace(row, reminded=(*row.reminded, *(each for each in rules.REMINDERS if each >= days)))
    with workspace.host.db.atomic():
        if not workspace.relays.save_relay(reminded, was=row, now=row.updated_at):
            return
    assert part.respond_by is not None
    letters.remind(workspace, row, campaign, (part.respond_by - today).days)


def _move(workspace: Workspace, row: RelayRow, state: RelayState, detail: str) -> None:
    now = workspace.now()
    with workspace.host.db.atomic():
        if workspace.relays.save_relay(replace(row, state=state), was=row, now=now):
            workspace.relays.add_step(row.id, "comms", state.value, detail, now)
            log.info("relay", campaign=row.campaign, association=row.association, state=state.value)
