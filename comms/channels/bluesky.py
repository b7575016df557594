"""Posts to Bluesky under a record key of our own, so that a repeat is the same post; finds a post by that key.

The conversation with the server is `bluesky_wire.py`, what a text holds is `bluesky_text.py`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
from atproto import models

from comms.channels.base import (
    ChangeResult,
    Figures,
    Posted,
    PostResult,
    Refused,
    SocialImage,
    SocialPost,
    Unknown,
    refusal_before_sending,
)
from comms.channels.bluesky_text import BLUESKY_LIMIT, bluesky_length, facets
from comms.channels.bluesky_wire import BlueskyAccount, BlueskyWire
from comms.channels.remote import count_in, result_of_change, retry_at, utc_now, within
from comms.channels.sessions import Sessions

COLLECTION = "app.bsky.feed.post"
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_TID_START = 1_672_531_200_000_000
"""Microseconds of 1 January 2023, from which keys are counted: never in the future."""
_MOST_CARD_TEXT = 300
_UNREADABLE = Unknown("Bluesky did not show whether the post is there.")


def record_key(key: str) -> str:
    """The record key of the post with this key: a TID (AT Protocol, record keys) of 55 bits of its hash."""
    digest = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:8], "big")
    number = ((_TID_START + (digest >> 19)) << 10) | (digest & 0x3FF)
    return "".join(_SORTABLE[number >> shift & 31] for shift in range(60, -1, -5))


class BlueskyChannel:
    """One account on Bluesky. Safe to use from several threads."""

    name = "bluesky"
    limit = BLUESKY_LIMIT
    settles_after = timedelta()
    repeatable_for = timedelta(days=3650)
    """Under the same key it is the same post, whenever."""

    def __init__(
        self,
        account: BlueskyAccount,
        sessions: Sessions,
        *,
        timeout: tuple[float, float] = (5, 30),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`timeout` is seconds to connect and to answer."""
        self._account = account
        self._sessions = sessions
        self._timeout = timeout
        self._clock = clock

    def count(self, text: str) -> int:
        """Characters, or a tenth of the bytes; see `bluesky_length`."""
        return bluesky_length(text)

    def publish(self, post: SocialPost) -> PostResult:
        """Put the post under its key, where none stands."""
        if refusal := refusal_before_sending(post, self.count, self.limit):
            return refusal
        seconds = sum(self._timeout) * (3 + len(post.images))
        late = Unknown(f"Bluesky did not finish its answers within {seconds:g} seconds.")
        return within(seconds, lambda: self._post(post), otherwise=late)

    def find(self, post: SocialPost) -> Posted | Unknown | None:
        """The record that stands under the post's key."""

        def look() -> Posted | Unknown | None:
            with self._wire() as wire:
                if refused := wire.log_in():
                    return Unknown(refused.reason, refused.retry_at)
                found = self._find(wire, post)
                return Unknown(found.reason, found.retry_at) if isinstance(found, Refused) else found

        return within(2 * sum(self._timeout), look, otherwise=_UNREADABLE)

    def delete(self, remote_id: str) -> ChangeResult:
        """Take a post away. Its key is free again then; whoever calls sees to it that nothing is put there."""
        late = Unknown("Bluesky did not answer in time.")
        return within(2 * sum(self._timeout), lambda: self._delete(remote_id), otherwise=late)

    def figures(self, remote_id: str) -> Figures | Unknown | None:
        """Replies, reposts with quotes, and likes so far, as the network's view of it counts them."""
        late = Unknown("Bluesky did not answer in time.")
        return within(2 * sum(self._timeout), lambda: self._figures(remote_id), otherwise=late)

    def _delete(self, remote_id: str) -> ChangeResult:
        did, rkey = _parts(remote_id)
        with self._wire() as wire:
            if refused := wire.log_in():
                return refused
            if did != wire.did:
                return Refused("The post belongs to another account of Bluesky.", permanent=True)
            data = models.ComAtprotoRepoDeleteRecord.Data(repo=did, collection=COLLECTION, rkey=rkey)
            refused = wire.ask(lambda client, headers: client.com.atproto.repo.delete_record(data, headers=headers))
            return refused or result_of_change("Bluesky", wire.answer, wire.said, gone_is_done=True)

    def _figures(self, remote_id: str) -> Figures | Unknown | None:
        params = models.AppBskyFeedGetPosts.Params(uris=[remote_id])
        with self._wire() as wire:
            if refused := wire.log_in():
                return Unknown(refused.reason)
            refused = wire.ask(lambda client, headers: client.app.bsky.feed.get_posts(params, headers=headers))
            answer = wire.answer
        match answer.document if answer and answer.ok and not refused else {}:
            case {"posts": []}:
                return None
            case {"posts": [{"uri": str(uri), **counts}]} if uri == remote_id:
                shares = [count_in(counts, name) for name in ("repostCount", "quoteCount")]
                total = sum(filter(None, shares)) if any(each is not None for each in shares) else None
                return Figures(count_in(counts, "replyCount"), total, count_in(counts, "likeCount"))
        return Unknown("Bluesky did not show the figures of the post.")

    def _wire(self) -> BlueskyWire:
        return BlueskyWire(self._account, self._sessions, self._timeout, self._clock)

    def _post(self, post: SocialPost) -> PostResult:
        with self._wire() as wire:
            if refused := wire.log_in():
                return refused
            found = self._find(wire, post)
            if isinstance(found, Posted | Refused):
                return found
            if isinstance(found, Unknown):
                return Refused(f"{found.reason} Nothing was posted.", permanent=False, retry_at=found.retry_at)
            record = self._record(wire, post)
            if isinstance(record, Refused):
                return record
            data = models.ComAtprotoRepoPutRecord.Data(
                repo=wire.did, collection=COLLECTION, rkey=record_key(post.key), record=record
            )
            refused = wire.ask(lambda client, headers: client.com.atproto.repo.put_record(data, headers=headers))
            return refused or self._put_result(wire, post)

    def _find(self, wire: BlueskyWire, post: SocialPost) -> Posted | Refused | Unknown | None:
        """Refused when another post stands under the key."""
        document = _record_at(wire, wire.did, record_key(post.key))
        if isinstance(document, Refused | Unknown) or document is None:
            return document
        value = document.get("value")
        if not isinstance(value, dict) or value.get("text") != post.text:
            return Refused(
                "The account has another post under the key of this one, from an earlier campaign of the same name: "
                "give the campaign another id.",
                permanent=True,
            )
        return self._posted(wire, post)

    def _posted(self, wire: BlueskyWire, post: SocialPost) -> Posted:
        rkey = record_key(post.key)
        return Posted(f"at://{wire.did}/{COLLECTION}/{rkey}", f"https://bsky.app/profile/{wire.did}/post/{rkey}")

    def _record(self, wire: BlueskyWire, post: SocialPost) -> Any:
        """The record as a model of atproto; Refused when something for it can not be had."""
        mentioned = self._mentioned(wire, post.text)
        reply = _reply(wire, post)
        images = self._upload(wire, post.images)
        if isinstance(mentioned, Refused):
            return mentioned
        if isinstance(images, Refused):
            return images
        if isinstance(reply, Refused):
            return reply
        return models.AppBskyFeedPost.Record(
            text=post.text,
            # The same in every try, so that a repeat is no change.
            created_at=post.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            langs=[post.language],
            facets=_facets(post.text, mentioned) or None,
            reply=reply,
            embed=_embed(post, images),
        )

    def _mentioned(self, wire: BlueskyWire, text: str) -> dict[str, str] | Refused:
        """Handle -> DID of those whom the text mentions; who is not found is no mention."""
        known: dict[str, str] = {}
        for handle in {facet.value for facet in facets(text) if facet.kind == "mention"}:
            params = models.ComAtprotoIdentityResolveHandle.Params(handle=handle)
            wire.ask(partial(_resolve, params))
            did = wire.answer.document.get("did") if wire.answer and wire.answer.ok else None
            if isinstance(did, str) and re.fullmatch(r"did:[a-z]+:[A-Za-z0-9._:%-]{1,250}", did):
                known[handle] = did
            elif wire.answer is None or wire.answer.status >= 429:
                return Refused(f"Bluesky did not say who @{handle} is; nothing was posted.", permanent=False)
        return known

    def _upload(self, wire: BlueskyWire, images: Sequence[SocialImage]) -> list[Any] | Refused:
        uploaded = []
        for image in images:
            if refused := wire.ask(partial(_upload_one, image)):
                return refused
            blob = wire.answer.document.get("blob") if wire.answer and wire.answer.ok else None
            if not isinstance(blob, dict):
                permanent = wire.answer is not None and 400 <= wire.answer.status < 429
                return Refused(f"Bluesky did not take the image; nothing was posted.{wire.said}", permanent=permanent)
            uploaded.append(models.AppBskyEmbedImages.Image(alt=image.alt, image=blob))
        return uploaded

    def _put_result(self, wire: BlueskyWire, post: SocialPost) -> PostResult:
        answer = wire.answer
        if answer is None:
            assert wire.failure is not None
            if isinstance(wire.failure, httpx.ConnectError | httpx.ConnectTimeout):
                return Refused("Bluesky could not be reached; nothing was posted.", permanent=False)
            return Unknown(f"The connection to Bluesky broke after sending ({type(wire.failure).__name__}).")
        status = answer.status
        if answer.ok:
            posted = self._posted(wire, post)
            if answer.document.get("uri") != posted.remote_id:
                return Unknown(f"Bluesky answered {status} but did not say which post it made.")
            return posted
        if status == 429:
            until = retry_at(answer.rate_limit_reset, self._clock())
            return Refused(f"Bluesky takes no more posts for now.{wire.said}", permanent=False, retry_at=until)
        if 300 <= status < 500:
            return Refused(f"Bluesky refuses the post ({status}).{wire.said}", permanent=True)
        return Unknown(f"Bluesky answered with an error of its own ({status}).{wire.said}")


