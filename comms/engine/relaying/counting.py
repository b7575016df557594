"""What became of an offer with each association, from the ledgers, the events, and what associations tell.

What comes out holds single associations' numbers. It goes into `comms.engine.collective` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from campaigns.figures import ToldFigures
from campaigns.relay import AGREED, edition_id
from campaigns.relays import RelayRow
from campaigns.store import CampaignRow
from campaigns.told import ToldStore
from comms.engagement.collective import Carried
from comms.engine import reporting, variants
from comms.engine.relaying import making, sharing
from comms.engine.workspace import Workspace
from comms.events import DeliveryState


@dataclass(frozen=True, slots=True)
class Counted:
    """All there is to know of an offer when it is closed."""

    rows: tuple[Carried, ...]
    people: int
    """Different people whom the associations that send from here reached."""
    already_reached: Mapping[str, int]
    """Association -> how many of its members others had reached, as it may learn it (`sharing.tens`)."""


@dataclass(frozen=True, slots=True)
class _Reached:
    """Whom one association's edition reached, and whom it left out."""

    copies: int
    people: frozenset[bytes]
    """Keyed hashes of addresses."""
    left_out: frozenset[bytes]
    """Of those who had it from another association, or want nothing relayed."""

    @property
    def erased(self) -> int:
        """Who was forgotten since is one person for each copy: nobody can tell any more whether they are the same."""
        return self.copies - len(self.people)


_NOBODY = _Reached(0, frozenset(), frozenset())


def counted(workspace: Workspace, campaign: str) -> Counted:
    """What became of an offer, as things are now. The author's own sending is no part of it, but whom that reached
    is spared a second copy, too."""
    relays, told = workspace.relays.relays(campaign), ToldStore(workspace.host.db).of(campaign)
    base = workspace.host.campaign(campaign)
    parts = {
        row.association: _reached(workspace, making.campaign_row(workspace, row), row.association) for row in relays
    }
    own = {slug: _reached(workspace, base, slug) for slug in base.senders} if base else {}
    rows, learned = [], {}
    for row in relays:
        mine = parts[row.association]
        if not mine.copies and row.association in told:
            rows.append(_told(workspace, row, told[row.association].figures))
            continue
        others = [part.people for slug, part in (*parts.items(), *own.items()) if slug != row.association]
        spared = len(mine.left_out & frozenset().union(*others))
        rows.append(_measured(workspace, row, mine, spared))
        if mine.copies or mine.left_out:
            learned[row.association] = sharing.tens(spared, len(mine.left_out))
    people = len(frozenset().union(*(part.people for part in parts.values())))
    return Counted(tuple(rows), people + sum(part.erased for part in parts.values()), learned)


def copies(workspace: Workspace, edition: CampaignRow, slug: str) -> int:
    """How many an association sent, to the last one; its own report tells that in tens."""
    ledger = workspace.ledger(slug)
    counts = [ledger.counts(run.id) for run in variants.runs(workspace, edition.id, slug)]
    return sum(each.get(DeliveryState.SENT.value, 0) for each in counts)


def _reached(workspace: Workspace, edition: CampaignRow | None, slug: str) -> _Reached:
    if edition is None:
        return _NOBODY
    ledger, runs = workspace.ledger(slug), [run.id for run in variants.runs(workspace, edition.id, slug)]
    sent = ledger.recipients(runs, DeliveryState.SENT)
    left_out = ledger.recipients(runs, DeliveryState.SKIPPED, reason=sharing.LEFT_OUT)
    return _Reached(
        copies(workspace, edition, slug),
        frozenset(digest for digest, _ in sent),
        frozenset(digest for digest, _ in left_out),
    )


def _measured(workspace: Workspace, row: RelayRow, mine: _Reached, spared: int) -> Carried:
    association = workspace.association(row.association)
    has_sent = bool(mine.copies or spared)
    data = reporting.report(workspace, edition_id(row.campaign, row.association)) if has_sent else None
    people = len(mine.people) + mine.erased
    return Carried(
        slug=association.slug,
        name=association.name,
        sector=association.kind,
        state=association.region,
        accepted=has_sent or row.state in AGREED,
        sent=has_sent,
        copies=mine.copies,
        people_low=people,
        people_high=people,
        clicks=data.engagement.clicked if data else 0,
        replies=data.engagement.replied if data else 0,
        already_reached=spared,
        answers={(poll.question, each.text): each.count for poll in data.polls for each in poll.answers}
        if data
        else {},
    )


def _told(workspace: Workspace, row: RelayRow, figures: ToldFigures) -> Carried:
    association = workspace.association(row.association)
    return Carried(
        slug=association.slug,
        name=association.name,
        sector=association.kind,
        state=association.region,
        accepted=True,
        sent=True,
        copies=figures.copies,
        people_low=figures.people,
        people_high=figures.people,
        clicks=figures.clicks,
        replies=figures.replies,
        answers=figures.answers,
        measured=False,
    )
