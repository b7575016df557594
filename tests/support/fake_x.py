"""A local server that behaves like X's POST /2/tweets: checks the signature and the body, counts, and misbehaves.

The OAuth 1.0a signature is computed here from RFC 5849 section 3.4 alone, without the library under test.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import json
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from tests.support.serving import Server, serving

API_KEY = "app-key"
API_SECRET = "app/secret+with=odd&signs"
ACCESS_TOKEN = "1234-token"
ACCESS_SECRET = "access~secret%20"

DUPLICATE = {
    "detail": "You are not allowed to create a Tweet with duplicate content.",
    "type": "about:blank",
    "title": "Forbidden",
    "status": 403,
}


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def problem(status: int, document: object, **headers: str) -> Reply:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(document).encode(), {"Content-Type": "application/problem+json", **given})


@dataclass
class FakeX:
    """What to do with the next requests, and what has happened so far."""

    reply: Reply | None = None
    """Answered instead of taking the post."""
    fault: str = ""
    """hang, drop-before-reading, accept-then-drop, drip, short-body."""
    url: str = ""
    connections: int = 0
    requests: int = 0
    posts: list[str] = field(default_factory=list)
    replies: list[tuple[str, str]] = field(default_factory=list)
    """(text, id of the post before)."""
    media: dict[str, str] = field(default_factory=dict)
    """Id of an uploaded image -> its description."""
    refuses_replies: bool = False
    deleted: list[str] = field(default_factory=list)
    """Ids of posts that were taken away."""
    looks: int = 0
    """How often the figures of a post were looked at, which X sells."""
    shown: int = 0
    """Posts that were shown to the account, which X sells."""
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def there(self) -> list[str]:
        """Ids of the posts that are there."""
        every = [f"19000000000000000{number:02}" for number in range(1, len(self.posts) + 1)]
        return [identity for identity in every if identity not in self.deleted]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    @property
    def fake(self) -> FakeX:
        return self.server.fake

    def handle(self) -> None:
        self.fake.connections += 1
        if self.fake.fault == "drop-before-reading":
            return
        super().handle()

    def do_POST(self) -> None:
        fake = self.fake
        fake.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if fake.reply is not None:
            self._answer(fake.reply)
            return
        refusal = self._refusal(body)
        if refusal is not None:
            self._answer(refusal)
            return
        if fake.fault == "hang":
            fake.released.wait(30)
            return
        if self.path.startswith("/2/media/"):
            self._take_media(json.loads(body))
            return
        document = json.loads(body)
        text = document["text"]
        fake.posts.append(text)
        if "reply" in document:
            fake.replies.append((text, document["reply"]["in_reply_to_tweet_id"]))
        if fake.fault == "accept-then-drop":
            return
        accepted = {"data": {"id": f"19000000000000000{len(fake.posts):02}", "text": text}}
        if fake.fault == "drip":
            self._drip(json.dumps(accepted).encode())
        elif fake.fault == "short-body":
            self._answer(Reply(201, json.dumps(accepted).encode()[:10], {"Content-Length": "500"}))
        else:
            self._answer(Reply(201, json.dumps(accepted).encode(), {"Content-Type": "application/json"}))

    def do_DELETE(self) -> None:
        self.fake.requests += 1
        identity = self.path.removeprefix("/2/tweets/")
        if not self._signed_by_the_account():
            self._answer(problem(401, {"title": "Unauthorized"}))
        elif self.fake.reply is not None:
            self._answer(self.fake.reply)
        elif identity in self.fake.there:
            self.fake.deleted.append(identity)
            self._answer(Reply(200, b'{"data": {"deleted": true}}'))
        else:
            self._answer(problem(404, {"title": "Not Found Error", "detail": "Could not find tweet."}))

    def do_GET(self) -> None:
        self.fake.requests += 1
        if self.path.startswith("/2/tweets/") and self._signed_by_the_account():
            self._show_figures(urlsplit(self.path).path.removeprefix("/2/tweets/"))
        else:
            self._show_posts()

    def _show_figures(self, identity: str) -> None:
        self.fake.looks += 1
        metrics = {"reply_count": 1, "retweet_count": 2, "quote_count": 3, "like_count": 4}
        shown = {"data": {"id": identity, "public_metrics": metrics}}
        document = shown if identity in self.fake.there else {"errors": [{"title": "Not Found Error"}]}
        self._answer(Reply(200, json.dumps(document).encode(), {"Content-Type": "application/json"}))

    def _show_posts(self) -> None:
        """The account's own posts, with X's short addresses and escaping."""
        number, _, _ = ACCESS_TOKEN.partition("-")
        if urlsplit(self.path).path != f"/2/users/{number}/tweets" or not self._signed_by_the_account():
            self._answer(problem(401, {"title": "Unauthorized"}))
            return
        posts = []
        for place, text in enumerate(self.fake.posts, 1):
            urls = re.findall(r"https?://\S+", text)
            for at, url in enumerate(urls):
                text = text.replace(url, f"https://t.co/{place}{at}")
            entities = {"urls": [{"url": f"https://t.co/{place}{at}", "expanded_url": u} for at, u in enumerate(urls)]}
            posts.append({"id": f"19000000000000000{place:02}", "text": html.escape(text), "entities": entities})
        self.fake.shown += len(posts)
        self._answer(Reply(200, json.dumps({"data": posts[::-1]}).encode(), {"Content-Type": "application/json"}))

    def _take_media(self, document: dict[str, Any]) -> None:
        if self.path == "/2/media/upload":
            base64.b64decode(document["media"], validate=True)
            identity = str(7000 + len(self.fake.media))
            self.fake.media[identity] = ""
        else:
            identity = document["id"]
            self.fake.media[identity] = document["metadata"]["alt_text"]["text"]
        self._answer(Reply(200, json.dumps({"data": {"id": identity}}).encode()))

    def _answer(self, reply: Reply) -> None:
        self.send_response(reply.status)
        headers = {"Content-Length": str(len(reply.body))} | reply.headers
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def _drip(self, body: bytes) -> None:
        head = f"HTTP/1.0 201 Created\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        for byte in head + body:
            if self.fake.released.wait(0.1):
                return
            self.wfile.write(bytes([byte]))

    def _refusal(self, body: bytes) -> Reply | None:
        if self.path not in ("/2/tweets", "/2/media/upload", "/2/media/metadata"):
            return problem(404, {"title": "Not Found", "detail": f"no {self.path} here"})
        if not self._signed_by_the_account():
            return problem(401, {"title": "Unauthorized", "detail": "Unauthorized", "status": 401})
        if self.headers.get("Content-Type") != "application/json":
            return problem(400, {"detail": "JSON wanted"})
        document = json.loads(body)
        if self.path.startswith("/2/media/"):
            return None
        text = document.get("text") if isinstance(document, dict) else None
        known = set(document) <= {"text", "reply", "media"}
        media = document.get("media", {}).get("media_ids", ())
        if not isinstance(text, str) or not text or not known or not set(media) <= set(self.fake.media):
            return problem(400, {"detail": "One or more parameters to your request was invalid."})
        if "reply" in document and self.fake.refuses_replies:
            return problem(403, {"detail": "You are not permitted to reply to this post."})
        return problem(403, DUPLICATE) if text in self.fake.posts else None

    def _signed_by_the_account(self) -> bool:
        scheme, _, rest = self.headers.get("Authorization", "").partition(" ")
        given = {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', rest)}
        signature = given.pop("oauth_signature", "")
        expected = {
            "oauth_consumer_key": API_KEY,
            "oauth_token": ACCESS_TOKEN,
            "oauth_signature_method": "HMAC-SHA1",
            "oauth_version": "1.0",
        }
        if scheme != "OAuth" or not expected.items() <= given.items():
            return False
        return hmac.compare_digest(signature, self._signature(given))

    def _signature(self, oauth: dict[str, str]) -> str:
        parts = urlsplit(self.path)
        parameters = [*oauth.items(), *parse_qsl(parts.query, keep_blank_values=True)]
        pairs = sorted((_encoded(name), _encoded(value)) for name, value in parameters)
        normal = "&".join(f"{name}={value}" for name, value in pairs)
        address = f"{self.server.scheme}://{self.headers['Host'].lower()}{parts.path}"
        base = "&".join((self.command, _encoded(address), _encoded(normal)))
        key = f"{_encoded(API_SECRET)}&{_encoded(ACCESS_SECRET)}"
        digest = hmac.new(key.encode(), base.encode(), hashlib.sha1).digest()
        return base64.b64encode(digest).decode()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def _encoded(text: str) -> str:
    """RFC 5849 section 3.6."""
    return quote(text, safe="-._~")


class _Server(Server):
    scheme = "http"

    def __init__(self, fake: FakeX) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake


@contextmanager
def running(tls: ssl.SSLContext | None = None) -> Iterator[FakeX]:
    fake = FakeX()
    server = _Server(fake)
    if tls is not None:
        server.scheme = "https"
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    fake.url = f"{server.scheme}://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        try:
            yield fake
        finally:
            fake.released.set()
