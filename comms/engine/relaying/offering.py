"""Who is offered a campaign, what the relay would come to, and the offer itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from audiences.models import Association
from campaigns import gathering as feeds
from campaigns import relay as rules
from campaigns.models import Campaign
from campaigns.relay import AGREED, UNANSWERED, RelayState, edition_id
from campaigns.relays import OfferRow, RelayRow, RelayRule, VersionRow
from campaigns.told import ToldStore
from comms.db import storage_errors
from comms.engine import checking, editions, gathering, offer_files, timing
from comms.engine.checking import CheckResult
from comms.engine.readership import Readers, own_readers
from comms.engine.relaying import answering, copying, letters, making, peers, weighing
from comms.engine.relaying.peers import Told
from comms.engine.relaying.weighing import OfferedReaders
from comms.engine.workspace import Workspace
from comms.errors import CommsError, StateError, UsageError
from comms.events import CampaignState
from comms.kits.offer_files import to_text
from comms.preflight.audience import RELAY

FEWEST = 10
"""No count of people under this is shown to anybody but the association whose people they are."""


@dataclass(frozen=True, slots=True)
class Invited:
    """What an offer would mean for one association."""

    association: str
    name: str
    audience: int | None
    """How many members it would go to; None for fewer than 10, and where it can not be counted."""
    seats: int
    """How many people speak for it."""
    by_rule: bool
    """It accepts this without asking, as it once decided."""
    clashes: tuple[str, ...] = ()
    """Other campaigns of its own on the day on which this would go out."""
    faults: tuple[str, ...] = ()
    """What is missing or wrong before it can take part."""
    own_tool: bool = False
    """It sends with a tool of its own, and nobody here can count its members."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class OfferPlan:
    """What offering a campaign would do."""

    campaign: Campaign
    invited: tuple[Invited, ...]

    @property
    def total(self) -> int:
        """How many copies would go out at most, of associations whose count is known."""
        return sum(each.audience or 0 for each in self.invited)

    def to_json(self) -> dict[str, Any]:
        part = self.campaign.relay
        assert part is not None
        return {
            "campaign": self.campaign.id,
            "title": self.campaign.title,
            "respond_by": part.respond_by.isoformat() if part.respond_by else None,
            "not_before": part.not_before.isoformat() if part.not_before else None,
            "not_after": part.not_after.isoformat() if part.not_after else None,
            "associations": [each.to_json() for each in self.invited],
            "total": self.total,
        }


def plan(workspace: Workspace, campaign: Campaign) -> OfferPlan:
    """What an offer would do; changes nothing. Raises UsageError for what can not be offered."""
    part = campaign.relay
    if part is None:
        raise UsageError(f"campaign {campaign.id} has no `relay:` section.", hint="Add `relay:` with `associations:`.")
    if campaign.newsletter is None:
        raise UsageError(f"campaign {campaign.id} has no newsletter that could be relayed.", hint="Add `newsletter:`.")
    if campaign.schedule is not None and campaign.schedule.repeat:
        raise UsageError(f"campaign {campaign.id} repeats.", hint="Offer one campaign at a time, without `repeat:`.")
    today = workspace.now().date()
    if rules.has_expired(part, today) or rules.is_over(part, today):
        raise UsageError("its last day to respond, or to send, is over.", hint="Choose later days under `relay:`.")
    campaign = gathering.gather(workspace, campaign)
    invited = tuple(_invited(workspace, campaign, each) for each in guests(workspace, campaign))
    if not invited:
        raise UsageError(
            f"campaign {campaign.id} would be offered to nobody.",
            hint="See: comms association list; `relay:` names whom.",
        )
    return OfferPlan(campaign, invited)


def check(workspace: Workspace, path: Path) -> CheckResult:
    """What must be mended in a definition before it is offered, or before what was offered becomes this."""
    result = checking.check(workspace, path, of_whom=_readers)
    # The offer itself is what this finding asks for.
    return replace(result, findings=tuple(each for each in result.findings if each.rule != RELAY.name))


