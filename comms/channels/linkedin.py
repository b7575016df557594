"""Posts to the page of an organisation on LinkedIn; finds a post of which nobody knows whether it is there.

The conversation with LinkedIn is `linkedin_wire.py`, how a text is written there `linkedin_text.py`. Never waits for a
limit, never tries twice. Sources: Microsoft Learn, LinkedIn Marketing, "Posts API" and "Images API".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

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
from comms.channels.linkedin_text import LINKEDIN_LIMIT, NO_THREADS, is_same, linkedin_length, little_text, plain_text
from comms.channels.linkedin_wire import LinkedInAccount, LinkedInWire
from comms.channels.remote import count_in, result_of_change, result_without_answer, utc_now, within
from comms.channels.sessions import Sessions

_POST = re.compile(r"urn:li:(?:share|ugcPost):[0-9]{1,20}")
_IMAGE = re.compile(r"urn:li:image:[A-Za-z0-9_-]{1,100}")
_SKEW = timedelta(minutes=5)
"""How far LinkedIn's clock and ours may differ."""
_MOST_READ = 50
_LONGEST_ALT, _LONGEST_TITLE, _LONGEST_DESCRIPTION = 4_086, 400, 4_086


class LinkedInChannel:
    """The page of one organisation. Safe to use from several threads."""

    name = "linkedin"
    limit = LINKEDIN_LIMIT
    settles_after = timedelta(minutes=1)
    repeatable_for = timedelta()
    """LinkedIn knows no keys. It refuses some repetitions, for some time: that is no promise. So not finding a post
    never leads to a second one, and the latest are enough to look through."""

    def __init__(
        self,
        account: LinkedInAccount,
        sessions: Sessions,
        *,
        timeout: tuple[float, float] = (5, 30),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`timeout` is seconds to connect and to answer."""
        self._account, self._sessions = account, sessions
        self._timeout, self._clock = timeout, clock

    def count(self, text: str) -> int:
        """The length as LinkedIn counts; see `linkedin_length`."""
        return linkedin_length(text)

    def publish(self, post: SocialPost) -> PostResult:
        """Post once, as the organisation. A part of a thread after the first is refused."""
        if refusal := refusal_before_sending(post, self.count, self.limit):
            return refusal
        if post.reply_to:
            return Refused(f"{NO_THREADS} Post the rest by hand.", permanent=True)
        seconds = sum(self._timeout) * (2 + 2 * len(post.images))
        late = Unknown(f"LinkedIn did not finish its answers within {seconds:g} seconds.")
        return within(seconds, lambda: self._post(post), otherwise=late)

    def find(self, post: SocialPost) -> Posted | Unknown | None:
        """Look through the page's own posts since the first try for this text."""
        late = Unknown("LinkedIn did not finish its answer in time.")
        return within(2 * sum(self._timeout), lambda: self._find(post), otherwise=late)

    def delete(self, remote_id: str) -> ChangeResult:
        """Take a post away."""
        return self._change("DELETE", remote_id, "DELETE", gone_is_done=True)

    def edit(self, remote_id: str, text: str) -> ChangeResult:
        """Give a post another text; image and card stay."""
        patch = {"patch": {"$set": {"commentary": little_text(text)}}}
        return self._change("POST", remote_id, "PARTIAL_UPDATE", patch, gone_is_done=False)

    def figures(self, remote_id: str) -> Figures | Unknown | None:
        """Comments and reactions so far; LinkedIn does not count reposts here ("Social Metadata API")."""
        late = Unknown("LinkedIn did not answer in time.")
        return within(2 * sum(self._timeout), lambda: self._figures(remote_id), otherwise=late)

    def _change(
        self, method: str, remote_id: str, restli: str, body: object = None, *, gone_is_done: bool
    ) -> ChangeResult:
        def change() -> ChangeResult:
            with self._wire() as wire:
                refused = wire.ask(method, f"/rest/posts/{quote(remote_id, safe='')}", restli=restli, json=body)
                return refused or result_of_change("LinkedIn", wire.answer, wire.said, gone_is_done=gone_is_done)

        late = Unknown("LinkedIn did not answer in time.")
        return within(2 * sum(self._timeout), change, otherwise=late)

    def _figures(self, remote_id: str) -> Figures | Unknown | None:
        with self._wire() as wire:
            refused = wire.ask("GET", f"/rest/socialMetadata/{quote(remote_id, safe='')}")
            answer = wire.answer
        if answer is not None and answer.status == HTTPStatus.NOT_FOUND:
            return None
        match answer.document if answer and answer.ok and not refused else {}:
            case {"commentSummary": dict(comments), "reactionSummaries": dict(reactions)}:
                counts = [count_in(each, "count") for each in reactions.values() if isinstance(each, dict)]
                return Figures(count_in(comments, "count"), None, sum(filter(None, counts)))
        return Unknown("LinkedIn did not show the figures of the post.")

    def _wire(self) -> LinkedInWire:
        return LinkedInWire(self._account, self._sessions, self._timeout, self._clock)

    def _post(self, post: SocialPost) -> PostResult:
        with self._wire() as wire:
            uploaded = []
            for image in post.images:
                media = self._upload(wire, image)
                if isinstance(media, Refused):
                    return media
                uploaded.append(media)
            if refused := wire.ask("POST", "/rest/posts", json=_body(self._account.author, post, uploaded)):
                return refused
            if wire.answer is None:
                assert wire.failure is not None
                return result_without_answer("LinkedIn", wire.failure)
            return result_of(wire)

    def _upload(self, wire: LinkedInWire, image: SocialImage) -> dict[str, str] | Refused:
        """The uploaded image as a post names it. One that no post names is seen by nobody."""
        wanted = {"initializeUploadRequest": {"owner": self._account.author}}
        if refused := wire.ask("POST", "/rest/images?action=initializeUpload", json=wanted):
            return refused
        match wire.answer.document if wire.answer and wire.answer.ok else {}:
            case {"value": {"uploadUrl": str(url), "image": str(urn)}} if _IMAGE.fullmatch(urn):
                if not wire.upload(url, image.data, image.media_type):
                    return _image_refused(wire)
                return {"id": urn, **({"altText": image.alt[:_LONGEST_ALT]} if image.alt else {})}
        return _image_refused(wire)

    def _find(self, post: SocialPost) -> Posted | Unknown | None:
        author = quote(self._account.author, safe="")
        with self._wire() as wire:
            route = f"/rest/posts?author={author}&q=author&count={_MOST_READ}&sortBy=LAST_MODIFIED"
            refused = wire.ask("GET", route, restli="FINDER")
            answer = wire.answer
            elements = answer.document.get("elements") if answer and answer.ok else None
            if refused or not isinstance(elements, list):
                until = wire.pause_ends if answer and answer.status == HTTPStatus.TOO_MANY_REQUESTS else None
                return Unknown("LinkedIn did not show the page's own posts: that takes `r_organization_social`.", until)
        begin = (post.since - _SKEW).timestamp() * 1000
        for each in elements:
            match each:
                case {"id": str(urn), "commentary": str(words), "createdAt": int() | float() as created}:
                    if created >= begin and _POST.fullmatch(urn) and is_same(post.text, plain_text(words)):
                        return _posted(urn)
        return None


def result_of(wire: LinkedInWire) -> PostResult:
    """What the answer to a request that posts or uploads means."""
    assert wire.answer is not None
    status, said = wire.answer.status, wire.said
    if wire.answer.ok:
        urn = wire.answer.headers.get("x-restli-id", "")
        if not _POST.fullmatch(urn):
            return Unknown(f"LinkedIn answered {status} but did not say which post it made.")
        return _posted(urn)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Refused(f"LinkedIn takes no more posts for now.{said}", permanent=False, retry_at=wire.pause_ends)
    if status == HTTPStatus.UNPROCESSABLE_ENTITY and "duplicate" in str(wire.answer.document).casefold():
        reason = (
            "LinkedIn takes this for a repetition of a post that the page had lately, also where that was deleted. "
            f"Look at the page; else say it in other words, or wait for two days.{said}"
        )
    elif status == HTTPStatus.UNAUTHORIZED:
        reason = (
            "LinkedIn does not accept the access token (401). Tokens end after 60 days: make a new one, and set "
            f"`[linkedin] access_token`.{said}"
        )
    elif status == HTTPStatus.FORBIDDEN:
        reason = (
            "The access token may not post for this page (403): it needs `w_organization_social`, from an "
            f"administrator or content administrator of the page.{said}"
        )
    elif status == HTTPStatus.UPGRADE_REQUIRED:
        reason = f"LinkedIn no longer knows this version of its API: set `[linkedin] api_version`.{said}"
    elif 300 <= status < 400:
        reason = f"LinkedIn's API answers at another address ({status}): check `[linkedin] api_url`."
    elif 400 <= status < 500:
        reason = f"LinkedIn refuses the post ({status}).{said}"
    else:
        return Unknown(f"LinkedIn answered with an error of its own ({status}).{said}")
    return Refused(reason, permanent=True)


def _body(author: str, post: SocialPost, images: list[dict[str, str]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if len(images) == 1:
        content = {"media": images[0]}
    elif images:
        content = {"multiImage": {"images": images}}
    elif post.card:
        article = {"source": post.card.url, "title": post.card.title[:_LONGEST_TITLE] or post.card.url}
        if post.card.description:
            article["description"] = post.card.description[:_LONGEST_DESCRIPTION]
        content = {"article": article}
    return {
        "author": author,
        "commentary": little_text(post.text),
        "visibility": "PUBLIC",
        "distribution": {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []},
        **({"content": content} if content else {}),
        "lifecycleState": "PUBLISHED",
        "isReshareDisabledByAuthor": False,
    }


def _image_refused(wire: LinkedInWire) -> Refused:
    """Nothing was posted, whatever happened to an upload."""
    if wire.answer is None or wire.answer.ok or wire.answer.status >= 500:
        return Refused("LinkedIn did not take the image; nothing was posted.", permanent=False)
    result = result_of(wire)
    assert isinstance(result, Refused)
    return Refused(f"LinkedIn did not take the image. {result.reason}", result.permanent, result.retry_at)


def _posted(urn: str) -> Posted:
    return Posted(urn, f"https://www.linkedin.com/feed/update/{urn}")
