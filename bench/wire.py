"""Measures the mail clients alone, against Postfix's smtp-sink, beside Postfix's own load generator smtp-source.

    python bench/wire.py [--messages 10000] [--sessions 10] [--kilobytes 10 40] [--rounds 5]

Every round runs each client once, so that all see the same neighbours on the machine; the table shows medians.
Processor seconds are those of the client for 10,000 messages, without its start. It needs Debian's package
`postfix` (no service of it), and ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import shutil
import smtplib
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from comms.channels.mail import MailSession, Outgoing, Result
from comms.channels.newsletter import mail_session
from comms.channels.smtp import new_event_loop
from comms.config import Smtp

SENDER, RECIPIENT = "news@coalition.example", "reader@example.org"
SLOW_SHARE = 5
"""The clients that go one command at a time are given so many times fewer messages."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--kilobytes", type=int, nargs="+", default=[10, 40])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--client", choices=sorted(CLIENTS), help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        _be_client(options)
        return
    missing = [tool for tool in ("smtp-sink", "smtp-source") if _tool(tool) is None]
    if missing:
        raise SystemExit(f"not found: {', '.join(missing)}; they are in Debian's package postfix")
    figures: dict[str, object] = {"bench": "wire", "sessions": options.sessions}
    for kilobytes in options.kilobytes:
        figures |= _compare(options, kilobytes)
    print(json.dumps(figures))


def _compare(options: argparse.Namespace, kilobytes: int) -> dict[str, float]:
    names = ["smtp-source", "bulk", "plain", "smtplib"]
    speeds: dict[str, list[float]] = {name: [] for name in names}
    processor: dict[str, list[float]] = {name: [] for name in names}
    for round_number in range(options.rounds + 1):
        for name in names:
            messages = options.messages if name in ("smtp-source", "bulk") else options.messages // SLOW_SHARE
            with _sink() as port:
                run = _run_source if name == "smtp-source" else _run_client
                seconds, used = run(name, port, messages, options.sessions, kilobytes)
            if round_number:  # the first warms up
                speeds[name].append(messages / seconds)
                processor[name].append(used / messages * 10_000)
    print(f"\n{kilobytes} KB, {options.sessions} sessions, medians of {options.rounds}")
    print(f"{'client':14}{'messages/s':>12}{'of smtp-source':>16}{'CPU s/10,000':>14}")
    figures = {}
    for name in names:
        speed, used = statistics.median(speeds[name]), statistics.median(processor[name])
        ratio = statistics.median(mine / its for mine, its in zip(speeds[name], speeds["smtp-source"], strict=True))
        print(f"{name:14}{speed:12,.0f}{ratio:16.2f}{used:14.2f}")
        key = f"{name.replace('-', '_')}_{kilobytes}kb"
        figures |= {f"rate_{key}": round(speed), f"cpu_s_per_10k_{key}": round(used, 2)}
        if name == "bulk":
            figures[f"ratio_wire_{kilobytes}kb"] = round(ratio, 3)
    return figures


def _tool(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextlib.contextmanager
def _sink() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    user = ["-u", "nobody"] if os.getuid() == 0 else []  # it refuses to run as root
    process = subprocess.Popen([_tool("smtp-sink") or "", *user, f"127.0.0.1:{port}", "1000"])
    try:
        for _ in range(100):
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.02)
        yield port
    finally:
        process.kill()
        process.wait()


def _run_source(_: str, port: int, messages: int, sessions: int, kilobytes: int) -> tuple[float, float]:
    size = kilobytes * 1000
    words = [_tool("smtp-source") or "", "-d", "-s", str(sessions), "-l", str(size), "-m", str(messages)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*words, f"127.0.0.1:{port}"], check=True)
    seconds = time.perf_counter() - started
    return seconds, _used(before, resource.getrusage(resource.RUSAGE_CHILDREN))


def _run_client(name: str, port: int, messages: int, sessions: int, kilobytes: int) -> tuple[float, float]:
    words = [sys.executable, __file__, "--client", name, "--port", str(port), "--messages", str(messages)]
    words += ["--sessions", str(sessions), "--kilobytes", str(kilobytes)]
    told = subprocess.run(words, check=True, capture_output=True, text=True).stdout.split()
    return float(told[0]), float(told[1])


def _be_client(options: argparse.Namespace) -> None:
    """Send, then print the seconds it took and the processor seconds used."""
    data = _message(options.kilobytes[0] * 1000)
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    CLIENTS[options.client](options.port, options.messages, options.sessions, data)
    seconds = time.perf_counter() - started
    print(seconds, _used(before, resource.getrusage(resource.RUSAGE_SELF)))


def _used(before: resource.struct_rusage, after: resource.struct_rusage) -> float:
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def _message(size: int) -> bytes:
    line = b"The quick brown fox jumps over the lazy dog. The five boxing wizards jump =\r\n"
    head = b"From: news@coalition.example\r\nTo: reader@example.org\r\nSubject: a bench\r\n\r\n"
    body = line * ((size - len(head)) // len(line))
    return head + body + b"x" * (size - len(head) - len(body) - 2) + b"\r\n"


def _by_session(client: str) -> Callable[[int, int, int, bytes], None]:
    def send(port: int, messages: int, sessions: int, data: bytes) -> None:
        settings = Smtp(host="127.0.0.1", port=port, client=client, messages_per_connection=100_000)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_send_all([mail_session(settings) for _ in range(sessions)], messages, data))

    return send


async def _send_all(sessions: list[MailSession], messages: int, data: bytes) -> None:
    waiting = iter([Outgoing(SENDER, RECIPIENT, data, number) for number in range(messages)])
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


def _by_smtplib(port: int, messages: int, sessions: int, data: bytes) -> None:
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


CLIENTS: dict[str, Callable[[int, int, int, bytes], None]] = {
    "bulk": _by_session("bulk"),
    "plain": _by_session("plain"),
    "smtplib": _by_smtplib,
}

if __name__ == "__main__":
    main()
