"""Where messages come from: files, mbox files, folders and maildirs, standard input. Reads; decides nothing."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from comms.engagement.bounces.mime import LONGEST_MESSAGE

STANDARD_INPUT = "-"
_LARGEST_MBOX = 512_000_000
_MBOX_LINE = re.compile(rb"^From [^\r\n]{1,300}\d\d:\d\d[^\r\n]{0,100}\r?\n(?=[!-9;-~]{1,100}:|>?From )", re.MULTILINE)
_MAILDIR = ("cur", "new")


@dataclass(frozen=True)
class Message:
    """The bytes of one message. `file` names where it came from, as the user called it; `number` counts in an mbox."""

    file: str
    data: bytes
    number: int = 1


@dataclass(frozen=True)
class Unreadable:
    """A file that could not be read, and why in words."""

    file: str
    why: str


def files_in(names: list[str]) -> list[str]:
    """Every file that the names stand for: folders give what lies in them, without hidden files, in order of name.

    A maildir gives what lies in `cur` and `new`. A name that does not exist stays in the list, to be reported.
    """
    found: list[str] = []
    for name in names:
        path = Path(name)
        if name == STANDARD_INPUT or not path.is_dir():
            found.append(name)
            continue
        boxes = [path / box for box in _MAILDIR if (path / box).is_dir()]
        files = (file for box in boxes or [path] for file in (box.iterdir() if boxes else box.rglob("*")))
        found += sorted(str(f) for f in files if f.is_file() and not _is_hidden(f.relative_to(path)))
    return found


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def messages_in(file: str) -> Iterator[Message | Unreadable]:
    """The messages of one file: one, or those of an mbox. A file that can not be read gives its reason."""
    try:
        data = _read(file)
    except OSError as error:
        yield Unreadable(file, (error.strerror or str(error)).lower())
        return
    except ValueError:
        yield Unreadable(file, "this can not be the name of a file")
        return
    if not data.strip():
        yield Unreadable(file, "it is empty")
        return
    for number, message in enumerate(_split(data), start=1):
        yield Message(file, message[:LONGEST_MESSAGE], number)


def _read(file: str) -> bytes:
    if file == STANDARD_INPUT:
        return sys.stdin.buffer.read(_LARGEST_MBOX)
    with Path(file).open("rb") as stream:
        return stream.read(_LARGEST_MBOX)


def _split(data: bytes) -> list[bytes]:
    """The messages of an mbox (RFC 4155); anything else is one message."""
    if not data.startswith(b"From "):
        return [data]
    starts = [match.start() for match in _MBOX_LINE.finditer(data) if _after_blank(data, match.start())]
    if not starts or starts[0] != 0:
        starts.insert(0, 0)
    return [data[start:end] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)]


def _after_blank(data: bytes, position: int) -> bool:
    return position == 0 or data[max(0, position - 4) : position].endswith((b"\n\n", b"\r\n\r\n"))
