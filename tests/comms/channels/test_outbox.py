"""Posts without credentials become files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.models import NETWORKS
from comms.channels.base import Refused, Simulated, SocialChannel, SocialImage, SocialPost
from comms.channels.outbox import OutboxChannel


def post(key: str = "c-1-x", text: str = "Read this: https://example.org/c/1", **more: object) -> SocialPost:
    return SocialPost("x", text, "en", key, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_has_an_outbox(network: str, tmp_path: Path) -> None:
    channel: SocialChannel = OutboxChannel(tmp_path, network)
    assert channel.name == network
    assert channel.count("abc") == 3 < channel.limit


def test_a_post_becomes_a_file_named_by_its_key(tmp_path: Path) -> None:
    result = OutboxChannel(tmp_path / "new" / "outbox", "x").publish(post(text="Grüße 😀"))
    assert result == Simulated(tmp_path / "new" / "outbox" / "c-1-x.txt")
    assert result.path.read_bytes() == "Grüße 😀\n".encode()


def test_the_same_key_again_is_the_same_file_and_nothing_else_is_left(tmp_path: Path) -> None:
    channel = OutboxChannel(tmp_path, "x")
    assert channel.publish(post(text="one")) == channel.publish(post(text="two"))
    assert [path.name for path in tmp_path.iterdir()] == ["c-1-x.txt"]
    assert (tmp_path / "c-1-x.txt").read_text() == "two\n"


def test_images_are_named_by_their_text(tmp_path: Path) -> None:
    images = (SocialImage(b"", "image/png", "A reading room"), SocialImage(b"", "image/png", ""))
    OutboxChannel(tmp_path, "x").publish(post(images=images))
    written = (tmp_path / "c-1-x.txt").read_text().splitlines()
    assert written[1:] == ["[image: A reading room]", "[image: decorative]"]


def test_what_the_network_would_refuse_is_refused_here(tmp_path: Path) -> None:
    result = OutboxChannel(tmp_path, "x").publish(post(text="x" * 281))
    assert isinstance(result, Refused)
    assert "281" in result.reason
    assert result.permanent
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_can_not_take_the_post_is_a_refusal_for_now(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = OutboxChannel(tmp_path / "file" / "outbox", "x").publish(post())
    assert isinstance(result, Refused)
    assert not result.permanent
    assert "could not be written" in result.reason


@given(
    st.lists(st.text(min_size=1) | st.sampled_from(["..", "../x", "/etc/x", "a/b", "a-b", ".", "a" * 5000, "\ud800"]))
)
def test_no_key_leaves_the_folder_and_no_two_share_a_file(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("outbox")
    channel = OutboxChannel(folder, "x")
    results = {key: channel.publish(post(key=key)) for key in keys}
    paths = {result.path for result in results.values() if isinstance(result, Simulated)}
    assert len(paths) == len(results)
    assert sorted(folder.iterdir()) == sorted(paths)
