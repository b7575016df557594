"""Moments as the host's database holds them: the twin of `audiences.times`, for neither package may ask the other."""

from __future__ import annotations

from datetime import UTC, datetime


def stamp(moment: datetime) -> str:
    """UTC, to the second, as ISO text that sorts by time. `moment` is aware."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
