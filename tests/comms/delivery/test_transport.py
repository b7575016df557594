"""Both mail clients say what the server said, and know what may have arrived, whatever the server does."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from scripted_server import CLOSE, SILENCE, Answer, ScriptedServer
from tls_samples import certificate

from comms.channels.mail import (
    DOT_PATIENCE,
    ConnectionLostError,
    Lost,
    MailSession,
    Outgoing,
    Reply,
    Result,
    ServerUnreachableError,
)
from comms.channels.newsletter import check, mail_session
from comms.channels.smtp import new_event_loop
from comms.config import Smtp
from tests.conftest import MailServer

BODY = b"Subject: hello\r\n\r\nDear you\r\n.\r\n..two\r\n.three dots below\r\n...\r\n"


COMMON: dict[str, Any] = {"host": "127.0.0.1", "timeout": 5.0}


@pytest.fixture(params=["bulk", "plain"], autouse=True)
def client(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Everything here holds for both clients."""
    monkeypatch.setitem(COMMON, "client", request.param)
    return str(request.param)


def settings(port: int, **changes: Any) -> Smtp:
    return Smtp(**{"port": port, **COMMON, **changes})


def run(port: int, work: Callable[[MailSession], Awaitable[Any]], **changes: Any) -> Any:
    async def main() -> Any:
        transport = mail_session(settings(port, **changes))
        try:
            return await work(transport)
        finally:
            await transport.close()

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return runner.run(main())


class Dots:
    """Counts how often the transport said that a message may have arrived from now on."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


async def send_one(session: MailSession, message: Outgoing, before_dot: Callable[[], None]) -> Reply:
    """Send one message alone over an open session; `before_dot` is called before the server can have it.

    Raises ConnectionLostError when the session ended without an answer; the next `open` then makes a new
    one. What `before_dot` raises passes through, and nothing was handed over then.
    """
    messages = iter([message])
    results: list[Result] = []
    await session.deliver(
        lambda: next(messages, None), lambda _: before_dot(), lambda _, result: results.append(result)
    )
    (result,) = results
    if isinstance(result, Lost):
        raise ConnectionLostError(result.reason, handed_over=result.handed_over, kept=result.kept)
    return result


async def send(transport: MailSession, to: str = "ana@example.org", dots: Callable[[], None] = Dots()) -> Reply:  # noqa: B008
    await transport.open()
    return await send_one(transport, Outgoing("news@coalition.example", to, BODY), dots)


async def send_twice(transport: MailSession) -> tuple[Reply, Reply]:
    return await send(transport), await send(transport, "ben@example.org")


# --- real servers, plain and encrypted --------------------------------------------------------


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A server certificate for 127.0.0.1 that this process trusts; key and certificate in one file."""
    path = certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_message_arrives_byte_for_byte(mail_server: Callable[..., MailServer], trusted: Path, security: str) -> None:
    tls = {} if security == "none" else {"tls": security, "certificate": trusted}
    server = mail_server(content=True, **tls)
    assert run(server.port, send_twice, security=security)[1].accepted
    first, second = server.taken()
    assert first["content"].encode() == BODY
    assert (first["from"], first["to"], second["to"]) == (
        "news@coalition.example",
        "ana@example.org",
        "ben@example.org",
    )
    assert first["tls"] == (security == "starttls"), "with `tls` the server could not have been talked to without"


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused_in_words(
    mail_server: Callable[..., MailServer], tmp_path: Path, security: str
) -> None:
    server = mail_server(tls=security, certificate=certificate(tmp_path / "unknown.pem"))
    with pytest.raises(ServerUnreachableError, match="certificate is not trusted: self-signed certificate"):
        asyncio.run(check(settings(server.port, security=security)))
    assert server.taken() == []


