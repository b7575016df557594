"""Reads the first sheet with a header from an Excel workbook (XLSX, ECMA-376 part 1 section 18).

The sheet is streamed cell by cell, so that two cells a billion apart cost no more than two cells; only the texts
that cells share are held, within a limit. Formulas give the value that Excel saved, and are never computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from posixpath import join as joined
from posixpath import normpath

from audiences.errors import ImportFileError
from audiences.importing import zips
from audiences.importing.files import SourceFile
from audiences.importing.tables import MAX_CELL_CHARACTERS, MAX_COLUMNS
from audiences.importing.xmlscan import Events, scan

MAX_SHARED_CHARACTERS = 100_000_000
MAX_SHEETS = 200
_ROOT_RELATIONS = "_rels/.rels"
_REFERENCE = re.compile(r"([A-Z]{1,3})[1-9][0-9]{0,6}", re.ASCII)
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
# Number formats that are dates without being spelled out in the file (18.8.30).
_DATE_FORMATS = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_NOT_FORMAT_LETTERS = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.|General', re.DOTALL)
_DATE_LETTER = re.compile("[dmyhs]", re.IGNORECASE)


def is_workbook(names: tuple[str, ...]) -> bool:
    """Are these the files of a workbook rather than of any other ZIP."""
    return "[Content_Types].xml" in names and any(name.startswith("xl/") for name in names)


def read_workbook(source: SourceFile) -> Iterator[tuple[int, list[str]]]:
    """Yield (row number, cells) for each row that is not blank, of the first visible sheet with two cells in its
    first row, or else of the first that is not empty. Dates come as ISO text, truth values as true and false.

    Raises ImportFileError for a damaged or oversized workbook.
    """
    parts = _Parts(source, frozenset(zips.entries(source)))
    main = next(iter(parts.relations(_ROOT_RELATIONS, "officeDocument").values()), "xl/workbook.xml")
    book = _Book()
    parts.read(main, book)
    targets = parts.relations(joined(main.rpartition("/")[0], "_rels", f"{main.rpartition('/')[2]}.rels"), "")
    shared, styles = _SharedTexts(source.path), _Styles()
    for target, events in ((_beside(targets, "sharedStrings.xml"), shared), (_beside(targets, "styles.xml"), styles)):
        if target in parts.names:
            parts.read(target, events)
    cells = _CellTexts(shared.texts, styles.dates, book.starts_1904)
    candidates = [targets[sheet] for sheet in book.sheets[:MAX_SHEETS] if targets.get(sheet) in parts.names]
    narrow = None
    for candidate in candidates:
        first = next(parts.rows(candidate, cells), None)
        if first and sum(bool(cell.strip()) for cell in first[1]) > 1:
            yield from parts.rows(candidate, cells)
            return
        narrow = narrow or (candidate if first else None)
    if narrow:
        yield from parts.rows(narrow, cells)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The files a workbook is made of."""

    source: SourceFile
    names: frozenset[str]

    def read(self, name: str, events: Events) -> None:
        if name not in self.names:
            raise ImportFileError(self.source.path, 0, "is no complete workbook; save it as XLSX or CSV (UTF-8) again")
        for _ in scan(zips.entry(self.source, name), events):
            pass

    def relations(self, name: str, kind: str) -> dict[str, str]:
        """Id -> path inside the workbook, of the relations whose type ends in `kind`."""
        relations = _Relations(kind, name.rpartition("/")[0].rpartition("_rels")[0])
        if name in self.names:
            self.read(name, relations)
        return relations.targets

    def rows(self, sheet: str, cells: _CellTexts) -> Iterator[tuple[int, list[str]]]:
        file = zips.entry(self.source, sheet)
        rows = _Rows(file.path, cells)
        for _ in scan(file, rows):
            yield from rows.finished
            rows.finished.clear()


def _beside(targets: Mapping[str, str], name: str) -> str:
    return next((target for target in targets.values() if target.endswith(f"/{name}")), f"xl/{name}")


