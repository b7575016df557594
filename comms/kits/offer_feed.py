"""Offers as signed feeds, JSON Feed and Atom, and the way back. Serves nothing, fetches nothing.

JSON, for engines: the document is canonical JSON. Each item, and the feed, has `_comms.signature` with the `key` that
signed and the signature as `value`. An item is signed as the canonical form of what it is without that member, as kind
`comms relay item 1`; the feed likewise, its items with their signatures, as `comms relay feed 1`.

Atom, for people: behind the document stands one line more, a comment with key and signature. All bytes in front of it
are signed, as `comms relay atom 1`.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from comms.channels import feed, feed_json
from comms.channels.feed_model import FeedEntry, FeedError, FeedInfo, FeedUrls, Withdrawal
from comms.kits import offer_files
from comms.kits.offers import Offer, OfferFeed
from comms.kits.signing import PublicKeys, SignatureError, SigningKey, canonical

ITEM, WHOLE, ATOM = "comms relay item 1", "comms relay feed 1", "comms relay atom 1"
_OURS, _SIGNATURE = "_comms", "signature"
"""An extension of JSON Feed is a member whose name begins with `_` (jsonfeed.org/version/1.1, "Extensions")."""
_LINE = re.compile(rb"<!-- comms-signature key=([0-9a-f]{16}) value=([0-9a-f]{128}) -->\n\Z")
_TEXTS = ("campaign", "definition", "gathered", "reason", "note", "origin", "language")
MOST_ITEMS = 1_000
"""Of a feed that is read; ours holds at most 100. Each has a signature to check."""
_UNCHANGED = "Fetch it again; if that does not help, ask who publishes it."


@dataclass(frozen=True, slots=True)
class ReadFeed:
    """A feed whose signatures are good. `updated` never goes back: an older one was kept from before."""

    association: str
    updated: datetime | None
    author: str
    """Name of who offers; empty where the feed does not say."""
    offers: tuple[Offer, ...]


def to_json(offered: OfferFeed, key: SigningKey) -> bytes:
    """The signed JSON Feed; the same offers and key give the same bytes.

    Raises FeedError for what can not be published, such as a time without zone.
    """
    by_id = {offered.id_of(offer): offer for offer in offered.offers}
    entries = [_entry(offered, offer) for offer in offered.offers]
    document = json.loads(feed_json.to_json(_info(offered), entries))
    document[_OURS] = {
        "association": offered.association,
        "keys": offered.keys_url,
        **({"updated": _moment(offered.changed)} if offered.changed else {}),
    }
    try:
        for item in document["items"]:
            item[_OURS] = _facts(by_id[item["id"]])
            _sign(item, ITEM, key)
        _sign(document, WHOLE, key)
        return canonical(document)
    except ValueError as error:
        raise FeedError(
            f"The offers to {offered.association} can not be signed: {error}.",
            hint="Look for broken characters in them.",
        ) from error


def to_atom(offered: OfferFeed, key: SigningKey) -> bytes:
    """The signed Atom feed; what was withdrawn is a tombstone in it (RFC 6721). Raises FeedError as `to_json`."""
    standing = [_entry(offered, offer) for offer in offered.offers if offer.withdrawn is None]
    gone = [
        Withdrawal(offered.id_of(offer), offer.withdrawn, offer.reason)
        for offer in offered.offers
        if offer.withdrawn is not None
    ]
    document = feed.to_atom(_info(offered), standing, gone).rstrip() + b"\n"
    line = f"<!-- comms-signature key={key.public.name} value={key.sign(ATOM, document)} -->\n"
    return document + line.encode()


def read_json(data: bytes, keys: PublicKeys) -> ReadFeed:
    """The offers of a feed that `to_json` wrote with one of the keys. Raises SignatureError when a byte of it was
    changed, and for any other document."""
    try:
        document = json.loads(data)
        # In one form only, so that no two texts have one signature.
        if canonical(document) != data:
            raise SignatureError("the feed is not as it was written.", hint=_UNCHANGED)
        _check(document, WHOLE, keys)
        if len(document["items"]) > MOST_ITEMS:
            raise SignatureError(f"the feed has more than {MOST_ITEMS:,} offers.", hint="Ask who publishes it.")
        for item in document["items"]:
            _check(item, ITEM, keys)
        ours = document[_OURS]
        updated = _read_moment(ours["updated"]) if "updated" in ours else None
        author = str(document.get("authors", [{"name": ""}])[0]["name"])
        return ReadFeed(str(ours["association"]), updated, author, tuple(map(_offer, document["items"])))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, SignatureError):
            raise
        raise SignatureError("this is no signed feed of offers.", hint=_UNCHANGED) from error


def check_atom(data: bytes, keys: PublicKeys) -> bytes:
    """The document of a feed that `to_atom` wrote, without its signature. Raises SignatureError as `read_json`."""
    found = _LINE.search(data)
    if found is None:
        raise SignatureError("the feed has no signature.", hint=_UNCHANGED)
    document, name = data[: found.start()], found[1].decode()
    if name not in keys:
        raise _unknown(name)
    keys[name].check(ATOM, document, found[2].decode())
    return document


def _info(offered: OfferFeed) -> FeedInfo:
    # There is no RSS of it, for RSS could not say what was withdrawn; nothing here writes that address.
    urls = FeedUrls(rss=offered.atom_url, atom=offered.atom_url, json=offered.json_url)
    return FeedInfo(
        offered.id, offered.title, offered.homepage, urls, offered.language, description="", author=offered.author
    )


def _entry(offered: OfferFeed, offer: Offer) -> FeedEntry:
    return FeedEntry(
        id=offered.id_of(offer),
        url=offer.url,
        title=offer.title,
        summary=offer.summary,
        content_html="",
        published=offer.published,
        updated=offer.withdrawn or offer.updated,
        author=offered.author,
        language=offer.language,
    )


def _facts(offer: Offer) -> dict[str, Any]:
    """What the format itself has no words for."""
    facts: dict[str, Any] = {
        "campaign": offer.campaign,
        "version": offer.version,
        "language": offer.language,  # the format leaves it out where it is that of the feed
        "updated": _moment(offer.updated),
    }
    facts |= {name: value for name in ("note", "origin", "minor_since") if (value := getattr(offer, name))}
    if offer.via:
        facts["via"] = list(offer.via)
    if offer.respond_by:
        facts["respond_by"] = offer.respond_by.isoformat()
    if offer.withdrawn:
        return {**facts, "withdrawn": _moment(offer.withdrawn), "reason": offer.reason}
    if offer.gathered:
        facts["gathered"] = offer.gathered
    if offer.files:
        facts["files"] = offer_files.plain(offer.files)
    return {**facts, "definition": offer.definition}


def _offer(item: dict[str, Any]) -> Offer:
    facts = item[_OURS]
    withdrawn, respond_by = facts.get("withdrawn"), facts.get("respond_by")
    texts = {name: facts.get(name, "") for name in _TEXTS}
    via, numbers = facts.get("via", []), (facts["version"], facts.get("minor_since", 0))
    # The signature says who wrote it, not that it makes sense.
    if not all(isinstance(text, str) for text in (*texts.values(), item["title"], item["url"], *via)):
        raise TypeError("an offer is of another kind")
    if not all(type(number) is int for number in numbers):
        raise TypeError("an offer is of another kind")
    return Offer(
        campaign=texts["campaign"],
        version=numbers[0],
        title=item["title"],
        summary=item.get("summary", ""),
        language=texts["language"],
        url=item["url"],
        published=_read_moment(item["date_published"]),
        updated=_read_moment(facts["updated"]),
        definition=texts["definition"],
        respond_by=date.fromisoformat(respond_by) if respond_by else None,
        withdrawn=_read_moment(withdrawn) if withdrawn else None,
        reason=texts["reason"],
        note=texts["note"],
        origin=texts["origin"],
        via=tuple(via),
        minor_since=numbers[1],
        gathered=texts["gathered"],
        files=offer_files.from_plain(facts.get("files", [])),
    )


def _sign(part: dict[str, Any], kind: str, key: SigningKey) -> None:
    signature = key.sign(kind, canonical(part))
    part[_OURS] = {**part[_OURS], _SIGNATURE: {"key": key.public.name, "value": signature}}


def _check(part: dict[str, Any], kind: str, keys: PublicKeys) -> None:
    ours = dict(part[_OURS])
    signature = ours.pop(_SIGNATURE)
    name, value = signature["key"], signature["value"]
    if name not in keys:
        raise _unknown(name)
    keys[name].check(kind, canonical({**part, _OURS: ours}), value)


def _unknown(name: object) -> SignatureError:
    return SignatureError(f"nobody here knows the key {str(name)[:40]!r}.", hint="Fetch the keys of the site again.")


def _moment(time: datetime) -> str:
    """RFC 3339, whole seconds."""
    if time.utcoffset() is None:
        raise FeedError(f"A time of an offer has no time zone: {time.isoformat()}.", hint="Give an aware time.")
    return time.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _read_moment(text: str) -> datetime:
    """Raises ValueError for a time without zone, which could be compared with no other."""
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError("a time has no time zone")
    return moment
