"""Mail servers for what needs the socket itself: readers that are slow, deaf or hasty, and ones that never stop."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

GREETING = b"220 stubborn\r\n"
EHLO = b"250-stubborn\r\n250 PIPELINING\r\n"
GO_ON = b"250 ok\r\n250 ok\r\n354 go on\r\n"


@contextlib.contextmanager
def serving(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of a server that treats each connection by `behave`; its buffers are small."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    connections: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def treat(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            behave(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connections.append(listener.accept()[0])
                threads.append(threading.Thread(target=treat, args=(connections[-1],)))
                threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in [acceptor, *threads]:
            thread.join(5)
        for connection in connections:
            connection.close()


def up_to_data(connection: socket.socket) -> None:
    """Greet, and answer everything until a message may come."""
    connection.sendall(GREETING)
    connection.recv(4096)
    connection.sendall(EHLO)
    connection.recv(4096)
    connection.sendall(GO_ON)


def hasty(answer: bytes) -> Callable[[socket.socket], None]:
    """Answers a message a moment after it begins, and reads nothing of it."""

    def behave(connection: socket.socket) -> None:
        up_to_data(connection)
        time.sleep(0.2)
        connection.sendall(answer)
        time.sleep(0.5)

    return behave


def deaf(connection: socket.socket) -> None:
    """Wants a message and does not read it."""
    up_to_data(connection)
    time.sleep(1.5)


def slow(octets: int, pause_s: float) -> Callable[[socket.socket], None]:
    """Reads a message of so many octets in pieces, with a pause after each, and takes it."""

    def behave(connection: socket.socket) -> None:
        up_to_data(connection)
        left = octets
        while left > 0:
            left -= len(connection.recv(min(left, 262_144), socket.MSG_WAITALL))
            time.sleep(pause_s)
        connection.sendall(b"250 taken\r\n")
        connection.recv(4096)
        connection.sendall(b"221 bye\r\n")

    return behave


def flood(stage: str, drop: bytes) -> Callable[[socket.socket], None]:
    """Sends `drop` without end, from this stage on: GREETING, EHLO or DOT."""

    def behave(connection: socket.socket) -> None:
        if stage == "DOT":
            up_to_data(connection)
            connection.recv(65_536)
        elif stage == "EHLO":
            connection.sendall(GREETING)
            connection.recv(4096)
        while True:
            connection.sendall(drop * 1000)

    return behave


def two_faced(
    certificate: Path, in_clear: bytes, secured: bytes, said: list[bytes], go: bytes = b"220 go\r\n"
) -> Callable[[socket.socket], None]:
    """Answers EHLO one way before STARTTLS, STARTTLS with `go`, and all the other way after it.

    `said` collects what it hears then.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)

    def behave(connection: socket.socket) -> None:
        connection.sendall(GREETING)
        connection.recv(4096)
        connection.sendall(in_clear)
        connection.recv(4096)
        connection.sendall(go)
        with context.wrap_socket(connection, server_side=True) as wrapped:
            while line := wrapped.recv(4096):
                said.append(line)
                wrapped.sendall(secured)

    return behave
