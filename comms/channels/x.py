"""Posts to X through tweepy, signed with OAuth 1.0a; never waits for a limit, never tries twice.

tweepy builds and signs the requests. Reading the answers is ours (`remote.py`), for tweepy has no time-outs, follows
redirects with a second POST, and fails on bodies that are not the JSON it expects.
"""

from __future__ import annotations

import base64
import html
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests
import urllib3
from tweepy.client import Client

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
from comms.channels.x_length import X_LIMIT, weighted_length
from comms.errors import ConfigError

for _talkative in ("oauthlib", "requests_oauthlib"):
    # Their debug lines hold tokens and signed headers.
    logging.getLogger(_talkative).setLevel(logging.INFO)

_TWEEPY_HOST = "https://api.twitter.com"
_LONGEST_BODY = 1_000_000
_SKEW = timedelta(minutes=5)
"""How far X's clock and ours may differ."""
_MOST_READ = 10
"""Own posts that are read to find one; X asks $0.001 for each."""


@dataclass(frozen=True, slots=True)
class XCredentials:
    """The four values of an app and an account on developer.x.com; none is ever shown."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_secret: str = field(repr=False)

    def __post_init__(self) -> None:
        for part in fields(self):
            if not re.fullmatch(r"[!-~]+", getattr(self, part.name)):
                raise ConfigError(
                    f"The X credential {part.name} is empty or holds spaces or unusual characters.",
                    hint="Copy it again from developer.x.com, without line ends.",
                )

    @property
    def account_id(self) -> str:
        """Every access token of OAuth 1.0a on X begins with the id of the account; empty for one that does not."""
        number, _, rest = self.access_token.partition("-")
        return number if rest and re.fullmatch(r"[0-9]{1,20}", number) else ""

    def hidden_in(self, text: str) -> str:
        """`text` without any of the four, should a server have sent them back."""
        for part in fields(self):
            value: str = getattr(self, part.name)
            for form in {value, quote(value, safe="")}:
                text = text.replace(form, "[hidden]")
        return text


class XChannel:
    """One account on X. Safe to use from several threads."""

    name = "x"
    limit = X_LIMIT
    settles_after = timedelta(minutes=1)
    repeatable_for = timedelta()
    """X knows no keys: a second request is a second post."""

    def __init__(
        self,
        credentials: XCredentials,
        *,
        api_url: str = "https://api.x.com",
        timeout: tuple[float, float] = (5, 20),
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """`timeout` is seconds to connect and to answer; `publish` ends within their sum, whatever the server does,
        and twice as much more for each image.

        Requests are signed for `api_url`, so that it may name another host. Raises ConfigError when it is no address.
        """
        self._credentials = credentials
        self._api_url = checked_address(api_url, "X's API")
        self._timeout = timeout
        self._clock = clock

    def count(self, text: str) -> int:
        """The weighted length; see `x_length`."""
        return weighted_length(text)

    def publish(self, post: SocialPost) -> PostResult:
        """Post once. An image without its description is refused: X keeps both apart, and may take one alone."""
        if refusal := refusal_before_sending(post, self.count, self.limit):
            return refusal
        seconds = sum(self._timeout) * (1 + 2 * len(post.images))
        late = Unknown(f"X did not finish its answer within {seconds:g} seconds.")
        return within(seconds, lambda: self._post(post), otherwise=late)

    def find(self, post: SocialPost) -> Posted | Unknown | None:
        """Look through the latest posts of the account for this text. X sells each that it shows."""
        late = Unknown("X did not finish its answer in time.")
        return within(sum(self._timeout), lambda: self._find(post), otherwise=late)

    def delete(self, remote_id: str) -> ChangeResult:
        """Take a post away."""
        late = Unknown("X did not answer in time.")
        return within(sum(self._timeout), lambda: self._delete(remote_id), otherwise=late)

    def figures(self, remote_id: str) -> Figures | Unknown | None:
        """Replies, reposts and likes so far. X sells each look."""
        late = Unknown("X did not answer in time.")
        return within(sum(self._timeout), lambda: self._figures(remote_id), otherwise=late)

    def _delete(self, remote_id: str) -> ChangeResult:
        with _Session(self._api_url, self._timeout) as wire:
            self._ask(wire, "DELETE", f"/2/tweets/{remote_id}")
            said = self._credentials.hidden_in(_detail(wire.answer.document)) if wire.answer else ""
            return result_of_change("X", wire.answer, said, gone_is_done=True)

    def _figures(self, remote_id: str) -> Figures | Unknown | None:
        with _Session(self._api_url, self._timeout) as wire:
            self._ask(wire, "GET", f"/2/tweets/{remote_id}", params={"tweet.fields": "public_metrics"})
            answer = wire.answer
        match answer.document if answer and answer.ok else {}:
            case {"data": {"public_metrics": dict(metrics)}}:
                shares = [count_in(metrics, name) for name in ("retweet_count", "quote_count")]
                total = sum(filter(None, shares)) if any(each is not None for each in shares) else None
                return Figures(count_in(metrics, "reply_count"), total, count_in(metrics, "like_count"))
            case {"errors": [{"title": "Not Found Error"}, *_]}:
                return None
        return Unknown("X did not show the figures of the post.")

    def _post(self, post: SocialPost) -> PostResult:
        with _Session(self._api_url, self._timeout) as wire:
            body: dict[str, Any] = {"text": post.text}
            if post.reply_to:
                body["reply"] = {"in_reply_to_tweet_id": post.reply_to}
            if post.images:
                uploaded = [self._upload(wire, image) for image in post.images]
                if refused := next((one for one in uploaded if isinstance(one, Refused)), None):
                    return refused
                body["media"] = {"media_ids": uploaded}
            self._ask(wire, "POST", "/2/tweets", json=body)
            if wire.answer is None:
                assert wire.failure is not None
                return result_without_answer("X", wire.failure)
            result = result_of(wire.answer, now=self._clock(), hide=self._credentials.hidden_in)
        if post.reply_to and wire.answer.status == HTTPStatus.FORBIDDEN and isinstance(result, Refused):
            reason = (
                "X does not take this part as a reply to the part before it. Replies by programs are refused since "
                "February 2026; shorten the text to one post, or post the rest by hand."
            )
            return Refused(f"{reason} {result.reason}", permanent=True)
        return result

    def _upload(self, wire: _Session, image: SocialImage) -> str | Refused:
        """The id of the uploaded image, with its description."""
        media = {"media": base64.b64encode(image.data).decode(), "media_category": "tweet_image"}
        self._ask(wire, "POST", "/2/media/upload", json=media)
        data = wire.answer.document.get("data") if wire.answer and wire.answer.ok else None
        identity = data.get("id") if isinstance(data, dict) else None
        if not isinstance(identity, str):
            return self._image_refused(wire, "the image")
        if image.alt:
            described = {"id": identity, "metadata": {"alt_text": {"text": image.alt}}}
            self._ask(wire, "POST", "/2/media/metadata", json=described)
            if wire.answer is None or not wire.answer.ok:
                return self._image_refused(wire, "the image's description")
        return identity

    def _image_refused(self, wire: _Session, what: str) -> Refused:
        """Nothing was posted, whatever happened to an upload."""
        if wire.answer is None or wire.answer.status >= 500:
            return Refused(f"X did not take {what}; nothing was posted.", permanent=False)
        result = result_of(wire.answer, now=self._clock(), hide=self._credentials.hidden_in)
        if isinstance(result, Refused):
            return Refused(f"X did not take {what}. {result.reason}", result.permanent, result.retry_at)
        return Refused(f"X did not take {what}; nothing was posted.", permanent=True)

    def _find(self, post: SocialPost) -> Posted | Unknown | None:
        account = self._credentials.account_id
        if not account:
            return Unknown("The access token does not say which account it is for, so its posts can not be read.")
        params = {
            "max_results": str(_MOST_READ),
            "tweet.fields": "created_at,entities,note_tweet",
            "start_time": (post.since - _SKEW).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        with _Session(self._api_url, self._timeout) as wire:
            self._ask(wire, "GET", f"/2/users/{account}/tweets", params=params)
            answer = wire.answer
        if answer is None or not answer.ok:
            until = retry_at(answer.rate_limit_reset, self._clock()) if answer and answer.status == 429 else None
            return Unknown("X did not show the account's latest posts.", until)
        posts = answer.document.get("data")
        for each in posts if isinstance(posts, list) else []:
            if isinstance(each, dict) and _same(_text_as_written(each), post.text):
                found = _posted({"data": each}, answer.status)
                if isinstance(found, Posted):
                    return found
        return None

    def _ask(self, wire: _Session, method: str, route: str, **values: Any) -> None:
        keys = self._credentials
        client: Any = Client(  # type: ignore[no-untyped-call]
            consumer_key=keys.api_key,
            consumer_secret=keys.api_secret,
            access_token=keys.access_token,
            access_token_secret=keys.access_secret,
            return_type=requests.Response,
            wait_on_rate_limit=False,
        )
        client.session = wire
        try:
            client.request(method, route, user_auth=True, **values)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            wire.failure = wire.failure or error


class _Session(Wire):
    """Sends to our address, which is changed before signing, since OAuth 1.0a signs it (RFC 5849, section 3.4.1.2)."""

    def __init__(self, api_url: str, timeout: tuple[float, float]) -> None:
        super().__init__(timeout, reset_header="x-rate-limit-reset", longest_body=_LONGEST_BODY)
        self._api_url = api_url

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        response = super().request(method, self._api_url + str(url).removeprefix(_TWEEPY_HOST), *args, **kwargs)
        # tweepy hands back what it takes for a success as it is, and falls over the rest; its log would read on where
        # this stopped, and write down whatever the server sent.
        response.status_code = HTTPStatus.OK
        response._content = b""
        return response


def _text_as_written(each: dict[str, Any]) -> str:
    """The text of a post without X's short addresses and its escaping."""
    note = each.get("note_tweet")
    whole = note if isinstance(note, dict) else each
    text, entities = whole.get("text"), whole.get("entities")
    if not isinstance(text, str):
        return ""
    urls = entities.get("urls") if isinstance(entities, dict) else None
    for url in urls if isinstance(urls, list) else []:
        match url:
            case {"url": str(short), "media_key": str()}:
                text = text.replace(short, "")
            case {"url": str(short), "expanded_url": str(long)}:
                text = text.replace(short, long)
    return html.unescape(text)


