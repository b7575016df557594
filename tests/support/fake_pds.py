"""A local server that behaves like a Bluesky PDS: sessions, records under keys, blobs; strict about what it takes.

It checks posts against the rules of app.bsky.feed.post and app.bsky.richtext.facet, and facets more strictly than the
real one, which takes any places: here a link's bytes must be the link. Runs in a process of its own:
`python fake_pds.py HANDLE PASSWORD` prints its port.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import time
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import regex

DID = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa"
COLLECTION = "app.bsky.feed.post"
TID = re.compile(r"[234567abcdefghij][234567a-z]{12}")
MOST_BLOB = 2_000_000


class RefusalError(Exception):
    def __init__(self, status: int, error: str, message: str = "") -> None:
        super().__init__(message)
        self.status, self.body = status, {"error": error, "message": message}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, handle: str, password: str) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.account = (handle, password)
        self.life_s = 7200.0
        self.number = 0
        self.refresh: set[str] = set()
        self.access: dict[str, float] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.blobs: dict[str, dict[str, Any]] = {}
        self.counts = {"logins": 0, "refreshes": 0, "puts": 0, "commits": 0}

    def session(self) -> dict[str, Any]:
        self.number += 1
        ends = time.time() + self.life_s
        claims = base64.urlsafe_b64encode(json.dumps({"exp": int(ends), "n": self.number}).encode()).decode()
        access, renew = f"e30.{claims.rstrip('=')}.access", f"refresh-{self.number}"
        self.access[access] = ends
        self.refresh.add(renew)
        return {"accessJwt": access, "refreshJwt": renew, "did": DID, "handle": self.account[0]}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that are killed are part of the tests."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        name = parts.path.removeprefix("/xrpc/").replace(".", "_")
        try:
            call = getattr(self, f"{self.command.lower()}_{name}", None)
            if call is None:
                raise RefusalError(501, "MethodNotImplemented")
            asked = {key: values[0] for key, values in parse_qs(parts.query).items()}
            status, value = 200, call(asked, body)
        except RefusalError as refusal:
            status, value = refusal.status, refusal.body
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    # --- sessions -----------------------------------------------------------------------------

    def post_com_atproto_server_createSession(self, _: dict[str, str], body: bytes) -> Any:
        given = json.loads(body)
        self.server.counts["logins"] += 1
        if (given["identifier"], given["password"]) != self.server.account:
            raise RefusalError(401, "AuthenticationRequired", f"Invalid identifier or password {given['password']}")
        return self.server.session()

    def post_com_atproto_server_refreshSession(self, _: dict[str, str], body: bytes) -> Any:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.server.refresh:
            raise RefusalError(400, "ExpiredToken", "Token has been revoked")
        self.server.refresh.remove(token)  # works once
        self.server.counts["refreshes"] += 1
        return self.server.session()

    def _check_session(self) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self.server.access:
            raise RefusalError(401, "InvalidToken", "Token could not be verified")
        if self.server.access[token] <= time.time():
            raise RefusalError(400, "ExpiredToken", "Token has expired")

    # --- records ------------------------------------------------------------------------------

    def get_com_atproto_identity_resolveHandle(self, asked: dict[str, str], _: bytes) -> Any:
        if asked["handle"] != self.server.account[0]:
            raise RefusalError(400, "InvalidRequest", "Unable to resolve handle")
        return {"did": DID}

    def get_com_atproto_repo_getRecord(self, asked: dict[str, str], _: bytes) -> Any:
        record = self.server.records.get(asked["rkey"]) if asked["repo"] == DID else None
        if record is None:
            raise RefusalError(400, "RecordNotFound", f"Could not locate record: {asked['rkey']}")
        return record

    def get_com_atproto_repo_listRecords(self, asked: dict[str, str], _: bytes) -> Any:
        return {"records": list(self.server.records.values())}

    def post_com_atproto_repo_uploadBlob(self, _: dict[str, str], body: bytes) -> Any:
        self._check_session()
        if len(body) > MOST_BLOB:
            raise RefusalError(400, "BlobTooLarge", f"{len(body)} bytes")
        blob = {
            "$type": "blob",
            "ref": {"$link": f"bafkrei{hashlib.sha256(body).hexdigest()[:52]}"},
            "mimeType": self.headers.get("Content-Type", ""),
            "size": len(body),
        }
        self.server.blobs[blob["ref"]["$link"]] = blob  # type: ignore[index]
        return {"blob": blob}

    def post_com_atproto_repo_putRecord(self, _: dict[str, str], body: bytes) -> Any:
        self._check_session()
        given = json.loads(body)
        if given["repo"] != DID or given["collection"] != COLLECTION or not TID.fullmatch(given["rkey"]):
            raise RefusalError(400, "InvalidRequest", f"bad place {given['rkey']}")
        check_post(given["record"], self.server)
        self.server.counts["puts"] += 1
        text = json.dumps(given["record"], sort_keys=True)
        record = {
            "uri": f"at://{DID}/{COLLECTION}/{given['rkey']}",
            "cid": f"bafyrei{hashlib.sha256(text.encode()).hexdigest()[:52]}",
            "value": given["record"],
        }
        if self.server.records.get(given["rkey"]) != record:
            self.server.counts["commits"] += 1
            self.server.records[given["rkey"]] = record
        return {"uri": record["uri"], "cid": record["cid"]}

    def post_com_atproto_repo_deleteRecord(self, _: dict[str, str], body: bytes) -> Any:
        """Also of a record that is not there."""
        self._check_session()
        given = json.loads(body)
        if given["repo"] != DID or given["collection"] != COLLECTION:
            raise RefusalError(400, "InvalidRequest", "bad place")
        self.server.records.pop(given["rkey"], None)
        return {}

    def get_app_bsky_feed_getPosts(self, asked: dict[str, str], _: bytes) -> Any:
        """As a PDS passes it on to the network's view of all posts."""
        self._check_session()
        record = self.server.records.get(asked["uris"].rpartition("/")[2])
        counts = {"replyCount": 1, "repostCount": 2, "quoteCount": 3, "likeCount": 4}
        return {"posts": [{"uri": record["uri"], "cid": record["cid"], **counts}] if record else []}

    # --- for the tests ------------------------------------------------------------------------

    def get_counts(self, _: dict[str, str], __: bytes) -> Any:
        return self.server.counts

    def post_expire(self, asked: dict[str, str], _: bytes) -> Any:
        """Sessions are over now; those to come live for `life` seconds."""
        self.server.access = dict.fromkeys(self.server.access, 0.0)
        self.server.life_s = float(asked.get("life", "7200"))
        return {}

    def log_message(self, *_: Any) -> None:
        """Quiet."""


