"""Finds the replies in what a mail server sends (RFC 5321 section 4.2). Pure: bytes in, replies out.

What is no reply is never guessed at: a session in which one answer is misread takes each later one for another's.
"""

from __future__ import annotations

from typing import NamedTuple

from comms.channels.mail import one_line

LONGEST_LINE = 4096
"""Octets of a reply line with its end. RFC 5321 section 4.5.3.1.5 says 512; some servers explain more."""
LARGEST_REPLY = 65_536
"""Octets of a whole reply; the longest in the field are answers to EHLO with some forty lines."""
_CODES = {b"%d" % code: code for code in range(200, 600)}
_GOES_ON = b"-"
_SEPARATORS = frozenset({b" ", _GOES_ON, b""})


class GarbledReplyError(ValueError):
    """What came is no SMTP reply; nothing that follows can be trusted to be one."""


class ServerReply(NamedTuple):
    """One whole reply: `code` 200 to 599, and the text of each line as the server sent it."""

    code: int
    lines: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """All lines in one, fit for a ledger and a terminal; what is not UTF-8 is left out."""
        return one_line(b" ".join(self.lines).decode("utf-8", "surrogateescape"))

    def __str__(self) -> str:
        """For an error message: at most 300 characters."""
        return f"{self.code} {self.text}"[:300]


class ReplyReader:
    """Takes bytes as they come, cut anywhere, and gives whole replies.

    Lines may end in a bare line feed; other control characters are part of the text.
    """

    def __init__(self) -> None:
        self._received = b""
        self._start = 0
        """Where in `_received` the first line begins that was not taken yet."""
        self._code = 0
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> None:
        self._received = self._received[self._start :] + data
        self._start = 0

    @property
    def is_clean(self) -> bool:
        """True when everything that came was part of a reply that was taken."""
        return self._start == len(self._received) and not self._lines

    def take(self) -> ServerReply | None:
        """The next reply; None until more of it comes. Raises GarbledReplyError, from then on every time."""
        while True:
            start = self._start
            end = self._received.find(b"\n", start, start + LONGEST_LINE)
            if end < 0:
                if len(self._received) - start >= LONGEST_LINE:
                    raise GarbledReplyError(f"the server sent a line of more than {LONGEST_LINE} octets")
                return None
            line = self._received[start:end].removesuffix(b"\r")
            code, separator, text = _CODES.get(line[:3], 0), line[3:4], line[4:]
            if not code or separator not in _SEPARATORS:
                raise GarbledReplyError(f"the server answered nonsense: {line[:200]!r}")
            if self._lines or separator == _GOES_ON:  # few replies have more than one line
                self._add(code, text, end + 1 - start)
            self._start = end + 1
            if separator == _GOES_ON:
                continue
            lines = tuple(self._lines) or (text,)
            self._lines, self._size = [], 0
            return ServerReply(code, lines)

    def _add(self, code: int, text: bytes, size: int) -> None:
        """One line of several."""
        if self._lines and code != self._code:
            raise GarbledReplyError(f"the server mixed {self._code} and {code} in one answer")
        if self._size + size > LARGEST_REPLY:
            raise GarbledReplyError(f"the server sent an answer of more than {LARGEST_REPLY} octets")
        self._code = code
        self._size += size
        self._lines.append(text)
