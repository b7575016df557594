"""Finds the codes that servers give: RFC 3463 status codes and SMTP replies (RFC 5321 section 4.2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STATUS = re.compile(r"(?:(?<![\d.:/-])|(?<=\b[245]\d\d-))([245])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
_REPLY = re.compile(r"(?<![\d.:/\[#-])([45][0-5]\d)(?=[\s\-:;,.)]|$|_)")


@dataclass(frozen=True)
class Status:
    """An RFC 3463 code: class, subject, detail."""

    of_class: int
    subject: int
    detail: int

    def __str__(self) -> str:
        return f"{self.of_class}.{self.subject}.{self.detail}"

    @property
    def vague(self) -> bool:
        """Says no more than its class: `5.0.0`."""
        return self.subject == 0


def statuses_in(text: str) -> list[Status]:
    """Every status code in a text, in order."""
    return [Status(int(a), int(b), int(c)) for a, b, c in _STATUS.findall(text)]


def status_in(text: str) -> Status | None:
    """The code that says most: the first failure that is not vague, else the first."""
    found = statuses_in(text)
    telling = [status for status in found if status.of_class != 2 and not status.vague]
    return next(iter(telling or found), None)


def reply_in(text: str) -> int | None:
    """The first SMTP reply code of a failure in a text."""
    match = _REPLY.search(text)
    return int(match[1]) if match else None