def _resolve(params: Any, client: Any, headers: dict[str, str]) -> object:
    return client.com.atproto.identity.resolve_handle(params, headers=headers)


def _upload_one(image: SocialImage, client: Any, headers: dict[str, str]) -> object:
    return client.com.atproto.repo.upload_blob(image.data, headers={**headers, "Content-Type": image.media_type})


def _record_at(wire: BlueskyWire, repo: str, rkey: str) -> dict[str, Any] | Refused | Unknown | None:
    """The answer to getRecord; None when there certainly is no such record."""
    params = models.ComAtprotoRepoGetRecord.Params(repo=repo, collection=COLLECTION, rkey=rkey)
    if refused := wire.ask(lambda client, headers: client.com.atproto.repo.get_record(params, headers=headers)):
        return refused
    if wire.answer is None:
        return _UNREADABLE
    if wire.answer.ok and "value" in wire.answer.document:
        return wire.answer.document
    if wire.answer.status in (400, 404) and wire.error == "RecordNotFound":
        return None
    until = retry_at(wire.answer.rate_limit_reset, wire.now()) if wire.answer.status == 429 else None
    return Unknown(_UNREADABLE.reason, until)


def _reply(wire: BlueskyWire, post: SocialPost) -> Any:
    """What a part of a thread refers to, as a model of atproto; None for a post of its own."""
    if not post.reply_to:
        return None
    references = []
    for uri in (post.root or post.reply_to, post.reply_to):
        document = _record_at(wire, *_parts(uri))
        if isinstance(document, Refused):
            return document
        cid = document.get("cid") if isinstance(document, dict) else None
        if not isinstance(cid, str):
            gone = document is None
            return Refused("The part of the thread before this one can not be read.", permanent=gone)
        references.append(models.ComAtprotoRepoStrongRef.Main(uri=uri, cid=cid))
    root, parent = references
    return models.AppBskyFeedPost.ReplyRef(root=root, parent=parent)