def check_post(record: dict[str, Any], server: Server) -> None:
    """Raises RefusalError for what the lexicon of posts does not allow."""

    def must(holds: object, what: str) -> None:
        if not holds:
            raise RefusalError(400, "InvalidRecord", what)

    text = record.get("text")
    must(record.get("$type") == COLLECTION and isinstance(text, str), "no post")
    assert isinstance(text, str)
    must(len(regex.findall(r"\X", text)) <= 300 and len(text.encode()) <= 3000, "text too long")
    must(datetime.fromisoformat(record["createdAt"].replace("Z", "+00:00")).tzinfo, "createdAt")
    must(len(record.get("langs", [])) <= 3, "langs")
    for facet in record.get("facets", []):
        start, end = facet["index"]["byteStart"], facet["index"]["byteEnd"]
        must(0 <= start < end <= len(text.encode()), "facet outside of the text")
        stretch = text.encode()[start:end].decode()
        for feature in facet["features"]:
            match feature["$type"].rpartition("#")[2]:
                case "link":
                    must(feature["uri"] == stretch, f"{stretch!r} is not the link")
                case "tag":
                    must(feature["tag"] == stretch[1:] and len(feature["tag"]) <= 64, f"{stretch!r} is not the tag")
                case _:
                    must(stretch.startswith("@") and feature["did"].startswith("did:"), "mention")
    for reference in record.get("reply", {}).values():
        if isinstance(reference, dict):
            there = {each["uri"]: each["cid"] for each in server.records.values()}
            must(there.get(reference["uri"]) == reference["cid"], "reply to what is not there")
    for image in record.get("embed", {}).get("images", []):
        must(isinstance(image.get("alt"), str) and image["image"]["ref"]["$link"] in server.blobs, "image")


if __name__ == "__main__":
    running = Server(*sys.argv[1:3])
    print(running.server_address[1], flush=True)
    running.serve_forever(poll_interval=0.05)
