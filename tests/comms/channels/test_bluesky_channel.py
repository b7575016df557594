"""The Bluesky channel: against a strict imitation of a PDS, and against Bluesky's own where it is installed.

For that, COMMS_TEST_PDS names a folder in which `npm install @atproto/dev-env` was run, with Node.js 22 or newer.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from comms.channels.base import AskableChannel, Card, Done, Figures, Posted, Refused, SocialImage, SocialPost, Unknown
from comms.channels.bluesky import COLLECTION, BlueskyChannel, record_key
from comms.channels.bluesky_wire import BlueskyAccount
from comms.channels.sessions import MemorySessions
from comms.errors import ConfigError
from tests.comms.channels.test_mastodon_channel import PNG, answering
from tests.support import networks
from tests.support.networks import APP_PASSWORD, HANDLE

_BOOT = """
import { TestNetworkNoAppView } from '@atproto/dev-env'
const network = await TestNetworkNoAppView.create({ plc: {}, pds: {} })
console.log(JSON.stringify({ url: network.pds.url }))
process.stdin.on('end', () => process.exit(0)); process.stdin.resume()
"""


@pytest.fixture(scope="module", params=["imitation", "real"])
def pds(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "imitation":
        with networks.bluesky() as url:
            yield url
        return
    folder = os.environ.get("COMMS_TEST_PDS")
    if not folder:
        pytest.skip("COMMS_TEST_PDS names no folder with @atproto/dev-env")
    words = ["node", "--input-type=module", "--eval", _BOOT]
    with subprocess.Popen(words, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = next(json.loads(line)["url"] for line in process.stdout if line.startswith('{"url"'))
        account = {"email": "a@example.org", "handle": HANDLE, "password": APP_PASSWORD}
        requests.post(f"{url}/xrpc/com.atproto.server.createAccount", json=account, timeout=30).close()
        yield url
        process.kill()


@pytest.fixture
def one(pds: str) -> BlueskyChannel:
    return channel(pds)


def channel(url: str, password: str = APP_PASSWORD) -> BlueskyChannel:
    return BlueskyChannel(BlueskyAccount(url, HANDLE, password), MemorySessions(), timeout=(2, 10))


def post(text: str, key: str) -> SocialPost:
    return SocialPost("bluesky", text, "en", key, since=datetime(2027, 2, 1, 9, tzinfo=UTC))


def record(pds: str, posted: Posted) -> dict[str, object]:
    _, _, repo, collection, rkey = posted.remote_id.split("/")
    asked = {"repo": repo, "collection": collection, "rkey": rkey}
    with requests.get(f"{pds}/xrpc/com.atproto.repo.getRecord", params=asked, timeout=10) as answer:
        found: dict[str, object] = answer.json()["value"]
        return found


def test_a_post_is_the_same_post_however_often_it_is_put(one: BlueskyChannel, pds: str) -> None:
    assert isinstance(one, AskableChannel)
    text = "مرحبا 👨‍👩‍👧 https://example.org/a?b=1 @library.test @nobody.test #Tag"
    assert one.find(post(text, "once")) is None
    made = one.publish(post(text, "once"))
    assert isinstance(made, Posted)
    assert one.publish(post(text, "once")) == made == one.find(post(text, "once"))
    facets = record(pds, made)["facets"]
    assert isinstance(facets, list)
    kinds = [facet["features"][0]["$type"].rpartition("#")[2] for facet in facets]
    assert kinds == ["link", "mention", "tag"]


def test_another_post_under_the_same_key_is_not_overwritten(one: BlueskyChannel, pds: str) -> None:
    made = one.publish(post("the first", "key"))
    assert isinstance(made, Posted)
    result = one.publish(post("another", "key"))
    assert isinstance(result, Refused)
    assert result.permanent
    assert record(pds, made)["text"] == "the first"


def test_images_cards_and_replies_go_along(one: BlueskyChannel, pds: str) -> None:
    first = one.publish(replace(post("image", "i"), images=(SocialImage(PNG, "image/png", "A dot"),)))
    card = one.publish(replace(post("card", "c"), card=Card("https://example.org/", "Title", "Words")))
    assert isinstance(first, Posted)
    assert isinstance(card, Posted)
    reply = one.publish(replace(post("reply", "r"), reply_to=first.remote_id, root=first.remote_id))
    assert isinstance(reply, Posted)
    assert '"alt": "A dot"' in json.dumps(record(pds, first))
    assert '"title": "Title"' in json.dumps(record(pds, card))
    assert first.remote_id in json.dumps(record(pds, reply)["reply"])
    gone = first.remote_id[:-13] + record_key("nowhere")
    assert isinstance(one.publish(replace(post("lost", "l"), reply_to=gone, root=gone)), Refused)


@pytest.mark.parametrize("text", ["e\u0301" * 300, "👨‍👩‍👧‍👦" * 120, "🇫🇷👍🏽" * 150, "ก็" * 300])
def test_what_counts_as_short_enough_is_taken(one: BlueskyChannel, text: str) -> None:
    assert one.count(text) <= 300
    assert isinstance(one.publish(post(text, text)), Posted)


def test_a_wrong_password_is_refused_and_not_shown(pds: str) -> None:
    result = channel(pds, "wrong-secret").publish(post("x", "w"))
    assert isinstance(result, Refused)
    assert result.permanent
    assert "wrong-secret" not in repr(result) + repr(BlueskyAccount(pds, HANDLE, "wrong-secret"))
    assert isinstance(channel(pds, "wrong-secret").find(post("x", "w")), Unknown)


def test_nothing_is_sent_where_nothing_listens() -> None:
    result = channel("http://127.0.0.1:1").publish(post("x", "a"))
    assert isinstance(result, Refused)
    assert not result.permanent


@pytest.mark.parametrize("body", [b"", b"[", b"null", b'{"error": 7}', b"[" * 60_000, b'{"value": []}'])
@pytest.mark.parametrize("status", [200, 307, 400, 429, 500])
def test_no_answer_escapes_as_an_exception_or_as_a_post(status: int, body: bytes) -> None:
    head = (
        f"HTTP/1.1 {status} X\r\nLocation: /\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with answering(head.encode() + body) as url:
        assert isinstance(channel(url).publish(post("x", "h")), Refused)
        assert isinstance(channel(url).find(post("x", "h")), Unknown)


@given(st.text(max_size=50))
def test_a_record_key_is_a_tid_of_the_past_and_always_the_same(key: str) -> None:
    made = record_key(key)
    assert re.fullmatch(r"[234567a-j][2-7a-z]{12}", made)
    assert made == record_key(key)
    number = sum("234567abcdefghijklmnopqrstuvwxyz".index(c) << 5 * place for place, c in enumerate(reversed(made)))
    assert datetime(2023, 1, 1, tzinfo=UTC) <= datetime.fromtimestamp((number >> 10) / 1e6, UTC)
    assert datetime.fromtimestamp((number >> 10) / 1e6, UTC) < datetime(2024, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(("handle", "password"), [("", "x"), ("@a.b", "x"), ("a b", "x"), ("a.b", ""), ("a.b", "x\n")])
def test_settings_that_can_not_be_are_named(handle: str, password: str) -> None:
    with pytest.raises(ConfigError):
        BlueskyAccount("https://bsky.social", handle, password)


def test_a_post_is_taken_away_once_and_another_accounts_is_left_alone(one: BlueskyChannel, pds: str) -> None:
    made = one.publish(post("to be deleted", "doomed"))
    assert isinstance(made, Posted)
    assert one.delete(made.remote_id) == one.delete(made.remote_id) == Done()
    assert one.find(post("to be deleted", "doomed")) is None
    other = f"at://did:plc:{'b' * 24}/{COLLECTION}/{record_key('doomed')}"
    assert isinstance(one.delete(other), Refused)


def test_replies_reposts_with_quotes_and_likes_are_counted() -> None:
    with networks.bluesky() as url:
        one = channel(url)
        made = one.publish(post("counted", "counted"))
        assert isinstance(made, Posted)
        assert one.figures(made.remote_id) == Figures(replies=1, shares=5, likes=4)
        one.delete(made.remote_id)
        assert one.figures(made.remote_id) is None
    assert isinstance(one.figures(made.remote_id), Unknown)
