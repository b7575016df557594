"""What the benches print: tables for people, one line of JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table whose first column is text and whose others are figures."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        print("  ".join(cells).rstrip())
    print(flush=True)


def print_json(figures: Mapping[str, object]) -> None:
    """All figures on the last line."""
    print(json.dumps(figures))
