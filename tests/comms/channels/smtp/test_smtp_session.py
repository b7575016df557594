"""The bulk client on real connections: what may have arrived, how long it waits, how much a session carries."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from itertools import count

import pytest
from moody_server import Mood, MoodyServer
from smtp_samples import SENDER, Books, deliver_all, message, run, send_all, settings
from stubborn_servers import deaf, flood, hasty, serving, slow

from comms.channels import mail
from comms.channels.mail import Lost, Outgoing, Reply
from comms.channels.newsletter import mail_session
from comms.channels.smtp import BulkSession, new_event_loop
from tests.conftest import MailServer, free_port

LARGE = b"Subject: large\r\n\r\n" + (b"x" * 76 + b"\r\n") * 120_000
"""More than the buffers of two sockets hold."""
both_loops = pytest.mark.parametrize("loop", [new_event_loop, asyncio.new_event_loop])
both_clients = pytest.mark.parametrize("client", ["bulk", "plain"])


def deliver(port: int, *messages: Outgoing, loop: Callable[[], asyncio.AbstractEventLoop], timeout: float) -> Books:
    """Over one session, once, without trying again."""
    books = Books(list(messages))

    async def main() -> None:
        session = BulkSession(settings(port, timeout=timeout))
        await session.open()
        await session.deliver(books.take, books.on_handover, books.on_result)
        await session.close()

    run(main(), loop)
    return books


# --- the loop and the socket ------------------------------------------------------------------


def test_the_loop_is_the_fast_one_where_it_runs() -> None:
    pytest.importorskip("uvloop")
    loop = new_event_loop()
    loop.close()
    assert type(loop).__module__.startswith("uvloop")


@both_loops
def test_many_messages_arrive_each_once_in_any_pieces(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    bodies = [b"Subject: %d\r\n\r\n" % number + b".line of text\r\n" * (number * 7) for number in range(60)]
    with MoodyServer(Mood(piece=1), Mood(piece=7, pause_s=0.0005)) as server:
        books = Books([message(number, body) for number, body in enumerate(bodies)])

        async def main() -> None:
            await asyncio.gather(*(deliver_all(BulkSession(settings(server.port)), books) for _ in range(3)))

        run(main(), loop)
    assert all(reply.accepted for reply in books.replies())
    assert len(books.replies()) == 60
    assert sorted(data for _, data in server.taken) == sorted(bodies)
    assert server.rudeness == []


@both_loops
def test_small_packets_are_not_held_back(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """With Nagle's algorithm on, each message would wait 40 ms for the acknowledgement of the one before."""
    with MoodyServer() as server:

        async def main() -> None:
            session = BulkSession(settings(server.port))
            await session.open()
            assert session._stream is not None
            assert session._stream._transport is not None
            socket_ = session._stream._transport.get_extra_info("socket")
            assert socket_.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            await session.close()

        run(main(), loop)


def test_each_message_costs_one_round_trip() -> None:
    groups = 0

    def behave(connection: socket.socket) -> None:
        nonlocal groups
        connection.sendall(b"220 x\r\n")
        connection.recv(4096)
        connection.sendall(b"250-x\r\n250 PIPELINING\r\n")
        while data := connection.recv(1 << 20):
            groups += 1
            answers = b"250 taken\r\n" * (b"\r\n.\r\n" in data) + b"250 ok\r\n250 ok\r\n354 go\r\n" * (b"DATA" in data)
            connection.sendall(answers or b"221 bye\r\n")

    with serving(behave) as port:
        books = send_all(port, [message(number) for number in range(10)])
    assert all(reply.accepted for reply in books.replies())
    assert groups == 1 + 10 + 1, "the first envelope, ten bodies, QUIT"


def test_a_server_without_pipelining_gets_everything_all_the_same(mail_server: Callable[..., MailServer]) -> None:
    server = mail_server(content=True, reject="p7@")
    books = send_all(server.port, [message(number) for number in range(40)], sessions=4)
    assert sorted(server.recipients()) == sorted(f"p{number}@example.org" for number in range(40) if number != 7)
    assert books.results[7] == [Reply(550, "5.1.1 no such user")]


@pytest.mark.skipif(shutil.which("smtp-sink", path="/usr/sbin:/usr/bin") is None, reason="Postfix is not installed")
def test_postfix_takes_what_is_sent() -> None:
    port = free_port()
    words = [shutil.which("smtp-sink", path="/usr/sbin:/usr/bin") or "", "-u", "nobody", f"127.0.0.1:{port}", "100"]
    process = subprocess.Popen(words)
    try:
        books = Books([message(number, b"Subject: x\r\n\r\n" + b".\r\n" * 4000) for number in range(500)])

        async def main() -> None:
            await asyncio.gather(*(deliver_all(BulkSession(settings(port)), books) for _ in range(5)))

        for _ in range(50):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        run(main())
    finally:
        process.kill()
        process.wait()
    assert [reply.code for reply in books.replies()] == [250] * 500


