"""Nothing secret goes over a line that others can read, and nothing that came in clear is taken for secured."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from smtp_samples import run, settings
from stubborn_servers import serving, two_faced

from comms.channels.mail import ServerUnreachableError, is_local
from comms.channels.newsletter import check
from comms.channels.smtp import new_event_loop
from tests.comms.delivery.scripted_server import CLOSE, SILENCE, Answer, ScriptedServer
from tests.comms.delivery.tls_samples import certificate

STARTTLS = b"250-scripted\r\n250 STARTTLS\r\n"


@pytest.mark.parametrize("loop", [new_event_loop, asyncio.new_event_loop])
@pytest.mark.parametrize(
    "answer",
    [
        b"220 go\r\n250 injected\r\n",
        b"220 go\r\n250-inj",
        b"220-go\r\n220 go\r\n220 again\r\n",
        (b"220 go\r\n", b"250 injected\r\n"),
        (b"220 go\r\n", CLOSE),
        (b"220 go\r\n", SILENCE),
        b"454 4.7.0 not now\r\n",
        b"250 sure\r\n",
        CLOSE,
    ],
)
def test_whatever_comes_in_clear_behind_the_answer_to_starttls_ends_the_session(
    loop: Callable[[], asyncio.AbstractEventLoop], answer: Answer
) -> None:
    with ScriptedServer({"EHLO": STARTTLS, "STAR": answer}) as server:
        with pytest.raises(ServerUnreachableError) as told:
            run(check(settings(server.port, security="starttls", timeout=0.5, username="u", password="p")), loop)
        said = b"".join(server.commands)
    assert told.value.message
    assert b"AUTH" not in said
    assert said.count(b"EHLO") == 1


def test_a_password_never_goes_over_the_network_in_clear() -> None:
    for client in ("bulk", "plain"):
        with pytest.raises(ServerUnreachableError, match="in clear"):
            run(check(settings(25, host="mail.example.org", client=client, username="u", password="p")))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "127.0.0.1", "127.8.9.1", "::1", "[::1]"])
def test_this_machine_is_known_under_all_its_names(host: str) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["mail.example.org", "localhost.example.org", "10.0.0.1", "0.0.0.0", "", "::2"])
def test_other_machines_are_not_taken_for_this_one(host: str) -> None:
    assert not is_local(host)


def _stage(text: str) -> str:
    """The stage that the scripted server sees in a line of base64."""
    return base64.b64encode(text.encode())[:4].decode().upper()


def test_a_server_that_only_knows_login_is_logged_in_to() -> None:
    plan = {
        "EHLO": b"250-x\r\n250 AUTH=LOGIN\r\n",
        "AUTH": b"334 VXNlcm5hbWU6\r\n",
        _stage("comms"): b"334 UGFzc3dvcmQ6\r\n",
        _stage("sécret"): b"235 2.7.0 welcome\r\n",
    }
    with ScriptedServer(plan) as server:
        run(check(settings(server.port, username="comms", password="sécret")))
    assert server.commands[1:4] == [
        b"AUTH LOGIN\r\n",
        base64.b64encode(b"comms") + b"\r\n",
        base64.b64encode("sécret".encode()) + b"\r\n",
    ]


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ({"AUTH": b"535 5.7.8 wrong\r\n"}, "the login was refused: 535 5.7.8 wrong"),
        ({"AUTH": b"334 what else\r\n"}, "the login was refused: 334 what else"),
        ({"AUTH": CLOSE}, "closed the connection"),
        ({"AUTH": SILENCE}, "did not answer in time"),
    ],
)
def test_a_login_that_fails_is_told_without_the_password(answers: dict[str, Answer], words: str) -> None:
    plan = {"EHLO": b"250-x\r\n250 AUTH PLAIN LOGIN\r\n", **answers}
    with ScriptedServer(plan) as server, pytest.raises(ServerUnreachableError, match=words) as told:
        run(check(settings(server.port, username="comms", password="hunter2", timeout=0.3)))
    assert "hunter2" not in str(told.value)
    assert base64.b64encode(b"\0comms\0hunter2").decode() not in str(told.value)
    assert server.commands[1] == b"AUTH PLAIN " + base64.b64encode(b"\0comms\0hunter2") + b"\r\n"


def test_a_login_with_a_nul_is_refused_before_it_is_sent() -> None:
    plan = {"EHLO": b"250-x\r\n250 AUTH PLAIN\r\n"}
    with ScriptedServer(plan) as server, pytest.raises(ServerUnreachableError, match="NUL"):
        run(check(settings(server.port, username="a\0b", password="c")))
    assert not [line for line in server.commands if line.startswith(b"AUTH")]


def test_what_a_server_offered_in_clear_does_not_count_once_it_is_secured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that offers a login only in clear gets none: the second answer to EHLO is the one that counts."""
    path = certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    said: list[bytes] = []
    server = two_faced(path, b"250-x\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n", b"250 x\r\n", said)
    with serving(server) as port, pytest.raises(ServerUnreachableError, match="does not offer a login"):
        run(check(settings(port, security="starttls", username="u", password="p")))
    assert said[0].startswith(b"EHLO ")
    assert not [line for line in said if line.startswith(b"AUTH")]


@pytest.mark.parametrize("loop", [new_event_loop, asyncio.new_event_loop])
@pytest.mark.parametrize("behind", [b"", b"250 x\r\n", b"250-AUTH PLAIN\r\n", b"2"])
def test_words_put_in_behind_the_answer_to_starttls_end_a_session_that_could_be_secured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loop: Callable[[], asyncio.AbstractEventLoop], behind: bytes
) -> None:
    path = certificate(tmp_path / "server.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    said: list[bytes] = []
    server = two_faced(path, STARTTLS, b"250 x\r\n", said, go=b"220 go\r\n" + behind)
    with serving(server) as port:
        if not behind:
            run(check(settings(port, security="starttls")), loop)
            assert said
            return
        with pytest.raises(ServerUnreachableError, match=r"in clear|without being asked"):
            run(check(settings(port, security="starttls")), loop)
    assert said == []
