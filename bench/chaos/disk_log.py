"""What programs did to the files of a folder, by strace's word, and what a power cut leaves of it. Pure.

A write is sure to be on the disk once its file was synced after it. Of the writes after that, a power cut leaves none,
all, or some: each whole, not at all, or in part, by sectors. A file whose name was never synced may be gone.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

CALLS = "openat,write,pwrite64,fsync,fdatasync,ftruncate,unlink,unlinkat,rename"
SECTOR = 512
_LINE = re.compile(r"(\d+)\s+(\d+\.\d+) (.*)")
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)")
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_DESCRIPTOR = re.compile(r"\d+<((?:\\x[0-9a-f]{2})*|[^>]*)>")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


class Kept(Enum):
    """What a power cut leaves of the writes that were not synced."""

    NONE = auto()
    ALL = auto()
    SOME = auto()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing done to a file."""

    at: float
    """Unix time at which it was begun."""
    call: str
    path: str
    offset: int = 0
    """Of a write, -1 for the end of the file; of ftruncate, the new size."""
    data: bytes = b""


@dataclass(slots=True)
class _File:
    content: bytearray
    is_named: bool
    """Its name is on the disk."""
    unsynced: list[Change] = field(default_factory=list)
    size: int = 0
    """With what is not synced yet."""


def read(lines: Iterable[str]) -> Iterator[Change]:
    """The changes in a log of `strace -f -ttt -y -xx -s LARGE`."""
    begun: dict[str, tuple[str, str]] = {}
    for line in lines:
        if (found := _LINE.match(line)) is None:
            continue
        pid, at, text = found.groups()
        if text.endswith(_UNFINISHED):
            begun[pid] = at, text.removesuffix(_UNFINISHED)
            continue
        if resumed := _RESUMED.match(text):
            at, start = begun.pop(pid, (at, ""))
            text = start + resumed[1]
        if (call := _CALL.match(text)) and int(call[3]) >= 0:
            yield from _change(float(at), call[1], call[2], int(call[3]))


def _change(at: float, call: str, arguments: str, result: int) -> Iterator[Change]:
    if call in ("unlink", "unlinkat", "rename"):
        if path := _STRING.search(arguments):
            yield Change(at, call, _octets(path[1]).decode())
        return
    if call == "openat":
        if "O_CREAT" in arguments and (path := _STRING.search(arguments)):
            yield Change(at, call, _octets(path[1]).decode())
        return
    descriptor = _DESCRIPTOR.match(arguments)
    if descriptor is None:
        return
    path_text = _octets(descriptor[1]).decode(errors="replace")
    numbers = [word.strip() for word in arguments.rpartition('"')[2].split(",")]
    data = _STRING.search(arguments, descriptor.end())
    octets = _octets(data[1])[:result] if data else b""
    if call == "pwrite64":
        yield Change(at, "write", path_text, int(numbers[-1]), octets)
    elif call == "write":
        yield Change(at, "write", path_text, -1, octets)
    elif call == "ftruncate":
        yield Change(at, call, path_text, int(arguments.rpartition(",")[2]))
    else:
        yield Change(at, "sync", path_text)


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", "")) if "\\x" in text else text.encode()


class Disk:
    """The files under a folder, by path relative to it."""

    def __init__(self, folder: str, files: dict[str, bytes]) -> None:
        self._folder = folder.rstrip("/") + "/"
        self._files = {name: _File(bytearray(data), True, size=len(data)) for name, data in files.items()}

    def apply(self, change: Change) -> None:
        """Take one change over."""
        if change.path + "/" == self._folder or (change.path.startswith(self._folder) and change.call == "sync"):
            self._sync(change.path.removeprefix(self._folder.rstrip("/")).lstrip("/"))
        elif change.path.startswith(self._folder):
            name = change.path.removeprefix(self._folder)
            if change.call in ("unlink", "unlinkat", "rename"):
                self._files.pop(name, None)
                return
            file = self._files.setdefault(name, _File(bytearray(), False))
            if change.call != "openat":
                self._add(file, change)

    def _add(self, file: _File, change: Change) -> None:
        if change.call == "ftruncate":
            file.size = change.offset
        else:
            offset = file.size if change.offset < 0 else change.offset
            change = Change(change.at, change.call, change.path, offset, change.data)
            file.size = max(file.size, offset + len(change.data))
        file.unsynced.append(change)

    def _sync(self, name: str) -> None:
        if file := self._files.get(name):
            for change in file.unsynced:
                _write(file.content, change, len(change.data))
            file.unsynced.clear()
            file.is_named = True
        else:  # a folder
            for path, each in self._files.items():
                if path.rpartition("/")[0] == name:
                    each.is_named = True

    def after_power_cut(self, kept: Kept, chance: random.Random) -> dict[str, bytes]:
        """What the disk holds when the machine comes back. Changes nothing."""
        left = {}
        for name, file in self._files.items():
            if name.endswith("-shm") or not (file.is_named or _is_kept(kept, chance)):
                continue
            content = bytearray(file.content)
            for change in file.unsynced:
                if _is_kept(kept, chance):
                    _write(content, change, len(change.data))
                elif kept is Kept.SOME and chance.random() < 0.5:
                    _write(content, change, chance.randrange(0, len(change.data) + 1, SECTOR))
            left[name] = bytes(content)
        return left


def _is_kept(kept: Kept, chance: random.Random) -> bool:
    return kept is Kept.ALL or (kept is Kept.SOME and chance.random() < 0.5)


def _write(content: bytearray, change: Change, octets: int) -> None:
    if change.call == "ftruncate":
        del content[change.offset :]
        content.extend(bytes(change.offset - len(content)))
        return
    content.extend(bytes(max(0, change.offset - len(content))))
    content[change.offset : change.offset + octets] = change.data[:octets]
