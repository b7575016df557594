"""Mapping files: for a table of no known source, a small TOML text that says which column is what.

`guess` writes one to be filled in, `read` imports a table as one says.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from audiences.attributes import clean_text
from audiences.errors import ImportFileError
from audiences.importing import plain
from audiences.importing.base import ImportRow, Refusal
from audiences.importing.files import source_file
from audiences.importing.layout import LANGUAGE_NAMES, MAX_NAME_CHARACTERS, TIMEZONE_NAMES, is_secret
from audiences.importing.plain import Columns
from audiences.importing.rows import read_rows
from audiences.models import attribute_name

ADDRESS = "address"
IGNORE = "ignore"
OPTED_OUT = "opted_out"
_ONCE = {
    "language": "language",
    "timezone": "timezone",
    "tags": "tags",
    "consent": "consent",
    "consent_date": "date",
    "consent_basis": "basis",
    "consent_source": "source",
    "consent_wording": "wording",
    "topics": "topics",
    "tracking": "tracking",
}
"""What at most one column can be -> where `Columns` keeps it."""
_KNOWN = {
    "language": LANGUAGE_NAMES,
    "timezone": TIMEZONE_NAMES,
    "tags": plain.TAG_NAMES,
    "consent": tuple(name for name in plain.CONSENT_NAMES if name != "status"),
}
_USUAL = {
    "first_name": r"(first|given|fore)_?name|vorname|pr[eé]nom|nombre",
    "last_name": r"(last|family)_?name|surname|nachname|nom|apellidos?",
    "name": r"(full|contact|display)_?name|name",
    "organization": r"(organi[sz]ation|company|institution|library|museum|archive|employer)(_name)?|firma",
    "city": r"city|town|stadt|ville|ciudad",
    "state": r"state|province|region",
    "postal_code": r"(zip|postal|post)_?(code)?|plz",
    "country": r"country|land|pays",
    "phone": r"(tele)?phone|mobile|tel",
}
_SAMPLE_ROWS = 50
_SAMPLE_CHARACTERS = 40
_MOST_BYTES = 1_000_000
_TABLE = "columns"
_INTRODUCTION = """\
# Which column of {name} is what. Change what stands on the right, and import again with this file.
#   address        the e-mail address (one column; without any, nobody in the table can be written to)
#   ignore         leave the column out
#   language, timezone, tags, topics
#   consent        yes or no;  consent_date, consent_basis, consent_source, consent_wording: its proof
#   opted_out      filled with anything but no: this person gets no mail
#   tracking       yes or no: may opens and clicks be recorded by name
#   anything else  keep the column under this name, such as first_name or city
# Two of the values stand behind each line.

