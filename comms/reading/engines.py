"""Asks another engine: for its feed of offers, its keys, and to take an answer. Follows no redirect, knows no offer.

An engine's address is pinned: one that leads elsewhere is not followed there, so that nobody can send this engine to
places that are not meant to be asked.
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urljoin, urlsplit

from comms.outside import guard
from comms.outside.exchange import REDIRECTS, Exchange, Failure, Patience, web_parts
from comms.outside.guard import Address
from comms.reading.fetch import NOTHING_KNOWN, Answer, Validators, conditions, failed, taken

PATIENCE = Patience(connect=10.0, read=20.0, total=60.0)
_LARGEST_REPLY = 10_000
KEYS = "/relay/keys.json"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Engines:
    """Asks in the name of the installation at `site`. Connects to public addresses, and to hosts of `trusted` (as
    `host` or `host:port`), which somebody named on purpose."""

    def __init__(
        self,
        site: str,
        trusted: Collection[str] = (),
        *,
        look_up: Callable[[str, int], list[Address]] = guard.addresses,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._public = Exchange(PATIENCE, look_up=look_up, trusted=context)
        self._any = Exchange(PATIENCE, look_up=look_up, allowed=lambda address: True, trusted=context)
        self._trusted = frozenset(each.lower() for each in trusted)
        self._agent = f"comms-relay/1.0 (+{site})"

    def get(self, url: str, validators: Validators = NOTHING_KNOWN, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """What lies there. Never raises for what a server does."""
        return self._ask("GET", url, {"Accept-Encoding": "gzip", **conditions(validators), **headers}, taken)

    def file(self, url: str, size: int, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
        """A file of so many bytes, as it is: of a longer one there is a fault, of one that was cut short its beginning.
        Never raises for what a server does."""
        return self._ask("GET", url, {"Accept-Encoding": "identity", **headers}, lambda response: _file(response, size))

    def post(self, url: str, body: bytes) -> Answer:
        """What the engine says to a document, whatever the status; of a long one, the beginning."""
        return self._ask("POST", url, {"Content-Type": "application/json"}, _reply, body)

    def _ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        take: Callable[[http.client.HTTPResponse], Answer],
        body: bytes | None = None,
    ) -> Answer:
        parts = web_parts(url)
        if parts is None:
            return Answer(fault="this is no web address")
        host = str(parts.hostname).lower()
        is_trusted = not self._trusted.isdisjoint({host, f"{host}:{parts.port}"})
        exchange = self._any if is_trusted else self._public
        result = exchange.ask(method, parts, {"User-Agent": self._agent, "Accept": "*/*", **headers}, take, body)
        if isinstance(result, Failure):
            return failed(result)
        if result.status in REDIRECTS:
            return Answer(
                status=result.status, fault="it leads elsewhere; follow the address that it leads to, if that is meant"
            )
        return replace(result, url=url)


def keys_url(feed: str) -> str:
    """Where the keys of the engine with this feed are: at the same site, whatever the feed says."""
    return _beside(feed, KEYS)


def answers_url(feed: str) -> str:
    """Where answers to the offers of a feed go."""
    return urljoin(feed, "answers")


def file_url(feed: str, sha256: str) -> str:
    """Where a file that goes with an offer of a feed is, by its hash."""
    return urljoin(feed, f"files/{sha256}")


def media_url(feed: str) -> str:
    """Where the pictures of a feed's engine are."""
    return _beside(feed, "/media/")


def _beside(feed: str, path: str) -> str:
    # The site may lie below a path of its host: /relay/<association>/feed.json stands at its end.
    parts = urlsplit(feed)
    return parts._replace(path=parts.path.rsplit("/relay/", 1)[0] + path, query="", fragment="").geturl()


def _file(response: http.client.HTTPResponse, size: int) -> Answer:
    if response.status != 200:
        return Answer(status=response.status)
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return Answer(fault="the answer is packed in a way that can not be read")
    body = response.read(size + 1)
    return Answer(fault="it is larger than it should be") if len(body) > size else Answer(status=200, body=body)


def _reply(response: http.client.HTTPResponse) -> Answer:
    retry_after = response.headers.get("Retry-After", "")
    body = response.read(_LARGEST_REPLY)
    return Answer(status=response.status, body=body, retry_after=retry_after if len(retry_after) < 100 else "")
