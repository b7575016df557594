"""Takes down the figures of associations that send with tools of their own, for commands and pages. Counts nothing."""

from __future__ import annotations

from collections.abc import Mapping

from campaigns.figures import ToldFigures
from campaigns.told import ToldStore
from comms.db import storage_errors
from comms.engine.relaying import answering, figures
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError


def tell(
    workspace: Workspace, campaign: str, association: str, told: ToldFigures, *, who: str, how: str = "by command"
) -> None:
    """Take down what an association says it sent, in place of what it said before.

    Raises UsageError for a campaign that was not offered to it and for numbers that can not be; StateError when the
    campaign is closed, and when the association sends it through this system, which counts by itself.
    """
    tell_all(workspace, campaign, {association: told}, who=who, how=how)


def tell_all(workspace: Workspace, campaign: str, told: Mapping[str, ToldFigures], *, who: str, how: str) -> None:
    """The same for several associations (slug -> figures): all of them, or none. Raises what `tell` does."""
    rows = {slug: answering.find(workspace, campaign, slug) for slug in told}
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        for slug, row in rows.items():
            figures.refuse(workspace, row, told[slug])
            figures.keep(workspace, row, told[slug], who=who, how=how)


def check(workspace: Workspace, campaign: str, association: str, told: ToldFigures) -> None:
    """Raises what `tell` would; changes nothing."""
    figures.refuse(workspace, answering.find(workspace, campaign, association), told)


def obstacle(workspace: Workspace, campaign: str, association: str, told: ToldFigures) -> str:
    """Why figures would not be taken down, in words; empty when they would."""
    try:
        check(workspace, campaign, association, told)
    except (UsageError, StateError) as error:
        return error.message
    return ""


def replaced(workspace: Workspace, campaign: str) -> frozenset[str]:
    """Slugs of the associations whose figures are known, so that later ones stand in their place."""
    return frozenset(ToldStore(workspace.host.db).of(campaign))