def test_a_certificate_for_another_name_is_refused_in_words(
    mail_server: Callable[..., MailServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path / "other.pem", address="127.0.0.9")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    server = mail_server(tls="tls", certificate=path)
    with pytest.raises(ServerUnreachableError, match="IP address mismatch"):
        asyncio.run(check(settings(server.port, security="tls")))


def test_a_login_is_used_and_a_wrong_one_is_told(mail_server: Callable[..., MailServer]) -> None:
    server = mail_server(password="right")
    assert run(server.port, send, username="comms", password="right").accepted
    assert server.taken()[0]["login"]
    asks = {"EHLO": b"250-scripted\r\n250 AUTH PLAIN\r\n", "AUTH": b"535 5.7.8 credentials invalid\r\n"}
    with ScriptedServer(asks) as refusing:
        with pytest.raises(ServerUnreachableError, match="credentials invalid"):
            asyncio.run(check(settings(refusing.port, username="comms", password="wrong")))
        assert b"MAIL" not in b"".join(refusing.commands)


def test_a_login_that_the_server_does_not_offer_is_told() -> None:
    with ScriptedServer() as server, pytest.raises(ServerUnreachableError, match="AUTH"):
        asyncio.run(check(settings(server.port, username="comms", password="x")))


def test_encryption_that_the_server_does_not_offer_is_told_and_nothing_goes_in_clear() -> None:
    with ScriptedServer() as server:
        with pytest.raises(ServerUnreachableError, match="STARTTLS"):
            asyncio.run(check(settings(server.port, security="starttls", username="u", password="p")))
        assert not [line for line in server.commands if line.startswith(b"AUTH")]


@pytest.mark.parametrize(
    ("host", "words"),
    [("no-such-host.invalid", "(?i)name|address"), ("mail..example.org", "label"), ("127.0.0.1", "refused")],
)
def test_a_server_that_is_not_there_is_told_in_words(host: str, words: str) -> None:
    with pytest.raises(ServerUnreachableError) as told:
        asyncio.run(check(Smtp(host=host, port=1, timeout=5)))
    assert re.search(words, told.value.message)
    assert "Unknown error" not in told.value.message
    assert host in told.value.message


# --- what the wire carries --------------------------------------------------------------------


def test_no_line_on_the_wire_ends_with_a_bare_feed_and_dots_are_stuffed() -> None:
    with ScriptedServer() as server:
        assert run(server.port, send).accepted
    (message,) = server.messages
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", message)
    assert message == BODY.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    assert all(command.endswith(b"\r\n") for command in server.commands)


def test_a_server_that_speaks_no_ehlo_is_served_all_the_same() -> None:
    with ScriptedServer({"EHLO": b"502 what?\r\n"}) as server:
        assert all(reply.accepted for reply in run(server.port, send_twice))
    assert b"HELO" in b"".join(server.commands)
    assert b"MAIL FROM:<news@coalition.example>\r\n" in server.commands, "no SIZE for who did not offer it"


def test_the_server_is_told_the_size_when_it_asks_for_it() -> None:
    with ScriptedServer() as server:
        run(server.port, send_twice)
    assert f"MAIL FROM:<news@coalition.example> SIZE={len(BODY)}\r\n".encode() in server.commands


# --- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    ("answer", "temporary", "session"),
    [
        (b"421 4.3.2 closing\r\n", True, True),
        (b"451 4.7.1 later\r\n", True, False),
        (b"452 4.3.1 full\r\n", True, False),
        (b"503 5.5.1 bad sequence\r\n", False, True),
        (b"530 5.7.0 log in first\r\n", False, True),
        (b"550 5.1.1 no such user\r\n", False, False),
        (b"550-5.1.1 no such\r\n550 5.1.1 user\r\n", False, False),
        ((b"55", b"0 5.1.1 no such", b" user\r\n"), False, False),
    ],
)
def test_a_refusal_is_handed_on_and_the_next_message_goes_out(
    stage: str, answer: Answer, temporary: bool, session: bool
) -> None:
    with ScriptedServer({f"{stage}1": answer}, {}) as server:
        refused, taken = run(server.port, send_twice)
        assert not refused.accepted
        assert refused.temporary == temporary
        assert refused.concerns_recipient == (stage != "MAIL" and not session)
        assert refused.text
        assert "\n" not in refused.text
        assert taken.accepted
        assert server.connections == (2 if session else 1)
    envelopes = [line for line in server.commands if line.startswith(b"RCPT")]
    assert envelopes[-1] == b"RCPT TO:<ben@example.org>\r\n"


def test_a_refusal_in_latin_1_or_with_control_characters_can_be_kept_in_a_database() -> None:
    with ScriptedServer({"RCPT": b"550 Empf\xe4nger \x1b[31m\x00unbekannt\r\n"}) as server:
        text = run(server.port, send).text
    assert text == "Empf nger [31m unbekannt"
    text.encode("utf-8")


# --- silence, nonsense, cut lines -------------------------------------------------------------

# The plain client sends DATA and the message in one call, and can not say which of the two was lost.
HANDED_OVER = {
    "bulk": {"MAIL": False, "RCPT": False, "DATA": False, "DOT": True},
    "plain": {"MAIL": False, "RCPT": False, "DATA": True, "DOT": True},
}


