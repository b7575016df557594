"""Files with the figures of many associations, one row each: CSV, TSV or a workbook -> figures, or what is wrong where.

    association,copies,people,clicks,replies
    iowa,1200,1150,140,6

Knows of no workspace: whether the associations are there, others look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from audiences.errors import ImportFileError
from audiences.importing.files import source_file
from audiences.importing.rows import read_rows
from campaigns.figures import FIELDS, ToldFigures, read
from comms.errors import UsageError

ASSOCIATION = "association"
COLUMNS = (ASSOCIATION, *FIELDS)
REQUIRED = (ASSOCIATION, "copies")
MOST_ROWS = 10_000
_HINT = f"The first row names the columns: {', '.join(COLUMNS)}."
_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Row:
    """What one association tells."""

    line: int
    association: str
    """As it stands there: a slug, if it is right."""
    figures: ToldFigures


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one place."""

    line: int
    field: str
    """Column; empty where it is about the whole row."""
    message: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that stands in a file. Nothing of one with problems is to be used."""

    rows: tuple[Row, ...]
    problems: tuple[Problem, ...]


def read_file(path: Path) -> Sheet:
    """Raises UsageError, with the line, for a file that is no table, has no such columns, or no rows below them."""
    try:
        table = read_rows(source_file(path))
        line, header = next(table, (0, []))
        names = [cell.strip().lower() for cell in header]
        _check_header(path, line, names)
        found: list[Row] = []
        problems: list[Problem] = []
        lines: dict[str, int] = {}
        for at, cells in table:
            if len(found) + len(problems) >= MOST_ROWS:
                raise UsageError(f"{path}:{at}: the file has more than {MOST_ROWS:,} rows.", hint="Split it.")
            for each in _row(at, names, cells, lines):
                if isinstance(each, Row):
                    found.append(each)
                else:
                    problems.append(each)
    except ImportFileError as error:
        raise UsageError(f"{error}.", hint="Save it as CSV in UTF-8, and try again.") from error
    if not found and not problems:
        raise UsageError(f"{path} has no row of figures.", hint=_HINT)
    return Sheet(tuple(found), tuple(problems))


def _check_header(path: Path, line: int, names: Sequence[str]) -> None:
    place = f"{path}:{line}" if line else str(path)
    for name in names:
        if name and name not in COLUMNS:
            raise UsageError(f"{place}: no figures stand in a column {_shown(name)!r}.", hint=_HINT)
        if name and names.count(name) > 1:
            raise UsageError(f"{place}: there are two columns {name!r}.", hint=_HINT)
    if missing := [name for name in REQUIRED if name not in names]:
        raise UsageError(f"{place}: there is no column {missing[0]!r}.", hint=_HINT)


def _row(line: int, names: Sequence[str], cells: Sequence[str], lines: dict[str, int]) -> Iterator[Row | Problem]:
    """The row, or everything that is wrong with it. `lines` is where each association stood first."""
    values: Mapping[str, str] = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name}
    beyond = [cell for at, cell in enumerate(cells) if cell.strip() and (at >= len(names) or not names[at])]
    association = values.get(ASSOCIATION, "")
    if beyond:
        yield Problem(line, "", f"{_shown(beyond[0])!r} stands under no column; a number with a comma needs quotes")
        return
    if not association:
        yield Problem(line, ASSOCIATION, "no association is named")
    elif (first := lines.setdefault(association, line)) != line:
        yield Problem(line, ASSOCIATION, f"{_shown(association)} stands in line {first} already")
    figures = read(values)
    if not isinstance(figures, ToldFigures):
        yield from (Problem(line, fault.field, fault.words) for fault in figures)
    elif lines.get(association) == line:
        yield Row(line, association, figures)


def _shown(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text[:_LONGEST_SHOWN])
