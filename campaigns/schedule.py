"""Wall-clock times to instants, with the rules for days on which clocks change; it has no clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from campaigns.errors import CampaignError, did_you_mean, shown
from campaigns.hours import NO_BLACKOUT, Blackout
from campaigns.models import Schedule

MEMBER = "member"
"""In a definition's `schedule.timezone`: each member's own zone."""

_OF_THIS_MACHINE = frozenset({"localtime", "Factory"})
"""Names that zone files carry but that mean another thing on every machine, or nothing."""


class UnknownZoneError(CampaignError):
    """A time zone that the tz database does not have; `zone` is the name asked for."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        near = did_you_mean(zone, zone_names(), "write it like `America/Chicago`, `Europe/Paris` or `UTC`")
        super().__init__(f"there is no time zone `{shown(zone)}`: {near}")


@cache
def zone_names() -> frozenset[str]:
    """Every zone name that a definition or a member can have, as IANA spells it."""
    return frozenset(available_timezones() - _OF_THIS_MACHINE)


def resolve(at: datetime, zone: str) -> datetime:
    """The first instant at which a clock in `zone` shows `at` or later, as an aware UTC datetime.

    So a time that clocks skip in spring is the moment after the jump, and a time that they show
    twice in autumn is the first of the two (fold=0, PEP 495).

    Raises UnknownZoneError; ValueError when `at` already has a zone.
    """
    if at.tzinfo is not None:
        raise ValueError("a wall-clock time is wanted, without zone")
    if zone not in zone_names():
        raise UnknownZoneError(zone)
    info = ZoneInfo(zone)
    late = at.replace(tzinfo=info, fold=0).astimezone(UTC)
    if _wall(late, info) == at:
        return late
    early = at.replace(tzinfo=info, fold=1).astimezone(UTC)
    return _end_of_gap(early, late, at, info)


def _end_of_gap(early: datetime, late: datetime, at: datetime, info: ZoneInfo) -> datetime:
    """The jump between `early` (clock before `at`) and `late` (clock after it), to the second."""
    before, after = 0, -(-(late - early) // timedelta(seconds=1))
    while after - before > 1:
        middle = (before + after) // 2
        if _wall(early + timedelta(seconds=middle), info) < at:
            before = middle
        else:
            after = middle
    return (early + timedelta(seconds=after)).replace(microsecond=0)


def _wall(instant: datetime, info: ZoneInfo) -> datetime:
    return instant.astimezone(info).replace(tzinfo=None, fold=0)


def allowed(at: datetime, zone: str, blackout: Blackout, home: str) -> datetime:
    """The instant of the wall-clock time `at` in `zone`, moved to the first later day that is not shut out in `home`.

    The time of day stays. Raises as `resolve` does; UnknownZoneError for `home`, too.
    """
    while True:
        instant = resolve(at, zone)
        day = on_wall(instant, home).date()
        if not blackout.covers(day):
            return instant
        at += blackout.end(day) - day


def on_wall(instant: datetime, zone: str) -> datetime:
    """What a clock in `zone` shows at an instant, without zone. Raises UnknownZoneError."""
    if zone not in zone_names():
        raise UnknownZoneError(zone)
    return _wall(instant, ZoneInfo(zone))


def due_times(
    schedule: Schedule, zones: Iterable[str], *, default: str, blackout: Blackout = NO_BLACKOUT
) -> dict[str, datetime]:
    """The UTC instant at which the campaign is due for members of each of `zones`.

    With one zone in the schedule all have the same instant. With "member" each zone has its own,
    and a zone that the tz database lacks (members' data come from anywhere) takes that of `default`.
    An instant on a day that `blackout` shuts out in `default` is moved.

    Raises UnknownZoneError when the schedule's zone, or `default` where needed, does not exist.
    """
    if schedule.timezone != MEMBER:
        instant = _due(schedule.at, schedule.timezone, blackout, default)
        return dict.fromkeys(zones, instant)
    known = zone_names()
    return {zone: _due(schedule.at, zone if zone in known else default, blackout, default) for zone in zones}


def _due(at: datetime, zone: str, blackout: Blackout, home: str) -> datetime:
    return allowed(at, zone, blackout, home) if blackout.spans else resolve(at, zone)


def times_to_json(coming: Iterable[tuple[datetime, datetime]]) -> list[dict[str, str]]:
    """Occurrences for `--json`: `wall` is the time by the clock on the wall, `at` the first moment (UTC)."""
    return [{"wall": wall.isoformat(" ", "minutes"), "at": at.isoformat()} for wall, at in coming]


def occurrences(
    walls: Iterable[datetime], instant: Callable[[datetime], datetime]
) -> Iterator[tuple[datetime, datetime]]:
    """Each wall-clock time with its instant, strictly later than the one before.

    Of those that come to the same instant, because their days were shut out or skipped by the clocks, the last stays.
    """
    waiting: tuple[datetime, datetime] | None = None
    for wall in walls:
        at = instant(wall)
        if waiting is not None and at > waiting[1]:
            yield waiting
        waiting = wall, at
    if waiting is not None:
        yield waiting
