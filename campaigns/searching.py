"""What can be searched for in an entry, and a reader's words as a query that can do no harm; holds no SQL."""

from __future__ import annotations

import re
from html import unescape

MARK_START, MARK_END = "\x02", "\x03"
"""Around what was found in a snippet; no text that is searched can hold them."""
_WITHIN_WORDS = re.compile(r"</?(?:a|abbr|b|code|em|i|mark|small|span|strong|sub|sup|u)(?:\s[^>]*)?>")
_TAG = re.compile(r"<[^>]*>")
_NOT_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"\w+")
_MOST_WORDS, _LONGEST = 12, 200


def searchable(markup: str) -> str:
    """The words of an entry's HTML, or of plain text, on one line."""
    return _SPACES.sub(" ", _NOT_TEXT.sub(" ", unescape(_TAG.sub(" ", _WITHIN_WORDS.sub("", markup))))).strip()


def query_of(text: str) -> str:
    """A query for SQLite's FTS5 that wants every word of `text`, the last one as a beginning; empty for no word.

    Every word stands in quotation marks and has only letters and digits, so that none of FTS5's operators can be
    written (https://www.sqlite.org/fts5.html#full_text_query_syntax).
    """
    words = _WORD.findall(_NOT_TEXT.sub(" ", text[:_LONGEST]))[:_MOST_WORDS]
    return " ".join(f'"{word}"' for word in words) + "*" if words else ""
