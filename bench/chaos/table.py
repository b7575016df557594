"""The table of faults: for a terminal, for docs/reliability.md, and as figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.chaos.bed import Tried
from bench.report import print_table

HEADER = ("fault", "tries", "sends", "lost", "doubled", "outside doubt", "held", "survived")
BEGIN, END = "<!-- table: written by make chaos -->", "<!-- end of the table -->"
KILLS = "kill -9"


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one fault."""

    fault: str
    tries: int = 0
    sends: int = 0
    lost: int = 0
    doubled: int = 0
    unnamed: int = 0
    held: int = 0
    hitches: tuple[str, ...] = ()
    """What was not as promised."""
    skipped: str = ""
    """Why it was not tried."""

    @classmethod
    def of(cls, fault: str, tried: Tried) -> Row:
        verdict = tried.verdict
        return cls(
            fault,
            tried.tries,
            verdict.sends,
            verdict.lost,
            verdict.doubled,
            verdict.unnamed,
            verdict.held,
            tuple(verdict.complaints),
        )

    @property
    def survived(self) -> bool:
        return not (self.skipped or self.lost or self.unnamed or self.hitches)

    @property
    def word(self) -> str:
        if self.skipped:
            return f"not tried: {self.skipped}"
        return "yes" if self.survived else "no"

    def cells(self) -> list[str]:
        numbers = (self.tries, self.sends, self.lost, self.doubled, self.unnamed, self.held)
        return [self.fault, *("" if self.skipped else f"{number:,}" for number in numbers), self.word]


def show(rows: Sequence[Row]) -> None:
    """Print the table, and below it what was not as promised."""
    print_table(HEADER, [row.cells() for row in rows])
    for row in rows:
        for hitch in row.hitches[:20]:
            print(f"{row.fault}: {hitch}")


def write(page: Path, rows: Sequence[Row], seed: int) -> None:
    """Put the table between its markers. Raises ValueError when the page has none."""
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} has no place for the table")
    lines = ["| " + " | ".join(HEADER) + " |", "|---" + "|--:" * (len(HEADER) - 2) + "|---|"]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    notes = [f"- **{row.fault}**: {'; '.join(row.hitches[:3])}" for row in rows if row.hitches]
    day = f"Made on {datetime.now(UTC):%Y-%m-%d} with seed {seed}."
    body = "\n".join([day, "", *lines, *(["", "Not survived:", "", *notes] if notes else [])])
    page.write_text(f"{before}{begin}\n\n{body}\n\n{end}{after}", encoding="utf-8")


def figures(rows: Sequence[Row]) -> Mapping[str, object]:
    """What programs read."""
    tried = [row for row in rows if not row.skipped]
    return {
        "bench": "chaos",
        "kills": sum(row.tries for row in tried if row.fault.startswith(KILLS)),
        "sends": sum(row.sends for row in tried),
        "lost": sum(row.lost for row in tried),
        "doubled": sum(row.doubled for row in tried),
        "doubled_outside_doubt": sum(row.unnamed for row in tried),
        "faults_survived": sum(row.survived for row in tried),
        "faults": len(rows),
    }
