"""The X channel against a real local server that checks signatures and misbehaves on request."""

from __future__ import annotations

import gzip
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from comms.channels.base import (
    Done,
    Figures,
    Posted,
    PostResult,
    Refused,
    SocialChannel,
    SocialImage,
    SocialPost,
    Unknown,
)
from comms.channels.x import Answer, XChannel, XCredentials, result_of
from comms.errors import ConfigError
from tests.support import fake_x
from tests.support.fake_x import FakeX, Reply, problem

NOW = datetime(2027, 2, 1, 9, 0, tzinfo=UTC)
RESET = NOW + timedelta(minutes=4)
CREDENTIALS = XCredentials(
    api_key=fake_x.API_KEY,
    api_secret=fake_x.API_SECRET,
    access_token=fake_x.ACCESS_TOKEN,
    access_secret=fake_x.ACCESS_SECRET,
)
SECRETS = (fake_x.API_KEY, fake_x.API_SECRET, fake_x.ACCESS_TOKEN, fake_x.ACCESS_SECRET)
PATIENT = (3.0, 5.0)
HURRIED = (0.3, 0.4)


@pytest.fixture
def x() -> Iterator[FakeX]:
    with fake_x.running() as fake:
        yield fake


def channel(url: str, credentials: XCredentials = CREDENTIALS, timeout: tuple[float, float] = PATIENT) -> XChannel:
    return XChannel(credentials, api_url=url, timeout=timeout, clock=lambda: NOW)


def post(text: str = "Could your organisation host the Coalition? https://example.org/c/1") -> SocialPost:
    return SocialPost(network="x", text=text, language="en", key="hosting-partner-x-1")


def publish(fake: FakeX, text: str | None = None) -> PostResult:
    """Publish once, and hold the channel to its contract: one request at most, and in time."""
    before = fake.requests
    started = time.monotonic()
    timeout = HURRIED if fake.fault in ("hang", "drip") else PATIENT
    result = channel(fake.url, timeout=timeout).publish(post() if text is None else post(text))
    assert time.monotonic() - started < sum(timeout) + 0.5
    assert fake.requests - before <= 1
    return result


def test_the_channel_is_a_social_channel() -> None:
    social: SocialChannel = channel("https://api.x.com")
    assert (social.name, social.limit, social.count("ok")) == ("x", 280, 2)


@pytest.mark.parametrize("text", ["Plain", "مرحبا 😀 é", "a & b = c % d + e", "two\nlines", 'quotes " \\ and ]]>'])
def test_a_post_arrives_word_for_word_signed_and_once(x: FakeX, text: str) -> None:
    assert publish(x, text) == Posted("1900000000000000001", "https://x.com/i/web/status/1900000000000000001")
    assert x.posts == [text]


def test_one_channel_posts_again_and_again(x: FakeX) -> None:
    one = channel(x.url)
    assert all(isinstance(one.publish(post(text)), Posted) for text in ("first", "second", "third"))
    assert x.posts == ["first", "second", "third"]


@pytest.mark.parametrize("part", ["api_key", "api_secret", "access_token", "access_secret"])
def test_a_wrong_credential_is_refused_for_good(x: FakeX, part: str) -> None:
    result = channel(x.url, replace(CREDENTIALS, **{part: "wrong"})).publish(post())
    assert isinstance(result, Refused)
    assert result.permanent
    assert "credentials" in result.reason
    assert x.posts == []


def test_the_same_text_twice_is_refused_with_advice(x: FakeX) -> None:
    publish(x)
    result = publish(x)
    assert isinstance(result, Refused)
    assert result.permanent
    assert "same text" in result.reason
    assert "Look at the account" in result.reason
    assert len(x.posts) == 1


def test_a_rate_limit_says_when_to_come_back(x: FakeX) -> None:
    x.reply = problem(429, {"title": "Too Many Requests"}, x_rate_limit_reset=str(int(RESET.timestamp())))
    result = publish(x)
    assert isinstance(result, Refused)
    assert (result.permanent, result.retry_at) == (False, RESET)


@pytest.mark.parametrize("header", [None, "", "soon", "-1", "0", "9" * 12, "1e9", "٣"])
def test_a_rate_limit_without_a_usable_time_waits_fifteen_minutes(x: FakeX, header: str | None) -> None:
    headers = {} if header is None else {"x-rate-limit-reset": header.encode().decode("latin-1")}
    x.reply = Reply(429, b"Rate limit exceeded", headers)
    result = publish(x)
    assert isinstance(result, Refused)
    assert (result.permanent, result.retry_at) == (False, NOW + timedelta(minutes=15))


