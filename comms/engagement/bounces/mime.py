"""Bytes -> the parts of a message (RFC 5322, 2045-2047), however broken. Never raises, recurses or backtracks.

The standard library's parser recurses with the depth of the parts and changes what it thinks it mends; a bounce has
been through servers that follow no standard, and what is left of it should be seen as it is.
"""

from __future__ import annotations

import binascii
import codecs
import re
from dataclasses import dataclass, field

LONGEST_MESSAGE = 10_000_000
"""Bytes of a message that are looked at; a notice comes before what it returns."""
_MOST_PARTS = 200
_DEEPEST = 12
_MOST_HEADERS = 1_000
_LONGEST_VALUE = 20_000
_HEADER = re.compile(r"([!-9;-~]{1,100})[ \t]{0,20}:(.*)", re.DOTALL)
_PARAMETER = re.compile(r";\s{0,100}([\w-]{1,40})\*?\s{0,20}=\s{0,20}(?:\"([^\"]{0,500})\"|([^\s;\"]{0,500}))")
_BARE_PARAMETER = re.compile(r"(?i)(?:boundary|charset|report-type|name|type|format)\s{0,5}=")
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?\n]{0,5000})\?=")
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s{1,20}(?==\?)")
_BLANK_LINES = re.compile(rb"\A(?:[ \t]*\n)+")
"""In front of a header, as some mail programs save a message: no folded field."""
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff]")
_DIRECTIONS = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Headers:
    """The fields of a header in their order, names in small letters, values unfolded but not yet decoded."""

    fields: tuple[tuple[str, str], ...] = ()

    def all(self, name: str) -> list[str]:
        """Every value of a field, decoded and on one line."""
        return [decode_words(value) for key, value in self.fields if key == name]

    def get(self, name: str) -> str:
        """The first value of a field, decoded and on one line; empty when there is none."""
        return next(iter(self.all(name)), "")

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self.fields)


@dataclass(frozen=True)
class Part:
    """One part: its header, its content as it came, and the parts in it if it is a multipart."""

    headers: Headers
    content: bytes
    kind: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()

    def decoded(self) -> bytes:
        """The content without its transfer encoding; what can not be decoded stays as it is."""
        encoding = self.headers.get("content-transfer-encoding").strip().lower()
        if encoding == "quoted-printable":
            return binascii.a2b_qp(self.content)
        if encoding == "base64":
            return _base64(self.content)
        return self.content

    def text(self) -> str:
        """The content as text with `\\n` line ends, in the charset that it names or seems to be in."""
        return to_text(self.decoded(), self.parameters.get("charset", ""))


def parse(data: bytes) -> Part:
    """The message in `data`; only the first `LONGEST_MESSAGE` bytes of it are looked at."""
    data = data[:LONGEST_MESSAGE].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return _Parser().part(_BLANK_LINES.sub(b"", data, count=1), 0)


class _Parser:
    """Counts the parts of one message, so that a message of a million boundaries costs no more than one of 200."""

    def __init__(self) -> None:
        self.parts = 0

    def part(self, data: bytes, depth: int) -> Part:
        headers, content = split_header(data)
        kind, parameters = _content_type(headers.get("content-type"))
        boundary = parameters.get("boundary", "")
        if not kind.startswith("multipart/") or not boundary or depth >= _DEEPEST:
            return Part(headers, content, kind, parameters)
        inner = []
        for piece in _split(content, boundary.encode("latin-1", "replace")):
            self.parts += 1
            if self.parts > _MOST_PARTS:
                break
            inner.append(self.part(piece, depth + 1))
        return Part(headers, content, kind, parameters, tuple(inner))


def split_header(data: bytes) -> tuple[Headers, bytes]:
    """The header and what follows it. What does not begin like a header has none, and is all content."""
    fields: list[list[str]] = []
    position = 0
    while position < len(data):
        end = data.find(b"\n", position)
        end = len(data) if end < 0 else end
        line = data[position:end]
        if not line.strip(b"\r\t "):
            if fields or position == 0:
                position = end + 1
            break
        if not _take_line(line[:_LONGEST_VALUE], fields, first=position == 0):
            break
        position = end + 1
    return Headers(tuple((name.lower(), value.strip()) for name, value in fields)), data[position:]