@pytest.mark.parametrize("stage", HANDED_OVER["bulk"])
@pytest.mark.parametrize(
    "answer",
    [
        CLOSE,
        SILENCE,
        b"hello there\r\n",
        b"\xff\xfe\x00\r\n",
        b"999 what\r\n",
        b"2" * 100_000,
        (b"250-and", CLOSE),
        (b"250-and then\r\n", CLOSE),
    ],
)
def test_what_may_have_arrived_is_told_apart_from_what_can_not_have(client: str, stage: str, answer: Answer) -> None:
    dots = Dots()

    async def work(transport: MailSession) -> Reply:
        with pytest.raises(ConnectionLostError) as lost:
            await send(transport, dots=dots)
        assert lost.value.handed_over == HANDED_OVER[client][stage]
        assert not lost.value.kept
        return await send(transport, "ben@example.org")

    with ScriptedServer({stage: answer}, {}) as server:
        assert run(server.port, work, timeout=0.8).accepted
        assert server.connections == 2
    assert dots.count == HANDED_OVER[client][stage], "before_dot comes exactly before the server can have the message"


@pytest.mark.parametrize("answer", [CLOSE, SILENCE, b"554 go away\r\n", b"421 busy\r\n", b"nonsense\r\n", b"\r\n"])
def test_a_server_that_does_not_greet_is_no_server(answer: Answer) -> None:
    with ScriptedServer({"GREETING": answer}) as server, pytest.raises(ServerUnreachableError):
        asyncio.run(check(settings(server.port, timeout=0.2)))


def test_the_answer_to_the_dot_is_waited_for_longer_than_any_other() -> None:
    slow = (b"", *(b"" for _ in range(20)), b"250 scanned\r\n")
    assert 0.2 * DOT_PATIENCE > 20 * 0.03 > 0.2
    with ScriptedServer({"DOT": slow}) as server:
        assert run(server.port, send, timeout=0.2).accepted


# --- sessions that end while they are kept ----------------------------------------------------


@pytest.mark.parametrize(
    "farewell",
    [
        (b"250 taken\r\n", CLOSE),
        (b"250 taken\r\n", b"421 4.4.2 idle for too long\r\n", CLOSE),
    ],
)
def test_a_session_that_ended_while_it_stood_idle_is_no_try(farewell: Answer) -> None:
    with ScriptedServer({"DOT": farewell}, {}) as server:
        loop = asyncio.new_event_loop()
        transport = mail_session(settings(server.port))
        assert loop.run_until_complete(send(transport)).accepted
        time.sleep(0.3)  # between two batches the loop does not run, and hears of nothing
        dots = Dots()
        with pytest.raises(ConnectionLostError) as lost:
            loop.run_until_complete(send(transport, "ben@example.org", dots))
        assert lost.value.kept
        assert not lost.value.handed_over
        assert dots.count == 0
        assert loop.run_until_complete(send(transport, "ben@example.org", dots)).accepted
        loop.run_until_complete(transport.close())
        loop.close()


def test_a_server_that_takes_one_message_a_session_takes_them_all() -> None:
    async def work(transport: MailSession) -> int:
        taken = 0
        for number in range(5):
            try:
                reply = await send(transport, f"p{number}@example.org")
            except ConnectionLostError as lost:
                if not lost.kept:
                    raise
                reply = await send(transport, f"p{number}@example.org")
            taken += reply.accepted
        return taken

    with ScriptedServer({"MAIL2": b"421 4.7.0 enough for one session\r\n"}) as server:
        assert run(server.port, work) == 5


# --- cut off ourselves ------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
def test_a_send_that_is_cut_off_leaves_no_session_in_the_middle_of_it(stage: str) -> None:
    async def work(transport: MailSession) -> Reply:
        await transport.open()
        task = asyncio.create_task(send(transport))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await send(transport, "ben@example.org")

    with ScriptedServer({f"{stage}1": SILENCE}, {}) as server:
        assert run(server.port, work).accepted
        assert server.connections == 2


def test_a_send_that_is_cut_off_while_it_tidies_up_does_not_mix_up_answers() -> None:
    async def work(transport: MailSession) -> Reply:
        await transport.open()
        task = asyncio.create_task(send(transport))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await send(transport, "ben@example.org")

    with ScriptedServer({"RCPT1": b"550 no\r\n", "RSET": SILENCE}, {}) as server:
        assert run(server.port, work).accepted
        assert server.connections == 2


def test_when_the_journal_can_not_be_written_no_message_is_handed_over() -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    async def work(transport: MailSession) -> Reply:
        with pytest.raises(OSError, match="No space"):
            await send(transport, dots=full)
        return await send(transport, "ben@example.org")

    with ScriptedServer() as server:
        assert run(server.port, work).accepted
        assert len(server.messages) == 1


def test_a_server_that_does_not_say_goodbye_does_not_keep_us() -> None:
    with ScriptedServer({"QUIT": SILENCE}) as server:
        begun = time.monotonic()
        assert run(server.port, send, timeout=0.3).accepted
        assert time.monotonic() - begun < 3
