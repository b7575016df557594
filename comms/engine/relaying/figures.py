"""What associations told of their own sendings: where figures are still taken, and how they are written down.

They come by form, by command, in a file for many associations, signed by a tool, and from other engines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from campaigns.figures import ToldFigures, faults
from campaigns.relay import RelayState, edition_id
from campaigns.relays import RelayRow
from campaigns.told import ToldRow, ToldStore
from comms.engine import collective, sending
from comms.engine.relaying import making
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.events import CampaignState

FIGURES = "figures"
"""The step of a relay when its figures were told."""


@dataclass(frozen=True, slots=True)
class Signed:
    """When figures were signed that a tool posted, and by what they are known when they come again."""

    seconds: int
    """Since 1970."""
    signature: str


def refuse(workspace: Workspace, row: RelayRow, figures: ToldFigures) -> None:
    """Raises UsageError for numbers that can not be, StateError where figures are not taken (any more)."""
    if found := faults(figures):
        words = "; ".join(fault.words for fault in found)
        raise UsageError(f"these figures can not be: {words}.", hint="Look at them again; nothing was taken down.")
    if is_closed(workspace, row):
        raise StateError(
            f"{row.campaign} is closed, and its figures do not change any more.",
            hint=f"See: comms report {row.campaign} --collective.",
        )
    if goes_out_here(workspace, row):
        raise StateError(
            f"{row.association} sends {row.campaign} through this system, which counts by itself.",
            hint=f"Figures of a sending from here: comms report {edition_id(row.campaign, row.association)}.",
        )


def keep(
    workspace: Workspace, row: RelayRow, figures: ToldFigures, *, who: str, how: str, signed: Signed | None = None
) -> None:
    """Write figures down that can be, in the caller's transaction; with who told them and how, where they are new."""
    store, now = ToldStore(workspace.host.db), workspace.now()
    before = known(workspace, row)
    is_news = before is None or before.figures != figures
    at = min(now, datetime.fromtimestamp(signed.seconds, UTC)) if signed else now
    after = before or ToldRow(figures, who, at)
    if is_news:
        after = replace(after, figures=figures, who=who, at=at)
    if signed is not None:
        after = replace(after, signed_at=signed.seconds, signature=signed.signature)
    if after != before:
        store.keep(row.campaign, row.association, after)
    if is_news:
        workspace.host.note(who, "figures told", row.campaign, f"{row.association}, {how}", now)
        workspace.relays.add_step(row.id, who, FIGURES, how, now)


def known(workspace: Workspace, row: RelayRow) -> ToldRow | None:
    """What the association told of the campaign last."""
    return ToldStore(workspace.host.db).of(row.campaign).get(row.association)


def is_closed(workspace: Workspace, row: RelayRow) -> bool:
    """Do the campaign's figures change no more."""
    offer = workspace.relays.offer(row.campaign)
    closed = offer is not None and (offer.state == "closed" or bool(offer.figures))
    return closed or collective.find(workspace, row.campaign) is not None


def is_asked(workspace: Workspace, row: RelayRow) -> bool:
    """Is it the association that has to tell what became of the campaign: it agreed to send it with a tool of its own,
    or has told figures before."""
    if goes_out_here(workspace, row):
        return False
    if known(workspace, row) is not None or row.state is RelayState.ACCEPTED:
        return True
    was_agreed = row.state is RelayState.WITHDRAWN and bool(row.approved)
    return was_agreed and making.campaign_row(workspace, row) is None


def goes_out_here(workspace: Workspace, row: RelayRow) -> bool:
    """Is the association's edition on the schedule of this system, or did it go out from it."""
    edition = making.campaign_row(workspace, row)
    if edition is None:
        return False
    return edition.state != CampaignState.CANCELLED or sending.was_started(workspace, edition)