def _take_line(line: bytes, fields: list[list[str]], *, first: bool) -> bool:
    """Add a line to the fields of a header; False when it can not belong to one."""
    text = to_text(line, "")
    # Some servers lose the space in front of a continued parameter.
    if text[0] in " \t" or (fields and fields[-1][1].rstrip().endswith(";") and _BARE_PARAMETER.match(text)):
        if fields and len(fields[-1][1]) < _LONGEST_VALUE:
            fields[-1][1] += "\n" + text
        return bool(fields)
    match = _HEADER.fullmatch(text)
    if match and len(fields) < _MOST_HEADERS:
        fields.append([match[1], match[2]])
        return True
    # The line that mbox files and some servers put in front, with or without its quoting.
    return len(fields) == 0 and first and line.startswith((b"From ", b">From "))


def _split(content: bytes, boundary: bytes) -> list[bytes]:
    """What stands between the boundary lines; when there is none, all of it."""
    mark = b"\n--" + boundary
    pieces = (b"\n" + content).split(mark, _MOST_PARTS + 1)
    if len(pieces) == 1:
        return [b"\n" + content]
    found = []
    for piece in pieces[1:]:
        if piece.startswith(b"--"):  # the closing boundary; some servers go on after it
            if piece[2:].strip():
                found.append(b"\n" + piece[2:].lstrip(b"\n"))
            continue
        line, _, rest = piece.partition(b"\n")
        if line.strip():  # a longer boundary that begins like this one
            if found:
                found[-1] += mark + piece
            continue
        found.append(rest)
    return found


def _content_type(value: str) -> tuple[str, dict[str, str]]:
    kind = value.partition(";")[0].strip().lower()
    parameters = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(value[:_LONGEST_VALUE])}
    return (kind if "/" in kind else "text/plain"), parameters


def _base64(data: bytes) -> bytes:
    """Decoded as far as it goes: a returned message is often cut in the middle, or has text added to it."""
    clean = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    try:
        return binascii.a2b_base64(clean[: len(clean) // 4 * 4] + _padded(clean[len(clean) // 4 * 4 :]))
    except binascii.Error:
        return data


def _padded(rest: bytes) -> bytes:
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def to_text(data: bytes, charset: str) -> str:
    """The bytes as text: in UTF-8 if they are that, else in the charset, else in Latin-1. Never fails."""
    charset = charset.strip().strip("\"'").lower()
    if charset.startswith("iso-2022") or b"\x1b$" in data or b"\x1b(" in data:
        # Seven bits that are valid ASCII and mean something else.
        return _decoded(data, charset if charset.startswith("iso-2022") else "iso-2022-jp") or data.decode("latin-1")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    found = _decoded(data, charset)
    return found if found is not None else data.decode("latin-1")


def _decoded(data: bytes, charset: str) -> str | None:
    try:
        if not charset or not getattr(codecs.lookup(charset), "_is_text_encoding", True):
            return None
        return data.decode(charset, "replace")
    except (LookupError, ValueError, UnicodeError):
        return None


def decode_words(value: str) -> str:
    """A header's value with its encoded words (RFC 2047) read, on one clean line; as it is where they are broken."""
    value = value[:_LONGEST_VALUE]
    if "=?" in value:
        value = _ENCODED_WORD.sub(_decoded_word, _BETWEEN_WORDS.sub("", value))
    return one_line(value)


def _decoded_word(word: re.Match[str]) -> str:
    charset, encoding, text = word.groups()
    data = text.encode("utf-8", "replace")
    plain = _base64(data) if encoding in "bB" else binascii.a2b_qp(data, header=True)
    return to_text(plain, charset.partition("*")[0])


def one_line(text: str, longest: int = _LONGEST_VALUE) -> str:
    """The text on one line, without control characters, marks of direction and lone surrogates."""
    return " ".join(_DIRECTIONS.sub("", _UNPRINTABLE.sub(" ", text[: longest * 2])).split())[:longest]