def test_other_403_answers_speak_of_permissions(x: FakeX) -> None:
    x.reply = problem(403, {"detail": "Your client app is not configured with the appropriate oauth1 permissions."})
    result = publish(x)
    assert isinstance(result, Refused)
    assert result.permanent
    assert "Read and write" in result.reason
    assert "oauth1 permissions" in result.reason


@pytest.mark.parametrize("status", [400, 402, 404, 413, 422])
def test_what_x_finds_wrong_with_a_post_is_passed_on(x: FakeX, status: int) -> None:
    x.reply = problem(status, {"errors": [{"message": "text is\x1b[31m bad"}]})
    result = publish(x)
    assert isinstance(result, Refused)
    assert result.permanent
    assert "X says: text is [31m bad" in result.reason


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_leaves_the_post_unknown(x: FakeX, status: int) -> None:
    x.reply = Reply(status, b"<html><body>Over capacity</body></html>", {"Content-Type": "text/html"})
    assert isinstance(publish(x), Unknown)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_with_a_second_post(x: FakeX, status: int) -> None:
    x.reply = Reply(status, b"", {"Location": f"{x.url}/2/tweets"})
    result = publish(x)
    assert isinstance(result, Refused)
    assert result.permanent
    assert x.requests == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"null",
        b"[1]",
        b'"text"',
        b'{"data": []}',
        b'{"data": {"id": 5}}',
        b'{"data": {"id": "../../evil"}}',
        b'{"errors": "text"}',
        b'{"errors": [7], "detail": 8}',
        b"\xff\xfe\x00",
        b"[" * 60_000,
        gzip.compress(b"x" * 10, mtime=0),
        b"x" * 3_000_000,
    ],
)
@pytest.mark.parametrize("status", [200, 201, 400, 401, 403, 429, 500])
def test_no_body_escapes_as_an_exception(x: FakeX, status: int, body: bytes) -> None:
    x.reply = Reply(status, body)
    result = publish(x)
    assert isinstance(result, Refused if 400 <= status < 500 else Unknown)


def test_a_body_that_pretends_to_be_compressed_is_no_exception(x: FakeX) -> None:
    x.reply = Reply(201, b"not gzip", {"Content-Encoding": "gzip"})
    assert isinstance(publish(x), Unknown)


def test_a_status_counts_even_when_its_body_is_cut(x: FakeX) -> None:
    x.reply = Reply(401, b"{", {"Content-Length": "500"})
    result = publish(x)
    assert isinstance(result, Refused)
    assert result.permanent


