"""Keeps the cells of an export text: no spreadsheet runs one, or turns one into a number or a date of its own. Pure.

A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a line break, in their full-width forms too
(OWASP, "CSV Injection"). An apostrophe in front says "this is text" to spreadsheets as to our own importer.
"""

from __future__ import annotations

import re

# With any apostrophes of its own in front, so that exactly the one which was put there can be taken off again.
_GUARDED = re.compile(r"'*(?:[=+\-@\t\r\n＝＋－＠]|[0-9]+(?:\.[0-9]+)?\Z)")


def guarded(text: str) -> str:
    """The cell for a text, with an apostrophe in front where a spreadsheet would not leave it the text it is."""
    return f"'{text}" if _GUARDED.match(text) else text


def unguarded(cell: str) -> tuple[str, bool]:
    """Undo `guarded`: (the text, did an apostrophe say that it is text and no number)."""
    if cell.startswith("'") and _GUARDED.match(cell, 1):
        return cell[1:], True
    return cell, False
