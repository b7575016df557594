"""One copy of a relayed campaign for each person, whoever sends it. Control alone asks; no association learns who.

What went out is read in the ledgers at the moment in which it counts, so nothing here can contradict them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audiences.consent import Exclusion
from audiences.models import SuppressionScope
from audiences.segments import Condition
from audiences.store import exclusion_sql
from campaigns.models import Campaign
from campaigns.store import CampaignRow
from comms.delivery.copies import REACHED, Elsewhere, Holders, Verdict, judge
from comms.engine import sending, variants
from comms.engine.segments import compile_rule
from comms.engine.workspace import Workspace
from comms.events import CampaignState, DeliveryState

LOOK_AGAIN = timedelta(seconds=15)
"""After so long is looked again what became of a person whom another association is to reach."""
FRESH_S = 2.0
"""For so long it counts as known who takes part."""
OPEN = (CampaignState.SCHEDULED, CampaignState.SENDING)
_STOPPED = (
    "EXISTS (SELECT 1 FROM suppression AS no_relays WHERE no_relays.address_hash = member.address_hash"  # noqa: S608
    f" AND no_relays.scope = '{SuppressionScope.RELAYS}') OR wants_no_relays(member.address_hash)"
)


def stopped(workspace: Workspace, slug: str) -> Condition:
    """Does `member` of an association want nothing that is relayed, as they said to it or to all.

    The other database is asked for each address by itself: no query reaches two lists.
    """
    host = workspace.people(workspace.association(None).slug)

    def wants_no_relays(digest: bytes | None) -> bool:
        return digest is not None and host.is_suppressed(digest, SuppressionScope.RELAYS)

    workspace.association_db(slug).conn.create_function("wants_no_relays", 1, wants_no_relays)
    return Condition(f"({_STOPPED})", {})


def audience(workspace: Workspace, edition: Campaign, slug: str) -> int:
    """To how many members a relayed edition would go, if they got it from nobody else. Raises RuleError."""
    now = workspace.now()
    segment = compile_rule(workspace, edition.audience.segment, slug, now.date())
    unwanted = _left(stopped(workspace, slug).sql)
    return workspace.people(slug).exclusions(segment, edition.audience.topic, now, unwanted).get(None, 0)


def _left(condition: str) -> Condition:
    return Condition(f"CASE WHEN {condition} THEN '{Exclusion.NOT_RELAYED}' END", {})


@dataclass(slots=True)
class Edition:
    """One association's edition of a campaign that several send."""

    row: CampaignRow
    association: str
    is_frozen: bool

    @property
    def is_open(self) -> bool:
        return self.row.state in OPEN


class Copies:
    """Who sends what to whom, over all campaigns that are relayed. For one thread, as a Workspace is."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._families: dict[str, Family] = {}

    def of(self, row: CampaignRow, slug: str) -> OneCopy | None:
        """What an association's edition has to ask before each copy; None for a campaign that nobody relays."""
        campaign = row.relay_of or row.id
        if not row.relay_of and self._workspace.relays.offer(campaign) is None:
            return None
        if campaign not in self._families:
            self._families[campaign] = Family(self._workspace, campaign)
        family = self._families[campaign]
        family.look(of=slug)
        return OneCopy(self._workspace, family, slug, is_relayed=bool(row.relay_of))

    def drop_closed(self) -> None:
        """Let go of the files of campaigns that are closed; whoever closed them could not, where they are open here."""
        for campaign, family in list(self._families.items()):
            offer = self._workspace.relays.offer(campaign)
            if offer is not None and offer.figures:
                family.close()
                del self._families[campaign]
                forget(self._workspace, campaign)


def forget(workspace: Workspace, campaign: str) -> None:
    """Take away the file that says who has whom."""
    (workspace.relays_folder / f"{campaign}.db").unlink(missing_ok=True)


