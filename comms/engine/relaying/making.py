"""The edition that an association relays: a campaign of its own, by its own name, at its own time."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import lru_cache
from types import MappingProxyType

from campaigns import definition, gathering
from campaigns.everyone import for_everyone
from campaigns.models import Campaign
from campaigns.relay import UNADAPTED, adapted, edition_id, fingerprint, kept
from campaigns.relays import RelayRow, VersionRow
from campaigns.store import CampaignRow
from comms.engine import sending
from comms.engine.sending import Prepared
from comms.engine.workspace import Workspace
from comms.errors import StateError
from comms.events import CampaignState


def offered(workspace: Workspace, campaign: str, version: int) -> Campaign:
    """The campaign as this version of the offer says it."""
    return _parsed(workspace.relays.version(campaign, version))


@lru_cache(maxsize=64)
def _parsed(row: VersionRow) -> Campaign:
    campaign = definition.read(row.definition, path=f"{row.campaign} (as offered)")
    return gathering.restored(campaign, row.gathered)


def current(workspace: Workspace, campaign: str) -> Campaign:
    """The campaign as it is offered now."""
    offer = workspace.relays.offer(campaign)
    assert offer is not None, "there is a relay of it"
    return offered(workspace, campaign, offer.version)


def edition(workspace: Workspace, row: RelayRow, campaign: Campaign | None = None) -> Campaign:
    """What the association would send now; of another version of the `campaign`, if one is given.

    Raises ValueError when its texts can not be used.
    """
    zone, topics = _terms(workspace, row.association)
    return adapted(
        campaign or current(workspace, row.campaign), row.association, row.adaptation, zone=zone, topics=topics
    )


def unadapted(workspace: Workspace, campaign: Campaign, association: str) -> Campaign:
    """What an association would send of a campaign if it changed nothing."""
    zone, topics = _terms(workspace, association)
    return adapted(campaign, association, UNADAPTED, zone=zone, topics=topics)


def for_own_tool(edition: Campaign) -> Campaign:
    """The same without rules about readers, whom nobody here knows where they are in another tool: in place of text for
    some of them stands what everyone may see, as in a kit."""
    variants = {tag: replace(each, blocks=for_everyone(each.blocks)) for tag, each in edition.variants.items()}
    return replace(
        edition,
        audience=replace(edition.audience, segment=None),
        blocks=for_everyone(edition.blocks),
        variants=MappingProxyType(variants),
    )


def prepared(workspace: Workspace, row: RelayRow, *, elsewhere: bool = False) -> Prepared:
    """The edition compiled, and its readers counted; `elsewhere`: as it is sent with a tool of the association's own.

    Raises TemplateError, RuleError, UsageError, ValueError.
    """
    campaign = edition(workspace, row)
    if elsewhere:
        campaign = for_own_tool(campaign)
    scheduled = campaign.schedule is not None
    return sending.prepare(workspace, campaign, [row.association], scheduled=scheduled, gathered=True)


def seen(workspace: Workspace, row: RelayRow, ready: Prepared) -> str:
    """What an acceptance is bound to: the texts, the compiled edition, and as whom it goes out."""
    return fingerprint(
        {
            "definition": ready.plan.definition,
            "texts": dict(row.adaptation.texts),
            "editions": sorted((channel, each.digest) for (_, channel), each in ready.newsletters.items()),
            "association": asdict(workspace.association(row.association)),
        }
    )


def write_down(workspace: Workspace, row: RelayRow, ready: Prepared) -> CampaignRow:
    """Put the edition on the schedule, or under way where it has no time. Expects to run inside `host.db.atomic()`.

    Raises StateError when it is under way already.
    """
    _refuse_begun(workspace, row)
    zone, topics = _terms(workspace, row.association)
    # What is stored is the offer's own definition: what the association made of it stands beside it.
    base = replace(
        ready, campaign=replace(current(workspace, row.campaign), id=edition_id(row.campaign, row.association))
    )
    return sending.write_down(
        workspace.host,
        base,
        CampaignState.SCHEDULED if ready.due_at else CampaignState.SENDING,
        workspace.now(),
        relay_of=row.campaign,
        adaptation=kept(row.association, row.adaptation, zone=zone, topics=topics),
    )


def call_off(workspace: Workspace, row: RelayRow) -> None:
    """Take the edition off the schedule. Expects to run inside `host.db.atomic()`. Raises StateError when it is under
    way already."""
    _refuse_begun(workspace, row)
    name = edition_id(row.campaign, row.association)
    was = (CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED)
    workspace.host.set_state(name, CampaignState.CANCELLED, workspace.now(), was=was)


def _refuse_begun(workspace: Workspace, row: RelayRow) -> None:
    edition = campaign_row(workspace, row)
    if edition is not None and sending.was_started(workspace, edition):
        raise StateError(
            f"{row.campaign} is being sent by {row.association}, or was.",
            hint=f"What is not out yet can be held: comms campaign pause {edition.id}.",
        )


def campaign_row(workspace: Workspace, row: RelayRow) -> CampaignRow | None:
    """The edition among the campaigns; None before it was accepted."""
    return workspace.host.campaign(edition_id(row.campaign, row.association))


def _terms(workspace: Workspace, slug: str) -> tuple[str, tuple[str, ...]]:
    topics = tuple(sorted(topic.slug for topic in workspace.people(slug).topics()))
    return workspace.association(slug).timezone, topics
