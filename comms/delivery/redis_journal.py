"""Journals in Redis, for senders that share no disk with control; control reads them there and closes them.

A journal is a list of sealed chunks of lines, which only ever grows: a sender appends a chunk if the list is as long
as that sender left it, and control closes it by appending a mark. So whoever was closed out, or whose journal the
server has forgotten, notices before the next message goes out, and a sender that is cut off stops by itself.

A sender asks for leave ahead: one chunk says of the next few items that they may have arrived from now on, and brings
the answers that came since the last. What control finds of a sender that is gone is in doubt for these few alone.

A journal is worth what the server keeps. A server that was started anew may have forgotten the newest lines, so what an
earlier start of it handed out is not begun, and what was begun under one is not trusted.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from redis import Redis
from redis.exceptions import RedisError

from comms.delivery.batches import Receipt
from comms.delivery.journal import Reading, done_line, line, read_lines
from comms.keys import TamperedError, WorkspaceKey

LEASE_S = 30.0
"""How long after its last sign of life a sender still holds its batch."""
PULSE_S = 5.0
"""How often a sender gives one."""
AHEAD = 20
"""Items that one chunk announces: a message costs this part of a round trip to Redis, and a kill puts about as many in
doubt."""
KEEP_S = 12 * 3600
"""How long a journal stays, closed or not: twice as long as a batch may be begun."""
ANSWER_S = 10.0
"""Longest wait for an answer of Redis."""
_CLOSED = b"closed"

# Each is one step for the server, and can be asked again when its answer was lost. Times are in milliseconds.
_BEGIN = """
local first = redis.call('LINDEX', KEYS[1], 0)
if first then return first == ARGV[1] and 1 or 0 end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SET', KEYS[2], 1, 'PX', ARGV[3])
return 1
"""
_APPEND = """
local length = redis.call('LLEN', KEYS[1])
if length == ARGV[1] + 1 and redis.call('LINDEX', KEYS[1], -1) == ARGV[2] then return 1 end
if length ~= tonumber(ARGV[1]) then return 0 end
if ARGV[2] ~= '' then redis.call('RPUSH', KEYS[1], ARGV[2]) end
if ARGV[3] == '0' then redis.call('DEL', KEYS[2]) else redis.call('SET', KEYS[2], 1, 'PX', ARGV[3]) end
return 1
"""
_RECLAIM = """
if redis.call('EXISTS', KEYS[2]) == 1 then return false end
if redis.call('LINDEX', KEYS[1], -1) ~= ARGV[1] then redis.call('RPUSH', KEYS[1], ARGV[1]) end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('LRANGE', KEYS[1], 0, -2)
"""
_SETTLE = """
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_ENROL = """
local now = redis.call('TIME')[1]
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - ARGV[2])
redis.call('ZADD', KEYS[1], now, ARGV[1])
return redis.call('SISMEMBER', KEYS[2], ARGV[1])
"""
_ROLL = """
local now = redis.call('TIME')[1]
return redis.call('ZRANGEBYSCORE', KEYS[1], now - ARGV[1], '+inf')
"""


def prefix(key: WorkspaceKey) -> str:
    """What all names of a workspace in Redis begin with, so that several can share a server."""
    return f"comms-{key.derive('queue').hex()[:16]}"


