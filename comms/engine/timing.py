"""When a campaign goes out as an association sends it, and what keeps it back: schedule, blackout, hours, the cap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from audiences.models import Association
from audiences.segments import Condition
from campaigns.hours import NO_BLACKOUT, Blackout, SendWindow
from campaigns.models import Campaign
from campaigns.schedule import MEMBER, due_times
from campaigns.store import CampaignRow
from comms.config import Pacing
from comms.delivery.cap import Cap
from comms.delivery.hours import Hours, QuietHours
from comms.engine.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Timing:
    """When an association's newsletter goes out."""

    first_at: datetime
    last_at: datetime
    """Later than `first_at` where members' own zones count."""
    moved_from: datetime | None
    """What the schedule says, when days that are shut out moved it."""
    opens_at: datetime | None
    """The first moment from `first_at` on at which newsletters of the association may leave; None: there is none."""


def timing(workspace: Workspace, campaign: Campaign, association: Association, *, scheduled: bool) -> Timing:
    """By the schedule of the campaign, or now."""
    meant = [workspace.now()]
    times = meant
    if scheduled:
        meant = sorted(due(workspace, campaign, association, blackout=NO_BLACKOUT).values())
        times = sorted(due(workspace, campaign, association).values())
    opens_at = hours(workspace, association).opening(times[0])
    return Timing(times[0], times[-1], meant[0] if meant != times else None, opens_at)


def due(
    workspace: Workspace, campaign: Campaign, association: Association, *, blackout: Blackout | None = None
) -> dict[str | None, datetime]:
    """Time zone of a member -> when their newsletter may go; None for members without a zone, and for all others."""
    assert campaign.schedule is not None
    zones = zones_that_count(workspace, campaign, association)
    return _due(campaign, zones, association, blackout if blackout is not None else blackout_days(workspace))


def first_due(campaign: Campaign, zones: Iterable[tuple[Association, set[str]]], blackout: Blackout) -> datetime:
    """The first moment at which anything of it goes out, of all associations that send it."""
    return min(min(_due(campaign, counting, association, blackout).values()) for association, counting in zones)


def zones_that_count(workspace: Workspace, campaign: Campaign, association: Association) -> set[str]:
    """The zones of members, where each gets the newsletter by their own clock: that takes a look at every member."""
    if campaign.schedule is None or campaign.schedule.timezone != MEMBER:
        return set()
    return {zone for zone in workspace.people(association.slug).timezones() if zone}


def publication_time(workspace: Workspace, row: CampaignRow, campaign: Campaign, association: Association) -> datetime:
    """When the entry and the posts go out: by the association's own clock, whatever the zones of its members."""
    if not row.due_at:
        return row.created_at
    return _due(campaign, set(), association, blackout_days(workspace))[None]


def may_publish(workspace: Workspace, row: CampaignRow, campaign: Campaign, association: Association) -> bool:
    """May entry and posts go out now."""
    now = workspace.now()
    if now < publication_time(workspace, row, campaign, association):
        return False
    return not hours(workspace, association).shut_out(now)


def blackout_days(workspace: Workspace) -> Blackout:
    return Blackout.read(workspace.settings.pacing.blackout)


def hours(workspace: Workspace, association: Association) -> Hours:
    """What keeps newsletters of the association back."""
    window = SendWindow.read(association.send_window) if association.send_window else None
    quiet = _quiet_hours(workspace.settings.pacing)
    return Hours(ZoneInfo(association.timezone), quiet, window, blackout_days(workspace))


def cap(workspace: Workspace, campaign: Campaign) -> Cap | None:
    """How many newsletters a member gets, as far as the campaign keeps to it."""
    pacing = workspace.settings.pacing
    ignored = campaign.newsletter is not None and campaign.newsletter.ignore_cap
    return Cap(pacing.most_per_member, pacing.per_days) if pacing.most_per_member and not ignored else None


def heard_enough(workspace: Workspace, campaign: Campaign, now: datetime) -> Condition | None:
    """Why a member gets no other newsletter now, as SQL; None where nobody counts."""
    found = cap(workspace, campaign)
    return found.reason(now) if found else None


def _due(
    campaign: Campaign, zones: set[str], association: Association, blackout: Blackout
) -> dict[str | None, datetime]:
    assert campaign.schedule is not None
    home = association.timezone
    times = due_times(campaign.schedule, {*zones, home}, default=home, blackout=blackout)
    return {**{zone: times[zone] for zone in zones}, None: times[home]}


def _quiet_hours(settings: Pacing) -> QuietHours | None:
    start, _, end = settings.quiet_hours.replace(" ", "").partition("-")
    zone = ZoneInfo(settings.timezone)
    return QuietHours(time.fromisoformat(start), time.fromisoformat(end), zone) if start else None