# --- messages that a server can not take ------------------------------------------------------


@both_clients
def test_a_message_that_does_not_fit_this_server_is_answered_without_asking(client: str) -> None:
    unfit = [
        message(1, b"x" * 2000 + b"\r\n"),
        Outgoing(SENDER, "josé@example.org", b"a\r\n", 2),
        message(3, b"a\n.\nMAIL FROM:<x@example.org>\r\n"),
        Outgoing(SENDER, "a@b>\r\nRCPT TO:<c@example.org", b"a\r\n", 4),
    ]
    with MoodyServer(Mood(extensions=(b"PIPELINING", b"SIZE 1000"))) as server:
        books = send_all(server.port, [message(0), *unfit, message(5)], client=client)
    assert [recipient for recipient, _ in server.taken] == [b"p0@example.org", b"p5@example.org"]
    assert server.connections == 1
    for token in range(1, 5):
        (reply,) = books.results[token]
        assert isinstance(reply, Reply)
        assert (reply.code, reply.accepted, reply.temporary) == (0, False, False)
        assert reply.text.startswith("not sent: ")


@both_clients
def test_letters_of_all_scripts_go_to_a_server_that_takes_them(client: str) -> None:
    foreign = Outgoing(SENDER, "josé@例え.example", "Subject: é\r\n\r\né\r\n".encode(), 1)
    with MoodyServer(Mood(extensions=(b"PIPELINING", b"8BITMIME", b"SMTPUTF8"))) as server:
        books = send_all(server.port, [foreign], client=client)
    assert books.replies()[0].accepted
    assert server.taken == [("josé@例え.example".encode(), foreign.data)]
    assert f"MAIL FROM:<{SENDER}> BODY=8BITMIME SMTPUTF8\r\n".encode() in server.commands


@both_clients
def test_a_notice_of_failure_is_asked_for_under_an_id_where_the_server_can(client: str) -> None:
    asked = Outgoing(SENDER, "ana@example.org", b"a\r\n", 1, envelope_id="run-7.12")
    with MoodyServer(Mood(extensions=(b"DSN",))) as server:
        send_all(server.port, [asked], client=client)
    assert f"MAIL FROM:<{SENDER}> RET=HDRS ENVID=run-7.12\r\n".encode() in server.commands
    assert b"RCPT TO:<ana@example.org> NOTIFY=FAILURE ORCPT=rfc822;ana@example.org\r\n" in server.commands


# --- how much a session carries ---------------------------------------------------------------


@both_clients
def test_a_session_is_replaced_after_so_many_messages(client: str) -> None:
    with MoodyServer() as server:
        books = send_all(
            server.port, [message(number) for number in range(7)], client=client, messages_per_connection=3
        )
        assert server.connections == 3
    assert len(server.taken) == 7
    assert all(len(said) == 1 for said in books.results.values()), "no message was begun in vain"
    assert server.commands.count(b"QUIT\r\n") == 3


@both_clients
def test_a_session_is_replaced_when_it_is_old(client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "SESSION_AGE_S", -1.0)
    with MoodyServer() as server:
        send_all(server.port, [message(number) for number in range(3)], client=client)
        assert server.connections == 3
    assert len(server.taken) == 3


