"""A Message as the bytes that go to a mail server. Knows no server, no signature and no template.

Written out by hand, for `email.policy.SMTP` folds long List-Unsubscribe addresses into encoded-words that
no mailbox provider reads (cpython issue 85725) and encodes non-ASCII domains inside addresses.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

import idna

from comms.message import MailFile, Message
from comms.rendering import quoted
from comms.rendering.clean import one_line
from comms.rendering.enclosed import closing
from comms.rendering.errors import UnsendableAddress

__all__ = ["Frame", "UnsendableAddress", "addr_spec", "build", "domain_of"]

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


def build(message: Message) -> bytes:
    """The message in the format of RFC 5322 and MIME, all ASCII, lines ended by CRLF.

    A multipart/alternative of text and HTML in UTF-8, quoted-printable; images that the HTML shows stand beside it,
    attached files behind both, in base64. The same message gives the same bytes. Raises UnsendableAddress, and
    ValueError for a header of `message.headers` with a line break, a bad name, or a word too long for a line.
    """
    frame = Frame(
        message.message_id,
        sender_name=message.sender_name,
        sender_address=message.sender_address,
        language=message.language,
        headers=message.headers,
        files=message.files,
    )
    return frame.fill(
        recipient=addr_spec(message.recipient),
        subject=message.subject,
        date=message.date,
        message_id=message.message_id,
        html=quoted.encode(message.html),
        text=quoted.encode(message.text),
    )


class Frame:
    """What many messages have in common, encoded once.

    `name` tells these messages from others: their boundary is made of it. Raises as `build` does.
    """

    def __init__(
        self,
        name: str,
        *,
        sender_name: str,
        sender_address: str,
        language: str,
        headers: Iterable[tuple[str, str]] = (),
        files: Sequence[MailFile] = (),
    ) -> None:
        address = addr_spec(sender_address)
        shown = one_line(sender_name) or sender_address.partition("@")[0]
        # `=_` never comes out of quoted-printable (RFC 2045 section 6.7), so no text can hold the boundary.
        digest = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]
        # None begins with another: the start of a line decides which part ends there (RFC 2046 section 5.1.2).
        boundary, mixed, related = f"=_{digest}", f"=_m{digest}", f"=_r{digest}"
        attached = [file for file in files if not file.shown_at]
        images = [file for file in files if file.shown_at]
        self._from = f"From: {_phrase(shown)}\r\n <{address}>\r\n"
        head = [_header(*each) for each in headers]
        head.append("MIME-Version: 1.0")
        if _LANGUAGE.fullmatch(language):
            head.append(f"Content-Language: {language}")
        around_all = _multipart("mixed", mixed) if attached else ""
        head.append(f"{around_all}{_multipart('alternative', boundary)}{_text('plain')}")
        self._head = "\r\n".join(head)
        around_html = _multipart("related", related, root="text/html") if images else ""
        self._between = f"\r\n--{boundary}\r\n{around_html}{_text('html')}"
        after_html = closing(images, related) if images else ""
        self._end = f"{after_html}\r\n--{boundary}--\r\n{closing(attached, mixed) if attached else ''}"

    def fill(
        self,
        *,
        recipient: str,
        subject: str,
        date: datetime,
        message_id: str,
        html: str,
        text: str,
        headers: Iterable[tuple[str, str]] = (),
    ) -> bytes:
        """One message. `recipient` is what `addr_spec` gave; `html` and `text` are in quoted-printable.

        `headers` are further ones, of this message alone. Raises ValueError as `build` does.
        """
        own = "".join([f"{_header(name, value)}\r\n" for name, value in headers])
        return (
            f"{self._from}To: {recipient}\r\nSubject: {_subject(subject)}\r\nDate: {_date(date.replace(microsecond=0))}"
            f"\r\n{_header('Message-ID', message_id)}\r\n{own}{self._head}{text}{self._between}{html}{self._end}"
        ).encode("ascii")


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
            domain = _a_labels(domain)
        except idna.IDNAError as error:
            raise UnsendableAddress(address, f"{domain!r} is no domain name") from error
    return f"{local}@{domain}"


@lru_cache(maxsize=1_024)
def domain_of(address: str) -> str:
    """The domain of an address as identifiers in headers hold it (RFC 5322 section 3.6.4): in A-labels, or as it is
    where it can not be in these."""
    domain = address.strip().rpartition("@")[2]
    try:
        return domain if _LITERAL.fullmatch(domain) else _a_labels(domain)
    except idna.IDNAError:
        return domain


@lru_cache(maxsize=1_024)
def _a_labels(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode("ascii")


def _multipart(subtype: str, boundary: str, root: str = "") -> str:
    """The head of a multipart, and the line that begins its first part.

    `root` is the media type of the part that the others belong to (RFC 2387 section 3.1).
    """
    kind = f'\r\n type="{root}";' if root else ""
    return f'Content-Type: multipart/{subtype};{kind}\r\n boundary="{boundary}"\r\n\r\n--{boundary}\r\n'


def _text(subtype: str) -> str:
    return f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"


@lru_cache(maxsize=2)
def _date(date: datetime) -> str:
    """A date in whole seconds, as thousands of messages have in common."""
    return format_datetime(date.astimezone(UTC))


@lru_cache(maxsize=1_024)
def _subject(subject: str) -> str:
    return _unstructured(subject, len("Subject: "))


def _header(name: str, value: str) -> str:
    """One header, folded only where white space is, and only when it does not fit a line."""
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a header")
    if not _PRINTABLE.fullmatch(value):
        if any(mark in value for mark in "\r\n\0"):
            raise ValueError(f"{name}: a header can not have a line break")
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
