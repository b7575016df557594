"""Measures the mail clients alone, against Postfix's smtp-sink, beside Postfix's own load generator smtp-source.

    python -m bench.wire [--messages 10000] [--sessions 10] [--kilobytes 10 40] [--rounds 5]

Every round runs each client once, so that all see the same neighbours on the machine; the table shows medians.
Processor seconds are those of the client for 10,000 messages, without its start. It needs Debian's package
`postfix` (no service of it), and ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from bench import peers
from bench.report import print_json, print_table
from bench.sink import require, run_source, sink

SLOW_SHARE = 5
"""The clients that go one command at a time are given so many times fewer messages."""
NAMES = ("smtp-source", "bulk", "plain", "smtplib")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--kilobytes", type=int, nargs="+", default=[10, 40])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    require()
    figures: dict[str, object] = {"bench": "wire", "sessions": options.sessions}
    with tempfile.TemporaryDirectory(prefix="comms-bench-") as scratch:
        for kilobytes in options.kilobytes:
            mail = Path(scratch, f"{kilobytes}.eml")
            mail.write_bytes(_message(kilobytes * 1000))
            figures |= _compare(options, kilobytes, mail)
    print_json(figures)


def _compare(options: argparse.Namespace, kilobytes: int, mail: Path) -> dict[str, float]:
    speeds: dict[str, list[float]] = {name: [] for name in NAMES}
    processor: dict[str, list[float]] = {name: [] for name in NAMES}
    for round_number in range(options.rounds + 1):
        for name in NAMES:
            messages = options.messages if name in ("smtp-source", "bulk") else options.messages // SLOW_SHARE
            with sink() as server:
                if name == "smtp-source":
                    seconds, used = run_source(server.port, messages, options.sessions, kilobytes * 1000)
                else:
                    seconds, used = peers.run(name, server.port, messages, options.sessions, mail)
            if round_number:  # the first warms up
                speeds[name].append(messages / seconds)
                processor[name].append(used / messages * 10_000)
    print(f"\n{kilobytes} KB, {options.sessions} sessions, medians of {options.rounds}")
    rows: list[list[str]] = []
    figures: dict[str, float] = {}
    for name in NAMES:
        speed, used = statistics.median(speeds[name]), statistics.median(processor[name])
        ratio = statistics.median(mine / its for mine, its in zip(speeds[name], speeds["smtp-source"], strict=True))
        rows.append([name, f"{speed:,.0f}", f"{ratio:.2f}", f"{used:.2f}"])
        key = f"{name.replace('-', '_')}_{kilobytes}kb"
        figures |= {f"rate_{key}": float(round(speed)), f"cpu_s_per_10k_{key}": round(used, 2)}
        if name == "bulk":
            figures[f"ratio_wire_{kilobytes}kb"] = round(ratio, 3)
    print_table(["client", "messages/s", "of smtp-source", "CPU s/10,000"], rows)
    return figures


def _message(size: int) -> bytes:
    line = b"The quick brown fox jumps over the lazy dog. The five boxing wizards jump =\r\n"
    head = b"From: news@coalition.example\r\nTo: reader@example.org\r\nSubject: a bench\r\n\r\n"
    body = line * ((size - len(head)) // len(line))
    return head + body + b"x" * (size - len(head) - len(body) - 2) + b"\r\n"


if __name__ == "__main__":
    main()
