"""Watches a campaign go out, without taking part: how fast, how much longer, to which domains, and what holds it up."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from comms.cli.output import counted, err
from comms.cli.waiting import is_over
from comms.engagement.report import CampaignStatus
from comms.engine import reporting, sending
from comms.engine.reporting import DomainProgress
from comms.engine.workspace import Workspace

LOOK_EVERY_S = 1.0
DOMAINS_EVERY_S = 10.0
"""They take a look at every delivery."""
RATE_OVER_S = 15.0
_OPEN = ("ready", "claimed", "deferred")
_MOST_REASONS = 5


class Speed:
    """How many become final a second, over the last moments."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, done: int, now: float) -> None:
        """So many are final, at a time in seconds."""
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > RATE_OVER_S:
            self._seen.popleft()

    @property
    def per_second(self) -> float:
        """0.0 until two looks tell."""
        (since, before), (now, done) = self._seen[0], self._seen[-1]
        return (done - before) / (now - since) if now > since else 0.0


def follow(workspace: Workspace, campaign_id: str, *, as_json: bool) -> None:
    """Return when the campaign is over or paused; Ctrl-C ends the watching and nothing else."""
    speed, domains, looked_at = Speed(), list[DomainProgress](), float("-inf")
    with Live(console=err, transient=True, auto_refresh=False) as live:
        while True:
            data, now = reporting.status(workspace, campaign_id), time.monotonic()
            speed.note(data.audience - _open(data), now)
            if now - looked_at >= DOMAINS_EVERY_S:
                domains, looked_at = reporting.domains(workspace, campaign_id), now
            reasons = sending.deferrals(workspace, campaign_id) if data.deliveries["deferred"] else {}
            if as_json:
                sys.stdout.write(json.dumps(_document(data, speed, domains, reasons), ensure_ascii=False) + "\n")
                sys.stdout.flush()
            elif err.is_terminal:
                live.update(_picture(data, speed, domains, reasons), refresh=True)
            if is_over(workspace, campaign_id):
                return
            time.sleep(LOOK_EVERY_S)


def _open(data: CampaignStatus) -> int:
    return sum(data.deliveries[state] for state in _OPEN)


def _remaining_s(data: CampaignStatus, speed: Speed) -> int | None:
    return round(_open(data) / speed.per_second) if speed.per_second > 0 else None


def _document(
    data: CampaignStatus, speed: Speed, domains: list[DomainProgress], reasons: dict[str, int]
) -> dict[str, Any]:
    return {
        **data.to_json(),
        "per_second": round(speed.per_second, 1),
        "remaining_s": _remaining_s(data, speed),
        "domains": [asdict(each) for each in domains],
        "deferrals": reasons,
    }


def _picture(
    data: CampaignStatus, speed: Speed, domains: list[DomainProgress], reasons: dict[str, int]
) -> RenderableType:
    done, remaining = data.audience - _open(data), _remaining_s(data, speed)
    words = f"{data.id}: {data.state}   {done:,} of {data.audience:,}   {speed.per_second:,.0f} a second"
    if remaining is not None and _open(data):
        words += f"   about {timedelta(seconds=remaining)} left"
    parts: list[RenderableType] = [Text(words), ProgressBar(total=max(data.audience, 1), completed=done, width=60)]
    if domains:
        grid = Table(box=None, pad_edge=False, header_style="bold")
        for title in ("domain", "newsletters", "sent", "put off", "failed"):
            grid.add_column(title, justify="left" if title == "domain" else "right")
        for each in domains:
            counts = (each.audience, each.sent, each.deferred, each.failed)
            grid.add_row(escape(each.domain), *(f"{count:,}" for count in counts))
        parts += [Text(), grid]
    for reason, number in list(reasons.items())[:_MOST_REASONS]:
        parts.append(Text(f"{counted(number, 'is', 'are')} put off, tried again by and by: {reason}"))
    return Group(*parts)
