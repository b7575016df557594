"""One copy of a relayed campaign for each person, whoever sends it. Control alone asks; no association learns who.

What went out is read in the ledgers at the moment in which it counts, so nothing here can contradict them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from audiences.consent import Exclusion
from audiences.mailable import exclusion_sql
from audiences.models import SuppressionScope
from audiences.segments import Condition
from campaigns.models import Campaign
from campaigns.relay import edition_id
from campaigns.store import CampaignRow
from comms.delivery.copies import REACHED, Holders, Standing, Verdict, discard, judge
from comms.engine import sending, variants
from comms.engine.relaying.sharing import is_shared
from comms.engine.segments import compile_rule
from comms.engine.workspace import Workspace
from comms.errors import StateError, StorageError
from comms.events import CampaignState, DeliveryState

LOOK_AGAIN = timedelta(seconds=15)
"""After so long is looked again what became of a person whom another association is to reach."""
FRESH_S = 2.0
"""For so long it counts as known who takes part."""
OPEN = (CampaignState.SCHEDULED, CampaignState.SENDING)
_STOPPED_HERE = (
    "EXISTS (SELECT 1 FROM suppression AS no_relays WHERE no_relays.address_hash = member.address_hash"  # noqa: S608
    f" AND no_relays.scope = '{SuppressionScope.RELAYS}')"
)
_STOPPED = f"{_STOPPED_HERE} OR wants_no_relays(member.address_hash)"


def stopped(workspace: Workspace, slug: str) -> Condition:
    """Does `member` of an association want nothing that is relayed, as they said to it or to all.

    The other database is asked for each address by itself: no query reaches two lists.
    """
    path = workspace.association_path(workspace.association(None).slug)

    def wants_no_relays(digest: bytes | None) -> bool:
        # Opened each time: of many databases the one that was not used for longest is closed.
        return digest is not None and workspace.people_of(path).is_suppressed(digest, SuppressionScope.RELAYS)

    workspace.association_db(slug).conn.create_function("wants_no_relays", 1, wants_no_relays)
    return Condition(f"({_STOPPED})", {})


def audience(workspace: Workspace, edition: Campaign, slug: str) -> int:
    """To how many members a relayed edition would go at most. Raises RuleError.

    Who said it elsewhere that they want nothing relayed is counted: with a number that leaves them out an association
    could tell them from those whom another one has reached.
    """
    now = workspace.now()
    segment = compile_rule(workspace, edition.audience.segment, slug, now.date())
    unwanted = _left(_STOPPED_HERE)
    return workspace.people(slug).exclusions(segment, edition.audience.topic, now, unwanted).get(None, 0)


def _left(condition: str) -> Condition:
    return Condition(f"CASE WHEN {condition} THEN '{Exclusion.NOT_RELAYED}' END", {})


@dataclass(slots=True)
class Edition:
    """One association's edition of a campaign that several send."""

    row: CampaignRow
    association: str
    runs: tuple[int, ...] | None
    """Empty before it is frozen; None while its association's database can not be opened."""

    @property
    def is_open(self) -> bool:
        return self.row.state in OPEN

    @property
    def name(self) -> str:
        """An association has two, where it sends a campaign by itself and relays it, too."""
        return f"{self.row.id} {self.association}"


