"""What is to be said of a campaign's times before it is approved: moved, held back for hours, repeated when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from audiences.models import Association
from campaigns.models import Campaign
from campaigns.recurrence import occurrence
from campaigns.schedule import on_wall
from comms.engine import series
from comms.engine.timing import timing
from comms.engine.workspace import Workspace
from comms.errors import UsageError
from comms.preflight import audience as rules
from comms.preflight.report import Finding


def find(workspace: Workspace, campaign: Campaign, association: Association) -> Iterator[Finding]:
    """Findings on when the campaign goes out; of one that repeats, on its next occurrence."""
    line = campaign.key_lines.get("schedule.at", 0)
    if campaign.schedule is not None and campaign.schedule.repeat:
        following = series.next_times(workspace, campaign, (association.slug,))
        if not following:
            line = campaign.key_lines.get("schedule.repeat", 0)
            yield rules.OVER.at(line, "schedule.repeat", "no occurrence is to come", "see UNTIL, COUNT and `at`")
            return
        campaign = occurrence(campaign, following[0][0])
    when = timing(workspace, campaign, association, scheduled=campaign.schedule is not None)
    if when.moved_from is not None:
        message = (
            f"{shown(when.moved_from, association)} is on a day that is shut out for {association.slug}: "
            f"it goes out {shown(when.first_at, association)}"
        )
        hint = "choose another day, or see `[pacing] blackout` in comms.toml"
        yield rules.NOT_ON_THESE_DAYS.at(line, "schedule.at", message, hint)
    if campaign.newsletter is None:
        return
    if when.opens_at is None:
        message = f"there is no time at which newsletters of {association.slug} may leave"
        hint = "see its send window (comms association list --json), and `[pacing]` in comms.toml"
        yield rules.NEVER_OPEN.at(line, "schedule.at", message, hint)
    elif campaign.schedule is not None and when.opens_at > when.first_at:
        message = f"newsletters of {association.slug} go out from {shown(when.opens_at, association)}"
        yield rules.CLOSED.at(line, "schedule.at", message, "choose a time within the hours, or leave it so")


def coming(workspace: Workspace, campaign: Campaign, senders: tuple[str, ...]) -> tuple[tuple[datetime, datetime], ...]:
    """The next occurrences of a campaign that repeats; none for others, or where a sender is unknown."""
    if campaign.schedule is None or not campaign.schedule.repeat:
        return ()
    try:
        return series.next_times(workspace, campaign, senders)
    except UsageError:
        return ()


def shown(moment: datetime, association: Association) -> str:
    """A moment by the association's clock: `Monday 2027-02-01 09:00 (America/Denver)`."""
    return f"{on_wall(moment, association.timezone):%A %Y-%m-%d %H:%M} ({association.timezone})"
