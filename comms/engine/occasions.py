"""The files for calendars that campaigns' events link to: where they lie, and what is in them."""

from __future__ import annotations

from comms import calendar
from comms.channels.markup import absolute_url
from comms.engine.editions import public_url, site_name
from comms.engine.sending import read_back
from comms.engine.variants import NEWSLETTER
from comms.engine.workspace import Workspace
from comms.errors import UsageError


def calendar_file(
    workspace: Workspace, association: str, campaign: str, number: int, variant: str = ""
) -> bytes | None:
    """The file of event `number` of a campaign as an association sent or published it; None when there is none.

    In the campaign's own language, or in that of a `variant`: calendars take it for the same event. It has
    the event's own address, or that of the campaign's page.
    """
    try:
        owner = workspace.association(association)
    except UsageError:
        return None
    row = workspace.host.campaign(campaign)
    if row is None or association not in row.senders:
        return None
    sent = workspace.ledger(association).run(campaign, NEWSLETTER) is not None
    if not sent and workspace.host.entry(association, campaign) is None:
        return None  # nobody has a link to it yet
    approved = read_back(row)
    if variant and variant not in approved.variants:
        return None
    approved = approved.variants.get(variant, approved)
    event = next((each for each, at in calendar.numbered_events(approved.blocks).items() if at == number), None)
    if event is None:
        return None
    url = absolute_url(event.url, "") if "{{" not in event.url else None
    return calendar.to_ics(
        event,
        uid=f"{number}.{campaign}.{association}@{site_name(workspace)}",
        url=url or public_url(workspace, approved, owner),
        stamp=row.created_at,
    )
