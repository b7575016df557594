"""A mail server that keeps exact books of what it was given, and misbehaves as each connection's `Mood` says.

It speaks SMTP with or without PIPELINING, notes a message as taken before it answers, and notes when the client
says more than it may before it is answered (RFC 2920 section 3.1).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType

CLOSE = b"CLOSE"
USUAL = {
    "GREETING": b"220 moody\r\n",
    "MAIL": b"250 2.1.0 sender ok\r\n",
    "RCPT": b"250 2.1.5 recipient ok\r\n",
    "DATA": b"354 go on\r\n",
    "DOT": b"250 2.0.0 taken\r\n",
    "RSET": b"250 afresh\r\n",
    "QUIT": b"221 bye\r\n",
}


@dataclass(frozen=True)
class Mood:
    """How one connection goes.

    `answers`: by the number of the answer on the connection (the greeting is 0), or by stage and number as in
    `RCPT2`; CLOSE closes instead of answering. A usual answer that is replaced by a refusal refuses indeed.
    """

    answers: Mapping[int | str, bytes] = field(default_factory=dict)
    close_after_in: int = 1 << 60
    """Close when so many octets have come."""
    close_after_out: int = 1 << 60
    """Close when so many octets have gone out."""
    piece: int = 1 << 60
    """Send answers in pieces of so many octets."""
    pause_s: float = 0.0
    """Wait so long between the pieces."""
    reset: bool = False
    """Close without saying so properly."""
    extensions: tuple[bytes, ...] = (b"PIPELINING", b"SIZE 10000000")


class _OverError(Exception):
    """The connection is over."""


class MoodyServer:
    """Use as a context. `taken` holds (recipient, data) of each message that it took responsibility for."""

    def __init__(self, *moods: Mood) -> None:
        self._moods = moods or (Mood(),)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.taken: list[tuple[bytes, bytes]] = []
        self.commands: list[bytes] = []
        self.rudeness: list[str] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []

    def __enter__(self) -> MoodyServer:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                mood = self._moods[self.connections] if self.connections < len(self._moods) else Mood()
                self.connections += 1
                self._open.append(connection)
                self._threads.append(threading.Thread(target=_Connection(self, connection, mood).serve))
                self._threads[-1].start()


class _Connection:
    def __init__(self, server: MoodyServer, connection: socket.socket, mood: Mood) -> None:
        self._server = server
        self._connection = connection
        self._mood = mood
        self._buffer = b""
        self._received = 0
        self._sent = 0
        self._answered = 0
        self._seen: dict[str, int] = {}
        self._recipient = b""
        self._has_sender = False
        self._has_said_too_much = False

    def serve(self) -> None:
        with self._connection, contextlib.suppress(_OverError, OSError):
            try:
                self._answer("GREETING")
                while True:
                    self._obey(self._read_to(b"\r\n"))
            except _OverError:
                if self._mood.reset:
                    self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise

    def _obey(self, line: bytes) -> None:
        self._server.commands.append(line)
        verb = line[:4].upper().decode("ascii", "replace")
        if verb == "EHLO":
            lines = [b"moody", *self._mood.extensions]
            self._send(b"".join(b"250-%s\r\n" % each for each in lines[:-1]) + b"250 %s\r\n" % lines[-1])
            return
        if b"PIPELINING" not in self._mood.extensions or verb == "DATA":
            self._note_rudeness(verb)
        if verb == "RSET":
            self._has_sender, self._recipient = False, b""
        is_early = (verb == "RCPT" and not self._has_sender) or (verb == "DATA" and not self._recipient)
        code = self._answer(verb, instead=b"503 5.5.1 not now\r\n" if is_early else b"")
        if verb == "MAIL":
            self._has_sender, self._recipient = code == 250, b""
        elif verb == "RCPT" and code == 250 and not is_early:
            self._recipient = line.partition(b"<")[2].partition(b">")[0]
        elif verb == "DATA" and code == 354:
            self._take_message()
        elif verb == "QUIT":
            raise _OverError

    def _take_message(self) -> None:
        data = self._read_to(b"\r\n.\r\n", start=b"\r\n")
        recipient, self._recipient, self._has_sender = self._recipient, b"", False
        if b"PIPELINING" not in self._mood.extensions:
            self._note_rudeness("the final dot")
        if recipient and self._planned("DOT", peek=True)[:1] not in (b"4", b"5"):
            self._server.taken.append((recipient, data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")[2:]))
        self._answer("DOT")

    def _planned(self, stage: str, *, peek: bool = False, instead: bytes = b"") -> bytes:
        number = self._seen.get(stage, 0) + 1
        if not peek:
            self._seen[stage] = number
        usual = instead or USUAL.get(stage, b"500 5.5.1 what\r\n")
        answers = self._mood.answers
        return answers.get(f"{stage}{number}", answers.get(self._answered, usual))

    def _answer(self, stage: str, *, instead: bytes = b"") -> int:
        """The code that was answered."""
        answer = self._planned(stage, instead=instead)
        self._answered += 1
        self._has_said_too_much |= answer.startswith(b"250 ") and answer.count(b"\n") > 1
        if answer == CLOSE:
            raise _OverError
        self._send(answer)
        return int(answer[:3]) if answer[:3].isdigit() else 0

    def _send(self, answer: bytes) -> None:
        for start in range(0, len(answer), self._mood.piece):
            part = answer[start : start + self._mood.piece][: self._mood.close_after_out - self._sent]
            self._connection.sendall(part)
            self._sent += len(part)
            if self._sent >= self._mood.close_after_out:
                raise _OverError
            time.sleep(self._mood.pause_s)

    def _read_to(self, end: bytes, start: bytes = b"") -> bytes:
        self._buffer = start + self._buffer
        while end not in self._buffer:
            data = self._connection.recv(min(65_536, self._mood.close_after_in - self._received))
            self._received += len(data)
            self._buffer += data
            if not data or (self._received >= self._mood.close_after_in and end not in self._buffer):
                raise _OverError
        found, _, self._buffer = self._buffer.partition(end)
        return found + end

    def _note_rudeness(self, what: str) -> None:
        """The client may not have said anything behind this yet, unless it took an answer too many for this one's."""
        if self._has_said_too_much:
            return
        with contextlib.suppress(BlockingIOError):
            self._buffer += self._connection.recv(65_536, socket.MSG_DONTWAIT)
        if self._buffer:
            self._server.rudeness.append(f"more came behind {what} before it was answered: {self._buffer[:60]!r}")
