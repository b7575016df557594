"""How values become cells of an exported table. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime

from audiences.exporting.formulas import guarded
from audiences.models import AttributeValue

DATE_TIME = "%Y-%m-%d %H:%M:%S"


def value_cell(value: AttributeValue | None) -> str:
    """Numbers as they are, `-5` among them; text so that it stays text; nothing for None."""
    if value is None:
        return ""
    return guarded(value) if isinstance(value, str) else str(value)


def list_cell(items: Sequence[str], *, quote_all: bool = False) -> str:
    """A list in one cell, items with a comma or a quote in quotes (all of them with `quote_all`)."""
    if not items:
        return ""
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL, lineterminator="").writerow(items)
    return guarded(line.getvalue())


def time_cell(moment: datetime | None) -> str:
    """UTC, `2027-02-01 09:30:00`; nothing for None."""
    return moment.astimezone(UTC).strftime(DATE_TIME) if moment else ""
