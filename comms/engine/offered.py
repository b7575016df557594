"""Whether a campaign may be sent as it is, or is one that associations send by an offer alone."""

from __future__ import annotations

from collections.abc import Iterable

from audiences.models import Association
from campaigns.models import Campaign
from comms.engine import editions
from comms.engine.workspace import Workspace
from comms.errors import StateError

_STATES = {"recalled": "was recalled", "closed": "is closed"}


def require_own(workspace: Workspace, campaign: Campaign, senders: Iterable[Association]) -> None:
    """Raises StateError for senders of whom it is not their own campaign, if it is one that is offered: it went past
    their answer, past a recall, and past who wants nothing relayed. For its author, too, once the offer is over."""
    offer = workspace.relays.offer(campaign.id)
    if offer is None and campaign.relay is None:
        return
    if offer is not None and offer.state in _STATES:
        raise StateError(
            f"the offer of {campaign.id} {_STATES[offer.state]}: nobody sends it any more.",
            hint="For a new message choose a new id in the `campaign:` line.",
        )
    for sender in senders:
        if not editions.is_own(workspace, campaign, sender):
            raise StateError(
                f"{sender.slug} sends {campaign.id} as an offer only: once it has accepted, under its own name, and not"
                " to those who want nothing relayed.",
                hint=_way(workspace, campaign.id, sender.slug),
            )


def _way(workspace: Workspace, campaign: str, slug: str) -> str:
    if workspace.relays.relay(campaign, slug) is not None:
        return f"To accept for it: comms relay accept {campaign} --association {slug}; its state: comms relay show."
    if workspace.relays.offer(campaign) is not None:
        return f"It was not offered to {slug}. For a campaign of {slug}'s own choose a new id, without `relay:`."
    return "Offer it first: comms relay offer FILE. For a campaign of its own take `relay:` out."
