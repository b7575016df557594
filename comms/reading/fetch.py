"""Asks for one feed, once: time-outs, a cap on its size, conditional requests, redirects.

When to ask is for `manners.py`. The answer is bytes that somebody else wrote; nothing here looks into them.
"""

from __future__ import annotations

import http.client
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urljoin

from comms.outside.exchange import MOST_REDIRECTS, REDIRECTS, Exchange, Failure, Outcome, Patience, web_parts

MAX_BYTES = 5_000_000
"""Of a feed, as it comes and as it is unpacked."""
PATIENCE = Patience(connect=10.0, read=20.0, total=60.0)
_PIECE = 65_536
_PERMANENT = frozenset({301, 308})
_ACCEPT = (
    "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1"
)
_ZIPPED = 47
"""zlib's name for "gzip or zlib, whichever it is"."""


@dataclass(frozen=True, slots=True)
class Validators:
    """What the server said of the copy that we have, kept and sent back to the letter (RFC 9110 section 8.8)."""

    etag: str = ""
    last_modified: str = ""

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)


NOTHING_KNOWN = Validators()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of asking for a feed. `status` is that of HTTP, 0 when no answer came; `fault` then says why."""

    status: int = 0
    body: bytes = b""
    fault: str = ""
    url: str = ""
    """Where the answer came from."""
    moved_to: str = ""
    """The address to use from now on, when every redirect on the way was a permanent one."""
    validators: Validators = NOTHING_KNOWN
    retry_after: str = ""
    cache_control: str = ""
    content_type: str = ""


class Fetcher:
    """Asks for feeds in the name of the installation at `site`, over `exchange`; without one over the public internet
    alone."""

    def __init__(self, site: str, exchange: Exchange | None = None) -> None:
        self._exchange = exchange or Exchange(PATIENCE)
        self._agent = f"comms-feed-reader/1.0 (+{site})"

    def fetch(self, url: str, validators: Validators = NOTHING_KNOWN) -> Answer:
        """The answer of one address, followed to where it leads. Never raises for what a server does."""
        permanent, moved_to = True, ""
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._ask(url, validators)
            if answer.status not in REDIRECTS or not answer.moved_to:
                return replace(answer, moved_to=moved_to)
            try:
                url = urljoin(url, answer.moved_to)
            except ValueError:
                return Answer(fault="it leads to what is no web address")
            permanent = permanent and answer.status in _PERMANENT
            moved_to = url if permanent else ""
        return Answer(fault=_FAULTS[Outcome.CIRCLES])

    def _ask(self, url: str, validators: Validators) -> Answer:
        """One request. Of a redirect, `moved_to` is where it points to."""
        parts = web_parts(url)
        if parts is None:
            return Answer(fault="it leads to what is no web address")
        headers = {"User-Agent": self._agent, "Accept": _ACCEPT, "Accept-Encoding": "gzip", **conditions(validators)}
        result = self._exchange.ask("GET", parts, headers, taken)
        return failed(result) if isinstance(result, Failure) else replace(result, url=url)


_FAULTS: Mapping[Outcome, str] = {
    Outcome.UNKNOWN_HOST: "there is no such site",
    Outcome.NO_CONNECTION: "the site takes no connection",
    Outcome.NO_ANSWER: "the site does not answer in time",
    Outcome.BAD_CERTIFICATE: "the site's certificate is not valid",
    Outcome.CIRCLES: "it leads on more than five times",
    Outcome.NOT_PUBLIC: "the address is not a public one",
    Outcome.NONSENSE: "the site gives no sensible answer",
}


def failed(failure: Failure) -> Answer:
    """No answer, and why, in words."""
    words = _FAULTS[failure.outcome]
    return Answer(fault=f"{words} ({failure.detail})" if failure.detail else words)


def conditions(validators: Validators) -> dict[str, str]:
    """The headers that ask for what is newer than this."""
    headers = {}
    if validators.etag:
        headers["If-None-Match"] = validators.etag
    if validators.last_modified:
        headers["If-Modified-Since"] = validators.last_modified
    return headers


def taken(response: http.client.HTTPResponse) -> Answer:
    """What there is to know of an answer; its body where its status is 200, and no more of it than may be."""
    header = response.headers
    answer = Answer(
        status=response.status,
        moved_to=_short(header.get("Location", "")) if response.status in REDIRECTS else "",
        validators=Validators(_short(header.get("ETag", "")), _short(header.get("Last-Modified", ""))),
        retry_after=_short(header.get("Retry-After", "")),
        cache_control=_short(header.get("Cache-Control", "")),
        content_type=_short(header.get("Content-Type", "")),
    )
    if response.status != 200:
        return answer
    try:
        return replace(answer, body=_body(response, header.get("Content-Encoding", "").strip().lower()))
    except _TooLarge:
        return Answer(fault=f"the feed has more than {MAX_BYTES:,} bytes")
    except (zlib.error, _Unknown):
        return Answer(fault="the answer is packed in a way that can not be read")


def _body(response: http.client.HTTPResponse, encoding: str) -> bytes:
    """The body unpacked, piece by piece: a small one can hold a very large one."""
    if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
        raise _Unknown
    unpack = zlib.decompressobj(_ZIPPED) if encoding not in ("", "identity") else None
    came, body = 0, bytearray()
    while piece := response.read(_PIECE):
        came += len(piece)
        if came > MAX_BYTES:
            raise _TooLarge
        if unpack is None:
            body += piece
            continue
        while piece:
            body += unpack.decompress(piece, _PIECE)
            if len(body) > MAX_BYTES:
                raise _TooLarge
            piece = unpack.unconsumed_tail
    if unpack is not None and not unpack.eof:
        raise zlib.error("it ends too early")
    return bytes(body)


def _short(value: str) -> str:
    """A header as it can be kept and sent back; one that can not, as if it were not there."""
    return value if len(value) <= 2_000 and value.isascii() and value.isprintable() else ""


class _TooLarge(Exception):  # noqa: N818 - ends a loop
    pass


class _Unknown(Exception):  # noqa: N818 - ends a loop
    pass
