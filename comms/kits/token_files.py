"""The files by which lists are compared: keys, lists of tokens, the hub's answers, lists of whom to leave out.

Needs no workspace and no connection. Addresses stand in the first and the last of them only, at the association.

    members.csv --key--> tokens.csv  (header `token:<name of the key>`)          goes to the hub
    answer.csv                       (`token:<name of the key>,answer`; `send` or `leave`)  comes back
    members.csv, answer.csv --key--> exclude.csv  (header `email`)               stays here
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from audiences.errors import ImportFileError
from audiences.exporting.formulas import guarded
from audiences.importing import detect
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.rows import read_rows
from audiences.models import TRACKING, ConsentState
from comms.errors import StateError, UsageError
from comms.files import write_whole
from comms.kits.tokens import TOKEN, RelayKey

SEND, LEAVE = "send", "leave"
_HEADER = "token:"
_KEY_BYTES = 1_000
"""More is no key."""


@dataclass(frozen=True, slots=True)
class TokenList:
    """The people of a file who may be written to, by token."""

    addresses: Mapping[str, str]
    """Token -> address, as it stands in the file."""
    left_out: int = 0
    """Rows of people who opted out, bounced or want no relays, and of those without an address."""
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Matched:
    """What an answer means for a list."""

    leave: tuple[str, ...]
    """Addresses that another association writes to, in the order of the list."""
    send: int = 0
    unanswered: int = 0
    """Of the list, those that the answer does not name: they count as to be sent to."""
    foreign: int = 0
    """Tokens of the answer that are nobody in the list."""


def read_key(path: Path) -> RelayKey:
    """Raises UsageError for a file that holds none."""
    try:
        with path.open("rb") as file:
            text = file.read(_KEY_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise UsageError(f"{path} can not be read: {error.strerror}.", hint="Name the file with the key.") from error
    try:
        return RelayKey.read(text)
    except UsageError as error:
        raise UsageError(f"{path}: {error.message}", hint=error.hint) from error


def write_key(path: Path, key: RelayKey) -> None:
    """A new file that its owner alone can read. Raises StateError rather than replace one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        hint = "Each campaign has a key of its own: name a new file."
        raise StateError(f"{path} exists already.", hint=hint) from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(key.text)
        file.flush()
        os.fsync(descriptor)


def read_list(path: Path, key: RelayKey, now: datetime) -> TokenList:
    """The people of an export of any tool that can be imported; `now` is for rows that say no time themselves.

    Raises ImportFileError for a file that can not be read as a list.
    """
    addresses: dict[str, str] = {}
    refused: list[Refusal] = []
    left_out: set[str] = set()
    without = 0
    for row in detect.read(path, now):
        if isinstance(row, Refusal):
            refused.append(row)
        elif row.address is None:
            without += 1
        elif _stopped(row):
            left_out.add(key.token(row.address))
        else:
            addresses.setdefault(key.token(row.address), row.address)
    # Who opted out in one row opted out, whatever another row says.
    kept = {token: address for token, address in addresses.items() if token not in left_out}
    return TokenList(kept, len(left_out) + without, tuple(refused))


def write_tokens(path: Path, key: RelayKey, tokens: Iterable[str]) -> None:
    """In the order of the tokens, which says nothing of the order of the list. Raises StateError as all of these do
    for a file that is there already."""
    _write_new(path, _table([[f"{_HEADER}{key.name}"], *([token] for token in sorted(tokens))]))


def read_tokens(path: Path) -> tuple[str, frozenset[str]]:
    """The name of the key, and the tokens. Raises UsageError, with the line, for a file that is no list of tokens."""
    name, rows = _rows(path)
    return name, frozenset(token for _, token, _ in rows)


def write_answer(path: Path, name: str, tokens: Iterable[str], leave: frozenset[str]) -> None:
    """The hub's answer to a list, under the name of its key."""
    rows = ([token, LEAVE if token in leave else SEND] for token in sorted(tokens))
    _write_new(path, _table([[f"{_HEADER}{name}", "answer"], *rows]))


def match(path: Path, key: RelayKey, people: TokenList) -> Matched:
    """What the answer in a file says of a list.

    Raises UsageError, with the line, for a file that is no answer, and for one to tokens of another key.
    """
    name, rows = _rows(path)
    if name != key.name:
        raise UsageError(
            f"{path} answers tokens of another key ({name}; this one is {key.name}).",
            hint="Take the key that the tokens were made with: each campaign has its own.",
        )
    said: dict[str, str] = {}
    for line, token, answer in rows:
        if answer not in (SEND, LEAVE):
            raise UsageError(f"{path}:{line}: the answer is neither `{SEND}` nor `{LEAVE}`.", hint=_ASK)
        said[token] = answer
    leave = tuple(address for token, address in people.addresses.items() if said.get(token) == LEAVE)
    known = sum(token in said for token in people.addresses)
    return Matched(leave, known - len(leave), len(people.addresses) - known, len(said) - known)


def write_exclude(path: Path, addresses: Iterable[str]) -> None:
    """A list of addresses as tools take it for whom not to send to."""
    _write_new(path, _table([["email"], *([guarded(address)] for address in addresses)]))


_ASK = "Ask for the file again, and do not save it from a spreadsheet."


def _stopped(row: ImportRow) -> bool:
    said_no = any(each.state is ConsentState.WITHDRAWN and each.topic != TRACKING for each in row.consents)
    return said_no or row.suppression is not None or row.refuses_relays


def _rows(path: Path) -> tuple[str, Iterator[tuple[int, str, str]]]:
    """The name of the key, then line, token and answer of each row; the answer is empty where there is none."""
    try:
        table = read_rows(source_file(path))
        _, header = next(table, (1, [""]))
    except ImportFileError as error:
        raise UsageError(f"{error}.", hint=_ASK) from error
    if not header[0].startswith(_HEADER):
        raise UsageError(f"{path}:1: this is no list of tokens: it does not begin with `{_HEADER}`.", hint=_ASK)
    return header[0].removeprefix(_HEADER), _checked(path, table)


def _checked(path: Path, table: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, str, str]]:
    try:
        for line, cells in table:
            if not TOKEN.fullmatch(cells[0] if cells else ""):
                raise UsageError(f"{path}:{line}: the first cell is no token.", hint=_ASK)
            yield line, cells[0], cells[1].strip() if len(cells) > 1 else ""
    except ImportFileError as error:
        raise UsageError(f"{error}.", hint=_ASK) from error


def _write_new(path: Path, data: bytes) -> None:
    if path.exists():
        raise StateError(f"{path} exists already.", hint="Name a new file; nothing is overwritten here.")
    write_whole(path, data)


def _table(rows: Iterable[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode("utf-8", "replace")
