"""A proxy that makes every octet wait, as a long line does: `python -m bench.delay SECONDS PORT [ADDRESS]`.

It prints the port that it listens on, at ADDRESS or on this machine alone. The wait is that of one direction, half of
a round trip; what is under way at the same time is not limited.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def delayed(port: int, round_trip_s: float) -> Iterator[int]:
    """The port of a proxy in front of `port`, for the time of a block."""
    words = [sys.executable, "-m", "bench.delay", str(round_trip_s / 2), str(port)]
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


class _End(asyncio.Protocol):
    """One end of a connection; what comes in leaves at the other after a while."""

    def __init__(self, delay_s: float) -> None:
        self._delay_s = delay_s
        self._loop = asyncio.get_running_loop()
        self.other: _End | None = None
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._loop.call_later(self._delay_s, self._pass, data)

    def connection_lost(self, error: Exception | None) -> None:
        self._loop.call_later(self._delay_s, self._pass, b"")

    def _pass(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            return
        if data:
            self.other.transport.write(data)
        else:
            self.other.transport.close()


class _Front(_End):
    """The client's end, which opens the other."""

    def __init__(self, delay_s: float, port: int) -> None:
        super().__init__(delay_s)
        self._port = port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._opening = self._loop.create_task(self._open())

    async def _open(self) -> None:
        back = _End(self._delay_s)
        back.other = self
        await self._loop.create_connection(lambda: back, "127.0.0.1", self._port)
        self.other = back


async def _serve(delay_s: float, port: int, address: str = "127.0.0.1") -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Front(delay_s, port), address, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]))