def _parts(uri: str) -> tuple[str, str]:
    """DID and record key of an at:// address."""
    _, _, did, _, rkey = uri.split("/")
    return did, rkey


def _facets(text: str, mentioned: dict[str, str]) -> list[Any]:
    made = []
    for facet in facets(text):
        feature: Any
        if facet.kind == "link":
            feature = models.AppBskyRichtextFacet.Link(uri=facet.value)
        elif facet.kind == "tag":
            feature = models.AppBskyRichtextFacet.Tag(tag=facet.value)
        elif facet.value in mentioned:
            feature = models.AppBskyRichtextFacet.Mention(did=mentioned[facet.value])
        else:
            continue
        place = models.AppBskyRichtextFacet.ByteSlice(byte_start=facet.start, byte_end=facet.end)
        made.append(models.AppBskyRichtextFacet.Main(features=[feature], index=place))
    return made


def _embed(post: SocialPost, images: list[Any]) -> Any:
    """Images, else the card of the page: a post has room for one of them."""
    if images:
        return models.AppBskyEmbedImages.Main(images=images)
    if post.card is None:
        return None
    return models.AppBskyEmbedExternal.Main(
        external=models.AppBskyEmbedExternal.External(
            uri=post.card.url,
            title=post.card.title[:_MOST_CARD_TEXT],
            description=post.card.description[:_MOST_CARD_TEXT],
        )
    )
