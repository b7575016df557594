"""Gathers the figures of an installation for whoever watches it: counts by association, and nothing about people.

Reading is cheap: what takes a look at every delivery of a run under way is done again only after some seconds.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from comms.delivery import presence
from comms.delivery.answers import PROVIDERS
from comms.delivery.presence import LivingSender
from comms.engagement.bounces.store import BounceStore
from comms.engine import progress, pulse, reporting
from comms.engine.control import ControlLock
from comms.engine.journals import WorkspaceJournals
from comms.engine.pulse import Heartbeat
from comms.engine.relaying import sharing
from comms.engine.workspace import Workspace
from comms.events import CampaignState, DeliveryState, PostState

COUNTED_EVERY = 20.0
"""Counts of deliveries are as old at most as this many times what they took, so that watching costs a twentieth."""
LEAST_AGE_S = 2.0
Labels = tuple[tuple[str, str], ...]
_PROVIDERS = frozenset(each.name for each in PROVIDERS)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric with all its samples. `kind` is `gauge` or `counter`."""

    name: str
    kind: str
    help: str
    samples: Mapping[Labels, float]


@dataclass(slots=True)
class _Counted:
    deliveries: dict[str, dict[str, int]]
    bounces: dict[str, dict[str, int]]
    until: float


@dataclass(slots=True)
class Gatherer:
    """May be asked from several threads; each brings its own workspace."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counted: _Counted | None = None

    def gather(self, workspace: Workspace) -> list[Family]:
        """All figures as of now."""
        beat, living = pulse.read(workspace.folder), presence.living(workspace.folder)
        slugs = [association.slug for association in workspace.associations()]
        return [
            *_control(workspace, beat),
            *self._deliveries(workspace, slugs),
            *_flow(beat),
            *_batches(workspace, slugs),
            *_held_up(beat, living),
            *_host(workspace),
        ]

    def _deliveries(self, workspace: Workspace, slugs: list[str]) -> Iterator[Family]:
        counted = self._counts(workspace, slugs)
        yield Family(
            "comms_deliveries",
            "gauge",
            "Newsletters of the campaigns under way, by state; of relayed ones who is left out, in tens.",
            {
                (("association", slug), ("state", state.value)): states.get(state.value, 0)
                for slug, states in counted.deliveries.items()
                for state in DeliveryState
            },
        )
        yield Family(
            "comms_returns_total",
            "counter",
            "Newsletters that bounced after a server had taken them, and complaints.",
            {
                (("association", slug), ("what", what)): number
                for slug, kinds in counted.bounces.items()
                for what, number in kinds.items()
            },
        )

    def _counts(self, workspace: Workspace, slugs: list[str]) -> _Counted:
        with self._lock:
            if self._counted is None or time.monotonic() >= self._counted.until:
                began = time.monotonic()
                deliveries = {slug: _open(workspace, slug) for slug in slugs}
                bounces = {slug: BounceStore(workspace.association_db(slug)).totals() for slug in slugs}
                now = time.monotonic()
                age = max(LEAST_AGE_S, COUNTED_EVERY * (now - began))
                self._counted = _Counted(deliveries, bounces, now + age)
            return self._counted


def _open(workspace: Workspace, slug: str) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for name in workspace.ledger(slug).open_campaigns():
        row = workspace.host.campaign(name)
        shared = row is None or sharing.is_shared(workspace, row)
        counts.update(reporting.deliveries(workspace, name, slug, shared=shared))
    return dict(counts)


def _control(workspace: Workspace, beat: Heartbeat | None) -> Iterator[Family]:
    is_up = ControlLock(workspace.folder).is_held()
    yield _one("comms_control_up", "Whether a control process runs in the workspace.", is_up)
    if beat is not None:
        age = max(0.0, (workspace.now() - beat.at).total_seconds())
        yield _one("comms_control_heartbeat_age_seconds", "Since control last told of itself.", round(age, 1))


def _flow(beat: Heartbeat | None) -> Iterator[Family]:
    if beat is None:
        return
    yield Family(
        "comms_answers_total",
        "counter",
        "What mail servers answered to newsletters since control began; of relayed ones all together, in tens.",
        {(("association", slug), ("outcome", outcome)): number for (slug, outcome), number in beat.answers.items()},
    )
    yield Family(
        "comms_messages_per_second",
        "gauge",
        "Newsletters that became final a second, over the minute before the heartbeat; of relayed ones all together.",
        {(("association", slug),): rate for slug, rate in beat.per_second.items()},
    )


def _batches(workspace: Workspace, slugs: list[str]) -> Iterator[Family]:
    counts: Counter[Labels] = Counter()
    oldest, now = 0.0, workspace.now().timestamp()
    journals = WorkspaceJournals(workspace)
    for slug in slugs:
        for state in ("waiting", "begun"):
            counts[("association", slug), ("state", state)] = 0
        for batch, claimed_at in workspace.ledger(slug).open_batches():
            begun = journals.was_begun(batch)
            counts[("association", slug), ("state", "begun" if begun else "waiting")] += 1
            oldest = max(oldest, 0.0 if begun else now - claimed_at)
    yield Family("comms_batches", "gauge", "Batches that wait for a sender, or that one holds.", dict(counts))
    yield _one("comms_oldest_waiting_batch_seconds", "Age of the oldest batch that no sender took.", round(oldest, 1))


def _held_up(beat: Heartbeat | None, living: list[LivingSender]) -> Iterator[Family]:
    yield Family(
        "comms_senders",
        "gauge",
        "Sender processes that live, on this machine and on others.",
        {(("where", "here"),): len(living), (("where", "elsewhere"),): beat.elsewhere if beat else 0},
    )
    names = [each.name for each in beat.waiting] if beat else []
    yield _one("comms_domains_waiting", "Domains that want less mail for now.", sum(n not in _PROVIDERS for n in names))
    yield Family(
        "comms_provider_waiting",
        "gauge",
        "Whether a provider defers our IP address.",
        {(("provider", name),): int(name in names) for name in sorted(_PROVIDERS)},
    )
    servers = progress.servers(living)
    yield Family(
        "comms_mail_server_set_aside",
        "gauge",
        "Senders of this machine that leave a mail server alone for now.",
        {(("server", each.name),): each.aside for each in servers},
    )


def _host(workspace: Workspace) -> Iterator[Family]:
    free = shutil.disk_usage(workspace.folder).free
    yield _one("comms_disk_free_bytes", "Free space under the workspace.", free)
    campaigns, posts = workspace.host.state_counts()
    yield Family(
        "comms_campaigns",
        "gauge",
        "Campaigns by state.",
        {(("state", state.value),): campaigns.get(state.value, 0) for state in CampaignState},
    )
    yield Family(
        "comms_posts",
        "gauge",
        "Posts by state.",
        {(("state", state.value),): posts.get(state.value, 0) for state in PostState},
    )


def _one(name: str, text: str, value: float) -> Family:
    return Family(name, "gauge", text, {(): value})
