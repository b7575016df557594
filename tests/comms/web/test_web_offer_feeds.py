"""Feeds of offers over real HTTP: they verify with the published keys alone, before and after a new key."""

from __future__ import annotations

import json

import pytest
from http_browser import Browser
from sent_newsletter import NOW, Sent

from comms.engine import offer_feeds
from comms.errors import StateError
from comms.kits.offer_feed import check_atom, read_json
from comms.kits.offers import Offer
from comms.kits.signing import SignatureError, read_keys

OFFER = Offer("partner", 1, "A partner", "Words", "en", "https://c.example/x", NOW, NOW, "---\n")


def test_a_feed_verifies_with_the_published_keys_alone(sent: Sent, browser: Browser) -> None:
    keys = read_keys(browser.get("/relay/keys.json").body)
    feed, atom = browser.get("/relay/coalition/feed.json"), browser.get("/relay/coalition/feed.atom")

    assert feed.headers["content-type"] == "application/feed+json; charset=utf-8"
    assert atom.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert feed.headers["x-robots-tag"] == "noindex"
    assert read_json(feed.body, keys).association == "coalition"
    assert check_atom(atom.body, keys)
    assert browser.get("/relay/coalition/feed.json").body == feed.body


def test_a_new_key_signs_from_then_on_and_is_vouched_for(sent: Sent, browser: Browser) -> None:
    before = read_keys(browser.get("/relay/keys.json").body)
    made = offer_feeds.rotate_keys(sent.workspace, who="ann")
    feed = browser.get("/relay/coalition/feed.json").body

    with pytest.raises(SignatureError, match="nobody here knows"):
        read_json(feed, before)
    known = read_keys(browser.get("/relay/keys.json").body, before)
    assert made.public.name in known
    assert read_json(feed, known).offers == ()
    assert json.loads(browser.get("/relay/keys.json").body)["keys"][1]["signs"] is True


@pytest.mark.parametrize(
    "path", ["nobody/feed.json", "coalition/feed.rss", "coalition/feed", "../x/feed.json", "%00/feed.atom"]
)
def test_what_does_not_exist_is_not_found(browser: Browser, path: str) -> None:
    assert browser.get(f"/relay/{path}").status == 404


def test_a_count_of_keys_that_is_none_is_said_in_words(sent: Sent) -> None:
    path = sent.workspace.folder / "relay" / "feed-keys"
    path.parent.mkdir(exist_ok=True)
    for text in ("0", "", "-1", "many", "9" * 5_000, "²", "1001"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(StateError, match="keys"):
            offer_feeds.keys(sent.workspace)
