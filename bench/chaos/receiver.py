"""The mail server that the fault runs send to, and their oracle: `python -m bench.chaos.receiver LOG SEED`.

It belongs to the test bed and shares nothing with what is tested. A message is a line of LOG - the time, the
recipient, its Message-ID - from before the moment it is answered, so what LOG holds has arrived whatever the sender
heard of it. On standard input it is told, as lines of JSON, how to misbehave and which moment of the conversation to
watch for; on standard output it says its port, and when a watched moment has come. The session stands still then until
it is told to go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import re
import sys
import time
from collections.abc import Mapping
from typing import Any

from comms.channels.smtp import new_event_loop

MOMENTS = ("mail", "data", "body", "dot", "taken", "answered")
"""MAIL came; DATA came; it may send the body; the body came whole; it is written down; it is answered."""
FAULTS = ("deaf", "reset", "busy", "full", "drop-in-data", "drop-after-dot", "mute", "slow", "garbage")
LONGEST_MESSAGE = 1 << 20
MISDEEDS = ".misdeeds"
"""What follows the name of the log in that of the other one: a line for each fault that was done."""
SLOW_S = 0.01
_MESSAGE_ID = re.compile(rb"(?im)^Message-ID:\s*(\S+)")
_ADDRESS = re.compile(rb"<([^>]*)>")


class HangupError(Exception):
    """The session is to end at once, without a word."""


class Receiver:
    """All that the sessions share: the log, the faults, and the moment that is watched for."""

    def __init__(self, log: str, seed: int) -> None:
        self._log, self._misdeeds = (
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for path in (log, f"{log}{MISDEEDS}")
        )
        self._chance = random.Random(seed)
        self._faults: Mapping[str, float] = {}
        self._delay_s = 0.0
        self._watched, self._left = "", 0
        self._held: dict[int, asyncio.Event] = {}

    def obey(self, order: Mapping[str, Any]) -> None:
        """`faults` (name -> share of tries), `delay` (seconds a message takes), `watch` and `after`, or `go` (port)."""
        self._faults = order.get("faults", self._faults)
        self._delay_s = order.get("delay", self._delay_s)
        if "watch" in order:
            self._watched, self._left = order["watch"], order.get("after", 0)
        if held := self._held.pop(order.get("go", 0), None):
            held.set()

    def happens(self, fault: str) -> bool:
        if self._chance.random() >= self._faults.get(fault, 0.0):
            return False
        os.write(self._misdeeds, fault.encode() + b"\n")
        return True

    def draw(self, most: int) -> int:
        return self._chance.randint(1, most)

    async def take_time(self, share: float) -> None:
        if self._delay_s:
            await asyncio.sleep(self._delay_s * share)

    def write_down(self, recipient: str, message_id: str) -> None:
        """At once: what another process reads there afterwards includes it."""
        os.write(self._log, f"{time.time():.6f}\t{recipient}\t{message_id}\n".encode())

    async def moment(self, name: str, port: int) -> None:
        """Tell of the moment if it is the one that is watched for, and stand still."""
        if name != self._watched:
            return
        self._left -= 1
        if self._left >= 0:
            return
        self._watched = ""
        self._held[port] = released = asyncio.Event()
        print(json.dumps({"moment": name, "port": port}), flush=True)
        await released.wait()


class Session:
    """One conversation (RFC 5321, with PIPELINING)."""

    def __init__(self, receiver: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._receiver = receiver
        self._reader = reader
        self._writer = writer
        self._port = int(writer.get_extra_info("peername")[1])
        self._recipient = ""

    async def run(self) -> None:
        # RuntimeError: uvloop's word for writing to a connection that is gone.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, HangupError, RuntimeError):
            if self._receiver.happens("reset"):
                raise HangupError
            if self._receiver.happens("deaf"):
                await self._reader.read(-1)  # a server that is half there: until the other side gives up
                raise HangupError
            await self._say(b"220 chaos\r\n")
            while line := await self._reader.readline():
                await self._answer(line.strip())
        self._writer.transport.abort()

    async def _answer(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            await self._say(b"250-chaos\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        elif verb == b"MAIL":
            await self._receiver.moment("mail", self._port)
            await self._receiver.take_time(0.5)
            await self._say(b"250 ok\r\n")
        elif verb == b"RCPT":
            await self._take_recipient(line)
        elif verb == b"DATA":
            await self._take_message()
        elif verb == b"QUIT":
            await self._say(b"221 bye\r\n")
            raise HangupError
        else:
            await self._say(b"250 ok\r\n")

    async def _take_recipient(self, line: bytes) -> None:
        self._recipient = ""
        if self._receiver.happens("busy"):
            await self._say(b"421 4.3.2 too busy\r\n")
            raise HangupError
        if self._receiver.happens("full"):
            await self._say(b"452 4.2.2 no room\r\n")
            return
        found = _ADDRESS.search(line)
        self._recipient = found[1].decode("ascii", "replace") if found else ""
        await self._say(b"250 ok\r\n")

    async def _take_message(self) -> None:
        await self._receiver.moment("data", self._port)
        if not self._recipient:
            await self._say(b"503 5.5.1 nobody to send it to\r\n")
            return
        await self._say(b"354 go on\r\n")
        await self._receiver.moment("body", self._port)
        if self._receiver.happens("drop-in-data"):
            await self._reader.read(self._receiver.draw(200))
            raise HangupError
        data = await self._reader.readuntil(b"\r\n.\r\n")
        await self._receiver.moment("dot", self._port)
        await self._receiver.take_time(0.5)
        found = _MESSAGE_ID.search(data)
        self._receiver.write_down(self._recipient, found[1].decode("ascii", "replace") if found else "")
        self._recipient = ""
        await self._receiver.moment("taken", self._port)
        if self._receiver.happens("drop-after-dot"):
            raise HangupError
        if self._receiver.happens("mute"):
            await self._reader.read(-1)
            raise HangupError
        await self._say(b"250 2.0.0 taken\r\n")
        await self._receiver.moment("answered", self._port)

    async def _say(self, reply: bytes) -> None:
        if self._receiver.happens("garbage"):
            reply = os.urandom(self._receiver.draw(60)) + b"\r\n"
        if self._receiver.happens("slow"):
            for octet in reply:
                self._writer.write(bytes([octet]))
                await self._writer.drain()
                await asyncio.sleep(SLOW_S)
        else:
            self._writer.write(reply)
            await self._writer.drain()


async def serve(receiver: Receiver) -> None:
    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await Session(receiver, reader, writer).run()

    server = await asyncio.start_server(on_connect, "127.0.0.1", 0, limit=LONGEST_MESSAGE)
    print(server.sockets[0].getsockname()[1], flush=True)
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while order := await orders.readline():
        receiver.obey(json.loads(order))


if __name__ == "__main__":
    loop = new_event_loop()
    with contextlib.suppress(KeyboardInterrupt):
        loop.run_until_complete(serve(Receiver(sys.argv[1], int(sys.argv[2]))))