def test_a_session_that_ended_while_it_stood_idle_is_replaced_without_a_word() -> None:
    def behave(connection: socket.socket) -> None:
        number = next(connections)
        connection.sendall(b"220 x\r\n")
        connection.recv(4096)
        connection.sendall(b"250 x\r\n")
        if number == 0:
            connection.sendall(b"421 4.4.2 you say nothing\r\n")
            return
        for answer in (b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 taken\r\n", b"221 bye\r\n"):
            connection.recv(4096)
            connection.sendall(answer)

    connections = count()
    books = Books([message(1)])

    async def main(port: int) -> None:
        session = BulkSession(settings(port))
        await session.open()
        await asyncio.sleep(0.1)
        await deliver_all(session, books)

    with serving(behave) as port:
        run(main(port))
    assert books.results == {1: [Reply(250, "taken")]}


# --- long messages ----------------------------------------------------------------------------


@both_loops
def test_an_acceptance_before_the_message_has_left_is_not_believed(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with serving(hasty(b"250 taken\r\n")) as port:
        books = deliver(port, message(1, LARGE), message(2), loop=loop, timeout=5)
    first, second = (said[0] for said in books.results.values())
    assert isinstance(first, Lost)
    assert "before it had it" in first.reason
    assert not first.handed_over, "its final dot never left"
    assert isinstance(second, Lost)
    assert not second.handed_over


@both_loops
def test_a_refusal_before_the_message_has_left_stands(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with serving(hasty(b"552 5.3.4 too much\r\n")) as port:
        books = deliver(port, message(1, LARGE), loop=loop, timeout=5)
    assert books.results == {1: [Reply(552, "5.3.4 too much")]}


@both_loops
def test_a_server_that_stops_reading_is_left_and_the_message_is_safe(
    loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    with serving(deaf) as port:
        started = time.monotonic()
        books = deliver(port, message(1, LARGE), loop=loop, timeout=0.1)
        assert time.monotonic() - started < 3
    assert books.results == {1: [Lost("the server did not answer in time", handed_over=False)]}


@both_loops
def test_a_server_that_reads_slowly_is_waited_for(loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    octets = len(LARGE) + 3
    with serving(slow(octets, 0.06)) as port:
        started = time.monotonic()
        books = deliver(port, message(1, LARGE), loop=loop, timeout=0.1)
        assert time.monotonic() - started > 0.1 * mail.DOT_PATIENCE, "or nothing was tested"
    assert books.replies() == [Reply(250, "taken")]


@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "DOT"])
@pytest.mark.parametrize("drop", [b"x", b"250-x\r\n", b"250 x\r\n", b"250", b"\0\n"])
def test_a_flood_ends_the_session(stage: str, drop: bytes) -> None:
    with serving(flood(stage, drop)) as port:
        started = time.monotonic()
        books = Books([message(1), message(2)])
        run(deliver_all(BulkSession(settings(port)), books, tries=1))
        assert time.monotonic() - started < 4
    assert books.unreachable or books.results[1], "and the sender hears of it"
    assert not any(isinstance(said, Reply) and not said.accepted for said in books.results[1])


# --- stopped from our side --------------------------------------------------------------------


@both_clients
def test_a_delivery_that_is_cut_off_says_of_each_message_whether_it_may_have_arrived(client: str) -> None:
    over = threading.Event()

    def behave(connection: socket.socket) -> None:
        connection.sendall(b"220 x\r\n")
        connection.recv(4096)
        connection.sendall(b"250-x\r\n250 PIPELINING\r\n")
        for answer in (
            (b"250 x\r\n250 x\r\n354 x\r\n",) if client == "bulk" else (b"250 x\r\n", b"250 x\r\n", b"354 x\r\n")
        ):
            connection.recv(4096)
            connection.sendall(answer)
        over.wait(5)

    books = Books([message(1), message(2), message(3)])

    async def main(port: int) -> None:
        session = mail_session(settings(port, client=client))
        await session.open()
        task = asyncio.create_task(session.deliver(books.take, books.on_handover, books.on_result))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await session.close()

    with serving(behave) as port:
        run(main(port))
        over.set()
    assert books.results[1] == [Lost("the sender was stopped", handed_over=True)]
    if client == "bulk":
        assert books.results[2] == [Lost("the sender was stopped", handed_over=False)]
    assert books.results[3] == []
    assert 3 not in books.taken


@both_clients
def test_when_the_journal_can_not_be_written_no_message_is_handed_over(client: str) -> None:
    def full(token: int) -> None:
        raise OSError(28, "No space left on device")

    books = Books([message(1), message(2)])

    async def main(port: int) -> None:
        session = mail_session(settings(port, client=client))
        await session.open()
        with pytest.raises(OSError, match="No space"):
            await session.deliver(books.take, full, books.on_result)
        assert all(isinstance(each, Lost) and not each.handed_over for said in books.results.values() for each in said)
        await deliver_all(session, books)

    with MoodyServer() as server:
        run(main(server.port))
    assert all(len(books.results[token]) == books.taken[token] for token in (1, 2))
    assert b"p1@example.org" not in dict(server.taken)


@both_clients
def test_a_fault_in_making_the_next_message_is_raised_and_costs_no_other_its_result(client: str) -> None:
    books = Books([message(1)])

    def take() -> Outgoing | None:
        if not books.waiting:
            raise RuntimeError("can not be made")
        return books.take()

    async def main(port: int) -> None:
        session = mail_session(settings(port, client=client))
        await session.open()
        with pytest.raises(RuntimeError, match="can not be made"):
            await session.deliver(take, books.on_handover, books.on_result)
        await session.close()

    with MoodyServer() as server:
        run(main(server.port))
    ((result,),) = books.results.values()
    assert isinstance(result, Lost if client == "bulk" else Reply)
    assert len(server.taken) == isinstance(result, Reply)
