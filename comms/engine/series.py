"""Campaigns that repeat: approved once as a series, each occurrence made a campaign of its own when it is due.

    prepare -> Forecast -> (a person says yes) -> approve -> Maker.make_due, by control, again and again

An occurrence, and the step to the next one, are written in one transaction: control can be killed anywhere, and makes
no occurrence twice and skips none. A series is read before the work and compared within the transaction, so that a
pause, or another approval, in that very moment holds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

import structlog

from audiences.errors import AudienceError
from audiences.models import Association
from campaigns import definition
from campaigns.errors import CampaignError
from campaigns.models import Campaign
from campaigns.recurrence import occurrence, wall_times
from campaigns.schedule import occurrences
from campaigns.series import SeriesRow, SeriesStore
from campaigns.store import CampaignRow
from comms.db import storage_errors
from comms.engine import gathering, sending, timing
from comms.engine.sending import Prepared
from comms.engine.starting import is_late, missed
from comms.engine.workspace import Workspace
from comms.errors import CommsError, StateError, StorageError, UsageError
from comms.events import CampaignState, SeriesState

log = structlog.get_logger(__name__)

SHOWN = 5
"""Occurrences to come that people are told of."""
RETRY_S = 60.0
SKIPPED = "skipped"
"""What the audit log calls an occurrence that was left out."""
_NOBODY = "nobody would get anything"
_NOTHING_NEW = "nothing is new in its feeds"

Coming = tuple[datetime, datetime]
"""An occurrence: its time by the clock on the wall, and the first moment at which anything of it goes out."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """A campaign that repeats, ready for approval: its next occurrence prepared, and those after it."""

    campaign: Campaign
    first: Prepared
    coming: tuple[Coming, ...]


def prepare(workspace: Workspace, campaign: Campaign, senders: Sequence[str] = ()) -> Forecast:
    """Compile the next occurrence and count who would get it now. Raises as `sending.prepare` does, and UsageError
    when no occurrence is to come."""
    coming = next_times(workspace, campaign, senders)
    if not coming:
        raise UsageError(f"campaign {campaign.id} has no occurrence to come.", hint="See `repeat:` and `at:`.")
    first = sending.prepare(workspace, occurrence(campaign, coming[0][0]), senders, scheduled=True, series=campaign.id)
    return Forecast(campaign, replace(first, plan=replace(first.plan, series=campaign.id, coming=coming)), coming)


def next_times(workspace: Workspace, campaign: Campaign, senders: Sequence[str] = ()) -> tuple[Coming, ...]:
    """The next occurrences of a campaign that repeats, those aside that were made already."""
    slugs: Sequence[str | None] = list(dict.fromkeys(senders)) or [campaign.association]
    return tuple(islice(_to_come(workspace, campaign, [workspace.association(slug) for slug in slugs]), SHOWN))


def approve(workspace: Workspace, forecast: Forecast, *, who: str) -> SeriesRow:
    """Write the series down, in the place of one of the same id: its occurrences stay as they are.

    Raises StateError when a campaign that goes out once has this id.
    """
    host, now, campaign = workspace.host, workspace.now(), forecast.campaign
    assert campaign.schedule is not None
    wall, at = forecast.coming[0]
    row = SeriesRow(
        campaign.id,
        campaign.title,
        campaign.definition,
        SeriesState.REPEATING,
        tuple(association.slug for association in forecast.first.senders),
        wall,
        at,
        "",
        now,
    )
    with storage_errors(workspace.host_path), host.db.atomic():
        if host.campaign(campaign.id) is not None:
            raise StateError(
                f"there is a campaign {campaign.id} that goes out once.",
                hint="Choose a new id in the `campaign:` line.",
            )
        SeriesStore(host.db).save(row, now)
        detail = f"{campaign.schedule.repeat}, plan {forecast.first.plan.digest}"
        host.note(who, SeriesState.REPEATING, campaign.id, detail, now)
    return row


def every(workspace: Workspace) -> list[SeriesRow]:
    """All series, oldest first."""
    return SeriesStore(workspace.host.db).all()


def find(workspace: Workspace, series_id: str) -> SeriesRow | None:
    """None when there is no series of this id; it may be a campaign's."""
    return SeriesStore(workspace.host.db).get(series_id)