def _readers(workspace: Workspace, campaign: Campaign, author: Association) -> Readers:
    """Members of those to whom it is, or was, offered; the author's own where no such list is here."""
    asked = [row.association for row in workspace.relays.relays(campaign.id)]
    if not asked and campaign.relay is not None:
        asked = [each.slug for each in guests(workspace, campaign)]
    here = [slug for slug in asked if workspace.people(slug).count()]
    return OfferedReaders(workspace, here) if here else own_readers(workspace, campaign, author)


def guests(workspace: Workspace, campaign: Campaign) -> list[Association]:
    """Whom the campaign's `relay:` means, but for the association whose campaign it is. Raises UsageError for a slug
    that there is not."""
    part = campaign.relay
    assert part is not None
    author = workspace.association(campaign.association).slug
    everyone = [each for each in workspace.associations() if each.slug != author]
    named = {workspace.association(slug).slug for slug in part.associations if slug != "all"}
    return [
        each
        for each in everyone
        if "all" in part.associations or each.slug in named or (each.kind and each.kind in part.kinds)
    ]


def offer(workspace: Workspace, planned: OfferPlan, *, who: str) -> OfferRow:
    """Offer the campaign, and mail those who speak for the associations. Raises StateError for one offered before."""
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        row = write_down(workspace, planned.campaign, [each.association for each in planned.invited], 1, who=who)
    announce(workspace, planned.campaign)
    return row


def write_down(workspace: Workspace, campaign: Campaign, slugs: Sequence[str], version: int, *, who: str) -> OfferRow:
    """Offer a campaign, and tell nobody yet. Expects to run inside `host.db.atomic()`. Raises StateError for one
    offered before, StorageError for files that can not be read."""
    host, store, now = workspace.host, workspace.relays, workspace.now()
    if store.offer(campaign.id) is not None:
        raise StateError(f"{campaign.id} was offered before.", hint="To change it: comms relay correct FILE --note ...")
    row = OfferRow(campaign.id, campaign.title, "open", "", version, now, now, "")
    store.save_offer(row)
    files = to_text(offer_files.named(workspace, campaign))
    gathered = feeds.kept(campaign)
    store.add_version(VersionRow(campaign.id, version, campaign.definition, gathered, "", now, files=files))
    _refuse_sent_unasked(workspace, campaign)
    for slug in slugs:
        if host.campaign(edition_id(campaign.id, slug)) is not None:
            raise StateError(f"{slug} has a campaign {edition_id(campaign.id, slug)}.")
        store.add_relay(campaign.id, slug, version, now)
    host.note(who, "offered", campaign.id, ", ".join(slugs), now)
    return row


def _refuse_sent_unasked(workspace: Workspace, campaign: Campaign) -> None:
    """Raises StateError where an association sends it, or did, from a file in which it was not offered yet."""
    row = workspace.host.campaign(campaign.id)
    for slug in row.senders if row else ():
        if not editions.is_own(workspace, campaign, workspace.association(slug)):
            raise StateError(
                f"{slug} sends {campaign.id} already, without having been asked (state: {row.state if row else ''}).",
                hint="Choose a new id in the `campaign:` line for the offer.",
            )


def announce(workspace: Workspace, campaign: Campaign) -> None:
    """Tell those who speak for associations of what was just offered, and were not told yet; some decided long ago what
    becomes of it. Once more where a process ended on the way: a second mail harms nobody, and none would be one answer
    less."""
    for relay in workspace.relays.relays(campaign.id):
        if not relay.told:
            _open(workspace, relay, campaign)
            letters.set_told(workspace, relay, relay.version)


def accepts_by_rule(rule: RelayRule, campaign: Campaign) -> bool:
    """Has an association decided to take part in campaigns like this without being asked."""
    part = campaign.relay
    return part is not None and bool(set(rule.accepts) & set(part.topics))


