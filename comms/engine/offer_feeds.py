"""The signed feeds of offers, one for each association: what is in them, and the keys that sign them."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

from campaigns.follows import FollowStore
from campaigns.models import Campaign
from campaigns.relay import RelayState
from campaigns.relays import OfferRow, RelayRow
from comms.db import storage_errors
from comms.engine import editions, offer_files, social
from comms.engine.relaying import making, peers
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.files import write_whole
from comms.kits import offer_feed
from comms.kits.asking import is_good
from comms.kits.offer_files import from_text
from comms.kits.offers import Offer, OfferFeed
from comms.kits.signing import PublicKey, SigningKey, key_document

Format = Literal["json", "atom"]
MEDIA_TYPES: dict[Format, str] = {"json": "application/feed+json", "atom": "application/atom+xml"}
_KEYS = ("relay", "feed-keys")
"""In the workspace: how many keys there have been. They are made from the workspace key, so none can be lost."""
_MOST_KEYS = 1_000
_MOST_OFFERS = 100
"""The latest; those who follow a feed ask for it more than once a year."""


def offers_for(workspace: Workspace, association: str, *, early: bool = False) -> tuple[Offer, ...]:
    """What is offered to an association, latest first, withdrawn offers among it.

    What nobody may read yet, by the association's calendar, is left out: whoever knows the address can read the feed.
    With `early` it is there: the association itself asks, and decides before that day as all others do.
    """
    today = workspace.now().astimezone(ZoneInfo(workspace.association(association).timezone)).date()
    found, elsewhere = [], peers.is_peer(workspace, association)
    for row in workspace.relays.relays_of(association)[:_MOST_OFFERS]:
        offer = workspace.relays.offer(row.campaign)
        assert offer is not None, "there is a relay of it"
        campaign = making.offered(workspace, offer.campaign, offer.version)
        embargo = campaign.relay.not_before if campaign.relay else None
        if elsewhere and making.campaign_row(workspace, row) is not None:
            continue  # it had been agreed to here, and goes out from here
        if offer.state != "closed" and not (embargo and today < embargo and not early):
            found.append(_offer(workspace, offer, row, campaign))
    return tuple(found)


def _offer(workspace: Workspace, offer: OfferRow, row: RelayRow, campaign: Campaign) -> Offer:
    author, version = (
        workspace.association(campaign.association),
        workspace.relays.version(offer.campaign, offer.version),
    )
    came = FollowStore(workspace.host.db).taken(offer.campaign)
    url = f"{workspace.settings.site.url}/" if came else editions.public_url(workspace, campaign, author)
    here = engine_name(workspace)
    is_gone = offer.state == "recalled" or row.state is RelayState.WITHDRAWN
    return Offer(
        campaign=offer.campaign,
        version=offer.version,
        title=campaign.title,
        summary=social.summary(campaign, editions.public_values(campaign, author, url)),
        language=campaign.language,
        url=url,
        published=offer.offered_at,
        updated=version.at,
        definition=campaign.definition,
        respond_by=campaign.relay.respond_by if campaign.relay else None,
        withdrawn=offer.updated_at if is_gone else None,
        reason=offer.reason if is_gone else "",
        note=version.note,
        origin=came.origin if came else f"{here}/{offer.campaign}",
        via=(*came.via.split(), here) if came else (here,),
        minor_since=workspace.relays.minor_since(offer.campaign),
        gathered="" if is_gone else version.gathered,
        files=() if is_gone else from_text(version.files),
    )


def is_early(workspace: Workspace, association: str, asked: str) -> bool:
    """Does the association's own engine ask, as this header shows. Who shows nothing reads what anyone may."""
    peer = FollowStore(workspace.host.db).peer(association) if asked else None
    return peer is not None and is_good(asked, association, PublicKey(bytes.fromhex(peer.key)), workspace.now())


def file(workspace: Workspace, association: str, sha256: str, *, early: bool = False) -> bytes | None:
    """A file that goes with what is offered to an association now; None when there is none of this hash any more.
    Raises StorageError."""
    try:
        offers = offers_for(workspace, workspace.association(association).slug, early=early)
    except UsageError:
        return None
    found = (each for offer in offers for each in offer.files if each.sha256 == sha256)
    return next((data for each in found if (data := offer_files.read(workspace, each)) is not None), None)


def feed(workspace: Workspace, association: str, kind: Format, *, early: bool = False) -> bytes | None:
    """The signed feed of what is offered to an association; None for one that does not exist. `early` as `offers_for`.

    The same offers give the same bytes. Raises FeedError for an offer that can not be published, StateError as `keys`.
    """
    try:
        owner = workspace.association(association)
    except UsageError:
        return None
    host, site = workspace.association(None), workspace.settings.site.url
    offered = OfferFeed(
        association=owner.slug,
        title=f"Offered to {owner.name} by {host.name}",
        author=host.name,
        language=host.language,
        homepage=f"{site}/",
        authority=f"{editions.site_name(workspace)},{editions.ID_YEAR}",
        json_url=f"{site}/relay/{owner.slug}/feed.json",
        atom_url=f"{site}/relay/{owner.slug}/feed.atom",
        keys_url=f"{site}/relay/keys.json",
        offers=offers_for(workspace, owner.slug, early=early),
        changed=workspace.relays.changed_at(owner.slug),
    )
    key = keys(workspace)[-1]
    return offer_feed.to_json(offered, key) if kind == "json" else offer_feed.to_atom(offered, key)


def keys(workspace: Workspace) -> tuple[SigningKey, ...]:
    """The keys of the workspace, oldest first; the last one signs. Raises StateError when nobody can say which."""
    path = workspace.folder.joinpath(*_KEYS)
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        text = "1"
    except (OSError, UnicodeDecodeError) as error:
        raise StateError(f"{path} can not be read: {error}.", hint="Restore it from a backup.") from error
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= _MOST_KEYS):
        raise StateError(f"{path} does not say how many keys there are.", hint="Restore it from a backup.")
    return tuple(SigningKey(workspace.key.derive(f"relay feed {number}")) for number in range(1, int(text) + 1))


def engine_name(workspace: Workspace) -> str:
    """By what other engines know this one, whichever key signs now. Raises StateError as `keys`."""
    return keys(workspace)[0].public.name


def public_keys(workspace: Workspace) -> bytes:
    """What publishes them, as JSON. Raises StateError as `keys`."""
    return key_document(keys(workspace))


def rotate_keys(workspace: Workspace, *, who: str) -> SigningKey:
    """Sign with a new key from now on; the old one vouches for it. Raises StateError as `keys`."""
    known = keys(workspace)
    if len(known) >= _MOST_KEYS:
        raise StateError("there have been too many keys.", hint="Keys are for years; ask why so many were made.")
    path = workspace.folder.joinpath(*_KEYS)
    with storage_errors(path):
        write_whole(path, f"{len(known) + 1}\n".encode("ascii"))
    made = keys(workspace)[-1]
    with workspace.host.db.atomic():
        workspace.host.note(who, "relay key made", None, made.public.name, workspace.now())
    return made
