"""A local server that behaves like LinkedIn's REST API for one page: checks headers, bodies and text, and misbehaves.

Written from Microsoft Learn's pages on the Posts API, the Images API, the little Text Format and the tokens. What is
not escaped in a text ends it, silently, as LinkedIn does.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from tests.support.serving import Server, serving

ORGANIZATION = "5515715"
ACCESS_TOKEN = "AQV-access/one+two="
REFRESH_TOKEN = "AQX-refresh-one"
CLIENT_ID, CLIENT_SECRET = "78client", "app/secret="
VERSION = "202605"
PAGE = f"urn:li:organization:{ORGANIZATION}"
_DISTRIBUTION = {"feedDistribution": "MAIN_FEED", "targetEntities": [], "thirdPartyDistributionChannels": []}
_REQUIRED = {"author", "commentary", "visibility", "distribution", "lifecycleState"}
_KNOWN = {*_REQUIRED, "content", "isReshareDisabledByAuthor"}
_ELEMENT = re.compile(r"\{hashtag\|\\#\|(\w+)\}|\\([\\|{}@\[\]()<>#*_~])|([^\\|{}@\[\]()<>#*_~])", re.S)


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


def problem(status: int, message: str, code: str = "", **headers: str) -> Reply:
    document = {"status": status, "message": message, **({"code": code} if code else {})}
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, json.dumps(document).encode(), given)


@dataclass
class Post:
    urn: str
    commentary: str
    content: dict[str, Any]
    created: int

    @property
    def shown(self) -> str:
        """What readers see."""
        return shown(self.commentary)


def shown(commentary: str) -> str:
    text, position = "", 0
    while match := _ELEMENT.match(commentary, position):
        tag, escaped, plain = match.groups()
        text += f"#{tag}" if tag else escaped or plain
        position = match.end()
    return text


@dataclass
class FakeLinkedIn:
    """What to do with the next requests, and what has happened so far."""

    reply: Reply | None = None
    """Answered instead of taking a post."""
    fault: str = ""
    """hang, accept-then-drop, drip, nameless (201 without the post's URN)."""
    url: str = ""
    now_ms: int = 0
    """Creation time of the next posts; the server's own clock when 0."""
    access: str = ACCESS_TOKEN
    """The token that is good at the moment."""
    refresh: str = REFRESH_TOKEN
    """The refresh token that is good at the moment: each works once."""
    ends: int = 4_000_000_000
    hides_posts: bool = False
    """The token lacks r_organization_social."""
    posts: list[Post] = field(default_factory=list)
    images: dict[str, bytes] = field(default_factory=dict)
    deleted: list[str] = field(default_factory=list)
    refreshes: int = 0
    refused: list[str] = field(default_factory=list)
    """Why requests were refused, for tests that fail."""
    requests: list[str] = field(default_factory=list)
    figures: dict[str, tuple[int, int]] = field(default_factory=dict)
    """URN -> (reactions, comments)."""
    released: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        return [post.shown for post in self.posts]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    @property
    def fake(self) -> FakeLinkedIn:
        return self.server.fake

    def do_GET(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        path = urlsplit(self.path).path
        self.fake.requests.append(f"{self.command} {path}")
        if path.startswith("/oauth/v2/"):
            reply = self._oauth(path.rpartition("/")[2], dict(parse_qsl(body.decode())))
        elif path.startswith("/upload/"):
            reply = self._take_image(path.rpartition("/")[2], body)
        else:
            reply = self._refusal() or self._route(path, json.loads(body) if body else None)
        if reply is None:  # the line is cut, or the time of whoever asked is over
            return
        if reply.status >= 400:
            self.fake.refused.append(reply.body.decode(errors="replace"))
        self._answer(reply)

    def _refusal(self) -> Reply | None:
        headers = self.headers
        if headers.get("Authorization") != f"Bearer {self.fake.access}":
            return problem(401, "The token used in the request has expired", "EXPIRED_ACCESS_TOKEN")
        if headers.get("LinkedIn-Version") != VERSION:
            return problem(
                426, f"Requested version {headers.get('LinkedIn-Version')} is not active", "NONEXISTENT_VERSION"
            )
        if headers.get("X-Restli-Protocol-Version") != "2.0.0":
            return problem(400, "Syntax exception in path variables", "ILLEGAL_ARGUMENT")
        if self.command == "POST" and headers.get("Content-Type") != "application/json":
            return problem(415, "Unsupported Media Type")
        return None

    def _route(self, path: str, document: Any) -> Reply | None:
        method = self.headers.get("X-RestLi-Method", "")
        urn = unquote(path.rpartition("/")[2])
        match self.command, path:
            case "POST", "/rest/images":
                return self._initialize(document)
            case "POST", "/rest/posts":
                return self._create(document)
            case "GET", "/rest/posts" if method == "FINDER":
                return self._found()
            case "POST", _ if path.startswith("/rest/posts/urn%3Ali%3A") and method == "PARTIAL_UPDATE":
                return self._update(urn, document)
            case "DELETE", _ if path.startswith("/rest/posts/urn%3Ali%3A") and method == "DELETE":
                return self._delete(urn)
            case "GET", _ if path.startswith("/rest/socialMetadata/urn%3Ali%3A"):
                return self._figures(urn)
        return problem(404, f"No virtual resource found for {self.command} {path} {method}")

    def _initialize(self, document: Any) -> Reply:
        if document != {"initializeUploadRequest": {"owner": PAGE}} or parse_qs(urlsplit(self.path).query) != {
            "action": ["initializeUpload"]
        }:
            return problem(400, "Unpermitted fields present")
        name = f"C4E10AQ{len(self.fake.images)}-x"
        self.fake.images[name] = b""
        value = {
            "uploadUrl": f"{self.fake.url}/upload/{name}",
            "image": f"urn:li:image:{name}",
            "uploadUrlExpiresAt": 1,
        }
        return Reply(200, json.dumps({"value": value}).encode())

    def _take_image(self, name: str, body: bytes) -> Reply:
        if self.headers.get("Authorization") != f"Bearer {self.fake.access}" or name not in self.fake.images:
            return Reply(401)
        self.fake.images[name] = body
        return Reply(201)

    def _create(self, document: Any) -> Reply | None:
        fake = self.fake
        if fake.reply is not None:
            return fake.reply
        if fault := self._fault_of(document):
            return problem(400, fault, "MISSING_FIELD")
        if document["commentary"] in [post.commentary for post in fake.posts]:
            message = f"Content is a duplicate of urn:li:share:{7_000_000_000_000_000_999 - len(fake.requests)}"
            inputs = {
                "errorDetails": {
                    "inputErrors": [{"description": "Duplicate post is detected", "code": "DUPLICATE_POST"}]
                }
            }
            return Reply(422, json.dumps({"status": 422, "message": message, **inputs}).encode())
        if fake.fault == "hang":
            fake.released.wait(30)
            return None
        urn = f"urn:li:share:{7_000_000_000_000_000_000 + len(fake.posts) + len(fake.deleted)}"
        fake.posts.append(Post(urn, document["commentary"], document.get("content", {}), self._now_ms()))
        if fake.fault == "accept-then-drop":
            return None
        return Reply(201, b"", {} if fake.fault == "nameless" else {"x-restli-id": urn})

    def _fault_of(self, document: Any) -> str:
        """What LinkedIn would have against a post; empty for nothing."""
        if not isinstance(document, dict) or not _REQUIRED <= document.keys() <= _KNOWN:
            return "Field is required but not found, or unpermitted fields present"
        expected = {
            "author": PAGE,
            "visibility": "PUBLIC",
            "lifecycleState": "PUBLISHED",
            "distribution": _DISTRIBUTION,
        }
        if wrong := [name for name, value in expected.items() if document[name] != value]:
            return f"Invalid value for {wrong}"
        if not document["commentary"] or len(document["commentary"].encode("utf-16-le")) // 2 > 6_000:
            return "commentary is empty or too long"
        if len(shown(document["commentary"]).encode("utf-16-le")) // 2 > 3_000:
            return "commentary exceeded the maximum length 3000"
        return self._fault_of_content(document["content"]) if "content" in document else ""

    def _fault_of_content(self, content: Any) -> str:
        match content:
            case {"media": {"id": str(urn), **rest}} if rest.keys() <= {"altText", "title"} and len(content) == 1:
                return "" if self.fake.images.get(urn.removeprefix("urn:li:image:")) else "media is not available"
            case {"article": {"source": str(source), "title": str(title), **rest}} if len(content) == 1:
                known = rest.keys() <= {"description", "thumbnail"}
                return "" if known and source.startswith("http") and 0 < len(title) <= 400 else "article is invalid"
        return "content is invalid"

    def _found(self) -> Reply:
        query = parse_qs(urlsplit(self.path).query)
        if self.fake.hides_posts:
            return problem(403, "Not enough permissions to access: posts.FINDER-author", "ACCESS_DENIED")
        if query.get("author") != [PAGE] or query.get("q") != ["author"] or "author=urn%3Ali%3A" not in self.path:
            return problem(400, "Invalid query parameters passed to request")
        elements = [
            {
                "id": p.urn,
                "author": PAGE,
                "commentary": p.commentary,
                "createdAt": p.created,
                "lifecycleState": "PUBLISHED",
            }
            for p in reversed(self.fake.posts)
        ]
        return Reply(200, json.dumps({"elements": elements[: int(query["count"][0])]}).encode())

    def _update(self, urn: str, document: Any) -> Reply:
        match document:
            case {"patch": {"$set": {"commentary": str(commentary)}}}:
                for post in self.fake.posts:
                    if post.urn == urn:
                        post.commentary = commentary
                        return Reply(204)
                return problem(404, "Not Found")
        return problem(400, "Unpermitted fields present in PARTIAL_UPDATE")

    def _delete(self, urn: str) -> Reply:
        """Also of a post that is gone: "this operation is idempotent"."""
        self.fake.deleted += [post.urn for post in self.fake.posts if post.urn == urn]
        self.fake.posts = [post for post in self.fake.posts if post.urn != urn]
        return Reply(204)

    def _figures(self, urn: str) -> Reply:
        if urn not in [post.urn for post in self.fake.posts]:
            return problem(404, "Not Found")
        reactions, comments = self.fake.figures.get(urn, (0, 0))
        kinds = {"LIKE": {"reactionType": "LIKE", "count": reactions}} if reactions else {}
        document = {
            "entity": urn,
            "reactionSummaries": kinds,
            "commentSummary": {"count": comments, "topLevelCount": comments},
            "commentsState": "OPEN",
        }
        return Reply(200, json.dumps(document).encode())

    def _oauth(self, what: str, form: dict[str, str]) -> Reply:
        fake = self.fake
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return Reply(
                401, json.dumps({"error": "invalid_client", "error_description": "Client auth failed"}).encode()
            )
        if what == "introspectToken":
            active = form.get("token") == fake.access
            known = {"expires_at": fake.ends, "status": "active"} if active else {"status": "expired"}
            return Reply(200, json.dumps({"active": active, **known}).encode())
        if form.get("grant_type") != "refresh_token" or form.get("refresh_token") != fake.refresh:
            text = f"The provided refresh token {form.get('refresh_token')} is invalid"
            return Reply(400, json.dumps({"error": "invalid_grant", "error_description": text}).encode())
        fake.refreshes += 1
        fake.access, fake.refresh = f"AQV-access-{fake.refreshes + 1}", f"AQX-refresh-{fake.refreshes + 1}"
        answer = {"access_token": fake.access, "expires_in": 5_184_000, "refresh_token": fake.refresh,
                  "refresh_token_expires_in": 26_000_000}  # fmt: skip
        return Reply(200, json.dumps(answer).encode())

    def _now_ms(self) -> int:
        return self.fake.now_ms or int(time.time() * 1000)

    def _answer(self, reply: Reply) -> None:
        if self.fake.fault == "drip" and reply.status == 201:
            for byte in b"HTTP/1.0 201 Created\r\n":
                if self.fake.released.wait(0.1):
                    return
                self.wfile.write(bytes([byte]))
        self.send_response(reply.status)
        for name, value in ({"Content-Length": str(len(reply.body))} | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""


class _Server(Server):
    def __init__(self, fake: FakeLinkedIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake


@contextmanager
def running() -> Iterator[FakeLinkedIn]:
    fake = FakeLinkedIn()
    server = _Server(fake)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    with serving(server):
        try:
            yield fake
        finally:
            fake.released.set()
