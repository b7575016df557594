"""Mail clients that send one mail many times, each in a process of its own: `python -m bench.peers NAME --port ...`.

It prints the seconds that it took and the processor seconds that it used. `bulk` and `plain` are our own clients.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import smtplib
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path

import aiosmtplib

from bench.sink import used
from comms.channels.mail import MailSession, Outgoing, Result
from comms.channels.newsletter import mail_session
from comms.channels.smtp import new_event_loop
from comms.config import Smtp

SENDER, RECIPIENT = "news@coalition.example", "reader@example.org"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("name", choices=sorted(PEERS))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--messages", type=int, required=True)
    parser.add_argument("--sessions", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True, help="the mail as it goes out")
    options = parser.parse_args()
    data = options.file.read_bytes()
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    PEERS[options.name](options.port, options.messages, options.sessions, data)
    print(time.perf_counter() - started, used(before, resource.getrusage(resource.RUSAGE_SELF)))


def run(name: str, port: int, messages: int, sessions: int, file: Path) -> tuple[float, float]:
    """(seconds, processor seconds) of a peer."""
    words = [sys.executable, "-m", "bench.peers", name, "--port", str(port), "--messages", str(messages)]
    words += ["--sessions", str(sessions), "--file", str(file)]
    root = Path(__file__).resolve().parent.parent
    told = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, cwd=root).stdout.split()
    return float(told[0]), float(told[1])


def smtplib_new(port: int, messages: int, _: int, data: bytes) -> None:
    """What one writes first: a message built for each reader, and a connection for each message."""
    mail = BytesParser(policy=SMTP).parsebytes(data)
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    plain, rich = text.get_content(), html.get_content()
    for number in range(messages):
        message = EmailMessage(policy=SMTP)
        message["From"], message["To"], message["Subject"] = SENDER, RECIPIENT, f"Hello reader {number}"
        message.set_content(plain)
        message.add_alternative(rich, subtype="html")
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.send_message(message)


def by_aiosmtplib(port: int, messages: int, sessions: int, data: bytes) -> None:
    """Bytes made beforehand, over kept connections."""
    numbers = iter(range(messages))

    async def drain() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port) as client:
            for _ in numbers:
                await client.sendmail(SENDER, [RECIPIENT], data)

    async def all_of_them() -> None:
        await asyncio.gather(*(drain() for _ in range(sessions)))

    asyncio.run(all_of_them())


def smtplib_kept(port: int, messages: int, sessions: int, data: bytes) -> None:
    """A thread for each connection."""
    share = [messages // sessions + (number < messages % sessions) for number in range(sessions)]

    def drain(count: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as client:
            for _ in range(count):
                client.sendmail(SENDER, [RECIPIENT], data)

    threads = [threading.Thread(target=drain, args=(count,)) for count in share]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def by_session(client: str) -> Callable[[int, int, int, bytes], None]:
    """One of our own clients, as `[smtp] client` names it."""

    def send(port: int, messages: int, sessions: int, data: bytes) -> None:
        settings = Smtp(host="127.0.0.1", port=port, client=client, messages_per_connection=100_000)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_send_all([mail_session(settings) for _ in range(sessions)], messages, data))

    return send


async def _send_all(sessions: list[MailSession], messages: int, data: bytes) -> None:
    waiting = (Outgoing(SENDER, RECIPIENT, data, number) for number in range(messages))
    accepted = 0

    def note(_: int, result: Result) -> None:
        nonlocal accepted
        accepted += getattr(result, "accepted", False)

    async def drain(session: MailSession) -> None:
        await session.open()
        await session.deliver(lambda: next(waiting, None), lambda _: None, note)
        await session.close()

    await asyncio.gather(*map(drain, sessions))
    assert accepted == messages, f"{accepted} of {messages} were accepted"


PEERS: dict[str, Callable[[int, int, int, bytes], None]] = {
    "smtplib-new": smtplib_new,
    "smtplib": smtplib_kept,
    "aiosmtplib": by_aiosmtplib,
    "bulk": by_session("bulk"),
    "plain": by_session("plain"),
}

if __name__ == "__main__":
    main()
