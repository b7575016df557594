"""Posts to a Mastodon instance through Mastodon.py; finds a post of which nobody knows whether it is there.

Mastodon.py builds the requests; reading the answers is ours (`remote.py`). Never waits for a limit, never tries twice.
"""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, Literal

from dateutil import parser as dates
from mastodon import Mastodon

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
from comms.channels.mastodon_length import MastodonLimits, mastodon_length, shown_mentions
from comms.channels.remote import (
    Answer,
    Wire,
    checked_address,
    count_in,
    one_line,
    result_of_change,
    result_without_answer,
    retry_at,
    utc_now,
    within,
)
from comms.errors import ConfigError

logging.getLogger("mastodon").setLevel(logging.INFO)

Visibility = Literal["public", "unlisted", "private"]
_VERSION = "4.3.0"
"""Told to Mastodon.py, which otherwise reads it from the server and fails on versions that are no numbers."""
_SKEW = timedelta(minutes=5)
"""How far the instance's clock and ours may differ."""
_PAGE, _MOST_PAGES = 40, 3


@dataclass(frozen=True, slots=True)
class MastodonAccount:
    """An account, and the token of an application that may write to it; the token is never shown."""

    url: str
    access_token: str = field(repr=False)
    visibility: Visibility = "public"

    def __post_init__(self) -> None:
        checked_address(self.url, "the Mastodon instance")
        if not re.fullmatch(r"[!-~]+", self.access_token):
            raise ConfigError(
                "The Mastodon access token is empty or holds spaces or unusual characters.",
                hint="Copy it again from Preferences, Development, without line ends.",
            )

    def hidden_in(self, text: str) -> str:
        """`text` without the token, should a server have sent it back."""
        return text.replace(self.access_token, "[hidden]")


