"""Moments as databases hold them."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=4_096)  # a list of members names few different moments
def stamp(moment: datetime) -> str:
    """UTC, to the second, as ISO text that sorts by time. `moment` is aware."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")
