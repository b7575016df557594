"""Posts to X through tweepy, signed with OAuth 1.0a; never waits for a limit, never tries twice.

tweepy builds and signs the request. Reading the answer is ours: tweepy has no time-outs, follows redirects with a
second POST, and fails on bodies that are not the JSON it expects. Each post has a connection of its own, for on a
kept one a server's closing looks like a cut line after sending.
"""

from __future__ import annotations

import json
import logging
import re
import ssl
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from threading import Thread
from typing import Any
from urllib.parse import quote, urlsplit

import requests
import urllib3
from tweepy.client import Client

from comms.channels.base import (
    Posted,
    PostResult,
    Refused,
    SocialPost,
    Unknown,
    refusal_before_sending,
)
from comms.channels.x_length import X_LIMIT, weighted_length
from comms.errors import ConfigError

for _talkative in ("oauthlib", "requests_oauthlib"):
    # Their debug lines hold tokens and signed headers.
    logging.getLogger(_talkative).setLevel(logging.INFO)

_TWEEPY_HOST = "https://api.twitter.com"
_LONGEST_BODY = 65_536
_DEFAULT_PAUSE = timedelta(minutes=15)
"""The window of POST /2/tweets; what to wait when X does not say how long."""
_LONGEST_PAUSE = timedelta(days=1)
_DETAIL = 300


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

    def hidden_in(self, text: str) -> str:
        """`text` without any of the four, should a server have sent them back."""
        for part in fields(self):
            value: str = getattr(self, part.name)
            for form in {value, quote(value, safe="")}:
                text = text.replace(form, "[hidden]")
        return text


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as far as it could be read."""

    status: int
    rate_limit_reset: str | None
    """The header `x-rate-limit-reset`: seconds since 1970."""
    body: bytes


def _utc_now() -> datetime:
    return datetime.now(UTC)


class XChannel:
    """One account on X. Safe to use from several threads."""

    name = "x"
    limit = X_LIMIT

    def __init__(
        self,
        credentials: XCredentials,
        *,
        api_url: str = "https://api.x.com",
        timeout: tuple[float, float] = (5, 20),
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """`timeout` is seconds to connect and to answer; `publish` ends within their sum, whatever the server does.

        Requests are signed for `api_url`, so that it may name another host. Raises ConfigError when it is no address.
        """
        parts = urlsplit(api_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(f"The address of X's API is no web address: {api_url!r}.")
        self._credentials = credentials
        self._api_url = api_url.rstrip("/")
        self._timeout = timeout
        self._clock = clock

    def count(self, text: str) -> int:
        """The weighted length; see `x_length`."""
        return weighted_length(text)

    def publish(self, post: SocialPost) -> PostResult:
        """Post once. Images are refused: this channel posts text only."""
        if refusal := refusal_before_sending(post, self.count, self.limit):
            return refusal
        if post.images:
            return Refused("Images can not be posted to X yet: remove them from the post.", permanent=True)
        result: Future[PostResult] = Future()
        # In a thread of its own, for neither a name server nor a server that answers byte by byte heeds time-outs.
        Thread(target=self._post_into, args=(result, post.text), name="post-to-x", daemon=True).start()
        try:
            return result.result(timeout=sum(self._timeout))
        except TimeoutError:
            return Unknown(f"X did not finish its answer within {sum(self._timeout):g} seconds.")

    def _post_into(self, result: Future[PostResult], text: str) -> None:
        try:
            result.set_result(self._post(text))
        except BaseException as error:  # noqa: BLE001 - a bug; it is raised where the post was asked for
            result.set_exception(error)

    def _post(self, text: str) -> PostResult:
        keys = self._credentials
        client: Any = Client(  # type: ignore[no-untyped-call]
            consumer_key=keys.api_key,
            consumer_secret=keys.api_secret,
            access_token=keys.access_token,
            access_token_secret=keys.access_secret,
            return_type=requests.Response,
            wait_on_rate_limit=False,
        )
        with _Session(self._api_url, self._timeout) as session:
            client.session = session
            try:
                client.create_tweet(text=text, user_auth=True)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                return _result_without_answer(error)
        assert session.answer is not None
        return result_of(session.answer, now=self._clock(), hide=keys.hidden_in)


class _Session(requests.Session):
    """Sends to our address, within time, without following redirects, and keeps the answer from tweepy.

    tweepy names its host itself; the address is changed before signing, since OAuth 1.0a signs it (RFC 5849,
    section 3.4.1.2).
    """

    def __init__(self, api_url: str, timeout: tuple[float, float]) -> None:
        super().__init__()
        self.answer: Answer | None = None
        self._api_url = api_url
        self._timeout = timeout

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        target = self._api_url + str(url).removeprefix(_TWEEPY_HOST)
        kwargs |= {"timeout": self._timeout, "allow_redirects": False, "stream": True}
        response = super().request(method, target, *args, **kwargs)
        try:
            body: bytes = response.raw.read(_LONGEST_BODY, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError):
            body = b""
        self.answer = Answer(response.status_code, response.headers.get("x-rate-limit-reset"), body)
        # tweepy hands back what it takes for a success as it is, and falls over the rest; its log would read on where
        # this stopped, and write down whatever the server sent.
        response.status_code = HTTPStatus.OK
        response._content = b""
        return response


def _result_without_answer(error: Exception) -> PostResult:
    if _never_sent(error):
        reason = f"X could not be reached ({type(error).__name__}); nothing was sent."
        return Refused(reason, permanent=False)
    return Unknown(f"The connection to X broke after sending ({type(error).__name__}).")


def _never_sent(error: Exception) -> bool:
    """Whether the failure came before a request could go out: name, connection or certificate."""
    cause: object = error
    while isinstance(cause, requests.RequestException) and cause.args:
        cause = cause.args[0]
    if isinstance(cause, urllib3.exceptions.MaxRetryError):
        cause = cause.reason
    if isinstance(cause, urllib3.exceptions.SSLError) and cause.args:
        cause = cause.args[0]
    before_sending = (
        urllib3.exceptions.NewConnectionError,
        urllib3.exceptions.ConnectTimeoutError,
        urllib3.exceptions.ProxyError,
        ssl.SSLCertVerificationError,
    )
    return isinstance(cause, before_sending)


def result_of(answer: Answer, *, now: datetime, hide: Callable[[str], str]) -> PostResult:
    """What an answer to POST /2/tweets means; `hide` takes secrets out of a text from the server."""
    document = _document(answer.body)
    detail = hide(_detail(document))
    status = answer.status
    if 200 <= status < 300:
        return _posted(document, status)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return Refused(f"X takes no more posts for now.{detail}", False, _retry_at(answer.rate_limit_reset, now))
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


def _retry_at(reset: str | None, now: datetime) -> datetime:
    """When the limit ends; the usual window when X does not say, or says what can not be."""
    seconds = int(reset) if reset is not None and re.fullmatch(r"[0-9]{1,12}", reset) else 0
    if now.timestamp() < seconds <= (now + _LONGEST_PAUSE).timestamp():
        return datetime.fromtimestamp(seconds, UTC)
    return now + _DEFAULT_PAUSE


def _document(body: bytes) -> dict[str, Any]:
    """The body's JSON object; empty when it is anything else."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _detail(document: dict[str, Any]) -> str:
    """What the server says about it, as a sentence to add; empty when it says nothing."""
    errors = document.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    message = first.get("message") if isinstance(first, dict) else None
    said = next((text for text in (document.get("detail"), message) if isinstance(text, str) and text), "")
    words = " ".join("".join(c if c.isprintable() else " " for c in said).split())[:_DETAIL]
    return f" X says: {words}" if words else ""
