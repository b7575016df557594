"""A web server with feeds: remembers what it was asked for, answers conditional requests, does as it is told."""

from __future__ import annotations

import gzip
import hashlib
import ipaddress
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from comms.outside import guard
from comms.outside.exchange import Exchange, Patience
from comms.outside.guard import Address
from comms.reading.fetch import Fetcher
from tests.support.serving import Server, serving

LOOPBACK = ipaddress.ip_address("127.0.0.1")


@dataclass(frozen=True)
class Asked:
    """One request as it came: `name` is the host that was asked for, with the path."""

    name: str
    headers: dict[str, str]
    status: int


@dataclass
class Page:
    """What one address answers."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    conditional: bool = True
    zipped: bool = False
    drip: bool = False


@dataclass
class FeedServer:
    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    """`host/path` -> what it answers."""
    asked: list[Asked] = field(default_factory=list)

    def url(self, name: str) -> str:
        host, _, path = name.partition("/")
        return f"http://{host}:{self.port}/{path}"

    def fetcher(self, patience: Patience = Patience(5, 5, 10)) -> Fetcher:  # noqa: B008 - frozen
        """Finds all hosts here, but those that are `inside` something."""

        def look_up(host: str, port: int) -> list[Address]:
            if host.endswith(".gone"):
                raise socket.gaierror(socket.EAI_NONAME, "no such host")
            try:
                return [ipaddress.ip_address(host)]
            except ValueError:
                return [ipaddress.ip_address("10.0.0.1" if host.startswith("inside") else LOOPBACK)]

        here = Exchange(
            patience, look_up=look_up, allowed=lambda address: address == LOOPBACK or guard.is_public(address)
        )
        return Fetcher("https://news.example.org", here)


@contextmanager
def feed_server() -> Iterator[FeedServer]:
    site = FeedServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = f"{self.headers['Host'].partition(':')[0]}{self.path}".rstrip("/")
            page = site.pages.get(name, Page(status=404))
            etag = f'W/"{hashlib.sha256(page.body).hexdigest()[:16]}"'
            fresh = page.status == 200 and page.conditional and self.headers.get("If-None-Match") == etag
            status = 304 if fresh else page.status
            site.asked.append(Asked(name, dict(self.headers), status))
            body = gzip.compress(page.body) if page.zipped else page.body
            self.send_response(status)
            if page.conditional:
                self.send_header("ETag", etag)
            if page.zipped:
                self.send_header("Content-Encoding", "gzip")
            for key, value in page.headers.items():
                self.send_header(key, value)
            self.end_headers()
            if page.drip:
                drip(self)
            elif status == 200:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Server(("127.0.0.1", 0), Handler)) as site.port:
        yield site


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Never quite silent, never done."""
    for _ in range(60):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.1)


def rss(title: str, *items: tuple[str, str], date: str = "") -> bytes:
    """A feed in RSS 2.0 with items (title, address)."""
    dated = f"<pubDate>{date}</pubDate>" if date else ""
    each = "".join(
        f"<item><title>{name}</title><link>{url}</link><guid isPermaLink='false'>{url}</guid>"
        f"<description>About {name}.</description>{dated}</item>"
        for name, url in items
    )
    return f"<rss version='2.0'><channel><title>{title}</title>{each}</channel></rss>".encode()
