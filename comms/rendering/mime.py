"""A Message as the bytes that go to a mail server. Knows no server, no signature and no template.

Written out by hand, for `email.policy.SMTP` folds long List-Unsubscribe addresses into encoded-words that
no mailbox provider reads (cpython issue 85725) and encodes non-ASCII domains inside addresses.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC
from email.utils import format_datetime

import idna

from comms.message import Message
from comms.rendering.clean import clean, one_line
from comms.rendering.errors import UnsendableAddress

__all__ = ["UnsendableAddress", "addr_spec", "build", "quoted_printable"]

MAX_LINE = 998
"""Characters of a line without CRLF (RFC 5322 section 2.1.1)."""
_FOLD = 76
_UNFOLDED = 400
"""Length up to which plain ASCII stays one line: allowed by RFC 5322, while base64 that nobody needs looks
like spam, and Python's parser before 3.13.2 prints spaces between the encoded-words of a display name
(cpython issue 128110)."""


_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
_PHRASE = re.compile(rf"{_ATEXT}+(?: {_ATEXT}+)*")
_LOCAL_PART = re.compile(rf"{_ATEXT}+(?:\.{_ATEXT}+)*|\"(?:[ !#-\[\]-~]|\\[ -~])+\"")
_LITERAL = re.compile(r"\[[0-9A-Za-z:.]+\]")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,70}")
_PRINTABLE = re.compile(r"[\x20-\x7e]*")
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{1,35}")
_LONE_FEED = re.compile(rb"(?<!\r)\n")
_LINE_END = re.compile(r"\r\n|\r|\n|\x85")


def build(message: Message) -> bytes:
    """The message in the format of RFC 5322 and MIME, all ASCII, lines ended by CRLF.

    A multipart/alternative of text and HTML in UTF-8, quoted-printable. The same message gives the same
    bytes. Raises UnsendableAddress, and ValueError for a header of `message.headers` with a line break,
    a bad name, or a word too long for a line.
    """
    boundary = f"=_{hashlib.sha256(message.message_id.encode('utf-8', 'replace')).hexdigest()[:32]}"
    lines = [*_headers(message, boundary), ""]
    for subtype, content in (("plain", message.text), ("html", message.html)):
        lines += [
            f"--{boundary}",
            f"Content-Type: text/{subtype}; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            "",
            quoted_printable(content).decode("ascii"),
        ]
    lines += [f"--{boundary}--", ""]
    return "\r\n".join(lines).encode("ascii")


def addr_spec(address: str) -> str:
    """The address in ASCII, its domain in A-labels (RFC 5891). Raises UnsendableAddress."""
    local, at, domain = address.strip().rpartition("@")
    if not at or not domain:
        raise UnsendableAddress(address, "is no e-mail address", hint="write it like name@example.org")
    if not local.isascii():
        raise UnsendableAddress(
            address,
            "has letters before the @ that most mail servers do not take",
            hint="ask for an address in a-z, 0-9",
        )
    if not _LOCAL_PART.fullmatch(local) or len(local) > 64:
        raise UnsendableAddress(address, "has something before the @ that can not stand there")
    if not _LITERAL.fullmatch(domain):
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise UnsendableAddress(address, f"{domain!r} is no domain name") from error
    return f"{local}@{domain}"


def quoted_printable(text: str) -> bytes:
    """Text in UTF-8 and quoted-printable (RFC 2045 section 6.7), lines of at most 76 ended by CRLF."""
    canonical = _LINE_END.sub("\r\n", clean(text))
    encoded = binascii.b2a_qp(canonical.encode("utf-8"), istext=True)
    return _LONE_FEED.sub(b"\r\n", encoded)


def _headers(message: Message, boundary: str) -> Iterator[str]:
    name = one_line(message.sender_name) or message.sender_address.partition("@")[0]
    yield f"From: {_phrase(name)}\r\n <{addr_spec(message.sender_address)}>"
    yield f"To: {addr_spec(message.recipient)}"
    yield f"Subject: {_unstructured(message.subject, len('Subject: '))}"
    yield f"Date: {format_datetime(message.date.astimezone(UTC))}"
    yield _header("Message-ID", message.message_id)
    for header, value in message.headers:
        yield _header(header, value)
    yield "MIME-Version: 1.0"
    if _LANGUAGE.fullmatch(message.language):
        yield f"Content-Language: {message.language}"
    yield f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"'


def _header(name: str, value: str) -> str:
    """One header, folded only where white space is, and only when it does not fit a line."""
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header")
    if any(mark in value for mark in "\r\n\0"):
        raise ValueError(f"{name}: a header can not have a line break")
    if not _PRINTABLE.fullmatch(value):
        return f"{name}: {_unstructured(value, len(name) + 2)}"
    line = f"{name}: {value}"
    if len(line) <= MAX_LINE:
        return line
    folded = [f"{name}:"]
    for word in value.split():
        if len(word) >= MAX_LINE:
            raise ValueError(f"{name}: a word of {len(word)} characters fits no line")
        if len(folded[-1]) + 1 + len(word) <= _FOLD:
            folded[-1] += f" {word}"
        else:
            folded.append(f" {word}")
    return "\r\n".join(folded)


def _phrase(name: str) -> str:
    """A display name (RFC 5322 section 3.2.5): atoms, a quoted string, or encoded-words."""
    text = one_line(name)
    if len(text) <= _UNFOLDED and "=?" not in text:
        if _PHRASE.fullmatch(text):
            return text
        if _PRINTABLE.fullmatch(text):
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _encoded_words(text, len("From: "))


def _unstructured(value: str, used: int) -> str:
    text = one_line(value)
    if _PRINTABLE.fullmatch(text) and len(text) <= _UNFOLDED and "=?" not in text:
        return text
    return _encoded_words(text, used)


def _encoded_words(text: str, used: int) -> str:
    """RFC 2047 words, one a line of at most 76 (section 2), each of whole characters (section 5, rule 3).

    `used` is what the first line holds already.
    """
    words: list[str] = []
    chunk = b""
    room = _room(used)
    for character in text:
        encoded = character.encode("utf-8")
        if len(chunk) + len(encoded) > room:
            words.append(_encoded_word(chunk))
            chunk, room = b"", _room(1)
        chunk += encoded
    words.append(_encoded_word(chunk))
    return "\r\n ".join(words)


def _room(used: int) -> int:
    """Bytes that base64 and the frame of an encoded-word leave on a line."""
    return max((_FOLD - used - len("=?utf-8?b??=")) // 4 * 3, 12)


def _encoded_word(chunk: bytes) -> str:
    return f"=?utf-8?b?{b64encode(chunk).decode('ascii')}?="
