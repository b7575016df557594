"""Draws how a campaign goes out, once or as long as somebody watches; takes no part in it."""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from comms.cli.output import counted, err, out
from comms.cli.waiting import is_over
from comms.engine import progress
from comms.engine.progress import DomainProgress, Progress
from comms.engine.workspace import Workspace

LOOK_EVERY_S = 1.0
DOMAINS_EVERY_S = 10.0
"""They take a look at every delivery."""
RATE_OVER_S = 60.0
_MOST_REASONS = 5
_LONGEST_REASON = 60


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
            now = time.monotonic()
            if now - looked_at >= DOMAINS_EVERY_S:
                domains, looked_at = progress.by_domain(workspace, campaign_id), now
            data = progress.gather(workspace, campaign_id, domains=domains)
            speed.note(data.status.audience - data.open, now)
            data = replace(data, per_second=speed.per_second)
            if as_json:
                sys.stdout.write(json.dumps(data.to_json(), ensure_ascii=False) + "\n")
                sys.stdout.flush()
            elif err.is_terminal:
                live.update(picture(data, workspace.now()), refresh=True)
            if is_over(workspace, campaign_id):
                return
            time.sleep(LOOK_EVERY_S)


def show(data: Progress, now: datetime) -> None:
    """What there is to see now, beyond the counts; nothing once nothing is under way."""
    if data.open:
        out.print(picture(data, now))


def picture(data: Progress, now: datetime) -> RenderableType:
    """How the campaign goes out, for a terminal."""
    done = data.status.audience - data.open
    words = f"{data.status.id}: {data.status.state}   {done:,} of {data.status.audience:,}"
    if data.per_second is not None:
        words += f"   {data.per_second:,.0f} a second"
    if data.remaining_s is not None:
        words += f"   about {timedelta(seconds=data.remaining_s)} left"
    bar = ProgressBar(total=max(data.status.audience, 1), completed=done, width=60)
    parts: list[RenderableType] = [Text(words), bar]
    if data.domains:
        parts += [Text(), _domains(data.domains, now)]
    parts += [Text(line) for line in _held_up(data, now)]
    return Group(*parts)


def _domains(rows: Sequence[DomainProgress], now: datetime) -> Table:
    grid = Table(box=None, pad_edge=False, header_style="bold")
    titles = ("domain", "newsletters", "sent", "waiting", "put off", "failed", "next try", "because")
    for title in titles:
        grid.add_column(title, justify="left" if title in ("domain", "next try", "because") else "right")
    for each in rows:
        counts = (each.audience, each.sent, each.waiting, each.deferred, each.failed)
        at = _until(each.next_at, now) if each.next_at else ""
        grid.add_row(escape(each.domain), *(f"{count:,}" for count in counts), at, escape(_short(each.reason)))
    return grid


def _held_up(data: Progress, now: datetime) -> Iterator[str]:
    for wait in data.waiting:
        yield f"{wait.name} wants less mail, and has to wait until {_until(wait.until, now)}: {_short(wait.reason)}"
    for server in data.servers:
        if server.aside:
            at = f" until {_until(server.until, now)}" if server.until else ""
            whose = f"{server.aside} of {counted(server.senders, 'sender', 'senders')}"
            yield f"mail server {server.name}: set aside{at} by {whose}: {_short(server.reason)}"
    if data.status.state == "sending" and not data.senders:
        yield "no sender is alive: is `comms run` or a `comms worker` running?"
    if data.shared and data.status.deliveries["ready"]:
        yield "members who are in several lists may have to wait until another association had its turn"
    for reason, number in list(data.deferrals.items())[:_MOST_REASONS]:
        yield f"{counted(number, 'is', 'are')} put off, tried again by and by: {_short(reason, 3 * _LONGEST_REASON)}"


def _until(moment: datetime, now: datetime) -> str:
    """A time of today, or with its day; in UTC, as all times on the terminal."""
    moment = moment.astimezone(UTC)
    return f"{moment:%H:%M:%S}" if moment.date() == now.astimezone(UTC).date() else f"{moment:%Y-%m-%d %H:%M}"


def _short(text: str, most: int = _LONGEST_REASON) -> str:
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