class _Quiet:
    """Events that nobody looks at."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        pass

    def end(self, name: str) -> None:
        pass

    def text(self, text: str) -> None:
        pass


class _Relations(_Quiet):
    def __init__(self, kind: str, folder: str) -> None:
        self.targets: dict[str, str] = {}
        self._kind, self._folder = kind, folder

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship" and attributes.get("Type", "").endswith(self._kind):
            target = normpath(joined("/", self._folder, attributes.get("Target", "")))
            self.targets[attributes.get("Id", "")] = target.lstrip("/")


class _Book(_Quiet):
    def __init__(self) -> None:
        self.sheets: list[str] = []
        self.starts_1904 = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "workbookPr":
            self.starts_1904 = attributes.get("date1904") in ("1", "true")
        elif name == "sheet" and attributes.get("state", "visible") == "visible":
            self.sheets.append(attributes.get("id", ""))


class _Styles(_Quiet):
    """Which cell styles show a number as a date."""

    def __init__(self) -> None:
        self.dates: list[bool] = []
        self._formats: set[int] = set(_DATE_FORMATS)
        self._in_cells = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        number = _whole(attributes.get("numFmtId", ""))
        if name == "numFmt" and number is not None:
            letters = _NOT_FORMAT_LETTERS.sub("", attributes.get("formatCode", ""))
            (self._formats.add if _DATE_LETTER.search(letters) else self._formats.discard)(number)
        elif name == "cellXfs":
            self._in_cells = True
        elif name == "xf" and self._in_cells:
            self.dates.append(number in self._formats)

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cells = False


class _SharedTexts(_Quiet):
    """The texts of cells, kept once each. How a word is read aloud (`rPh`) is no part of it."""

    def __init__(self, path: str) -> None:
        self.texts: list[str] = []
        self._path = path
        self._parts: list[str] = []
        self._characters = 0
        self._inside = self._aloud = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "si":
            self._parts = []
        elif name == "rPh":
            self._aloud = True
        self._inside = name == "t" and not self._aloud

    def text(self, text: str) -> None:
        if self._inside:
            self._characters += len(text)
            if self._characters + 50 * len(self.texts) > MAX_SHARED_CHARACTERS:
                raise ImportFileError(self._path, 0, "holds too much text for a workbook; save it as CSV (UTF-8)")
            self._parts.append(text)

    def end(self, name: str) -> None:
        self._inside = False
        if name == "rPh":
            self._aloud = False
        elif name == "si":
            self.texts.append(_unescaped("".join(self._parts)))


@dataclass(frozen=True, slots=True)
class _CellTexts:
    """From what a cell holds to what it shows."""

    shared: list[str]
    dates: list[bool]
    starts_1904: bool

    def show(self, kind: str, style: str, value: str) -> str:
        if kind == "s":
            number = _whole(value)
            return self.shared[number] if number is not None and number < len(self.shared) else ""
        if kind == "b":
            return "true" if value.strip() == "1" else "false"
        if kind == "n":
            at = _whole(style)
            is_date = at is not None and at < len(self.dates) and self.dates[at]
            return self._number(value.strip(), is_date)
        return "" if kind == "e" else _unescaped(value)

    def _number(self, value: str, is_date: bool) -> str:
        try:
            number = float(value)
            if is_date and 0 <= number < 2_958_466:  # the end of the year 9999
                return self._date(number)
        except (ValueError, OverflowError):
            return value
        if not re.search("[.eE]", value):
            return value
        # Excel writes 1.1 as 1.1000000000000001 and large whole numbers as 2.5E+6.
        return str(int(number)) if abs(number) < 1e15 and number.is_integer() else repr(number)

    def _date(self, days: float) -> str:
        # Excel believes in a 29 February 1900, so that days before it count from a day later (18.17.4.1).
        first = datetime(1904, 1, 1) if self.starts_1904 else datetime(1899, 12, 30 if days >= 60 else 31)  # noqa: DTZ001
        moment = first + timedelta(seconds=round(days * 86_400))
        if days < 1:
            return moment.time().isoformat()
        return moment.date().isoformat() if moment.time() == moment.time().min else moment.isoformat(" ")


@dataclass(slots=True)
class _Rows(_Quiet):
    """The rows of a sheet, put into `finished` as they end."""

    path: str
    cells: _CellTexts
    finished: list[tuple[int, list[str]]] = field(default_factory=list)
    _row: int = 0
    _column: int = -1
    _values: dict[int, str] = field(default_factory=dict)
    _kind: str = "n"
    _style: str = ""
    _parts: list[str] = field(default_factory=list)
    _characters: int = 0
    _inside: bool = False
    _aloud: bool = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        starts: dict[str, Callable[[Mapping[str, str]], None]] = {"row": self._start_row, "c": self._start_cell}
        if name in starts:
            starts[name](attributes)
        elif name == "rPh":
            self._aloud = True
        self._inside = name in ("v", "t") and not self._aloud

    def _start_row(self, attributes: Mapping[str, str]) -> None:
        given = _whole(attributes.get("r", ""))
        self._row = given if given is not None and given > self._row else self._row + 1
        self._values, self._column = {}, -1

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        reference = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = _column(reference[1]) if reference else self._column + 1
        self._kind, self._style = attributes.get("t", "n"), attributes.get("s", "")
        self._parts, self._characters = [], 0

    def text(self, text: str) -> None:
        if self._inside:
            self._characters += len(text)
            if self._characters > MAX_CELL_CHARACTERS:
                raise ImportFileError(
                    self.path, 0, f"a cell of row {self._row} is longer than any text of Excel can be"
                )
            self._parts.append(text)

    def end(self, name: str) -> None:
        self._inside = False
        if name == "rPh":
            self._aloud = False
        elif name == "c" and self._parts:
            if self._column >= MAX_COLUMNS:
                reason = f"row {self._row} has more than {MAX_COLUMNS:,} columns; delete what is right of the table"
                raise ImportFileError(self.path, 0, reason)
            self._values[self._column] = self.cells.show(self._kind, self._style, "".join(self._parts))
        elif name == "row" and any(value.strip() for value in self._values.values()):
            width = max(self._values) + 1
            self.finished.append((self._row, [self._values.get(column, "") for column in range(width)]))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _whole(text: str) -> int | None:
    """The number in up to seven digits, which rows, styles and texts of a workbook never exceed."""
    return int(text) if re.fullmatch("[0-9]{1,7}", text.strip(), re.ASCII) else None


def _unescaped(text: str) -> str:
    """With `_x000D_` as the character it stands for (22.9.2.19)."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text
