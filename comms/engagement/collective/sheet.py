"""A collective report as one table in CSV, a row for each number, for spreadsheets and the forms of funders."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from audiences.exporting.formulas import guarded
from comms.engagement.collective.figures import Cell, CollectiveReport
from comms.files import save

COLUMNS = (
    "campaign", "figure", "state", "sector", "question", "answer", "known", "least", "most", "counted", "definition"
)  # fmt: skip
"""`known` is `exactly`, `between`, `at least` or `hidden`; `least` and `most` are whole numbers, or empty. `state` and
`sector` are `all` for sums."""
_ALL = "all"


def to_csv(report: CollectiveReport) -> str:
    """The table, with CRLF (RFC 4180); a report of several campaigns has its sums first, then each campaign."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for each in (report, *report.parts):
        for row in _rows(each):
            writer.writerow([guarded(cell) if isinstance(cell, str) else cell for cell in row])
    return text.getvalue()


def write_csv(report: CollectiveReport, path: Path) -> None:
    """The table as a file in UTF-8 that spreadsheets take for that. Raises StorageError."""
    # A name of a campaign may hold a lone half of a character, which no file can.
    save(path, to_csv(report).encode("utf-8-sig", "replace"))


def _rows(report: CollectiveReport) -> Iterator[list[str | int | None]]:
    name = report.campaign or report.title
    for figure in report.figures:
        label, meaning = report.words(figure.key)
        counted = figure.source.value if figure.source else ""
        yield [name, label, _ALL, _ALL, "", "", *_known(figure.low, figure.high), counted, meaning]
    for table in report.tables:
        label, meaning = report.words(table.key)
        counted = source.value if (source := report.figure(table.key).source) else ""
        for state, row in zip((*table.states, _ALL), table.cells, strict=True):
            for sector, cell in zip((*table.sectors, _ALL), row, strict=True):
                if cell != Cell(None) and (state, sector) != (_ALL, _ALL):
                    yield [name, label, state, sector, "", "", *_cell(cell), counted, meaning]
    for poll in report.polls:
        for text, cell in (*poll.answers, ("", poll.total)):
            meaning = "last answers of readers" if text else "last answers of readers, all together"
            yield [name, "Answers", _ALL, _ALL, poll.question, text, *_cell(cell), "", meaning]


def _cell(cell: Cell) -> tuple[str, int | None, int | None]:
    return _known(cell.count, None if cell.more else cell.count)


def _known(low: int | None, high: int | None) -> tuple[str, int | None, int | None]:
    if low is None:
        return "hidden", None, None
    return ("at least" if high is None else "exactly" if low == high else "between"), low, high
