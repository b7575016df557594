"""Feeds for one member alone: made, replaced and ended by the member or by staff, and read by whoever has the address.

The address holds 256 random bits, of which only a keyed hash is kept: nobody can be shown it a second time. Who reads
a feed, and when, is not recorded.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import quote

from audiences.addresses import normalise_address
from audiences.models import Association, Member
from audiences.private_feeds import PrivateFeeds
from audiences.store import People
from campaigns.entries import Choice, Entries
from comms.channels.feed_model import FeedInfo, FeedUrls
from comms.db import storage_errors
from comms.engine import feeds, tokens
from comms.engine.editions import ID_YEAR, site_name
from comms.engine.feeds import EDITED, MEDIA_TYPES, NEWEST, Format, PublicFeed
from comms.engine.workspace import Workspace
from comms.errors import StateError, UsageError
from comms.language.words import marked

_TOKEN = re.compile(r"(?P<association>[a-z0-9-]{1,64})\.[A-Za-z0-9_-]{43}", re.ASCII)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class _Reader:
    """A member, while a transaction on their association's database is open."""

    owner: Association
    people: People
    id: int
    feeds: PrivateFeeds
    may_read: bool
    """Does the member get any newsletter; who does not has no feed either."""


# --- by the member, with the link in a mail ---------------------------------------------------


def make(workspace: Workspace, token: str) -> FeedUrls | None:
    """A new feed for the member whom a mail's token stands for; the one they had ends. None for no such token.

    Raises UsageError for a member who gets no newsletters.
    """

    def renew(reader: _Reader) -> FeedUrls:
        if not reader.may_read:
            raise UsageError(
                marked("who gets no newsletters has no feed."), hint=marked("Choose what you want to get first.")
            )
        return _renewed(workspace, reader)

    return _for_holder(workspace, token, renew)


def end(workspace: Workspace, token: str) -> None:
    """End the feed of the member whom a mail's token stands for; nothing happens where there is none."""
    _for_holder(workspace, token, lambda reader: reader.feeds.end(reader.id))


def _for_holder(workspace: Workspace, token: str, deed: Callable[[_Reader], _T]) -> _T | None:
    holder = tokens.holder(workspace, token)
    if holder is None or holder.member is None:
        return None
    people = workspace.people(holder.association.slug)
    with storage_errors(workspace.association_path(holder.association.slug)), people.db.atomic():
        member = people.get(holder.member)
        return deed(_reader(holder.association, people, member)) if member is not None else None


# --- by staff ---------------------------------------------------------------------------------


def made_at(workspace: Workspace, association: str, address: str) -> datetime | None:
    """When the feed was made that the member with this address has; None when they have none.

    Raises UsageError when the association has no such member, AddressError for what is no address.
    """
    _, people, member = _found(workspace, association, address)
    assert member.id is not None, "it comes from the database"
    return PrivateFeeds(people.db).made_at(member.id)


def make_for(workspace: Workspace, association: str, address: str, *, who: str) -> FeedUrls:
    """A new feed for a member; the one they had ends. Raises as `made_at`, StateError for who gets no newsletters."""

    def renew(reader: _Reader) -> FeedUrls:
        if not reader.may_read:
            raise StateError("who gets no newsletters has no feed.", hint="See: comms members show")
        return _renewed(workspace, reader)

    return _for_member(workspace, association, address, renew, who, "made a private feed")


def end_for(workspace: Workspace, association: str, address: str, *, who: str) -> bool:
    """End the feed of a member; False when they had none. Raises as `made_at`."""
    return _for_member(
        workspace, association, address, lambda reader: reader.feeds.end(reader.id), who, "ended a private feed"
    )


def _for_member(
    workspace: Workspace, association: str, address: str, deed: Callable[[_Reader], _T], who: str, what: str
) -> _T:
    db = workspace.association_db(association)
    with storage_errors(workspace.association_path(association)), db.atomic():
        owner, people, member = _found(workspace, association, address)
        done = deed(_reader(owner, people, member))
    host = workspace.host
    with storage_errors(workspace.host_path), host.db.atomic():
        host.note(who, what, None, association, workspace.now())  # whose, only the association knows
    return done


def _found(workspace: Workspace, association: str, address: str) -> tuple[Association, People, Member]:
    owner, people = workspace.association(association), workspace.people(association)
    normal = normalise_address(address)
    member = people.find(normal)
    if member is None:
        raise UsageError(f"{association} has no member with the address {normal}.", hint="See: comms members show")
    return owner, people, member


# --- reading ----------------------------------------------------------------------------------


def read(workspace: Workspace, token: str, kind: Format) -> PublicFeed | None:
    """The member's feed: the newest entries of topics that they agree to now, and those without a topic.

    None for every token that stands for no feed now: one that was never ours, was ended or replaced, or whose member
    was erased, is suppressed, or gets no newsletter any more.
    """
    owner = _owner(workspace, token)
    if owner is None:
        return None
    people, digest = workspace.people(owner.slug), _hash(workspace, token)
    number = PrivateFeeds(people.db).member_of(digest)
    member = people.get(number) if number is not None else None
    if member is None or member.id is None:
        return None
    standing = people.standings({member.id: member.address})[member.id]
    if member.address is None or not standing.agrees_to(None):
        return None
    entries = Entries(workspace.host.db)
    agreed = [topic for topic in entries.topics(owner.slug) if standing.agrees_to(topic)]
    rows = entries.newest(owner.slug, Choice("topic", ("", *agreed)), limit=NEWEST, edited=EDITED)
    return feeds.document(workspace, owner, _info(workspace, owner, member, token, digest), rows, kind)


def _info(workspace: Workspace, owner: Association, member: Member, token: str, digest: bytes) -> FeedInfo:
    words = workspace.catalogues.words(member.language, owner.language)
    return FeedInfo(
        # Of the hash, so that readers tell one member's feed from another's, and nobody learns the token.
        id=f"tag:{site_name(workspace)},{ID_YEAR}:private/{quote(owner.slug)}/{digest.hex()[:32]}",
        title=words.gettext("%(association)s, for you alone", association=owner.name),
        homepage=feeds.homepage(owner) or f"{workspace.settings.site.url}/",
        self_urls=_urls(workspace, token),
        language=owner.language,
        description=words.gettext("What you chose to get from %(association)s.", association=owner.name),
        author=owner.name,
    )


# --- parts ------------------------------------------------------------------------------------


def _reader(owner: Association, people: People, member: Member) -> _Reader:
    assert member.id is not None, "it comes from the database"
    standing = people.standings({member.id: member.address})[member.id]
    may_read = member.address is not None and standing.agrees_to(None)
    return _Reader(owner, people, member.id, PrivateFeeds(people.db), may_read)


def _renewed(workspace: Workspace, reader: _Reader) -> FeedUrls:
    token = f"{reader.owner.slug}.{secrets.token_urlsafe(32)}"
    reader.feeds.put(reader.id, _hash(workspace, token), workspace.now())
    return _urls(workspace, token)


def _owner(workspace: Workspace, token: str) -> Association | None:
    match = _TOKEN.fullmatch(token)
    return feeds.find(workspace, match["association"]) if match else None


def _urls(workspace: Workspace, token: str) -> FeedUrls:
    return FeedUrls(*(f"{workspace.settings.site.url}/r/{token}.{kind}" for kind in MEDIA_TYPES))


def _hash(workspace: Workspace, token: str) -> bytes:
    return hmac.digest(workspace.key.derive("private feed"), token.encode(), hashlib.sha256)
