"""Postfix's smtp-sink, which takes every mail and forgets it, and smtp-source, which sends as fast as one can."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

SLEEP_S = 0.02


def require() -> None:
    """Raises SystemExit, with the reason, when Postfix's tools are not here."""
    if missing := [name for name in ("smtp-sink", "smtp-source") if tool(name) is None]:
        raise SystemExit(f"not found: {', '.join(missing)}; they are in Debian's package postfix")


def tool(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


class Sink:
    """One smtp-sink on this machine, and how many messages it took."""

    def __init__(self, port: int, counters: Path) -> None:
        self.port = port
        self._counters = counters

    def messages(self) -> int:
        """Taken so far; it writes its counters whenever one changes."""
        with self._counters.open("rb") as file:
            file.seek(max(0, self._counters.stat().st_size - 200))
            *_, last = [0, *(int(each.split()[0]) for each in file.read().split(b"mesg=")[1:])]
        return last


def free_port() -> int:
    """One that nothing listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def sink() -> Iterator[Sink]:
    port = free_port()
    user = ["-u", "nobody"] if os.getuid() == 0 else []  # it refuses to run as root
    with tempfile.TemporaryDirectory(prefix="comms-sink-") as scratch:
        counters = Path(scratch, "counters")
        with counters.open("wb") as file:
            words = [tool("smtp-sink") or "", "-c", *user, f"127.0.0.1:{port}", "1000"]
            process = subprocess.Popen(words, stdout=file)
        try:
            for _ in range(100):
                with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(SLEEP_S)
            yield Sink(port, counters)
        finally:
            process.kill()
            process.wait()


def run_source(port: int, messages: int, sessions: int, size: int) -> tuple[float, float]:
    """(seconds, processor seconds) that smtp-source takes for messages of `size` octets over kept sessions."""
    words = [tool("smtp-source") or "", "-d", "-s", str(sessions), "-l", str(size), "-m", str(messages)]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*words, f"127.0.0.1:{port}"], check=True)
    seconds = time.perf_counter() - started
    return seconds, used(before, resource.getrusage(resource.RUSAGE_CHILDREN))


def used(before: resource.struct_rusage, after: resource.struct_rusage) -> float:
    """Processor seconds between two looks."""
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
