"""The Mastodon channel: against an instance in memory, and against servers that answer whatever they like."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comms.channels.base import AskableChannel, Done, Figures, Posted, Refused, SocialImage, SocialPost, Unknown
from comms.channels.mastodon import MastodonAccount, MastodonChannel, instance_limits, result_of
from comms.channels.mastodon_length import MastodonLimits
from comms.channels.remote import Answer
from comms.errors import ConfigError
from tests.conftest import free_port
from tests.support import networks

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
TOKEN = networks.MASTODON_TOKEN
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001000500"
    "01e221bc330000000049454e44ae426082"
)


@pytest.fixture(scope="module")
def instance() -> Iterator[str]:
    with networks.mastodon(free_port()) as url:
        yield url


def channel(url: str, token: str = TOKEN) -> MastodonChannel:
    limits = MastodonLimits()
    return MastodonChannel(MastodonAccount(url, token), limits=limits, timeout=(2, 5), clock=lambda: NOW)


def post(text: str, key: str = "k") -> SocialPost:
    return SocialPost("mastodon", text, "pt-BR", key, since=datetime.now(UTC))


def test_the_channel_can_be_asked() -> None:
    social: AskableChannel = channel("http://127.0.0.1:1")
    assert isinstance(social, AskableChannel)
    assert (social.name, social.limit) == ("mastodon", 500)


def test_a_post_arrives_once_under_its_key_and_is_found_as_it_was_written(instance: str) -> None:
    text = "مرحبا & <b> 😀\n\nhttps://example.org/a?b=1&c=2 @bob@example.social #Tag\nend"
    one = channel(instance)
    assert one.find(post(text)) is None
    made = one.publish(post(text, "once"))
    assert isinstance(made, Posted)
    assert one.publish(post(text, "once")) == made
    assert one.find(post(text)) == made
    assert one.find(replace(post(text), reply_to=made.remote_id)) is None
    assert one.find(replace(post(text), since=datetime.now(UTC) + timedelta(hours=1))) is None


def test_images_warnings_and_replies_go_along(instance: str) -> None:
    first = channel(instance).publish(
        replace(post("with all", "all"), images=(SocialImage(PNG, "image/png", "A dot"),), warning="careful")
    )
    assert isinstance(first, Posted)
    second = channel(instance).publish(replace(post("reply", "reply"), reply_to=first.remote_id, root=first.remote_id))
    assert isinstance(second, Posted)
    there = {status["id"]: status for status in networks.statuses(instance)}
    assert there[first.remote_id]["media_attachments"][0]["description"] == "A dot"
    assert there[first.remote_id]["spoiler_text"] == "careful"
    assert there[first.remote_id]["language"] == "pt"
    assert there[second.remote_id]["in_reply_to_id"] == first.remote_id


def test_an_instance_says_its_limits(instance: str) -> None:
    assert instance_limits(instance, (2, 5)) == MastodonLimits(500, 23)
    assert instance_limits("http://127.0.0.1:1", (1, 1)) is None


def test_a_wrong_token_is_refused_and_proves_nothing(instance: str) -> None:
    result = channel(instance, "wrong-token").publish(post("x"))
    assert isinstance(result, Refused)
    assert result.permanent
    assert "wrong-token" not in repr(result)
    assert isinstance(channel(instance, "wrong-token").find(post("x")), Unknown)


def test_nothing_is_sent_where_nothing_listens_or_the_text_is_too_long() -> None:
    away = channel("http://127.0.0.1:1").publish(post("x"))
    assert isinstance(away, Refused)
    assert not away.permanent
    long = channel("http://127.0.0.1:1").publish(replace(post("x" * 495), warning="careful"))
    assert isinstance(long, Refused)
    assert long.permanent


@contextmanager
def answering(reply: bytes, asked: list[bytes] | None = None) -> Iterator[str]:
    """A server that says the same to everyone, and notes what it was asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    request = connection.recv(65536)
                    if asked is not None:
                        connection.settimeout(0.3)
                        with suppress(TimeoutError):
                            request += connection.recv(65536)  # the body, where it comes by itself
                        asked.append(request)
                    connection.sendall(reply)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(10)