def pause(workspace: Workspace, series_id: str, *, who: str) -> None:
    """Make no occurrence until it is resumed. Raises StateError when it does not repeat."""
    _change(workspace, series_id, SeriesState.PAUSED, (SeriesState.REPEATING,), who)


def resume(workspace: Workspace, series_id: str, *, who: str) -> None:
    """Go on with the first occurrence from now on: what fell into the pause is left out. Raises StateError."""
    host, now = workspace.host, workspace.now()
    with storage_errors(workspace.host_path), host.db.atomic():
        row = _change(workspace, series_id, SeriesState.REPEATING, (SeriesState.PAUSED,), who)
        coming = next(_to_come(workspace, _read(row), _senders(workspace, row)), None)
        SeriesStore(host.db).save(_moved_to(row, coming), now)


def cancel(workspace: Workspace, series_id: str, *, who: str) -> None:
    """End it for good. Raises StateError when it is over."""
    _change(workspace, series_id, SeriesState.CANCELLED, (SeriesState.REPEATING, SeriesState.PAUSED), who)


def upcoming(workspace: Workspace, row: SeriesRow) -> list[Coming]:
    """The next occurrences of a series that is not over."""
    if row.wall_next is None or row.state not in (SeriesState.REPEATING, SeriesState.PAUSED):
        return []
    return list(islice(_coming(workspace, _read(row), _senders(workspace, row), row.wall_next), SHOWN))


def under_way(workspace: Workspace, series_id: str) -> list[CampaignRow]:
    """The occurrences of a series that are being sent, or are paused."""
    rows = workspace.host.campaigns(sending.UNDER_WAY)
    return [row for row in rows if row.series == series_id]


@dataclass(slots=True)
class Maker:
    """Makes the occurrences that are due. What can not be made, as when its template is gone, is tried again each
    minute until it is late."""

    workspace: Workspace
    _tries: dict[str, float] = field(default_factory=dict, init=False)
    """Series that could not be made -> when to try again, on the monotonic clock."""

    def make_due(self) -> None:
        for row in SeriesStore(self.workspace.host.db).all([SeriesState.REPEATING]):
            is_due = row.due_at is not None and row.due_at <= self.workspace.now()
            if is_due and time.monotonic() >= self._tries.get(row.id, 0.0):
                self._tries.pop(row.id, None)
                if not _make(self.workspace, row):
                    self._tries[row.id] = time.monotonic() + RETRY_S


def _make(workspace: Workspace, row: SeriesRow) -> bool:
    """Make the latest occurrence that is due, unless it is late, and go on to the next; False: not possible now."""
    now, due, following = workspace.now(), list[Coming](), None
    try:
        campaign, senders = _read(row), _senders(workspace, row)
        assert row.wall_next is not None, "it has a due time"
        for each in _coming(workspace, campaign, senders, row.wall_next):
            if each[1] > now:
                following = each
                break
            due.append(each)
        skipped = [_missed_before(due)] if len(due) > 1 else []
        prepared = None
        if due:
            reason = missed(due[-1][1], now) if is_late(workspace, due[-1][1]) else ""
            if not reason:
                chosen = occurrence(campaign, due[-1][0])
                prepared = sending.prepare(workspace, chosen, row.senders, scheduled=True, series=campaign.id)
                reason = _hindrance(workspace, prepared)
            if reason:
                prepared = None
                skipped.append(f"{due[-1][0]:%Y-%m-%d %H:%M}: {reason}{f' ({row.reason})' if row.reason else ''}")
    except (CommsError, AudienceError, CampaignError) as error:
        if isinstance(error, StorageError) and error.passing:
            raise
        _note_failure(workspace, row, str(error))
        return False
    _write(workspace, row, prepared, skipped, following)
    return True


