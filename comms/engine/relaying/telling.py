"""Figures of associations that send with tools of their own: taken down as they are told. Counts nothing itself."""

from __future__ import annotations

from campaigns.told import ToldFigures, ToldStore, problem
from comms.db import storage_errors
from comms.engine import collective, sending
from comms.engine.relaying import answering, making
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.events import CampaignState


def tell(workspace: Workspace, campaign: str, association: str, figures: ToldFigures, *, who: str) -> None:
    """Take down what an association says it sent, in place of what it said before.

    Raises UsageError for a campaign that was not offered to it and for numbers that can not be; StateError when the
    campaign is closed, and when the association sends it through this system, which counts by itself.
    """
    row = answering.find(workspace, campaign, association)
    fault = problem(figures)
    if fault:
        raise UsageError(f"these figures can not be: {fault}.", hint="Look at them again; nothing was taken down.")
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        offer = workspace.relays.offer(campaign)
        if collective.find(workspace, campaign) is not None or (offer is not None and offer.state == "closed"):
            raise StateError(
                f"{campaign} is closed, and its figures do not change any more.",
                hint=f"See: comms report {campaign} --collective.",
            )
        edition = making.campaign_row(workspace, row)
        if edition is not None and (
            edition.state != CampaignState.CANCELLED or sending.was_started(workspace, edition)
        ):
            raise StateError(
                f"{row.association} sends {campaign} through this system, which counts by itself.",
                hint=f"Figures of a sending from here: comms report {edition.id}.",
            )
        ToldStore(workspace.host.db).keep(campaign, row.association, figures, who, workspace.now())
        workspace.host.note(who, "figures told", campaign, row.association, workspace.now())
