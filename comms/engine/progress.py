"""Gathers how a campaign goes out at this moment: how fast, how much longer, to which domains, and what holds it up.

From the ledgers, and from what control and the senders of this machine tell of themselves. Draws nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from comms.delivery import presence
from comms.delivery.breaker import State
from comms.delivery.pacing import Waiting
from comms.delivery.presence import LivingSender
from comms.engagement.report import CampaignStatus
from comms.engine import pulse, sending, variants
from comms.engine.relaying.sharing import is_shared
from comms.engine.reporting import status
from comms.engine.workspace import Workspace

LEAST_SHOWN = 10
"""Fewer deliveries to a domain could be told to be certain people."""
MOST_DOMAINS = 8
FRESH_S = 10.0
"""A heartbeat that is older says nothing of now."""
OPEN = ("ready", "claimed", "deferred")


@dataclass(frozen=True, slots=True)
class DomainProgress:
    """How far the newsletters to the addresses of a domain are."""

    domain: str
    audience: int
    sent: int
    waiting: int
    """Not tried yet, or being sent."""
    deferred: int
    failed: int
    next_at: datetime | None
    """When the first of those put off is tried again."""
    reason: str
    """Why some of them are put off."""


@dataclass(frozen=True, slots=True)
class ServerState:
    """How it is with a mail server, as the senders of this machine see it: each learns for itself."""

    name: str
    """`smtp`, or a name in `[smtp_relays]`."""
    senders: int
    """How many know it."""
    aside: int
    """How many of them leave it alone for now, or try it with a few messages."""
    until: datetime | None
    """When the first of them tries it again."""
    reason: str


@dataclass(frozen=True, slots=True)
class Progress:
    """How a campaign goes out now."""

    status: CampaignStatus
    per_second: float | None
    """Messages that become final a second, over the last minute, in all campaigns of its associations. Of a campaign
    that several send only who watches knows it."""
    domains: tuple[DomainProgress, ...]
    """Those with the most newsletters, of those with ten or more in an association's list; none of what is relayed."""
    deferrals: Mapping[str, int]
    """Why messages are put off -> how many."""
    waiting: tuple[Waiting, ...]
    """Domains and providers that had enough."""
    servers: tuple[ServerState, ...]
    shared: bool
    """Several associations send it, so that some members wait until another one had its turn."""
    senders: int
    """Living sender processes, of this machine and of others."""

    @property
    def open(self) -> int:
        """Newsletters that are not final."""
        return sum(self.status.deliveries[state] for state in OPEN)

    @property
    def remaining_s(self) -> int | None:
        """How much longer at this speed; None when nothing moves, or nothing is left."""
        return round(self.open / self.per_second) if self.per_second and self.open else None

    def to_json(self) -> dict[str, Any]:
        """Plain data; the keys of the status stand at the top, times are ISO 8601."""
        return {
            **self.status.to_json(),
            "per_second": None if self.per_second is None else round(self.per_second, 1),
            "remaining_s": self.remaining_s,
            "domains": [_plain(each) for each in self.domains],
            "deferrals": dict(self.deferrals),
            "waiting": [_plain(each) for each in self.waiting],
            "servers": [_plain(each) for each in self.servers],
            "shared": self.shared,
            "senders": self.senders,
        }


def gather(
    workspace: Workspace,
    campaign_id: str,
    *,
    domains: Sequence[DomainProgress] | None = None,
    per_second: float | None = None,
) -> Progress:
    """How the campaign goes out now. Raises UsageError when there is none of this id.

    `domains` and `per_second` may be given by somebody who watches, and knows better or looked a moment ago.
    """
    row, data = sending.find(workspace, campaign_id), status(workspace, campaign_id)
    beat = pulse.read(workspace.folder)
    if beat is not None and not 0 <= (workspace.now() - beat.at).total_seconds() < FRESH_S:
        beat = None
    shared = is_shared(workspace, row)
    if per_second is None and not shared:
        per_second = sum(beat.per_second.get(slug, 0.0) for slug in row.senders) if beat else 0.0
    living = presence.living(workspace.folder)
    return Progress(
        status=data,
        per_second=per_second,
        domains=tuple(by_domain(workspace, campaign_id) if domains is None else domains),
        deferrals=sending.deferrals(workspace, campaign_id) if data.deliveries["deferred"] else {},
        waiting=beat.waiting if beat else (),
        servers=tuple(servers(living)),
        shared=shared,
        senders=len(living) + (beat.elsewhere if beat else 0),
    )


def by_domain(workspace: Workspace, campaign_id: str) -> list[DomainProgress]:
    """The domains with the most newsletters of the campaign, of those with ten or more in an association's list.

    None of a campaign that several associations send: what is missing in one are those whom another has reached.
    Reads every delivery of the campaign. Raises UsageError when there is none of this id.
    """
    found: dict[str, DomainProgress] = {}
    campaign = sending.find(workspace, campaign_id)
    if is_shared(workspace, campaign):
        return []
    for slug in campaign.senders:
        ledger, runs = workspace.ledger(slug), variants.runs(workspace, campaign_id, slug)
        for row in (row for run in runs for row in ledger.domains(run.id, LEAST_SHOWN, MOST_DOMAINS)):
            domain, audience, sent, waiting, deferred, failed, next_at, reason = row
            known = found.get(domain, DomainProgress(domain, 0, 0, 0, 0, 0, None, ""))
            at = datetime.fromtimestamp(next_at, UTC) if next_at else None
            found[domain] = DomainProgress(
                domain,
                known.audience + audience,
                known.sent + sent,
                known.waiting + waiting,
                known.deferred + deferred,
                known.failed + failed,
                min(filter(None, (known.next_at, at)), default=None),
                known.reason or reason or "",
            )
    return sorted(found.values(), key=lambda each: (-each.audience, each.domain))[:MOST_DOMAINS]


def servers(living: Sequence[LivingSender]) -> list[ServerState]:
    """How it is with each mail server, as these senders see it."""
    views = [standing for sender in living for standing in sender.relays]
    states = []
    for name in dict.fromkeys(view.name for view in views):
        mine = [view for view in views if view.name == name]
        aside = [view for view in mine if view.state != State.CLOSED]
        until = min((view.until for view in aside if view.until), default=None)
        reason = next((view.reason for view in aside if view.reason), "")
        at = datetime.fromtimestamp(until, UTC) if until else None
        states.append(ServerState(name, len(mine), len(aside), at, reason))
    return states


def _plain(row: DomainProgress | Waiting | ServerState) -> dict[str, Any]:
    values = asdict(row)
    return {key: value.isoformat(timespec="seconds") if isinstance(value, datetime) else value
            for key, value in values.items()}  # fmt: skip
