"""What every fault is tried on: a place with a receiver of its own, and the way to what came of it."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.chaos.mailbox import Mailbox, Taken
from bench.chaos.oracle import Verdict
from bench.chaos.place import Place

PATIENCE_S = 240.0


class SkippedError(Exception):
    """The fault can not be tried on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A fault that was tried so many times, and what came of it."""

    tries: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Fault:
    """One row of the table."""

    name: str
    run: Callable[[Bed], Tried]
    is_short: bool = False
    """Is it part of the short form."""
    is_alone: bool = False
    """Does it need the whole machine."""


@dataclass(frozen=True, slots=True)
class Bed:
    """Where one fault is tried."""

    folder: Path
    chance: random.Random
    is_short: bool
    tell: Callable[[str], None]

    @contextlib.contextmanager
    def place(
        self,
        people: int,
        *,
        folder: Path | None = None,
        senders: int = 2,
        more_senders: int = 0,
        settings: Mapping[str, object] | None = None,
        around: Sequence[str] = (),
        files: Mapping[str, bytes] | None = None,
        taken: Sequence[Taken] = (),
        campaigns: Sequence[str] = (),
    ) -> Iterator[Place]:
        """A place in which nothing runs yet; see Place.

        `files`: what is left of another one, of which `campaigns` were sent and `taken` had arrived.
        """
        number = len(list(self.folder.glob("*.log")))
        log, seed = self.folder / f"{number}.log", self.chance.randrange(2**32)
        workspace = folder or self.folder / f"place-{number}"
        log.write_text("".join(f"{each.at:.6f}\t{each.recipient}\t{each.message_id}\n" for each in taken))
        with Mailbox(log, seed) as mailbox:
            place = Place(
                workspace,
                mailbox,
                people,
                senders=senders,
                more_senders=more_senders,
                settings=settings,
                around=around,
            )
            with place:
                if files is None:
                    place.found()
                else:
                    place.lay_out(files, campaigns)
                yield place


def at_count(place: Place, count: int, *, keep: bool = True) -> bool:
    """Wait until the receiver took so many messages; False when they do not come."""
    return place.wait_until(lambda: place.mailbox.count() >= count, patience_s=PATIENCE_S, keep=keep)


def finish(place: Place, *, patience_s: float = PATIENCE_S) -> Verdict:
    """Let all campaigns come to their end, as they must by themselves, and judge."""
    started = time.monotonic()
    is_done = place.wait_until(place.is_done, patience_s=patience_s)
    complaints = [] if is_done else [f"not ended {time.monotonic() - started:.0f} s after the fault"]
    if is_done and (code := place.stop()):
        complaints.append(f"comms run ended with {code} when it was asked to end")
    place.kill_all()
    if "Traceback" in (errors := place.errors()):
        complaints.append("a traceback: " + errors[errors.index("Traceback") :].strip()[-300:])
    verdict = place.judge()
    return replace(verdict, complaints=[*complaints, *verdict.complaints])


@contextlib.contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, in memory. Raises SkippedError where that is not allowed."""
    if os.getuid() != 0 or shutil.which("mount") is None:
        raise SkippedError("only root can mount a small disk")
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        raise SkippedError(f"a small disk can not be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