def _same(one: str, other: str) -> bool:
    return " ".join(one.split()) == " ".join(other.split())


def result_of(answer: Answer, *, now: datetime, hide: Callable[[str], str]) -> PostResult:
    """What an answer to POST /2/tweets means; `hide` takes secrets out of a text from the server."""
    document = answer.document
    detail = hide(_detail(document))
    status = answer.status
    if 200 <= status < 300:
        return _posted(document, status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Refused(f"X takes no more posts for now.{detail}", False, retry_at(answer.rate_limit_reset, now))
    if status == HTTPStatus.FORBIDDEN and "duplicate" in detail.casefold():
        return Refused(
            "X already has a post of this account with the same text, and takes no second one. "
            "Look at the account: an earlier attempt may have come through.",
            permanent=True,
        )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Refused(
            f"X does not accept the credentials for posting ({status}): check the four values, and that the app "
            f"has the permission “Read and write”.{detail}",
            permanent=True,
        )
    if 300 <= status < 400:
        return Refused(f"X's API answers at another address ({status}): check its setting.", permanent=True)
    if 400 <= status < 500:
        return Refused(f"X refuses the post ({status}).{detail}", permanent=True)
    return Unknown(f"X answered with an error of its own ({status}).{detail}")


def _posted(document: dict[str, Any], status: int) -> PostResult:
    data = document.get("data")
    remote_id = data.get("id") if isinstance(data, dict) else None
    if not isinstance(remote_id, str) or not re.fullmatch(r"[0-9]{1,20}", remote_id):
        return Unknown(f"X answered {status} but did not say which post it made.")
    return Posted(remote_id, f"https://x.com/i/web/status/{remote_id}")


def _detail(document: dict[str, Any]) -> str:
    """What the server says about it, as a sentence to add; empty when it says nothing."""
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    message = first.get("message") if isinstance(first, dict) else None
    said = next((text for text in (document.get("detail"), message) if isinstance(text, str) and text), "")
    words = one_line(said)
    return f" X says: {words}" if words else ""