class Copies:
    """Who sends what to whom, over all campaigns that are relayed. For one thread, as a Workspace is."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._families: dict[str, Family] = {}

    def of(self, row: CampaignRow, slug: str) -> OneCopy | None:
        """What an association's edition has to ask before each copy; None for a campaign that nobody relays.

        Raises StateError while it can not be known who has it already.
        """
        if not is_shared(self._workspace, row):
            return None
        campaign = row.relay_of or row.id
        if campaign not in self._families:
            self._families[campaign] = Family(self._workspace, campaign)
        family = self._families[campaign]
        return OneCopy(self._workspace, family, family.look(of=f"{row.id} {slug}"), is_relayed=bool(row.relay_of))

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
    discard(workspace.relays_folder / f"{campaign}.db")


class Family:
    """All editions of one campaign, and who of their readers is whose."""

    def __init__(self, workspace: Workspace, campaign: str) -> None:
        self._workspace = workspace
        self._campaign = campaign
        self._seen_at = float("-inf")
        self.editions: dict[str, Edition] = {}
        self._nameless = tuple(_nameless(workspace, campaign))
        self.holders = Holders(workspace.relays_folder / f"{campaign}.db", workspace.key.derive(f"relay {campaign}"))

    def look(self, *, of: str) -> Edition:
        """See who takes part now; a list is read anew when it was frozen, or first heard of.

        What is some seconds old serves to guess whom to wait for. It must not hide anyone who sends: so nobody claims
        before all know that their list is frozen, and where each of its deliveries stands is asked at the ledger.
        """
        mine = self.editions.get(of)
        if mine is not None and mine.runs and time.monotonic() - self._seen_at < FRESH_S:
            return mine
        host, known = self._workspace.host, self.holders.marks()
        base = host.campaign(self._campaign)
        named = [*([base] if base else []), *host.editions_of(self._campaign)]
        ids = {row.id for row in named}
        rows = [*named, *(row for row in self._nameless if row.id not in ids)]
        self.editions = {}
        for row, slug in [(each, slug) for each in rows for slug in each.senders]:
            edition = Edition(row, slug, self._runs(row, slug))
            self._list(edition, known.get(edition.name))
        self._seen_at = time.monotonic()
        return self.editions[of]

    def close(self) -> None:
        self.holders.close()

    def standings(self, digest: bytes, mine: Edition) -> tuple[bytes, Standing, list[Standing]]:
        """(a person's token, where this edition stands with them, where the others do)."""
        token, rows = self.holders.who(digest)
        if mine.name not in rows:  # their address was changed after the list was frozen
            self.holders.add(mine.name, self._readers(mine))
            token, rows = self.holders.who(digest)
        found = {
            name: Standing(name, edition.association, self._state(edition, delivery), edition.is_open)
            for name, delivery in rows.items()
            if (edition := self.editions.get(name)) is not None
        }
        own = found.pop(mine.name, Standing(mine.name, mine.association, DeliveryState.READY, is_open=True))
        return token, own, list(found.values())

    def _list(self, edition: Edition, mark: str | None) -> None:
        if edition.runs is None:
            if mark is None:
                raise StateError(
                    f"the database of {edition.association} can not be opened, so nobody knows who has"
                    f" {self._campaign} from it.",
                    hint="Mend it: comms doctor. Until then its other editions wait.",
                )
        elif not edition.runs and edition.row.state == CampaignState.CANCELLED:
            self.holders.forget(edition.name)
            return
        else:
            made_from = f"frozen {list(edition.runs)}" if edition.runs else "planned"
            if mark != made_from:
                self.holders.replace(edition.name, made_from, self._readers(edition))
        self.editions[edition.name] = edition

    def _state(self, edition: Edition, delivery: int | None) -> DeliveryState:
        if edition.runs is None:
            return DeliveryState.CLAIMED  # it may have gone out: whoever shares this person waits
        if delivery is None:
            return DeliveryState.READY
        found = self._workspace.ledger(edition.association).state_of(delivery)
        return found or DeliveryState.SENT  # the row is gone: it was long ago

    def _runs(self, row: CampaignRow, slug: str) -> tuple[int, ...] | None:
        try:
            return tuple(run.id for run in variants.runs(self._workspace, row.id, slug))
        except StorageError as error:
            if error.passing:
                raise
            return None

    def _readers(self, edition: Edition) -> Iterator[tuple[bytes, int | None]]:
        if edition.runs:
            yield from self._workspace.ledger(edition.association).recipients(edition.runs)
        else:
            yield from self._planned(edition.row, edition.association)

    def _planned(self, row: CampaignRow, slug: str) -> Iterator[tuple[bytes, int | None]]:
        """Whom the edition would go to if it were frozen now."""
        campaign, now = sending.read_back(row), self._workspace.now()
        segment = compile_rule(self._workspace, campaign.audience.segment, slug, now.date())
        reason = exclusion_sql(campaign.audience.topic, now)
        meant = Condition(f"{segment.sql} AND {reason.sql} IS NULL", {**segment.parameters, **reason.parameters})
        for digest in self._workspace.people(slug).address_hashes(meant):
            yield digest, None


def _nameless(workspace: Workspace, campaign: str) -> Iterator[CampaignRow]:
    """Editions that stand in ledgers alone: after a restore over a workspace whose other records could not be read.

    None goes out as it is. Who accepts again goes on with it; to all others it says whom it reached.
    """
    for relay in workspace.relays.relays(campaign):
        name, now = edition_id(campaign, relay.association), workspace.now()
        if workspace.host.campaign(name) is not None:
            continue
        try:
            runs = variants.runs(workspace, name, relay.association)
        except StorageError as error:
            if error.passing:
                raise
            continue
        if runs:
            yield CampaignRow(name, "", "", CampaignState.PAUSED, (relay.association,), None, now, relay_of=campaign)


@dataclass(frozen=True, slots=True)
class OneCopy:
    """What an association's edition asks of each person, for one claim: `comms.delivery.dispatch.OneCopy`."""

    workspace: Workspace
    family: Family
    edition: Edition
    is_relayed: bool
    """It is passed on for somebody else, so who wants nothing relayed does not get it."""
    _seen: dict[bytes, tuple[bytes, Standing, list[Standing]]] = field(default_factory=dict)
    """Who was asked for in this claim already: first whether they are reached, then whether they wait."""

    def reason(self, now: datetime) -> Condition:
        """Whom others have reached, and who wants nothing relayed, for the same reason."""
        slug = self.edition.association
        self.workspace.association_db(slug).conn.create_function("is_reached", 1, self._is_reached)
        left = "is_reached(member.address_hash)"
        if self.is_relayed:
            left = f"{stopped(self.workspace, slug).sql} OR {left}"
        return _left(left)

    def wait(self, address: str) -> datetime | None:
        """Until when somebody waits whom another association is to reach."""
        digest = self.workspace.people(self.edition.association).hash_of(address)
        token, mine, others = self._standings(digest)
        if not others:
            return None
        verdict, first = judge(mine, others, token, self.workspace.relays.choice(digest))
        if verdict is Verdict.SEND:
            return None
        now, edition = self.workspace.now(), self.family.editions[first.edition]
        due = None if edition.runs else edition.row.due_at
        return max(now + LOOK_AGAIN, due) if due else now + LOOK_AGAIN

    def _is_reached(self, digest: bytes | None) -> bool:
        if digest is None:
            return False
        return any(other.state in REACHED for other in self._standings(digest)[2])

    def _standings(self, digest: bytes) -> tuple[bytes, Standing, list[Standing]]:
        if digest not in self._seen:
            self._seen[digest] = self.family.standings(digest, self.edition)
        return self._seen[digest]
