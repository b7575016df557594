"""The queue is emptied, locked, damaged, full, or dead: it is but an alarm clock."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import closing

from bench.chaos.bed import Bed, Fault, SkippedError, Tried, at_count, finish, small_disk
from bench.chaos.place import Place
from bench.sink import free_port

PEOPLE = 1000
LOCKED_S = 3.0
LOCKED_LONG_S = 35.0
"""Longer than Huey waits."""


def _sending(bed: Bed, place: Place, tries: int, break_it: Callable[[int], None]) -> Tried:
    """Break the queue at so many moments of a campaign."""
    place.mailbox.take_time(0.02)
    place.send()
    place.start()
    for number in range(tries):
        at_count(place, number * place.people // (tries + 1) + bed.chance.randint(1, 20))
        break_it(number)
    return Tried(tries, finish(place))


def _emptied(bed: Bed) -> Tried:
    with bed.place(150 if bed.is_short else PEOPLE) as place:

        def empty(_: int) -> None:
            with closing(sqlite3.connect(place.folder / "queue.db", timeout=30)) as db, db:
                db.execute("DELETE FROM task")

        return _sending(bed, place, 3 if bed.is_short else 10, empty)


def _deleted(bed: Bed) -> Tried:
    with bed.place(PEOPLE) as place:

        def delete(_: int) -> None:
            place.kill_all()
            for path in place.folder.glob("queue.db*"):
                path.unlink()

        return _sending(bed, place, 4, delete)


def _damaged(bed: Bed) -> Tried:
    with bed.place(PEOPLE) as place:

        def damage(number: int) -> None:
            place.kill_all()
            for path in place.folder.glob("queue.db-*"):
                path.unlink()
            queue = place.folder / "queue.db"
            data = bytearray(queue.read_bytes())
            for _ in range(200):
                data[bed.chance.randrange(100 if number % 2 else 0, len(data))] ^= 0xFF
            queue.write_bytes(data)

        return _sending(bed, place, 4, damage)


def _locked(bed: Bed) -> Tried:
    with bed.place(PEOPLE) as place:

        def lock(number: int) -> None:
            with closing(sqlite3.connect(place.folder / "queue.db", timeout=30, isolation_level=None)) as db:
                db.execute("BEGIN EXCLUSIVE")
                time.sleep(LOCKED_LONG_S if number == 1 else LOCKED_S)
                db.execute("ROLLBACK")

        return _sending(bed, place, 4, lock)


def _full(bed: Bed) -> Tried:
    with small_disk(bed.folder / "disk", 1) as disk, bed.place(PEOPLE) as place:
        (place.folder / "queue.db").symlink_to(disk / "queue.db")
        ballast = disk / "ballast"

        def fill(_: int) -> None:
            with ballast.open("wb", buffering=0) as file:
                try:
                    while True:
                        file.write(bytes(512))
                except OSError:
                    pass
            time.sleep(LOCKED_S)
            ballast.unlink()

        return _sending(bed, place, 4, fill)


class _Redis:
    """A Redis server that keeps nothing on disk."""

    def __init__(self) -> None:
        if shutil.which("redis-server") is None:
            raise SkippedError("redis-server is not installed")
        self.port = free_port()
        self.start()

    def start(self) -> None:
        words = ["redis-server", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def tell(self, *words: str) -> None:
        subprocess.run(["redis-cli", "-p", str(self.port), *words], check=True, capture_output=True)


def _redis_dies(bed: Bed) -> Tried:
    redis = _Redis()

    def die(_: int) -> None:
        redis.kill()
        time.sleep(bed.chance.uniform(0, 2))
        redis.start()

    return _over_redis(bed, redis, die)


def _redis_is_full(bed: Bed) -> Tried:
    redis = _Redis()

    def fill(_: int) -> None:
        redis.tell("CONFIG", "SET", "maxmemory", "1")
        time.sleep(LOCKED_S)
        redis.tell("CONFIG", "SET", "maxmemory", "0")

    return _over_redis(bed, redis, fill)


def _over_redis(bed: Bed, redis: _Redis, break_it: Callable[[int], None]) -> Tried:
    try:
        with bed.place(PEOPLE, settings={"COMMS_QUEUE__URL": f"redis://127.0.0.1:{redis.port}/0"}) as place:
            return _sending(bed, place, 4, break_it)
    finally:
        redis.kill()


FAULTS = [
    Fault("queue emptied", _emptied, is_short=True),
    Fault("queue file deleted", _deleted),
    Fault("queue file damaged", _damaged),
    Fault("queue file locked", _locked),
    Fault("queue file full", _full),
    Fault("Redis killed and back, empty", _redis_dies),
    Fault("Redis full", _redis_is_full),
]
