"""Text in quoted-printable, whole or in pieces to be joined later. Knows no header and no template.

What it makes is ASCII, its lines are ended by CRLF and have at most 76 characters, and none starts with a dot:
no server or client has to touch it on the way (RFC 5321 section 4.5.2). It holds no tab, no two spaces in a row and
none at the end of a line, so the form in which DKIM hashes it is itself (RFC 6376 section 3.4.4).
"""

from __future__ import annotations

import binascii
import re

from comms.rendering.clean import clean

SOFT_BREAK = "=\r\n"
_LINE = 76
"""Characters of a line, the `=` of a soft line break among them (RFC 2045 section 6.7, rule 5)."""
_STEP = _LINE - 3
"""Plain characters that fit a line even when the first is a dot and must be escaped."""
_STEPS = re.compile(rf".{{1,{_STEP}}}")
_PLAIN = re.compile(r"[ !-<>-~]*")


def encode(text: str) -> str:
    """Text, cleaned and in UTF-8, in quoted-printable (RFC 2045 section 6.7)."""
    return "\r\n".join(_lines(text))


def encode_piece(text: str) -> str:
    """Like `encode`, and ending where a line ends, so that any other piece may follow.

    Joined pieces decode to what the joined texts decode to, but for a CR at the end of one before an LF at the
    start of the next: they count as two line ends.
    """
    if _PLAIN.fullmatch(text) and "  " not in text:
        return encode_plain(text)
    *lines, last = _lines(text)
    lines.append(_fitted(last, _LINE - 1) + SOFT_BREAK if last else "")
    return "\r\n".join(lines)


def encode_plain(text: str) -> str:
    """The same for a text of printable ASCII without `=` and without two spaces in a row, which nearly every value that
    is put into a mail is."""
    if not text:
        return ""
    if len(text) <= _STEP and text[0] != ".":
        return text + SOFT_BREAK
    lines = "\n" + SOFT_BREAK.join(_STEPS.findall(text))
    return lines.replace("\n.", "\n=2E")[1:] + SOFT_BREAK


def _lines(text: str) -> list[str]:
    lines = clean(text).replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    encoded = binascii.b2a_qp(lines.encode("utf-8"), istext=True).decode("ascii")
    if "  " in encoded or "\t" in encoded:
        encoded = encoded.replace("\t", "=09").replace("  ", " =20")
    # What is made of white space comes on top of the 76 characters that b2a_qp keeps to.
    return [
        line if len(line) <= _LINE and not line.startswith(".") else _fitted(line, _LINE)
        for line in encoded.split("\n")
    ]


def _fitted(line: str, room: int) -> str:
    """An encoded line without a dot at its start; a few characters that are too many go to a line of their own."""
    if line.startswith("."):
        line = f"=2E{line[1:]}"
    if len(line) <= room:
        return line
    cut = room - 3
    cut -= 1 if line[cut - 1] == "=" else 2 if line[cut - 2] == "=" else 0  # no `=XX` is taken apart
    return f"{line[:cut]}{SOFT_BREAK}{_fitted(line[cut:], room)}"