class MastodonChannel:
    """One account on an instance. Safe to use from several threads."""

    name = "mastodon"
    settles_after = timedelta(minutes=1)
    """The longest that an instance works on a request."""
    repeatable_for = timedelta(minutes=45)
    """An instance keeps an Idempotency-Key for an hour, and answers a repeat with the first post."""

    def __init__(
        self,
        account: MastodonAccount,
        *,
        limits: MastodonLimits | None = None,
        timeout: tuple[float, float] = (5, 30),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`timeout` is seconds to connect and to answer. Without `limits` the instance is asked for them, once, when
        something is counted."""
        self._account = account
        self._timeout = timeout
        self._known = limits
        self._clock = clock

    @property
    def limit(self) -> int:
        return self._limits.characters

    @property
    def _limits(self) -> MastodonLimits:
        self._known = self._known or instance_limits(self._account.url, self._timeout) or MastodonLimits()
        return self._known

    def count(self, text: str) -> int:
        """The length as the instance counts it; see `mastodon_length`."""
        return mastodon_length(text, per_url=self._limits.per_url)

    def publish(self, post: SocialPost) -> PostResult:
        """Post once, under the post's key."""
        if refusal := refusal_before_sending(post, lambda text: self.count(post.warning + text), self.limit):
            return refusal
        seconds = sum(self._timeout) * (1 + len(post.images))
        late = Unknown(f"Mastodon did not finish its answer within {seconds:g} seconds.")
        return within(seconds, lambda: self._post(post), otherwise=late)

    def find(self, post: SocialPost) -> Posted | Unknown | None:
        """Look through the account's own posts since the first try for this text."""
        late = Unknown("Mastodon did not finish its answer in time.")
        return within(4 * sum(self._timeout), lambda: self._find(post), otherwise=late)

    def delete(self, remote_id: str) -> ChangeResult:
        """Take a post away, here and, as far as they follow, on other instances."""
        late = Unknown("Mastodon did not answer in time.")
        return within(sum(self._timeout), lambda: self._delete(remote_id), otherwise=late)

    def edit(self, remote_id: str, text: str) -> ChangeResult:
        """Give a post another text. Its images and its warning stay; readers can see what it said before."""
        late = Unknown("Mastodon did not answer in time.")
        return within(2 * sum(self._timeout), lambda: self._edit(remote_id, text), otherwise=late)

    def figures(self, remote_id: str) -> Figures | Unknown | None:
        """Replies, boosts and favourites so far, as far as this instance knows."""
        late = Unknown("Mastodon did not answer in time.")
        return within(sum(self._timeout), lambda: self._figures(remote_id), otherwise=late)

    def _delete(self, remote_id: str) -> ChangeResult:
        with self._wire() as wire:
            self._ask(wire, lambda api: api.status_delete(remote_id))
            return result_of_change("Mastodon", wire.answer, self._said(wire.answer), gone_is_done=True)

    def _edit(self, remote_id: str, text: str) -> ChangeResult:
        with self._wire() as wire:
            self._ask(wire, lambda api: api.status(remote_id))
            if wire.answer is None or not wire.answer.ok:
                return result_of_change("Mastodon", wire.answer, self._said(wire.answer), gone_is_done=False)
            there = wire.answer.document
            # An edit that does not name them takes them away.
            images = [each.get("id") for each in there.get("media_attachments", []) if isinstance(each, dict)]
            warning, sensitive = there.get("spoiler_text") or None, bool(there.get("sensitive"))
            self._ask(
                wire,
                lambda api: api.status_update(
                    remote_id, text, spoiler_text=warning, sensitive=sensitive, media_ids=images or None
                ),
            )
            return result_of_change("Mastodon", wire.answer, self._said(wire.answer), gone_is_done=False)

    def _figures(self, remote_id: str) -> Figures | Unknown | None:
        with self._wire() as wire:
            self._ask(wire, lambda api: api.status(remote_id))
            answer = wire.answer
        if answer is not None and answer.status in (404, 410):
            return None
        if answer is None or not answer.ok:
            return Unknown("Mastodon did not show the post.")
        names = ("replies_count", "reblogs_count", "favourites_count")
        return Figures(*(count_in(answer.document, name) for name in names))

    def _said(self, answer: Answer | None) -> str:
        return _detail(answer, self._account.hidden_in) if answer else ""

    def _post(self, post: SocialPost) -> PostResult:
        with self._wire() as wire:
            uploaded = []
            for image in post.images:
                media = self._upload(wire, image)
                if isinstance(media, Refused):
                    return media
                uploaded.append(media)
            self._ask(
                wire,
                lambda api: api.status_post(
                    post.text,
                    in_reply_to_id=post.reply_to or None,
                    media_ids=uploaded or None,
                    visibility=self._account.visibility,
                    spoiler_text=post.warning or None,
                    language=post.language.split("-")[0].lower(),
                    idempotency_key=post.key,
                ),
            )
            if wire.answer is None:
                assert wire.failure is not None
                return result_without_answer("Mastodon", wire.failure)
            return result_of(wire.answer, now=self._clock(), hide=self._account.hidden_in)

    def _upload(self, wire: Wire, image: SocialImage) -> str | Refused:
        """The id of the uploaded image. An upload that no post uses is forgotten by the instance."""
        self._ask(wire, lambda api: api.media_post(image.data, image.media_type, description=image.alt or None))
        identity = wire.answer.document.get("id") if wire.answer and wire.answer.ok else None
        if isinstance(identity, str | int):
            return str(identity)
        result = result_of(wire.answer, now=self._clock(), hide=self._account.hidden_in) if wire.answer else None
        if isinstance(result, Refused):
            return Refused(f"Mastodon did not take the image. {result.reason}", result.permanent, result.retry_at)
        return Refused("Mastodon did not take the image; nothing was posted.", permanent=False)

    def _find(self, post: SocialPost) -> Posted | Unknown | None:
        with self._wire() as wire:
            self._ask(wire, lambda api: api.account_verify_credentials())
            me = wire.answer.document.get("id") if wire.answer and wire.answer.ok else None
            if not isinstance(me, str | int):
                return self._unread(wire.answer)
            before = None
            for _ in range(_MOST_PAGES):
                self._ask(wire, partial(_own_posts, me, before))
                page = wire.answer.value if wire.answer and wire.answer.ok else None
                if not isinstance(page, list):
                    return self._unread(wire.answer)
                statuses = list(_statuses(page))
                if len(statuses) < len(page):
                    return self._unread(wire.answer)
                for status in statuses:
                    if status.created >= post.since - _SKEW and status.is_the(post):
                        return Posted(status.id, status.url)
                if len(page) < _PAGE or statuses[-1].created < post.since - _SKEW:
                    return None
                before = statuses[-1].id
        return Unknown("Too many posts of the account came after it to find it among them.")

    def _unread(self, answer: Answer | None) -> Unknown:
        until = retry_at(answer.rate_limit_reset, self._clock()) if answer and answer.status == 429 else None
        return Unknown("Mastodon did not show the account's own posts.", until)

    def _wire(self) -> Wire:
        return Wire(self._timeout, reset_header="x-ratelimit-reset")

    def _ask(self, wire: Wire, call: Callable[[Any], object]) -> None:
        api = Mastodon(
            access_token=self._account.access_token,
            api_base_url=self._account.url.rstrip("/"),
            ratelimit_method="throw",
            request_timeout=sum(self._timeout),
            mastodon_version=_VERSION,
            version_check_mode="none",
            session=wire,
        )
        try:
            call(api)
        except Exception as error:  # noqa: BLE001 - the answer says it, and what Mastodon.py makes of one is its own
            if wire.answer is None and wire.failure is None:
                wire.failure = error


def _own_posts(account: str | int, before: str | None, api: Any) -> object:
    return api.account_statuses(account, limit=_PAGE, max_id=before)


@dataclass(frozen=True, slots=True)
class _Status:
    """A post that the account has."""

    id: str
    url: str
    content: str
    reply_to: str
    created: datetime

    def is_the(self, post: SocialPost) -> bool:
        return self.reply_to == post.reply_to and _bare(_plain(self.content)) == _bare(shown_mentions(post.text))


def _statuses(page: list[Any]) -> Iterator[_Status]:
    for each in page:
        match each:
            case {"id": str() | int() as identity, "content": str(content), "created_at": str(created)}:
                try:
                    moment = dates.isoparse(created)
                except ValueError:
                    continue
                reply_to, url = each.get("in_reply_to_id"), each.get("url")
                yield _Status(
                    str(identity),
                    url if isinstance(url, str) else "",
                    content if not each.get("reblog") else "",
                    str(reply_to) if reply_to else "",
                    moment if moment.tzinfo else moment.replace(tzinfo=UTC),
                )


def _plain(content: str) -> str:
    """The text of a post's HTML: in its links the hidden parts of addresses stand, too."""
    return shown_mentions(html.unescape(re.sub(r"<[^>]*>", "", re.sub(r"<br[^>]*>|</p>", "\n", content))))


def _bare(text: str) -> str:
    """What is left of a text when an instance has set it: spaces and lines may differ."""
    return re.sub(r"\s+", "", text)


def result_of(answer: Answer, *, now: datetime, hide: Callable[[str], str]) -> PostResult:
    """What an answer to a request that posts or uploads means; `hide` takes secrets out of a text from the server."""
    detail, status = _detail(answer, hide), answer.status
    if answer.ok:
        return _posted(answer)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        until = retry_at(answer.rate_limit_reset, now)
        return Refused(f"Mastodon takes no more posts for now.{detail}", permanent=False, retry_at=until)
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Refused(
            f"Mastodon does not accept the access token for posting ({status}): check that it is right, and that its "
            f"application may `write:statuses`, `write:media` and `read:statuses`, `read:accounts`.{detail}",
            permanent=True,
        )
    if 300 <= status < 400:
        return Refused(
            f"The Mastodon instance answers at another address ({status}): check `[mastodon] url`.", permanent=True
        )
    if 400 <= status < 500:
        return Refused(f"Mastodon refuses the post ({status}).{detail}", permanent=True)
    return Unknown(f"Mastodon answered with an error of its own ({status}).{detail}")


def _detail(answer: Answer, hide: Callable[[str], str]) -> str:
    """What the instance says about it, as a sentence to add; empty when it says nothing."""
    said = hide(one_line(answer.document.get("error")))
    return f" The instance says: {said}" if said else ""


def _posted(answer: Answer) -> PostResult:
    identity, url = answer.document.get("id"), answer.document.get("url")
    if not isinstance(identity, str | int) or not re.fullmatch(r"[A-Za-z0-9]{1,64}", str(identity)):
        return Unknown(f"Mastodon answered {answer.status} but did not say which post it made.")
    shown = isinstance(url, str) and re.fullmatch(r"https?://[!-~]{1,500}", url)
    return Posted(str(identity), str(url) if shown else "")


def instance_limits(url: str, timeout: tuple[float, float]) -> MastodonLimits | None:
    """What `/api/v2/instance` says; None when it can not be asked, or says what can not be."""

    def ask() -> Answer | None:
        with Wire(timeout, reset_header="x-ratelimit-reset") as wire:
            try:
                wire.request("GET", f"{checked_address(url, 'the Mastodon instance')}/api/v2/instance")
            except OSError:  # every failure of requests is one
                return None
            return wire.answer

    answer = within(sum(timeout), ask, otherwise=None)
    match answer.document if answer and answer.ok else {}:
        case {
            "configuration": {
                "statuses": {"max_characters": int(characters), "characters_reserved_per_url": int(per_url)}
            }
        } if 1 <= characters <= 1_000_000 and 0 <= per_url <= characters:
            return MastodonLimits(characters, per_url)
    return None