@pytest.mark.parametrize(
    "body", [b"", b"[", b"null", b"[1]", b'{"id": "../../evil"}', b'{"id": {}}', b"[" * 60_000, b'[{"id": "1"}]']
)
@pytest.mark.parametrize("status", [200, 307, 404, 422, 429, 500])
def test_no_answer_escapes_as_an_exception_or_as_a_post(status: int, body: bytes) -> None:
    head = (
        f"HTTP/1.1 {status} X\r\nLocation: /\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with answering(head.encode() + body) as url:
        assert isinstance(channel(url).publish(post("x")), Refused if 300 <= status < 500 else Unknown)
        assert isinstance(channel(url).find(post("x")), Unknown)


@given(st.integers(100, 599), st.none() | st.text(max_size=30), st.binary(max_size=200))
def test_every_answer_has_a_meaning_and_only_a_2xx_is_a_post(status: int, reset: str | None, body: bytes) -> None:
    result = result_of(Answer(status, reset, body), now=NOW, hide=str)
    assert isinstance(result, Posted | Refused | Unknown)
    if isinstance(result, Posted):
        assert 200 <= status < 300
    if isinstance(result, Refused) and result.retry_at is not None:
        assert NOW < result.retry_at <= NOW + timedelta(days=1)


@pytest.mark.parametrize("reset", ["2027-02-01T09:04:00.000Z", str(int((NOW + timedelta(minutes=4)).timestamp()))])
def test_a_rate_limit_says_when_to_come_back(reset: str) -> None:
    result = result_of(Answer(429, reset, b'{"error": "Too many"}'), now=NOW, hide=str)
    assert result == Refused(result.reason, False, NOW + timedelta(minutes=4))  # type: ignore[union-attr]


@pytest.mark.parametrize("token", ["", "two words", "line\n"])
def test_a_miscopied_token_is_not_shown(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        MastodonAccount("https://example.social", token)
    assert not token.strip() or token not in str(caught.value)
    assert "secret" not in repr(MastodonAccount("https://example.social", "secret"))


def test_a_post_can_be_changed_counted_and_taken_away(instance: str) -> None:
    one = channel(instance)
    image = SocialImage(PNG, "image/png", "A dot")
    made = one.publish(replace(post("before", "edited"), images=(image,), warning="careful"))
    assert isinstance(made, Posted)
    assert one.figures(made.remote_id) == Figures(replies=0, shares=0, likes=0)
    reply = one.publish(replace(post("reply", "counted"), reply_to=made.remote_id))
    assert isinstance(reply, Posted)
    assert one.figures(made.remote_id) == Figures(replies=1, shares=0, likes=0)
    assert one.edit(made.remote_id, "after") == Done()
    there = {status["id"]: status for status in networks.statuses(instance)}[made.remote_id]
    assert "after" in there["content"]
    assert there["spoiler_text"] == "careful"
    assert [media["description"] for media in there["media_attachments"]] == ["A dot"]
    assert one.delete(made.remote_id) == one.delete(made.remote_id) == Done()
    assert one.figures(made.remote_id) is None
    assert isinstance(one.edit(made.remote_id, "gone"), Refused)
    assert isinstance(channel(instance, "wrong").delete(reply.remote_id), Refused)
    assert isinstance(channel("http://127.0.0.1:1").delete(reply.remote_id), Unknown)


def test_an_edit_names_what_the_post_has_besides_its_text_for_else_an_instance_takes_it_away() -> None:
    images = [{"id": "31"}, {"id": "32"}]
    status = {"id": "7", "media_attachments": images, "spoiler_text": "careful", "sensitive": True}
    body, asked = json.dumps(status).encode(), list[bytes]()
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body), asked) as url:
        assert channel(url).edit("7", "after") == Done()
    looked, edited = asked
    assert looked.startswith(b"GET /api/v1/statuses/7 ")
    assert edited.startswith(b"PUT /api/v1/statuses/7 ")
    form = parse_qs(edited.partition(b"\r\n\r\n")[2].decode())
    assert form["media_ids[]"] == ["31", "32"]
    assert (form["status"], form["spoiler_text"]) == (["after"], ["careful"])
    assert form["sensitive"][0].lower() in ("1", "true")
