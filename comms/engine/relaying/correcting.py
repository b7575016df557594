"""Corrections and recalls of what was offered: they reach whatever has not been sent, and say so to everyone else.

not sent, not adapted     has the correction at once; asked again if it was accepted, unless the correction is minor
not sent, adapted         keeps the association's words; asked again, with what was changed
sent                      may put the correction on its page and into its feed
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from campaigns import gathering as feeds
from campaigns import relay as rules
from campaigns.models import Campaign
from campaigns.relay import UNSENT, Difference, RelayState
from campaigns.relays import OfferRow, RelayRow, VersionRow
from campaigns.store import CampaignRow
from comms.db import storage_errors
from comms.engine import corrections, editions, gathering, offer_files, sending
from comms.engine.relaying import answering, letters, making, offering, peers
from comms.engine.workspace import Workspace
from comms.errors import CommsError, StateError, UsageError
from comms.events import CampaignState
from comms.kits.offer_files import to_text

_ACCEPTED = (RelayState.ACCEPTED, RelayState.SCHEDULED)
CANCELLABLE = (CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.PAUSED)


@dataclass(frozen=True, slots=True)
class Reached:
    """What a correction, or a recall, means for one association."""

    association: str
    state: RelayState
    what: str
    """`updates`: has it at once; `asks`: has to say yes again; `sent`: may correct what is published; `stops`."""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "state": self.state.value}


@dataclass(frozen=True, slots=True)
class Correction:
    """A correction that is not made yet."""

    campaign: Campaign
    offer: OfferRow
    change: Difference
    reached: tuple[Reached, ...]
    note: str
    minor: bool

    def to_json(self) -> dict[str, Any]:
        return {
            "campaign": self.offer.campaign,
            "version": self.offer.version + 1,
            "minor": self.minor,
            "change": self.change.to_json(),
            "associations": [each.to_json() for each in self.reached],
        }


def plan(workspace: Workspace, file: Path, *, note: str, minor: bool = False) -> Correction:
    """What the corrected file would do; changes nothing.

    `minor`: a matter of spelling, say, for which nobody who accepted has to be asked again. Raises DefinitionError,
    UsageError for a campaign that was not offered or a file that says nothing new, StateError for one that is over.
    """
    campaign = editions.read_definition(file)
    offer = find(workspace, campaign.id)
    if offer.state != "open":
        raise StateError(f"{campaign.id} is {offer.state}; it can not be corrected.")
    if campaign.relay is None or campaign.newsletter is None:
        missing = "`newsletter:`" if campaign.relay else "`relay:`"
        raise UsageError(f"{file} has no {missing} any more.", hint="To take it back: comms relay recall.")
    if not note.strip():
        raise UsageError("a correction says what was corrected.", hint='--note "The deadline is 1 March"')
    found = correction_of(workspace, offer, campaign, note=note.strip(), minor=minor)
    if found.change.is_empty:
        raise UsageError(f"{file} says what was offered.", hint="Change it first.")
    return found


def correction_of(
    workspace: Workspace, offer: OfferRow, campaign: Campaign, *, note: str, minor: bool, since: int | None = None
) -> Correction:
    """What another text of an offer would mean; `since`: to those who know that version, in place of the latest."""
    change = rules.difference(making.offered(workspace, campaign.id, since or offer.version), campaign)
    rows = workspace.relays.relays(campaign.id)
    reached = tuple(Reached(row.association, row.state, _what(row, minor=minor)) for row in rows)
    return Correction(campaign, offer, change, reached, note, minor)


def correct(workspace: Workspace, correction: Correction, *, who: str) -> None:
    """Make the correction, and tell those who speak for the associations. Raises StateError when somebody else made
    another one meanwhile."""
    campaign = gathering.gather(workspace, correction.campaign)
    carry(workspace, replace(correction, campaign=campaign), correction.offer.version + 1, who=who)


def carry(workspace: Workspace, correction: Correction, version: int, *, who: str) -> None:
    """The same, of a campaign whose feeds are gathered, as a version above that of the offer. Raises StateError."""
    host, store, now, campaign = workspace.host, workspace.relays, workspace.now(), correction.campaign
    with storage_errors(workspace.host_path), host.db.atomic():
        if store.offer(campaign.id) != correction.offer:
            raise StateError("somebody else changed the offer in this moment.", hint="Look at it, and try again.")
        kept, files = feeds.kept(campaign), to_text(offer_files.named(workspace, campaign))
        note, minor = correction.note, correction.minor
        store.add_version(VersionRow(campaign.id, version, campaign.definition, kept, note, now, minor, files))
        store.save_offer(replace(correction.offer, version=version, title=campaign.title, updated_at=now))
        host.note(who, "offer corrected", campaign.id, correction.note, now)
    reach(workspace, correction, version, who=who)


def reach(
    workspace: Workspace, correction: Correction, version: int, *, who: str, begun: datetime | None = None
) -> None:
    """Take a correction that is written down to all associations which were not told of it yet. `begun`: when another
    process began to, and ended on the way."""
    for row in workspace.relays.relays(correction.campaign.id):
        if row.told >= version:
            continue
        if not peers.is_peer(workspace, row.association):  # its own engine reads it in the feed
            try:
                if begun is None or not _finish(workspace, row, correction, begun):
                    _carry(workspace, row, correction, version, who)
            except StateError:  # it began to go out, or was answered, in this moment
                letters.corrected(workspace, row, correction.note, correction.change, asks=False, sent=True)
        letters.set_told(workspace, row, version)


def recall(workspace: Workspace, campaign: str, reason: str, *, who: str) -> list[Reached]:
    """Take an offer back: what is not sent is not sent, and what is published is marked as withdrawn.

    Takes hold of what is being sent before the next batch is handed out. Raises UsageError, StateError.
    """
    offer = find(workspace, campaign)
    if offer.state == "recalled":
        raise StateError(f"{campaign} was recalled before.")
    if not reason.strip():
        raise UsageError("a recall says why.", hint='--reason "The grant was withdrawn"')
    host, store, now = workspace.host, workspace.relays, workspace.now()
    reached = []
    with storage_errors(workspace.host_path), host.db.atomic():
        store.save_offer(replace(offer, state="recalled", reason=reason.strip(), updated_at=now))
        host.note(who, "offer recalled", campaign, reason.strip(), now)
        for row in store.relays(campaign):
            if rules.may_become(row.state, RelayState.WITHDRAWN):
                store.save_relay(replace(row, state=RelayState.WITHDRAWN), was=row, now=now)
                store.add_step(row.id, who, RelayState.WITHDRAWN.value, reason.strip(), now)
                reached.append(Reached(row.association, row.state, "sent" if row.state is RelayState.SENT else "stops"))
        own = host.campaign(campaign)
        rows = [*host.editions_of(campaign), *([own] if own else [])]
        for edition in rows:
            host.set_state(edition.id, CampaignState.CANCELLED, now, was=CANCELLABLE)
            _withdraw_entries(workspace, edition, reason.strip(), who)
    for edition in rows:
        sending.finish_cancel(workspace, edition)
    _tell_recall(workspace, campaign)
    return reached


def catch_up(workspace: Workspace, offer: OfferRow) -> None:
    """Tell associations what a process had begun to tell when it ended."""
    if offer.state == "recalled":
        _tell_recall(workspace, offer.campaign)
        return
    store, campaign = workspace.relays, making.offered(workspace, offer.campaign, offer.version)
    offering.announce(workspace, campaign)
    since = min(row.told for row in store.relays(offer.campaign))
    if since < offer.version:
        minor, note = store.minor_since(offer.campaign) <= since, store.version(offer.campaign, offer.version).note
        correction = correction_of(workspace, offer, campaign, note=note, minor=minor, since=since)
        reach(workspace, correction, offer.version, who="comms", begun=offer.updated_at)


def publish(workspace: Workspace, row: RelayRow, *, who: str) -> RelayRow:
    """Put the latest correction on the page and into the feed of an association that has sent the campaign.

    Raises StateError when it has not, or there is nothing to correct.
    """
    offer = find(workspace, row.campaign)
    if row.state not in (RelayState.SENDING, RelayState.SENT) or row.version == offer.version:
        raise StateError(f"there is nothing of {row.campaign} for {row.association} to correct.")
    note = workspace.relays.version(row.campaign, offer.version).note
    edition = making.edition(workspace, row)
    corrections.apply(workspace, corrections.changed(workspace, edition, note=note), who=who)
    store, now = workspace.relays, workspace.now()
    with storage_errors(workspace.host_path), store.db.atomic():
        if not store.save_relay(replace(row, version=offer.version), was=row, now=now):
            raise StateError("somebody else has put the correction there in this very moment.")
        store.add_step(row.id, who, "corrected", note, now)
    fresh = store.relay_by_id(row.id)
    assert fresh is not None
    return fresh


def find(workspace: Workspace, campaign: str) -> OfferRow:
    """Raises UsageError for a campaign that was not offered."""
    offer = workspace.relays.offer(campaign)
    if offer is None:
        raise UsageError(f"{campaign!r} was not offered.", hint="Offer it first: comms relay offer FILE.")
    return offer


# --- parts ------------------------------------------------------------------------------------


def _what(row: RelayRow, *, minor: bool) -> str:
    if row.state in (RelayState.SENDING, RelayState.SENT):
        return "sent"
    if row.state in (RelayState.DECLINED, RelayState.EXPIRED, RelayState.WITHDRAWN):
        return "updates"
    asks = row.adaptation.is_changed or (bool(row.approved) and not minor)
    return "asks" if asks else "updates"


def _detail(correction: Correction) -> str:
    return f"corrected: {correction.note}"


def _finish(workspace: Workspace, row: RelayRow, correction: Correction, begun: datetime) -> bool:
    """Say what a process did, and ended before it had said it; False where it had not come to this association."""
    steps = workspace.relays.steps(row.id)
    if not any(step.detail == _detail(correction) and step.at >= begun for step in steps):
        return False
    accepted = row.state in _ACCEPTED
    if accepted or row.state is RelayState.ADAPTING:
        letters.corrected(workspace, row, correction.note, correction.change, asks=not accepted, sent=False)
    return True


def _carry(workspace: Workspace, row: RelayRow, correction: Correction, version: int, who: str) -> None:
    """Take a correction to one association."""
    what = _what(row, minor=correction.minor)
    if what == "sent":
        letters.corrected(workspace, row, correction.note, correction.change, asks=False, sent=True)
        return
    if row.state not in UNSENT:
        return
    accepted, detail = row.state in _ACCEPTED, _detail(correction)
    if what == "asks":
        answering.reopen(workspace, row, who=who, detail=detail)
        fresh = answering.find(workspace, row.campaign, row.association)
        if not row.adaptation.is_changed and offering.accept_by_rule(workspace, fresh, correction.campaign):
            return
        letters.corrected(workspace, fresh, correction.note, correction.change, asks=True, sent=False)
        return
    try:
        answering.renew(workspace, row, version, who=who, detail=detail)
    except (CommsError, ValueError):
        answering.reopen(workspace, row, who=who, detail=detail)
        fresh = answering.find(workspace, row.campaign, row.association)
        letters.corrected(workspace, fresh, correction.note, correction.change, asks=True, sent=False)
        return
    if accepted:
        letters.corrected(workspace, row, correction.note, correction.change, asks=False, sent=False)


def _tell_recall(workspace: Workspace, campaign: str) -> None:
    offer = find(workspace, campaign)
    for row in workspace.relays.relays(campaign):
        if row.told < offer.due:
            letters.recalled(workspace, row, offer.reason)
            letters.set_told(workspace, row, offer.due)


def _withdraw_entries(workspace: Workspace, row: CampaignRow, reason: str, who: str) -> None:
    """Expects to run inside `host.db.atomic()`."""
    if not any(workspace.host.entry(slug, row.id) for slug in row.senders):
        return
    try:
        changes = corrections.withdrawal(workspace, row.id, reason=reason)
    except StateError:  # they were withdrawn before
        return
    corrections.apply(workspace, changes, who=who)
