"""The mail server of the simulated relay: takes every mail, and logs what its envelope and header say.

    python -m bench.relay.receiver LOG

A line of LOG is one mail, as JSON, written before the mail is answered: `to`, `sender` (the address of its From),
`subject`, `unsubscribe` (the address of List-Unsubscribe), `link` (the first that answers an offer) and `at` (Unix
time). Prints its port. It shares nothing with what is tested, but for the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import json
import os
import re
import sys
import time
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import parseaddr

from comms.channels.smtp import new_event_loop

LONGEST_MESSAGE = 1 << 20
_ADDRESS = re.compile(rb"<([^>]*)>")
_OFFER = re.compile(r"https?://\S+/l/[^\s>\"]+")
_REPLIES = {b"EHLO": b"250-relay\r\n250-PIPELINING\r\n250 8BITMIME\r\n", b"DATA": b"354 go on\r\n", b"QUIT": b"221\r\n"}


def record(recipient: str, data: bytes) -> dict[str, object]:
    """What is logged of a mail. Only the mails to those who speak for associations are looked into."""
    head, _, _ = data.partition(b"\r\n\r\n")
    header = email.message_from_bytes(head + b"\r\n\r\n", policy=SMTP)
    return {
        "to": recipient,
        "sender": parseaddr(str(header["From"]))[1],
        "subject": str(header["Subject"]),
        "unsubscribe": str(header["List-Unsubscribe"] or "").partition(">")[0].strip("< "),
        "link": _link(data) if recipient.endswith(".seats.example") else "",
        "at": time.time(),
    }


def _link(data: bytes) -> str:
    message = email.message_from_bytes(data, policy=SMTP)
    assert isinstance(message, EmailMessage)
    text = message.get_body(("plain",))
    found = _OFFER.search(text.get_content()) if text is not None else None
    return found[0] if found else ""


async def converse(log: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One session (RFC 5321, with PIPELINING), to its end."""
    recipient = ""
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        writer.write(b"220 relay\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"RCPT" and (found := _ADDRESS.search(line)):
                recipient = found[1].decode("ascii", "replace")
            writer.write(_REPLIES.get(verb, b"250 ok\r\n"))
            if verb == b"DATA":
                data = await reader.readuntil(b"\r\n.\r\n")
                os.write(log, json.dumps(record(recipient, data)).encode() + b"\n")
                writer.write(b"250 taken\r\n")
            if verb == b"QUIT":
                break
            await writer.drain()
    writer.close()


async def serve(path: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await converse(log, reader, writer)

    server = await asyncio.start_server(on_connect, "127.0.0.1", 0, limit=LONGEST_MESSAGE)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        new_event_loop().run_until_complete(serve(sys.argv[1]))
