"""An engine that is killed between fetching the files of an offer and writing it down, by the kernel and not by us."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from comms.kits import offer_feed
from comms.kits.offer_files import FOLDER, OfferedFile
from comms.kits.offers import Offer, OfferFeed
from comms.kits.signing import SigningKey, key_document
from tests.conftest import Comms
from tests.support.processes import wait_until
from tests.support.serving import Server, serving

KEY = SigningKey(b"\7" * 32)
FILES = {f"{name}.pdf": f"%PDF-1.7 {name}".encode() for name in "abc"}
TEXT = """\
---
campaign: partner
title: We seek a partner
language: en
newsletter:
  subject: Could you host us?
  attachments: [a.pdf, b.pdf, c.pdf]
relay:
  associations: [maine]
---

Dear colleague, the Coalition seeks a partner.
"""


class Site:
    """A coalition that, when its last file is asked for, holds the database of its follower."""

    def __init__(self, database: Path) -> None:
        self.port, self.asked, self.holds = 0, list[str](), Event()
        self._database = database
        self.held: sqlite3.Connection | None = None

    def feed(self) -> bytes:
        now, base = datetime.now(UTC), f"http://127.0.0.1:{self.port}/relay/"
        files = tuple(OfferedFile(name, hashlib.sha256(data).hexdigest(), len(data)) for name, data in FILES.items())
        offer = Offer("partner", 1, "A partner", "", "en", base, now, now, TEXT, via=("a" * 16,), files=files)
        return offer_feed.to_json(
            OfferFeed(
                "maine", "Offered", "The Coalition", "en", base, "c.example,2026", f"{base}maine/feed.json",
                f"{base}maine/feed.atom", f"{base}keys.json", (offer,), now,
            ), KEY,
        )  # fmt: skip

    def file(self, sha256: str) -> bytes:
        self.asked.append(sha256)
        if len(self.asked) == len(FILES) and self.held is None:
            self.held = sqlite3.connect(self._database, isolation_level=None, check_same_thread=False, timeout=30)
            self.held.execute("BEGIN IMMEDIATE")
            self.holds.set()
        return next(data for data in FILES.values() if hashlib.sha256(data).hexdigest() == sha256)

    def let_go(self) -> None:
        if self.held is not None and self.held.in_transaction:
            self.held.rollback()


@pytest.fixture
def site(comms: Comms) -> Iterator[Site]:
    made = Site(comms.folder / "host.db")
    whole = list[bytes]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            whole.extend(() if whole else (made.feed(),))  # one signed copy: its times stay as they are
            body = {"keys.json": key_document((KEY,)), "feed.json": whole[0]}.get(name) or made.file(name)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Server(("127.0.0.1", 0), Handler)) as made.port:
        yield made
    made.let_go()


def test_a_follower_killed_between_fetching_and_writing_down_has_everything_once_afterwards(
    comms: Comms, site: Site
) -> None:
    comms.environment["COMMS_RELAY__TRUSTED_HOSTS"] = f"127.0.0.1:{site.port}"
    stored = comms.folder / "media" / FOLDER
    url = f"http://127.0.0.1:{site.port}/relay/maine/feed.json"
    killed = comms.start("relay", "follow", url, "--yes")
    assert site.holds.wait(60)
    wait_until(lambda: len(list(stored.rglob("*.pdf"))) == len(FILES))
    killed.kill()
    killed.wait()
    site.let_go()
    assert comms("relay", "list", "--json").json() == [], "it was not written down"

    done = comms("relay", "follow", "--now", "--json")
    assert done.code == 0, done.out + done.err
    comms("relay", "follow", "--now", "--json")
    (offer,) = comms("relay", "list", "--json").json()
    assert (offer["campaign"], offer["version"]) == ("the-coalition-partner", 1)
    found = {path.name: path.read_bytes() for path in stored.rglob("*") if path.is_file()}
    assert found == FILES, "whole, once, and nothing half"
    assert len(site.asked) == len(FILES), "what had come was not asked for again"