class Family:
    """All editions of one campaign, and who of their readers is whose."""

    def __init__(self, workspace: Workspace, campaign: str) -> None:
        self._workspace = workspace
        self._campaign = campaign
        self._seen_at = float("-inf")
        self.editions: dict[str, Edition] = {}
        self.key = workspace.key.derive(f"relay {campaign}")
        self.holders = Holders(workspace.relays_folder / f"{campaign}.db", self.key)

    def look(self, *, of: str) -> None:
        """See who takes part now; a list is read anew when it was frozen, or first heard of.

        What is some seconds old serves to guess whom to wait for. It must not hide anyone who sends: so nobody claims
        before all know that their list is frozen, and where each of its deliveries stands is asked at the ledger.
        """
        mine = self.editions.get(of)
        if mine is not None and mine.is_frozen and time.monotonic() - self._seen_at < FRESH_S:
            return
        host, known = self._workspace.host, self.holders.marks()
        base = host.campaign(self._campaign)
        rows = [*([base] if base else []), *host.editions_of(self._campaign)]
        self.editions = {}
        for row, slug in [(each, slug) for each in rows for slug in each.senders]:
            runs = [run.id for run in variants.runs(self._workspace, row.id, slug)]
            if not runs and row.state == CampaignState.CANCELLED:
                self.holders.forget(slug)
                continue
            self.editions[slug] = Edition(row, slug, bool(runs))
            mark = f"frozen {row.id} {runs}" if runs else f"planned {row.id}"
            if known.get(slug) != mark:
                self.holders.replace(slug, mark, self._frozen(slug, runs) if runs else self._planned(row, slug))
        self._seen_at = time.monotonic()

    def close(self) -> None:
        self.holders.close()

    def elsewhere(self, digest: bytes, me: str) -> tuple[bytes, list[Elsewhere]]:
        """(a person's token, what the others are about to do for them)."""
        token, rows = self.holders.others(digest, me)
        found = []
        for slug, delivery in rows:
            edition = self.editions.get(slug)
            if edition is None:
                continue
            state = DeliveryState.READY
            if delivery is not None:
                state = self._workspace.ledger(slug).state_of(delivery) or DeliveryState.SENT  # gone: it was long ago
            found.append(Elsewhere(slug, state, edition.is_open))
        return token, found

    def _frozen(self, slug: str, runs: Sequence[int]) -> Iterator[tuple[bytes, int | None]]:
        yield from self._workspace.ledger(slug).recipients(runs)

    def _planned(self, row: CampaignRow, slug: str) -> Iterator[tuple[bytes, int | None]]:
        """Whom the edition would go to if it were frozen now."""
        campaign, now = sending.read_back(row), self._workspace.now()
        segment = compile_rule(self._workspace, campaign.audience.segment, slug, now.date())
        reason = exclusion_sql(campaign.audience.topic, now)
        meant = Condition(f"{segment.sql} AND {reason.sql} IS NULL", {**segment.parameters, **reason.parameters})
        for digest in self._workspace.people(slug).address_hashes(meant):
            yield digest, None


@dataclass(frozen=True, slots=True)
class OneCopy:
    """What an association's edition asks of each person, for one claim: `comms.delivery.dispatch.OneCopy`."""

    workspace: Workspace
    family: Family
    association: str
    is_relayed: bool
    """It is passed on for somebody else, so who wants nothing relayed does not get it."""
    _seen: dict[bytes, tuple[bytes, list[Elsewhere]]] = field(default_factory=dict)
    """Who was asked for in this claim already: first whether they are reached, then whether they wait."""

    def reason(self, now: datetime) -> Condition:
        """Whom others have reached, and who wants nothing relayed, for the same reason."""
        self.workspace.association_db(self.association).conn.create_function("is_reached", 1, self._is_reached)
        left = "is_reached(member.address_hash)"
        if self.is_relayed:
            left = f"{stopped(self.workspace, self.association).sql} OR {left}"
        return _left(left)

    def wait(self, address: str) -> datetime | None:
        """Until when somebody waits whom another association is to reach."""
        people = self.workspace.people(self.association)
        digest = people.hash_of(address)
        token, others = self._elsewhere(digest)
        if not others:
            return None
        verdict, first = judge(self.association, others, token, self._choice(digest))
        if verdict is Verdict.SEND:
            return None
        now = self.workspace.now()
        edition = self.family.editions.get(first)
        due = edition.row.due_at if edition and not edition.is_frozen else None
        return max(now + LOOK_AGAIN, due) if due else now + LOOK_AGAIN

    def _choice(self, digest: bytes) -> str | None:
        return self.workspace.relays.choice(digest)

    def _is_reached(self, digest: bytes | None) -> bool:
        if digest is None:
            return False
        return any(other.state in REACHED for other in self._elsewhere(digest)[1])

    def _elsewhere(self, digest: bytes) -> tuple[bytes, list[Elsewhere]]:
        if digest not in self._seen:
            self._seen[digest] = self.family.elsewhere(digest, self.association)
        return self._seen[digest]
