"""When newsletters of an association may leave at all: quiet hours, its send window, and days that are shut out.

Pure: it is told the time. How fast they leave then is `pacing.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.hours import NO_BLACKOUT, Blackout, SendWindow

LOOK_AHEAD = timedelta(days=400)
"""Hours that do not open within so long count as hours that never do."""
_DAY = timedelta(days=1)
_MIDNIGHT = time()


@dataclass(frozen=True, slots=True)
class QuietHours:
    """A stretch of each day in which nothing goes out; it may span midnight."""

    start: time
    end: time
    zone: ZoneInfo

    def holds(self, now: datetime) -> bool:
        """Is `now` (aware) within them."""
        clock = now.astimezone(self.zone).time()
        if self.start <= self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end


@dataclass(frozen=True, slots=True)
class Hours:
    """What keeps the newsletters of one association back; days and the window are by the clock of `zone`."""

    zone: ZoneInfo
    quiet: QuietHours | None = None
    window: SendWindow | None = None
    blackout: Blackout = NO_BLACKOUT

    def shut_out(self, now: datetime) -> bool:
        """Is `now` (aware) on a day on which nothing of a campaign goes out."""
        return bool(self.blackout.spans) and self.blackout.covers(now.astimezone(self.zone).date())

    def allow(self, now: datetime) -> bool:
        """May newsletters leave at `now` (aware)."""
        if self.shut_out(now) or (self.quiet and self.quiet.holds(now)):
            return False
        return self.window is None or self.window.covers(now.astimezone(self.zone))

    def opening(self, now: datetime) -> datetime | None:
        """The first moment from `now` on at which newsletters may leave, to the second; None: not in `LOOK_AHEAD`."""
        now = now.astimezone(UTC)
        if self.allow(now):
            return now
        return next((moment for moment in self._changes(now) if moment > now and self.allow(moment)), None)

    def _changes(self, now: datetime) -> Iterator[datetime]:
        """Every moment at which newsletters may begin to leave, in order, among moments at which they do not."""
        start, end = now, now + LOOK_AHEAD
        while start < end:
            home = start.astimezone(self.zone).date()
            if self.blackout.covers(home):  # over with it in one go; a day early, for clocks that change
                last = datetime.combine(self.blackout.end(home) - 2 * _DAY, _MIDNIGHT, UTC)
                if last > start:
                    start = last
                    continue
            found = {moment for zone, times in self._times() for moment in _moments(start, zone, times)}
            yield from sorted(moment for moment in found if start <= moment < start + _DAY)
            start += _DAY

    def _times(self) -> Iterator[tuple[ZoneInfo, frozenset[time]]]:
        """Times of day at which something may end that kept newsletters back, by zone."""
        yield self.zone, frozenset((_MIDNIGHT, *(self.window.times if self.window else ())))
        if self.quiet:
            yield self.quiet.zone, frozenset((self.quiet.end,))


def _moments(start: datetime, zone: ZoneInfo, times: frozenset[time]) -> Iterator[datetime]:
    """Every moment in the day from `start` (UTC) at which a clock in `zone` shows one of `times`, or is changed."""
    first = start.astimezone(zone).date()
    for day in (first, first + _DAY, first + 2 * _DAY):  # a zone that changes sides skips a whole day
        for clock in times:
            yield from _shown(day, clock, zone)
    if start.astimezone(zone).utcoffset() != (start + _DAY).astimezone(zone).utcoffset():
        yield _jump(start, zone)


def _shown(day: date, clock: time, zone: ZoneInfo) -> Iterator[datetime]:
    for fold in (0, 1):
        yield datetime.combine(day, clock, zone).replace(fold=fold).astimezone(UTC)


def _jump(start: datetime, zone: ZoneInfo) -> datetime:
    """The second at which the clocks of `zone` are changed, within a day from `start`."""
    offset, before, after = start.astimezone(zone).utcoffset(), 0, int(_DAY.total_seconds())
    while after - before > 1:
        middle = (before + after) // 2
        if (start + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return (start + timedelta(seconds=after)).replace(microsecond=0)
