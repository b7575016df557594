"""Sessions of accounts: sealed, shared, and renewed by one process for all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from comms.channels.base import Posted, SocialPost
from comms.channels.bluesky import BlueskyChannel
from comms.channels.bluesky_wire import BlueskyAccount
from comms.channels.sessions import SealedSessions
from comms.keys import WorkspaceKey
from tests.support import networks

KEY = WorkspaceKey(bytes(32))


@pytest.fixture
def pds() -> Iterator[str]:
    with networks.bluesky() as url:
        yield url


def test_a_session_is_read_back_and_can_not_be_read_without_the_key(tmp_path: Path) -> None:
    with SealedSessions(tmp_path, KEY).held("account") as drawer:
        assert drawer.read() == {}
        drawer.write({"access": "a-very-secret-token"})
    with SealedSessions(tmp_path, KEY).held("account") as drawer:
        assert drawer.read() == {"access": "a-very-secret-token"}
    with SealedSessions(tmp_path, KEY).held("another") as drawer:
        assert drawer.read() == {}
    with SealedSessions(tmp_path, WorkspaceKey(bytes(range(32)))).held("account") as drawer:
        assert drawer.read() == {}
    assert b"secret" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_a_damaged_session_counts_as_none(tmp_path: Path) -> None:
    with SealedSessions(tmp_path, KEY).held("account") as drawer:
        drawer.write({"access": "a"})
    for path in tmp_path.glob("*.session"):
        path.write_bytes(b"damaged")
    with SealedSessions(tmp_path, KEY).held("account") as drawer:
        assert drawer.read() == {}


def test_several_senders_with_an_expired_session_renew_it_once(pds: str, tmp_path: Path) -> None:
    account = BlueskyAccount(pds, networks.HANDLE, networks.APP_PASSWORD)

    def publish(number: int) -> object:
        channel = BlueskyChannel(account, SealedSessions(tmp_path, KEY))  # a sender of its own
        return channel.publish(SocialPost("bluesky", f"Post {number}", "en", f"key-{number}", since=datetime.now(UTC)))

    assert isinstance(publish(0), Posted)
    requests.post(f"{pds}/xrpc/expire", timeout=5).close()
    with ThreadPoolExecutor(4) as pool:
        assert all(isinstance(made, Posted) for made in pool.map(publish, range(1, 9)))
    counted = networks.counts(pds)
    assert (counted["logins"], counted["refreshes"], counted["commits"]) == (1, 1, 9)
