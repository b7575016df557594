"""A mail server that does exactly as it is told, for what no well-behaved server would do.

A plan says what to answer at which stage (GREETING, EHLO, HELO, MAIL, RCPT, DATA, DOT, RSET, QUIT); `MAIL2` means
the second MAIL of a connection. Stages without a plan are answered as usual. An answer is bytes, CLOSE, SILENCE, or a
tuple of them, sent one after the other with a little time between. One plan per connection; the last one stays.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Mapping
from enum import Enum, auto
from types import TracebackType


class Act(Enum):
    CLOSE = auto()
    SILENCE = auto()


CLOSE, SILENCE = Act.CLOSE, Act.SILENCE
Answer = bytes | Act | tuple[bytes | Act, ...]
Plan = Mapping[str, Answer]
_USUAL: dict[str, Answer] = {
    "GREETING": b"220 scripted\r\n",
    "EHLO": b"250-scripted\r\n250 SIZE 1000000\r\n",
    "DATA": b"354 go on\r\n",
    "QUIT": (b"221 bye\r\n", CLOSE),
}
PAUSE_S = 0.03


class ScriptedServer:
    """Use as a context; `messages` and `commands` hold what came in, byte by byte."""

    def __init__(self, *plans: Plan) -> None:
        self._plans = plans or ({},)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0
        self.commands: list[bytes] = []
        self.messages: list[bytes] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept)]
        self._open: list[socket.socket] = []

    def __enter__(self) -> ScriptedServer:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
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
            while not self._over.is_set():
                connection, _ = self._listener.accept()
                plan = self._plans[min(self.connections, len(self._plans) - 1)]
                self.connections += 1
                self._open.append(connection)
                self._threads.append(threading.Thread(target=self._serve, args=(connection, plan)))
                self._threads[-1].start()

    def _serve(self, connection: socket.socket, plan: Plan) -> None:
        seen: Counter[str] = Counter()
        with connection, contextlib.suppress(OSError), connection.makefile("rb") as lines:
            stage = "GREETING"
            while True:
                seen[stage] += 1
                usual = _USUAL.get(stage, b"250 OK\r\n")
                answer: Answer = plan.get(f"{stage}{seen[stage]}", plan.get(stage, usual))
                if not self._answer(connection, answer):
                    return
                if stage == "DATA" and answer == _USUAL["DATA"]:
                    stage = "DOT"
                    if not self._read_message(lines):
                        return
                    continue
                line = lines.readline()
                if not line:
                    return
                self.commands.append(line)
                stage = line[:4].decode("ascii", "replace").upper().strip()

    def _answer(self, connection: socket.socket, answer: Answer) -> bool:
        """False when the connection is over."""
        for number, part in enumerate(answer if isinstance(answer, tuple) else (answer,)):
            if number:
                time.sleep(PAUSE_S)
            if part is CLOSE:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                return False
            if part is SILENCE:
                self._over.wait(30)
                return False
            assert isinstance(part, bytes)
            connection.sendall(part)
        return True

    def _read_message(self, lines: object) -> bool:
        message = b""
        while not message.endswith(b"\r\n.\r\n"):
            line: bytes = lines.readline()  # type: ignore[attr-defined]
            if not line:
                return False
            message += line
        self.messages.append(message)
        return True
