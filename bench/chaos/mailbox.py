"""The driver's side of the receiver: starts it, tells it how to behave, and reads its log."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from bench.chaos.receiver import MISDEEDS

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that the receiver took, whether or not its answer arrived."""

    at: float
    """Unix time."""
    recipient: str
    message_id: str

    @property
    def campaign(self) -> str:
        """The campaign that the Message-ID names: `<campaign.association.delivery@domain>`."""
        return self.message_id.lstrip("<").partition(".")[0]


class Mailbox:
    """One receiver in a process of its own."""

    def __init__(self, log: Path, seed: int) -> None:
        self.log = log
        log.touch()
        words = [sys.executable, "-m", "bench.chaos.receiver", str(log), str(seed)]
        self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders, self._events = self._process.stdin, self._process.stdout
        self.port = int(self._events.readline())
        self._count, self._read_to = 0, 0

    def __enter__(self) -> Mailbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._orders.close()
        self._events.close()

    def misbehave(self, **shares: float) -> None:
        """Do each fault in such a share of tries (`drop_after_dot=0.1`), and no other; nothing named: behave."""
        self._order(faults={name.replace("_", "-"): share for name, share in shares.items()})

    def take_time(self, seconds: float) -> None:
        """So long a message takes on each session."""
        self._order(delay=seconds)

    def wait_for(self, moment: str, *, after: int, patience_s: float) -> int | None:
        """Wait until some session comes to the moment for the `after`th time, and hold it there.

        Returns the sender's port, for `go_on`; None when it did not come in time.
        """
        self._order(watch=moment, after=after)
        port = self._next_event(patience_s)
        if port is None:
            self._order(watch="")
            while late := self._next_event(0.05):  # it came in this very moment
                self.go_on(late)
        return port

    def go_on(self, port: int) -> None:
        self._order(go=port)

    def count(self) -> int:
        """Messages taken so far."""
        with self.log.open("rb") as file:
            file.seek(self._read_to)
            data = file.read()
        self._read_to += len(data)
        self._count += data.count(b"\n")
        return self._count

    def taken(self) -> list[Taken]:
        """Every message taken so far, in order."""
        lines = (line.split("\t") for line in self.log.read_text(encoding="utf-8").splitlines())
        return [Taken(float(at), recipient, message_id) for at, recipient, message_id in lines]

    def misdeeds(self) -> int:
        """How often the receiver did what it was told to do wrong."""
        return len(self.log.with_name(self.log.name + MISDEEDS).read_bytes().splitlines())

    def _order(self, **order: Any) -> None:
        self._orders.write(json.dumps(order).encode() + b"\n")
        self._orders.flush()

    def _next_event(self, patience_s: float) -> int | None:
        if not select.select([self._events], [], [], patience_s)[0]:
            return None
        return int(json.loads(self._events.readline())["port"])


def copies(taken: list[Taken]) -> Mapping[tuple[str, str], int]:
    """(campaign, recipient) -> how many messages of it were taken."""
    return Counter((each.campaign, each.recipient) for each in taken)
