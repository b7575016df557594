"""A web server that subscribes, and one that is a hub: remembers what came, and answers as it is told."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

from comms.outside.exchange import Exchange, Patience
from comms.outside.guard import Address
from comms.outside.websub import Caller
from tests.support.serving import Server, serving

LOOPBACK = ipaddress.ip_address("127.0.0.1")
INSIDE = ipaddress.ip_address("127.0.0.2")
"""Stands for the inside of a network: nothing may be asked there, though our servers listen there too."""


@dataclass(frozen=True)
class Came:
    """One request: `name` is the host that it was meant for, with the path."""

    method: str
    name: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes

    def is_signed_with(self, secret: str) -> bool:
        """Does its signature hold, as a subscriber checks it (WebSub section 7.1)."""
        method, _, given = self.headers.get("X-Hub-Signature", "").partition("=")
        if method != "sha256":
            return False
        return hmac.compare_digest(hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest(), given)


@dataclass
class Manner:
    """How one address behaves."""

    challenge: str | None = None
    """What is said instead of the challenge; None: the challenge."""
    suffix: str = ""
    """Behind the challenge."""
    verify_status: int = 200
    status: int = 200
    """Of the answer to a POST."""
    location: str = ""
    delay: float = 0.0


@dataclass
class WebSubServer:
    port: int = 0
    manners: dict[str, Manner] = field(default_factory=dict)
    came: list[Came] = field(default_factory=list)
    looked_up: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        host, slash, rest = name.partition("/")
        return f"http://{host}:{self.port}{slash}{rest}"

    def of(self, method: str, name: str = "") -> list[Came]:
        return [each for each in self.came if each.method == method and name in ("", each.name)]

    def caller(self, patience: Patience = Patience(5, 5, 10)) -> Caller:  # noqa: B008 - frozen
        """Finds all hosts here, but those that are `inside` something."""

        def look_up(host: str, port: int) -> list[Address]:
            self.looked_up.append(host)
            if host.endswith(".gone"):
                raise socket.gaierror(socket.EAI_NONAME, "no such host")
            try:
                return [ipaddress.ip_address(host)]
            except ValueError:
                return [INSIDE if host.startswith("inside") else LOOPBACK]

        here = Exchange(patience, look_up=look_up, allowed=lambda address: address == LOOPBACK)
        return Caller("https://news.example.org", here)


@contextmanager
def websub_server() -> Iterator[WebSubServer]:
    site = WebSubServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            manner, query = self._came("GET", b"")
            challenge = query.get("hub.challenge", [""])[0]
            said = challenge if manner.challenge is None else manner.challenge
            self._answer(manner.verify_status, (said + manner.suffix).encode(), manner)

        def do_POST(self) -> None:
            manner, _ = self._came("POST", self.rfile.read(int(self.headers["Content-Length"])))
            self._answer(manner.status, b"thanks", manner)

        def _came(self, method: str, body: bytes) -> tuple[Manner, dict[str, list[str]]]:
            parts = urlsplit(self.path)
            name = f"{self.headers['Host'].rpartition(':')[0]}{parts.path}"
            query = parse_qs(parts.query, keep_blank_values=True)
            site.came.append(Came(method, name, query, dict(self.headers), body))
            return site.manners.get(name, Manner()), query

        def _answer(self, status: int, body: bytes, manner: Manner) -> None:
            time.sleep(manner.delay)
            self.send_response(status)
            if manner.location:
                self.send_header("Location", manner.location)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with serving(Server(("0.0.0.0", 0), Handler)) as site.port:
        yield site
