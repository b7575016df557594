"""Asks a network's server once, in bounded time, and says what its answer can mean; knows no network.

Libraries build and sign the requests. Sending them and reading the answers is ours: time-outs, no redirects (a second
POST), no endless bodies, and a connection for each request, for on a kept one a server's closing looks like a cut
line after sending.
"""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import urllib3
from dateutil import parser as dates

from comms.channels.base import ChangeResult, Done, PostResult, Refused, Unknown
from comms.errors import ConfigError

_T = TypeVar("_T")
_U = TypeVar("_U")
LONGEST_BODY = 2_000_000
DEFAULT_PAUSE = timedelta(minutes=15)
"""What to wait when a network does not say how long its limit lasts; the usual window."""
_LONGEST_PAUSE = timedelta(days=1)
_DETAIL = 300


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, as far as it could be read."""

    status: int
    rate_limit_reset: str | None
    """When the rate limit ends, as the server wrote it: seconds since 1970, or a date."""
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in any case, as far as `Wire` asked."""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def value(self) -> Any:
        """The body's JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def document(self) -> dict[str, Any]:
        """The body's JSON object; empty when it is anything else."""
        value = self.value
        return value if isinstance(value, dict) else {}


class Wire(requests.Session):
    """Sends within time, without following redirects, and keeps what came back from the library that asked."""

    def __init__(self, timeout: tuple[float, float], *, reset_header: str, longest_body: int = LONGEST_BODY) -> None:
        super().__init__()
        self.answer: Answer | None = None
        """To the latest request; None when it had none."""
        self.failure: Exception | None = None
        """Why the latest request had no answer."""
        self._timeout = timeout
        self._reset_header = reset_header
        self._longest_body = longest_body

    def request(self, method: str, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        self.answer, self.failure = None, None
        kwargs |= {"timeout": self._timeout, "allow_redirects": False, "stream": True}
        kwargs["headers"] = {**(kwargs.get("headers") or {}), "Connection": "close"}
        try:
            response = super().request(method, url, *args, **kwargs)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            self.failure = error
            raise
        try:
            body: bytes = response.raw.read(self._longest_body, decode_content=True)
        except (urllib3.exceptions.HTTPError, OSError):
            body = b""
        response.close()
        self.answer = Answer(response.status_code, response.headers.get(self._reset_header), body, response.headers)
        response._content = body
        return response


def checked_address(url: str, what: str) -> str:
    """`url` without a slash at its end. Raises ConfigError when it is no address; `what` names it."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"The address of {what} is no web address: {url!r}.")
    return url.rstrip("/")


def within(seconds: float, work: Callable[[], _T], *, otherwise: _U) -> _T | _U:
    """What `work` returns, or `otherwise` when it takes longer.

    In a thread of its own, for neither a name server nor a server that answers byte by byte heeds time-outs.
    """
    result: Future[_T] = Future()

    def do() -> None:
        try:
            result.set_result(work())
        except BaseException as error:  # noqa: BLE001 - a bug; it is raised where the work was asked for
            result.set_exception(error)

    Thread(target=do, name="ask-a-network", daemon=True).start()
    try:
        return result.result(timeout=seconds)
    except TimeoutError:
        if result.done():
            raise
        return otherwise


def result_without_answer(name: str, error: Exception) -> PostResult:
    """What it means that a request which could create a post failed with `error`; `name` is the network's."""
    if never_sent(error):
        return Refused(f"{name} could not be reached ({type(error).__name__}); nothing was sent.", permanent=False)
    return Unknown(f"The connection to {name} broke after sending ({type(error).__name__}).")


def result_of_change(name: str, answer: Answer | None, said: str, *, gone_is_done: bool) -> ChangeResult:
    """What the answer to a request means that changes or deletes a post; `said` is what the server says about it."""
    if answer is None:
        return Unknown(f"{name} did not answer.")
    if answer.ok or (gone_is_done and answer.status in (404, 410)):
        return Done()
    if answer.status == 429:
        return Refused(f"{name} changes no more posts for now.{said}", permanent=False)
    if 300 <= answer.status < 500:
        return Refused(f"{name} does not allow it ({answer.status}).{said}", permanent=True)
    return Unknown(f"{name} answered with an error of its own ({answer.status}).{said}")


def count_in(document: Mapping[Any, Any], name: str) -> int | None:
    """A number of a JSON object that counts something; None when there is none."""
    value = document.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None


def never_sent(error: Exception) -> bool:
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


def retry_at(reset: str | None, now: datetime) -> datetime:
    """When a limit ends; after the usual window when the server does not say, or says what can not be."""
    moment = _moment(reset)
    return moment if moment is not None and now < moment <= now + _LONGEST_PAUSE else now + DEFAULT_PAUSE


def _moment(reset: str | None) -> datetime | None:
    if reset is None or not reset.isascii():
        return None
    try:
        if re.fullmatch(r"[0-9]{1,12}", reset):
            return datetime.fromtimestamp(int(reset), UTC)
        return dates.isoparse(reset).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def one_line(text: object) -> str:
    """What a server says, fit to be shown: printable, on one line, not too long; empty for what is no text."""
    if not isinstance(text, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:_DETAIL]
