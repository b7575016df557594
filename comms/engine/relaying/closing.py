"""The close of an offer: nothing goes out any more, its figures are frozen, and who has whom is forgotten."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from campaigns.relay import UNANSWERED, RelayState
from campaigns.relays import OfferRow
from campaigns.told import ToldStore
from comms.db import storage_errors
from comms.engagement.collective import CollectiveReport
from comms.engine import collective
from comms.engine.relaying import copying, correcting, counting, figures, making, sharing
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.events import CampaignState

log = structlog.get_logger(__name__)

CLOSES_AFTER = timedelta(days=14)
"""After the last day to send: by then nearly all have clicked and answered who ever will."""
UNDER_WAY = frozenset({CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED})


@dataclass(frozen=True, slots=True)
class Closing:
    """What closing an offer would mean. It tells no count of people: there is one report of them, and it is frozen."""

    campaign: str
    title: str
    sent: tuple[str, ...]
    """Associations that sent it, or begun to, from here."""
    told: tuple[str, ...]
    """Those that told what they sent with tools of their own."""
    unanswered: tuple[str, ...]
    """Those that said nothing yet, and can not any more."""
    silent: tuple[str, ...]
    """Those that said yes, send with a tool of their own, and told no figures yet."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def plan(workspace: Workspace, campaign: str) -> Closing:
    """What the close would mean; changes nothing.

    Raises UsageError for a campaign that was not offered, StateError for one that is closed, or still on its way.
    """
    offer = correcting.find(workspace, campaign)
    _refuse(workspace, offer)
    rows = workspace.relays.relays(campaign)
    told = ToldStore(workspace.host.db).of(campaign)

    def in_states(*states: RelayState) -> tuple[str, ...]:
        return tuple(row.association for row in rows if row.state in states and row.association not in told)

    return Closing(
        campaign,
        offer.title,
        in_states(RelayState.SENDING, RelayState.SENT),
        tuple(told),
        in_states(*UNANSWERED),
        tuple(row.association for row in rows if row.association not in told and figures.is_asked(workspace, row)),
    )


def close(workspace: Workspace, campaign: str, *, who: str) -> CollectiveReport:
    """Close an offer for good, and freeze what it came to. Can be done again where a crash came between.

    Raises what `plan` does, and StorageError.
    """
    host, store, now = workspace.host, workspace.relays, workspace.now()
    with storage_errors(workspace.host_path), host.db.atomic():
        offer = correcting.find(workspace, campaign)
        _refuse(workspace, offer)
        if offer.state == "open":
            store.save_offer(replace(offer, state="closed", updated_at=now))
            host.note(who, "offer closed", campaign, "", now)
        for row in store.relays(campaign):
            if row.state in UNANSWERED and store.save_relay(replace(row, state=RelayState.EXPIRED), was=row, now=now):
                store.add_step(row.id, who, RelayState.EXPIRED.value, "the offer was closed", now)
    # From here on nobody can take part any more, so what is counted stays as it is.
    found = counting.counted(workspace, campaign)
    report = collective.freeze(
        workspace, found.rows, campaign=campaign, title=offer.title, people=found.people, who=who
    )
    with storage_errors(workspace.host_path), host.db.atomic():
        fresh = correcting.find(workspace, campaign)
        store.save_offer(replace(fresh, figures=sharing.kept(found.already_reached)))
    copying.forget(workspace, campaign)
    return report


def close_if_due(workspace: Workspace, offer: OfferRow) -> None:
    """Close an offer by itself some time after its last day to send, or end a close that a crash interrupted.

    One without a last day, or of which something is still on its way, stays open until somebody closes it.
    """
    if offer.state != "closed":
        part = making.offered(workspace, offer.campaign, offer.version).relay
        assert part is not None, "it is offered"
        today = workspace.now().astimezone(ZoneInfo(workspace.association(None).timezone)).date()
        if part.not_after is None or today <= part.not_after + CLOSES_AFTER:
            return
    try:
        close(workspace, offer.campaign, who="comms")
    except StateError:
        return
    log.info("offer closed", campaign=offer.campaign)


def _refuse(workspace: Workspace, offer: OfferRow) -> None:
    if offer.figures:
        raise StateError(
            f"{offer.campaign} is closed.", hint=f"What it came to: comms report {offer.campaign} --collective."
        )
    own = workspace.host.campaign(offer.campaign)
    rows = [*workspace.host.editions_of(offer.campaign), *([own] if own else [])]
    busy = [row.id for row in rows if row.state in UNDER_WAY]
    if busy:
        raise StateError(
            f"{', '.join(busy)} {'is' if len(busy) == 1 else 'are'} still to be sent, or being sent.",
            hint="Wait until that is done: associations with members in common wait for each other. Or take it off with"
            " comms campaign cancel, and close then.",
        )
