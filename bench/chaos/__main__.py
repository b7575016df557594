"""What comms makes of kills, faulty servers, full disks and power cuts. Prints a table, and one line of JSON last.

    make chaos                                      all of it, and the table in docs/reliability.md
    python -m bench.chaos --short                   some minutes of it, for continuous integration
    python -m bench.chaos --only "SIGSTOP"          the faults whose name holds these words

A receiver of its own (`receiver.py`) logs whatever it takes; its log is held against the ledger (`oracle.py`).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench.chaos import clocks, damage, disk, kills, power, queues, table, wire
from bench.chaos.bed import Bed, Fault, SkippedError
from bench.chaos.table import Row
from bench.report import print_json

FAULTS = [*kills.FAULTS, *wire.FAULTS, *disk.FAULTS, *queues.FAULTS, *clocks.FAULTS, *damage.FAULTS, *power.FAULTS]
AT_A_TIME = 4
"""Faults of which most of the time is waiting."""


@dataclass(frozen=True, slots=True)
class Session:
    """One call of the program."""

    scratch: Path
    seed: int
    is_short: bool
    started: float

    def try_all(self, faults: Sequence[Fault]) -> list[Row]:
        """In the order given; those that need the whole machine first, the others several at a time."""
        rows = {fault.name: self.attempt(fault) for fault in faults if fault.is_alone}
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            others = [fault for fault in faults if not fault.is_alone]
            rows |= {row.fault: row for row in pool.map(self.attempt, others)}
        return [rows[fault.name] for fault in faults]

    def attempt(self, fault: Fault) -> Row:
        """Try one fault. What goes wrong in trying it counts as not survived: never as a row less."""
        folder = self.scratch / f"fault-{FAULTS.index(fault)}"
        folder.mkdir()
        tell = partial(self.tell, fault.name)
        bed = Bed(folder, random.Random(f"{self.seed} {fault.name}"), self.is_short, tell)
        try:
            tried = fault.run(bed)
        except SkippedError as error:
            row = Row(fault.name, skipped=str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, the other faults are tried all the same
            row = Row(fault.name, hitches=(f"{type(error).__name__}: {error}",))
        else:
            row = Row.of(fault.name, tried)
        tell(row.word if row.skipped or row.survived else f"{row.word}: {'; '.join(row.hitches[:5])}")
        return row

    def tell(self, fault: str, text: str) -> None:
        print(f"{time.monotonic() - self.started:6.0f} s  {fault}: {text}", file=sys.stderr, flush=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--short", action="store_true")
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--only", default="")
    options.add_argument("--docs", type=Path, help="the page whose table is to be written anew")
    chosen = options.parse_args()
    seed = chosen.seed if chosen.seed is not None else random.SystemRandom().randrange(10**9)
    print(f"seed {seed}", flush=True)
    faults = [each for each in FAULTS if (each.is_short or not chosen.short) and chosen.only in each.name]
    with tempfile.TemporaryDirectory(prefix="comms-chaos-") as scratch:
        rows = Session(Path(scratch), seed, chosen.short, time.monotonic()).try_all(faults)
    table.show(rows)
    if chosen.docs is not None:
        table.write(chosen.docs, rows, seed)
    print_json(table.figures(rows))
    if not all(row.survived or row.skipped for row in rows):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