[columns]
"""


def guess(path: Path) -> str:
    """A mapping file for a table: every column with a guess at what it is. Raises ImportFileError."""
    source = source_file(path)
    rows = [cells for _, cells in islice(read_rows(source), 1 + _SAMPLE_ROWS)]
    if not rows:
        raise ImportFileError(source.path, 0, "is empty")
    keys = _keys(rows[0])
    taken: set[str] = set()
    lines = []
    address = plain.likely_address(rows[1:])
    for position, key in enumerate(keys):
        cells = (clean_text(row[position][:1_000]) for row in rows[1:] if position < len(row))
        values = list(dict.fromkeys(cell for cell in cells if cell))
        meaning = ADDRESS if position == address else _likely(rows[0][position], bool(values), taken)
        taken.add(meaning)
        shown = ", ".join(_shortened(value) for value in values[:2])
        lines.append(f"{_quoted(key)} = {_quoted(meaning)}" + (f"  # {shown}" if shown else ""))
    return _INTRODUCTION.format(name=source.name) + "\n".join(lines) + "\n"


def read(path: Path, now: datetime, mapping_file: Path) -> Iterator[ImportRow | Refusal]:
    """Rows of a table whose columns are what the mapping file says.

    Raises ImportFileError, which names the mapping file, the line and the column when it is the one at fault.
    """
    mapping = _Mapping(mapping_file)
    return plain.read_columns(source_file(path), now, mapping.columns)


class _Mapping:
    """What a mapping file says, checked against the header of the table when that is known."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self._text = _text(path)
        try:
            data = tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            line = re.search(r"at line (\d+)", str(error))
            number = int(line[1]) if line else self._text.count("\n") + 1  # "at end of document"
            raise ImportFileError(self._path, number, f"is no TOML: {error}") from error
        except RecursionError as error:
            raise ImportFileError(self._path, 0, "is nested too deep for a mapping") from error
        columns = data.get(_TABLE)
        if not isinstance(columns, dict) or set(data) != {_TABLE}:
            raise ImportFileError(self._path, 0, f"must hold one table, [{_TABLE}], and nothing else")
        self._meanings: dict[str, str] = {}
        for key, meaning in columns.items():
            if not isinstance(meaning, str) or not attribute_name(meaning):
                raise self._error(key, 'must be set to a word in quotes, such as "first_name" or "ignore"')
            name = attribute_name(meaning)
            if len(name) > MAX_NAME_CHARACTERS:
                raise self._error(key, f"is set to a name of {len(name):,} characters")
            if is_secret(name):
                raise self._error(key, f"can not be kept as {name}: passwords are never kept")
            self._meanings[key] = name

    def columns(self, header: Sequence[str], path: str) -> Columns:
        """The positions of the columns. Raises ImportFileError."""
        keys = _keys(header)
        positions: dict[str, list[int]] = {}
        for key, meaning in self._meanings.items():
            if key not in keys:
                raise self._error(key, f"is no column of {path}; there are: {', '.join(keys[:20])}")
            positions.setdefault(meaning, []).append(keys.index(key))
        found = positions.get(ADDRESS, [])
        if len(found) > 1:
            raise ImportFileError(self._path, 0, f'{len(found)} columns are set to "{ADDRESS}"; only one can be')
        special = {ADDRESS, IGNORE, OPTED_OUT, *_ONCE}
        for meaning, at in positions.items():
            if len(at) > 1 and meaning not in (IGNORE, OPTED_OUT):
                raise self._error(keys[at[1]], f"is set to {meaning}, as {keys[at[0]]!r} is; only one column can be")
        attributes = {at[0]: meaning for meaning, at in positions.items() if meaning not in special}
        columns = Columns(next(iter(found), None), attributes, opt_outs=tuple(positions.get(OPTED_OUT, ())))
        once = {field: positions[meaning][0] for meaning, field in _ONCE.items() if meaning in positions}
        return replace(columns, **once)  # type: ignore[arg-type]  # every value of `once` is a position

    def _error(self, key: str, message: str) -> ImportFileError:
        starts = (_quoted(key), f"'{key}'", key)
        lines = enumerate(self._text.splitlines(), start=1)
        line = next((number for number, text in lines if text.lstrip().startswith(starts)), 0)
        return ImportFileError(self._path, line, f"column {clean_text(key)[:80]!r} {message}")


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ImportFileError(str(path), 0, f"is larger than {_MOST_BYTES:,} bytes; is it a mapping file?")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportFileError(str(path), 0, "is no text in UTF-8; is it a mapping file?") from error
    except OSError as error:
        raise ImportFileError(str(path), 0, f"can not be read: {error.strerror or error}") from error


def _keys(header: Sequence[str]) -> list[str]:
    """A name for each column that no other has: as in the header, numbered where it stands there twice."""
    keys: dict[str, None] = {}
    for position, cell in enumerate(header, start=1):
        name = key = clean_text(cell.removeprefix("\ufeff")[:1_000])[:MAX_NAME_CHARACTERS] or f"column {position}"
        number = 1
        while key in keys:
            number += 1
            key = f"{name} ({number})"
        keys[key] = None
    return list(keys)


def _likely(cell: str, filled: bool, taken: set[str]) -> str:
    """What a column of this name is, if no column before it is that already."""
    name = attribute_name(cell[:1_000])
    if not filled or is_secret(name):
        return IGNORE
    if name in plain.OPT_OUT_NAMES:
        return OPTED_OUT
    known = [meaning for meaning, names in _KNOWN.items() if name in names]
    usual = [meaning for meaning, names in _USUAL.items() if re.fullmatch(names, name)]
    free = (meaning for meaning in (*known, *usual, name) if meaning and meaning not in {*taken, ADDRESS})
    return next(free, IGNORE)[:MAX_NAME_CHARACTERS]


def _shortened(value: str) -> str:
    return value if len(value) <= _SAMPLE_CHARACTERS else value[: _SAMPLE_CHARACTERS - 1] + "…"


def _quoted(text: str) -> str:
    """As a basic string of TOML, of which JSON's strings are a part once DEL is gone; `clean_text` removes that."""
    return json.dumps(text, ensure_ascii=False)