def test_something_that_is_not_http_leaves_the_post_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)
        one = channel(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        assert isinstance(one.publish(post()), Unknown)
        thread.join()


@pytest.mark.parametrize("fault", ["hang", "drop-before-reading", "accept-then-drop", "drip", "short-body"])
def test_silence_and_cut_lines_leave_the_post_unknown(x: FakeX, fault: str) -> None:
    x.fault = fault
    assert isinstance(publish(x), Unknown)
    assert x.connections == 1


def test_a_refused_connection_sent_nothing_and_may_be_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    result = channel(address).publish(post())
    assert isinstance(result, Refused)
    assert (result.permanent, result.retry_at) == (False, None)
    assert "nothing was sent" in result.reason


def test_a_connection_that_never_opens_sent_nothing() -> None:
    # A listener that accepts nothing and whose queue is full does not answer the handshake.
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        try:
            result = channel(f"http://127.0.0.1:{address[1]}", timeout=(0.3, 5)).publish(post())
        finally:
            for one in waiting:
                one.close()
    assert isinstance(result, Refused)
    assert not result.permanent


def test_a_certificate_nobody_vouches_for_sent_nothing(tmp_path: Path) -> None:
    with fake_x.running(self_signed(tmp_path)) as fake:
        result = channel(fake.url).publish(post())
        assert isinstance(result, Refused)
        assert not result.permanent
        assert fake.requests == 0


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.mark.parametrize("text", ["", " \n", "x" * 281, "故" * 141, "bad \ud800", "bad \x00", "bad \ufffe"])
def test_a_text_x_can_not_take_is_refused_without_asking(x: FakeX, text: str) -> None:
    result = publish(x, text)
    assert isinstance(result, Refused)
    assert result.permanent
    assert x.connections == 0


def test_an_image_goes_along_with_its_description(x: FakeX) -> None:
    image = SocialImage(b"\x89PNG", "image/png", "A library")
    assert isinstance(channel(x.url).publish(replace(post(), images=(image,))), Posted)
    assert list(x.media.values()) == ["A library"]


def test_an_image_that_x_does_not_take_is_no_post(x: FakeX) -> None:
    x.reply = problem(413, {"detail": "too large"})
    image = SocialImage(b"\x89PNG", "image/png", "A library")
    result = channel(x.url).publish(replace(post(), images=(image,)))
    assert isinstance(result, Refused)
    assert result.permanent
    assert "image" in result.reason
    assert x.posts == []


def test_a_part_of_a_thread_replies_to_the_part_before(x: FakeX) -> None:
    assert isinstance(channel(x.url).publish(replace(post("second"), reply_to="17")), Posted)
    assert x.replies == [("second", "17")]


def test_a_reply_that_x_refuses_is_explained(x: FakeX) -> None:
    x.refuses_replies = True
    result = channel(x.url).publish(replace(post("second"), reply_to="17"))
    assert isinstance(result, Refused)
    assert result.permanent
    assert "shorten the text to one post" in result.reason


def test_a_post_whose_answer_was_cut_is_found_among_the_accounts_own(x: FakeX) -> None:
    x.fault = "accept-then-drop"
    assert isinstance(publish(x), Unknown)
    x.fault = ""
    found = channel(x.url).find(post())
    assert isinstance(found, Posted)
    assert found.remote_id == "1900000000000000001"
    assert x.shown == 1
    assert channel(x.url).find(post("a text that nobody posted")) is None


def test_posts_that_can_not_be_read_prove_nothing(x: FakeX) -> None:
    wrong = replace(CREDENTIALS, access_secret="wrong")
    assert isinstance(channel(x.url, wrong).find(post()), Unknown)
    assert isinstance(channel(x.url, replace(CREDENTIALS, access_token="no-number")).find(post()), Unknown)
    assert isinstance(channel("http://127.0.0.1:1").find(post()), Unknown)


def test_credentials_are_never_shown(x: FakeX, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    echo = " ".join(SECRETS)
    shown = [repr(CREDENTIALS), str(CREDENTIALS), repr(channel(x.url))]
    for status in (400, 401, 403, 429, 500):
        x.reply = problem(status, {"detail": echo})
        shown.append(repr(publish(x)))
    x.reply = None
    for fault in ("", "hang", "accept-then-drop"):
        x.fault = fault
        shown.append(repr(publish(x, f"post {fault}")))
    shown.append(repr(channel("http://127.0.0.1:1").publish(post())))
    for secret in SECRETS:
        assert not [text for text in shown if secret in text]
        assert secret not in caplog.text


@pytest.mark.parametrize("value", ["", "key\n", "two words", "ключ"])
def test_a_miscopied_credential_is_named_but_not_shown(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        XCredentials("a", value, "b", "c")
    assert "api_secret" in str(caught.value)
    assert not value.strip() or value.strip() not in str(caught.value)


@pytest.mark.parametrize("url", ["", "api.x.com", "ftp://api.x.com", "https://"])
def test_an_address_of_the_api_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="web address"):
        XChannel(CREDENTIALS, api_url=url)


@given(st.integers(100, 599), st.none() | st.text(max_size=15), st.binary(max_size=200))
def test_every_answer_has_a_meaning_and_only_a_2xx_is_a_post(status: int, reset: str | None, body: bytes) -> None:
    result = result_of(Answer(status, reset, body), now=NOW, hide=str)
    assert isinstance(result, Posted | Refused | Unknown)
    if isinstance(result, Posted):
        assert 200 <= status < 300
    if isinstance(result, Refused) and result.retry_at is not None:
        assert NOW < result.retry_at <= NOW + timedelta(days=1)
        assert not result.permanent


def test_a_post_can_be_counted_and_taken_away_and_what_x_says_against_it_holds_no_secret(x: FakeX) -> None:
    made = publish(x)
    assert isinstance(made, Posted)
    one = channel(x.url)
    assert one.figures(made.remote_id) == Figures(replies=1, shares=5, likes=4)
    x.reply = problem(403, {"detail": f"no {fake_x.ACCESS_SECRET}"})
    refused = one.delete(made.remote_id)
    assert isinstance(refused, Refused)
    assert fake_x.ACCESS_SECRET not in refused.reason
    x.reply = None
    assert one.delete(made.remote_id) == one.delete(made.remote_id) == Done()
    assert x.there == []
    assert one.figures(made.remote_id) is None
