"""A network line between two programs of a test: a proxy that can be cut, and brought back."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from types import TracebackType


class Line:
    """Leads from `port` of this machine to another. While it is cut, nothing passes and nobody is told."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._front = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._front.getsockname()[1])
        self._whole = threading.Event()
        self._whole.set()
        self._ended = False
        self._thread = threading.Thread(target=self._carry, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        self._whole.clear()

    def mend(self) -> None:
        self._whole.set()

    def __enter__(self) -> Line:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended = True
        self._whole.set()
        self._thread.join()
        self._front.close()

    def _carry(self) -> None:
        ends: dict[socket.socket, socket.socket] = {}
        with selectors.DefaultSelector() as ready:
            ready.register(self._front, selectors.EVENT_READ)
            while not self._ended:
                for key, _ in ready.select(0.05):
                    self._whole.wait()
                    end = key.fileobj
                    if end is self._front:
                        self._open(ends, ready)
                    elif isinstance(end, socket.socket) and end in ends:
                        self._pass(ends, end, ready)
            for end in ends:
                end.close()

    def _open(self, ends: dict[socket.socket, socket.socket], ready: selectors.BaseSelector) -> None:
        here, _ = self._front.accept()
        try:
            there = socket.create_connection(("127.0.0.1", self._to))
        except OSError:
            here.close()
            return
        ends |= {here: there, there: here}
        for end in (here, there):
            ready.register(end, selectors.EVENT_READ)

    @staticmethod
    def _pass(ends: dict[socket.socket, socket.socket], end: socket.socket, ready: selectors.BaseSelector) -> None:
        data = b""
        with contextlib.suppress(OSError):
            data = end.recv(65536)
        other = ends[end]
        with contextlib.suppress(OSError):
            other.sendall(data)
        if not data:
            for each in (end, other):
                ends.pop(each)
                ready.unregister(each)
                each.close()
