"""What a feed of another engine says -> offers, corrections and recalls of this workspace.

Each is known by its version: what was taken once is never taken again, an older version never comes back, and a version
says one thing only. What can not be used is written down with the reason, and tried again with the next reading.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace

from audiences.attributes import clean_text
from campaigns import foreign
from campaigns import relay as rules
from campaigns.follows import FollowedRow, FollowRow, FollowStore
from campaigns.foreign import ForeignError
from campaigns.models import Campaign
from comms.db import storage_errors
from comms.engine import offer_feeds
from comms.engine.following.fetching import Fetching
from comms.engine.relaying import correcting, offering
from comms.engine.workspace import Workspace
from comms.errors import CommsError
from comms.kits import offer_files
from comms.kits.offers import Offer
from comms.reading.engines import media_url

MOST_HOPS = 3
"""Engines that an offer may come through: from a national coalition by a regional and a state one, and no further."""
MOST_OFFERS = 200
"""Of one feed that are looked at; ours holds at most 100."""
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
_LONGEST_ID = 64
_ENGINE = re.compile(r"[0-9a-f]{16}")
_ORIGIN = re.compile(r"[0-9a-f]{16}/[a-z0-9-]{1,64}")
_LARGEST = 1_000_000
"""Characters of a definition, and of what it gathered."""
_LONGEST_WORDS = 1_000


def take(
    workspace: Workspace, follow: FollowRow, offers: tuple[Offer, ...], files: Fetching
) -> tuple[FollowedRow, ...]:
    """Take what is new of a feed, the oldest offer first, with the files that go with it; returns all of it as it is
    known now."""
    store, sound = FollowStore(workspace.host.db), [offer for offer in offers[:MOST_OFFERS] if _is_sound(offer)]
    known = {row.remote: row for row in store.followed(follow.url)}
    for offer in sorted(sound, key=lambda each: each.published):
        _take(workspace, follow, offer, known.get(offer.campaign), files)
    return tuple(store.followed(follow.url))


def _take(workspace: Workspace, follow: FollowRow, offer: Offer, known: FollowedRow | None, files: Fetching) -> None:
    if known is None and offer.withdrawn is not None:
        return  # it came and went before anybody here heard of it
    row = known or FollowedRow(
        0, follow.url, offer.campaign, f"{follow.name}-{offer.campaign}", 0, "", offer.origin, " ".join(offer.via),
        "", 0, "", True, None, 0, "",
    )  # fmt: skip
    if offer.version < row.version:
        return
    fault = _fault(workspace, follow, offer, row)
    if not fault:
        try:
            if offer.withdrawn is not None:
                _recall(workspace, follow, offer, row)
            elif offer.version > row.version:
                _take_version(workspace, follow, offer, row, files)
        except (ForeignError, CommsError) as error:
            fault = str(error)
    if fault or row.fault:
        kept = FollowStore(workspace.host.db).taken(row.campaign) or row
        _keep(workspace, follow, replace(kept, fault=fault[:_LONGEST_WORDS]))


def _fault(workspace: Workspace, follow: FollowRow, offer: Offer, row: FollowedRow) -> str:
    """Why an offer is not taken; empty when it may be."""
    here = offer_feeds.engine_name(workspace)
    if here in offer.via or offer.origin.startswith(f"{here}/"):
        return "it has come through this engine before: it would go round in circles"
    if len(offer.via) > MOST_HOPS:
        return f"it has come through {len(offer.via)} engines; more than {MOST_HOPS} are too many"
    others = FollowStore(workspace.host.db).of_origin(offer.origin) if offer.origin else []
    if other := next((each for each in others if each.campaign != row.campaign), None):
        return f"it came by another way already, as {other.campaign}"
    is_same_version = offer.withdrawn is None and offer.version == row.version
    if is_same_version and row.digest != _digest(offer):
        return f"version {offer.version} says something else than it did"
    if len(offer.definition) > _LARGEST or len(offer.gathered) > _LARGEST:
        return f"its text has more than {_LARGEST:,} characters"
    if len(row.campaign) > _LONGEST_ID:
        return f"its id would be too long here: {row.campaign[:80]}"
    return ""


def _take_version(workspace: Workspace, follow: FollowRow, offer: Offer, row: FollowedRow, files: Fetching) -> None:
    """Offer it here, or correct what is offered. Raises ForeignError, CommsError."""
    original = foreign.read(offer.definition)
    if row.version == 0:
        _refuse_late(workspace, original)
    campaign = foreign.localised(
        original,
        row.campaign,
        templates=[template.name for template in workspace.templates.list()],
        media=media_url(follow.url),
        files=files.bring(original, offer.files),
        gathered=offer.gathered,
    )
    after = replace(
        row, version=offer.version, digest=_digest(offer), origin=offer.origin, via=" ".join(offer.via), fault=""
    )
    if row.version == 0:
        _offer(workspace, follow, campaign, after)
        return
    current = correcting.find(workspace, campaign.id)
    if current.state != "open":
        raise ForeignError("it was taken back, and is offered once more; ask for it under another id")
    note = clean_text(offer.note)[:_LONGEST_WORDS] or "There is a new version"
    # Who agreed to the version that was here agrees to this one, if all corrections since were minor.
    minor = 0 < offer.minor_since <= row.version
    if current.version < offer.version:  # else a process ended before the last line
        correction = correcting.correction_of(workspace, current, campaign, note=note, minor=minor, since=row.version)
        correcting.carry(workspace, correction, offer.version, who=follow.author)
    _keep(workspace, follow, after)


def _offer(workspace: Workspace, follow: FollowRow, campaign: Campaign, row: FollowedRow) -> None:
    if workspace.host.campaign(campaign.id) is not None:
        raise ForeignError(f"there is a campaign {campaign.id} here already")
    host = workspace.association(None).slug
    others = [each.slug for each in workspace.associations() if each.slug not in (host, follow.association)]
    slugs = [follow.association, *(others if follow.passes_on else ())]
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        offering.write_down(workspace, campaign, slugs, row.version, who=follow.author)
        FollowStore(workspace.host.db).save_followed(row, author=follow.author)
    offering.announce(workspace, campaign)


def _refuse_late(workspace: Workspace, campaign: Campaign) -> None:
    """Raises ForeignError for what nobody here could answer any more; before its files are fetched."""
    part, today = campaign.relay, workspace.now().date()
    assert part is not None, "no other is taken"
    if rules.has_expired(part, today) or rules.is_over(part, today):
        raise ForeignError("its last day to respond, or to send, is over")


def _recall(workspace: Workspace, follow: FollowRow, offer: Offer, row: FollowedRow) -> None:
    current = workspace.relays.offer(row.campaign)
    if current is None or current.state == "recalled":
        return
    reason = clean_text(offer.reason)[:_LONGEST_WORDS] or "It was taken back"
    correcting.recall(workspace, row.campaign, reason, who=follow.author)


def _keep(workspace: Workspace, follow: FollowRow, row: FollowedRow) -> None:
    with storage_errors(workspace.host_path), workspace.host.db.atomic():
        FollowStore(workspace.host.db).save_followed(row, author=follow.author)


def _digest(offer: Offer) -> str:
    """Of all that a version says: an offer without files and feeds is its definition."""
    said = offer.definition
    if offer.files or offer.gathered:
        said = json.dumps([said, offer.gathered, offer_files.plain(offer.files)], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()


def _is_sound(offer: Offer) -> bool:
    """Can it be told apart from others, and worked with: the signature says who wrote it, not that it makes sense."""
    return (
        _ID.fullmatch(offer.campaign) is not None
        and 1 <= offer.version <= 10**6
        and 0 <= offer.minor_since <= offer.version
        and all(_ENGINE.fullmatch(name) for name in offer.via)
        and (not offer.origin or _ORIGIN.fullmatch(offer.origin) is not None)
        and offer.published.utcoffset() is not None
    )
