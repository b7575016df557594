"""The files for calendars that campaigns' events link to: where they lie, and what is in them."""

from __future__ import annotations

from dataclasses import replace

from campaigns.models import Campaign, Event
from campaigns.store import CampaignRow, EntryRow
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

    In the campaign's own language, or in that of a `variant`: calendars take it for the same event. It has the event's
    own address, or that of the campaign's page, and says what a correction says. There is none for a campaign whose
    entry was withdrawn.
    """
    try:
        owner = workspace.association(association)
    except UsageError:
        return None
    row = workspace.host.campaign(campaign)
    if row is None or association not in row.senders:
        return None
    entry = workspace.host.entry(association, campaign)
    if entry is None and workspace.ledger(association).run(campaign, NEWSLETTER) is None:
        return None  # nobody has a link to it yet
    if entry is not None and entry.withdrawn is not None:
        return None
    said = _as_said(row, entry)
    if variant:
        found = said.variants.get(variant) or read_back(row).variants.get(variant)
        if found is None:
            return None
        said = found
    event = next((each for each, at in calendar.numbered_events(said.blocks).items() if at == number), None)
    if event is None:
        return None
    url = absolute_url(event.url, "") if "{{" not in event.url else None
    return calendar.to_ics(
        event,
        uid=f"{number}.{campaign}.{association}@{site_name(workspace)}",
        url=url or public_url(workspace, said, owner),
        stamp=entry.updated if entry is not None and entry.correction else row.created_at,
    )


def events(workspace: Workspace, entry: EntryRow) -> list[Event]:
    """The events that an entry tells of, as it says them now."""
    row = workspace.host.campaign(entry.campaign)
    return list(calendar.numbered_events(_as_said(row, entry).blocks)) if row is not None else []


def _as_said(row: CampaignRow, entry: EntryRow | None) -> Campaign:
    """The campaign as it was approved, or as it was corrected since."""
    if entry is not None and entry.correction:
        return read_back(replace(row, definition=entry.correction))
    return read_back(row)