class RedisJournals:
    """The journals of a workspace's senders elsewhere, for the senders and for control.

    Raises RedisError when the server can not be asked; `begin` and what it returns raise OSError then.
    """

    def __init__(self, url: str, key: WorkspaceKey) -> None:
        self._redis: Any = Redis.from_url(url, socket_timeout=ANSWER_S, socket_connect_timeout=ANSWER_S)
        self._key = key
        self._prefix = prefix(key)
        self._begin, self._append, self._reclaim, self._settle, self._enrol, self._roll = map(
            self._redis.register_script, (_BEGIN, _APPEND, _RECLAIM, _SETTLE, _ENROL, _ROLL)
        )

    def server(self) -> str:
        """Names this start of the server: another one may have forgotten what this one knew."""
        return str(self._redis.info("server")["run_id"])

    # --- for senders --------------------------------------------------------------------------

    def begin(self, batch: str, items: Sequence[int], handed_by: str) -> RedisJournal | None:
        """As `SenderJournals.begin`."""
        first = self._key.seal(line("begin", handed_by))
        try:
            if not self._begin(self._keys(batch), [first, KEEP_S * 1000, int(LEASE_S * 1000)]):
                return None
            if self.server() != handed_by:  # asked last: what is forgotten after this is noticed by its length
                return None
        except RedisError as error:
            raise OSError(f"Redis does not answer: {error}") from error
        return RedisJournal(self, batch, items)

    def seal(self, lines: bytes) -> bytes:
        """The lines as a chunk."""
        return self._key.seal(lines)

    def append(self, batch: str, length: int, chunk: bytes, *, lease_s: float) -> bool:
        """Append `chunk` (nothing when empty) to a journal that must be `length` chunks long, and hold the batch for
        `lease_s` more. False when it is not so long: the batch is another's now. Raises OSError."""
        try:
            return bool(self._append(self._keys(batch), [length, chunk, int(lease_s * 1000)]))
        except RedisError as error:
            raise OSError(f"Redis does not answer: {error}") from error

    def enrol(self, name: str) -> bool:
        """Give a sign of life of a sender; True once control knows of it, so that it may begin."""
        return bool(self._enrol([f"{self._prefix}-senders", f"{self._prefix}-known"], [name, KEEP_S]))

    def leave(self, name: str) -> None:
        """A sender ends."""
        self._redis.zrem(f"{self._prefix}-senders", name)

    # --- for control --------------------------------------------------------------------------

    def senders(self) -> set[str]:
        """Senders elsewhere that gave a sign of life within the lease."""
        return {name.decode("utf-8", "replace") for name in self._roll([f"{self._prefix}-senders"], [int(LEASE_S)])}

    def acknowledge(self, names: set[str]) -> None:
        """Let senders begin: control has written down that there are some."""
        self._redis.sadd(f"{self._prefix}-known", *names)

    def was_begun(self, batch: str) -> bool:
        """As `Journals.was_begun`."""
        return bool(self._redis.exists(self._keys(batch)[0]))

    def reclaim(self, batch: str, *, trusted: str) -> Reading | None:
        """As `Journals.reclaim`; only what was begun under the start `trusted` of the server is trustworthy."""
        chunks = self._reclaim(self._keys(batch), [_CLOSED, KEEP_S * 1000])
        if chunks is None:
            return None
        try:
            lines = b"".join(self._key.unseal(chunk) for chunk in chunks if chunk != _CLOSED).splitlines()
        except TamperedError:
            return Reading((), frozenset(), trustworthy=False)
        return read_lines(lines[1:], trustworthy=not lines or lines[0] + b"\n" == line("begin", trusted))

    def settle(self, batch: str) -> None:
        """As `Journals.settle`."""
        self._settle(self._keys(batch), [_CLOSED, KEEP_S * 1000])

    def _keys(self, batch: str) -> list[str]:
        return [f"{self._prefix}-journal-{batch}", f"{self._prefix}-held-{batch}"]


class RedisJournal:
    """The journal of a batch that this process is working on. A thread of its own keeps hold of the batch."""

    def __init__(self, journals: RedisJournals, batch: str, items: Sequence[int]) -> None:
        self._journals = journals
        self._batch = batch
        self._order = items
        self._places = {item: place for place, item in enumerate(items)}
        self._announced: set[int] = set()
        self._answered: set[int] = set()
        self._answers: list[bytes] = []
        self._pending = b""
        self._length = 1
        self._broken = ""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._pulse = threading.Thread(target=self._keep_hold, name="pulse", daemon=True)
        self._pulse.start()

    def about_to(self, item: int) -> None:
        """As `OpenJournal.about_to`: announces the item, and those after it, unless that was done before.

        Each of several mail servers has a stretch of the batch, so what follows an item goes next where it goes.
        """
        if item in self._announced and item not in self._answered and not self._broken:
            return
        place = self._places.get(item, len(self._order))
        following = self._order[place + 1 : place + AHEAD]
        items = [item, *(each for each in following if each not in self._announced)]
        self._say(line("dot", *items))
        self._announced.update(items)
        self._answered.discard(item)  # it is tried anew, such as by another server

    def done(self, receipt: Receipt) -> None:
        """As `OpenJournal.done`: the answer goes with the next chunk."""
        self._answered.add(receipt.item)
        with self._lock:
            self._answers.append(done_line(receipt))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._pulse.join()
        with contextlib.suppress(OSError):  # the report says the same
            self._say(is_last=True)

    def _keep_hold(self) -> None:
        while not self._ended.wait(PULSE_S):
            with contextlib.suppress(OSError):  # tried again; the next announcement will tell
                self._say()

    def _say(self, announcement: bytes = b"", *, is_last: bool = False) -> None:
        lease_s = 0.0 if is_last else LEASE_S
        with self._lock:
            if self._pending:
                self._push(lease_s)
            lines = b"".join(self._answers) + announcement
            self._pending = self._journals.seal(lines) if lines else b""
            self._answers.clear()
            self._push(lease_s)

    def _push(self, lease_s: float) -> None:
        """Bring what is pending into the journal; the very same chunk again if it is not known to have arrived."""
        if self._broken:
            raise OSError(self._broken)
        if not self._journals.append(self._batch, self._length, self._pending, lease_s=lease_s):
            self._broken = "the batch was taken from this sender, which was cut off or too slow"
            raise OSError(self._broken)
        self._length += bool(self._pending)
        self._pending = b""
