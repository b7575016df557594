"""Processes that stand still, clocks that jump, and a second control process."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.chaos.bed import PATIENCE_S, Bed, Fault, SkippedError, Tried, at_count, finish
from bench.chaos.place import Place, kill

PEOPLE = 1000
STILL_S = 12.0
"""More than twice as long as until a batch that nobody has begun counts as lost; what is begun has no lease that could
run out, but a lock that the kernel keeps."""
JUMPS_S = (3600, -3600, 86_400, -86_400)
WRONG_S = 6.0


def _standing_still(whom: Callable[[Place], list[int]]) -> Callable[[Bed], Tried]:
    def run(bed: Bed) -> Tried:
        tries = 4
        with bed.place(PEOPLE) as place:
            place.mailbox.take_time(0.02)
            place.send()
            place.start()
            for number in range(tries):
                at_count(place, number * PEOPLE // (tries + 1) + bed.chance.randint(1, 50))
                stopped = whom(place)
                for pid in stopped:
                    kill(pid, signal.SIGSTOP)
                time.sleep(STILL_S)
                for pid in stopped:
                    kill(pid, signal.SIGCONT)
            return Tried(tries, finish(place))

    return run


def _one_sender(place: Place) -> list[int]:
    return place.senders()[:1]


def _control(place: Place) -> list[int]:
    return [pid for pid in [place.control()] if pid is not None]


def _two_controls(bed: Bed) -> Tried:
    """Two are started at the same moment, again and again; then the one that runs is killed."""
    tries, people = (2, 300) if bed.is_short else (10, PEOPLE)
    complaints = []
    with bed.place(people) as place:
        place.mailbox.take_time(0.02)
        place.send()
        for number in range(tries):
            place.start()
            second = place.launch()
            at_count(place, number * people // (tries + 1) + 5, keep=False)
            running = [process for process in (place.process, second) if process is not None]
            place.wait_until(partial(_ended, running), patience_s=PATIENCE_S, keep=False)
            if _ended(running) != [1]:
                complaints.append(f"of two control processes these ended, and how: {_ended(running)}")
            place.kill_all()
            second.wait()
        verdict = finish(place)
    return Tried(tries, replace(verdict, complaints=[*complaints, *verdict.complaints]))


def _ended(processes: Sequence[subprocess.Popen[bytes]]) -> list[int]:
    """The exit codes of those that have ended."""
    return [code for code in (process.poll() for process in processes) if code is not None]


def _clock_jumps(bed: Bed) -> Tried:
    """Control and senders see a clock that is an hour or a day wrong, and then right again."""
    clock = bed.folder / "clock"
    _set(clock, 0)
    settings = {"LD_PRELOAD": _wrong_clock(bed.folder), "CHAOS_CLOCK": clock}
    jumps = JUMPS_S * 2
    with bed.place(PEOPLE, settings=settings) as place:
        place.mailbox.take_time(0.05)
        place.mailbox.misbehave(drop_after_dot=0.02)  # so that something waits while the clock is wrong
        place.send()
        place.start()
        for number, jump in enumerate(jumps):
            at_count(place, number * PEOPLE // (len(jumps) + 1) + 5)
            _set(clock, jump)
            time.sleep(WRONG_S)
            _set(clock, 0)
        return Tried(2 * len(jumps), finish(place))


def _set(clock: Path, seconds: int) -> None:
    with clock.open("r+b" if clock.exists() else "wb") as file:
        file.write(seconds.to_bytes(8, sys.byteorder, signed=True))


def _wrong_clock(folder: Path) -> Path:
    """The library that makes a clock wrong. Raises SkippedError where it can not be compiled."""
    library = folder / "wrong_clock.so"
    compiler = shutil.which("cc")
    if compiler is None:
        raise SkippedError("there is no C compiler to make a wrong clock with")
    source = Path(__file__).with_name("wrong_clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    return library


FAULTS = [
    Fault("SIGSTOP of a sender for 12 s", _standing_still(_one_sender)),
    Fault("SIGSTOP of control for 12 s", _standing_still(_control)),
    Fault("SIGSTOP of everything for 12 s", _standing_still(Place.everything)),
    Fault("two control processes started at once", _two_controls, is_short=True),
    Fault("clock wrong by an hour or a day, and right again", _clock_jumps),
]