def _write(
    workspace: Workspace, row: SeriesRow, prepared: Prepared | None, skipped: Sequence[str], following: Coming | None
) -> None:
    host, now = workspace.host, workspace.now()
    with storage_errors(workspace.host_path), host.db.atomic():
        if SeriesStore(host.db).get(row.id) != row:
            return  # paused, cancelled or approved anew in this very moment
        for what in skipped:
            host.note("comms", SKIPPED, row.id, what, now)
        if prepared is not None:
            sending.write_down(host, prepared, CampaignState.SENDING, now, series=row.id)
            host.note("comms", "approved", prepared.campaign.id, f"plan {prepared.plan.digest}, of {row.id}", now)
        SeriesStore(host.db).save(_moved_to(row, following), now)
        if following is None:
            host.note("comms", SeriesState.ENDED, row.id, "", now)
    for what in skipped:
        log.warning("occurrence is left out", series=row.id, occurrence=what)
    if prepared is not None:
        log.info("occurrence is due", campaign=prepared.campaign.id)


def _hindrance(workspace: Workspace, prepared: Prepared) -> str:
    """Why an occurrence that was prepared is left out; empty when it is not."""
    if workspace.host.campaign(prepared.campaign.id) is not None:
        return f"another campaign has its id, {prepared.campaign.id}"
    if gathering.is_stale(prepared.campaign):
        return _NOTHING_NEW
    if prepared.plan.empty:
        return _NOBODY if gathering.has_news(prepared.campaign) else _NOTHING_NEW
    return ""


def _missed_before(due: Sequence[Coming]) -> str:
    first, last = due[0][0], due[-2][0]
    if first == last:
        return f"{first:%Y-%m-%d %H:%M}: missed, and the next is due as well"
    return f"{first:%Y-%m-%d} to {last:%Y-%m-%d %H:%M}: {len(due) - 1} were missed, and the next is due as well"


def _note_failure(workspace: Workspace, row: SeriesRow, reason: str) -> None:
    if reason == row.reason:
        return
    host, now = workspace.host, workspace.now()
    log.error("occurrence can not be made", series=row.id, reason=reason)
    with storage_errors(workspace.host_path), host.db.atomic():
        if SeriesStore(host.db).get(row.id) == row:
            SeriesStore(host.db).save(replace(row, reason=reason), now)


def _moved_to(row: SeriesRow, coming: Coming | None) -> SeriesRow:
    if coming is None:
        return replace(row, state=SeriesState.ENDED, wall_next=None, due_at=None, reason="")
    return replace(row, wall_next=coming[0], due_at=coming[1], reason="")


def _change(
    workspace: Workspace, series_id: str, state: SeriesState, was: Sequence[SeriesState], who: str
) -> SeriesRow:
    host, now = workspace.host, workspace.now()
    with storage_errors(workspace.host_path), host.db.atomic():
        store = SeriesStore(host.db)
        row = store.get(series_id)
        if row is None:
            raise UsageError(f"there is no campaign {series_id!r} that repeats.")
        if row.state not in was:
            raise StateError(f"campaign {series_id} is {row.state}; it can not become {state} from there.")
        row = replace(row, state=state)
        store.save(row, now)
        host.note(who, state, series_id, "", now)
    return row


def _read(row: SeriesRow) -> Campaign:
    return definition.read(row.definition, path=f"{row.id} (as approved)")


def _senders(workspace: Workspace, row: SeriesRow) -> list[Association]:
    return [workspace.association(slug) for slug in row.senders]


def _to_come(workspace: Workspace, campaign: Campaign, senders: Sequence[Association]) -> Iterator[Coming]:
    """Occurrences that are not over, on days after that of the last one that was made."""
    made = SeriesStore(workspace.host.db).occurrences(campaign.id)
    now, start = workspace.now(), made[-1][1] + timedelta(days=1) if made else None
    for each in _coming(workspace, campaign, senders, start):
        if each[1] > now:
            yield each


def _coming(
    workspace: Workspace, campaign: Campaign, senders: Sequence[Association], start: datetime | None
) -> Iterator[Coming]:
    """Occurrences from the day of `start` on, from the first when None."""
    assert campaign.schedule is not None
    zones = [(each, timing.zones_that_count(workspace, campaign, each)) for each in senders]
    blackout = timing.blackout_days(workspace)
    walls = wall_times(campaign.schedule, start.date() - timedelta(days=1) if start else None)
    return occurrences(walls, lambda wall: timing.first_due(occurrence(campaign, wall), zones, blackout))