def accept_by_rule(workspace: Workspace, relay: RelayRow, campaign: Campaign) -> bool:
    """Accept for an association that once decided so; False where it did not, or where something stands in the way."""
    rule = workspace.relays.rule(relay.association)
    if not accepts_by_rule(rule, campaign) or rule.two_seats:
        return False
    try:
        answering.accept(workspace, relay, who="standing rule")
    except CommsError:
        return False
    return True


def _open(workspace: Workspace, relay: RelayRow, campaign: Campaign) -> None:
    """Mail the offer; or accept it, where the association once decided to. Its seats hear of that as well."""
    accept_by_rule(workspace, relay, campaign)
    letters.offer(workspace, relay, campaign)


def _invited(workspace: Workspace, campaign: Campaign, association: Association) -> Invited:
    slug, faults = association.slug, []
    seats = len(workspace.relays.seats(slug))
    if not seats:
        faults.append("nobody speaks for it: comms relay seat add")
    if not association.postal_address:
        faults.append("it has no postal address")
    audience: int | None = None
    at: datetime | None = None
    rule = workspace.relays.rule(slug)
    try:
        edition = making.unadapted(workspace, campaign, slug)
        if rule.own_tool:
            edition = making.for_own_tool(edition)
        at = timing.due(workspace, edition, association)[None] if edition.schedule else workspace.now()
        if lacking := tuple(weighing.lacks(workspace, edition, slug)):
            faults += lacking
        elif not rule.own_tool:
            audience = copying.audience(workspace, edition, slug)
    except CommsError as error:
        faults.append(str(error))
    if audience == 0:
        faults.append("nobody among its members would get it")
    return Invited(
        association=slug,
        name=association.name,
        audience=audience if audience and audience >= FEWEST else None,
        seats=seats,
        by_rule=accepts_by_rule(rule, campaign),
        clashes=_clashes(workspace, slug, at.date()) if at else (),
        faults=tuple(faults),
        own_tool=rule.own_tool,
    )


def _clashes(workspace: Workspace, slug: str, day: date) -> tuple[str, ...]:
    """Other campaigns that the association's members get on a day."""
    rows = workspace.host.campaigns([CampaignState.SCHEDULED, CampaignState.SENDING])
    return tuple(row.id for row in rows if slug in row.senders and row.due_at and row.due_at.date() == day)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one association stands with an offer, as the coalition may see it."""

    association: str
    name: str
    state: RelayState
    since: datetime
    version: int
    reason: str
    told: Told | None = None
    """What its own engine said, where it has one: figures that were not counted here."""
    figures_at: datetime | None = None
    """When it told figures of what it sent with a tool of its own; they are counted at the close."""

    def to_json(self) -> dict[str, Any]:
        return {
            "association": self.association,
            "name": self.name,
            "state": self.state.value,
            "since": self.since.isoformat(),
            "version": self.version,
            "reason": self.reason,
            "self_reported": self.told.to_json() if self.told else None,
            "figures_at": self.figures_at.isoformat() if self.figures_at else None,
        }


def standings(workspace: Workspace, campaign: str) -> list[Standing]:
    """Raises UsageError for a campaign that was not offered."""
    rows = workspace.relays.relays(campaign)
    if workspace.relays.offer(campaign) is None:
        raise UsageError(f"{campaign!r} was not offered.", hint="See: comms relay list.")
    told = ToldStore(workspace.host.db).of(campaign)
    return [
        Standing(
            row.association,
            workspace.association(row.association).name,
            row.state,
            row.updated_at,
            row.version,
            row.reason,
            peers.told(workspace, row),
            told[row.association].at if row.association in told else None,
        )
        for row in rows
    ]


def tally(states: Sequence[RelayState]) -> dict[str, int]:
    """How many associations were offered a campaign, have accepted it, sent it, said no, or said nothing."""
    return {
        "offered": len(states),
        "accepted": sum(state in AGREED for state in states),
        "sent": sum(state is RelayState.SENT for state in states),
        "declined": sum(state is RelayState.DECLINED for state in states),
        "open": sum(state in UNANSWERED for state in states),
    }
