"""What goes over the wire for one message, and whether this server can take it at all. Pure.

The commands are those of RFC 5321, with the parameters of the extensions that the server offers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from comms.channels.mail import Outgoing

CRLF = b"\r\n"
DATA: Final = b"DATA\r\n"
RSET: Final = b"RSET\r\n"
QUIT: Final = b"QUIT\r\n"
FINAL_DOT: Final = b".\r\n"
"""Ends a message; what comes before it ends with CRLF (RFC 5321 section 4.1.1.4)."""
LONGEST_ADDRESS = 254
"""Octets: a path of 256 (RFC 5321 section 4.5.3.1.3) without its angle brackets."""
LONGEST_ENVELOPE_ID = 100
"""Octets, as xtext (RFC 3461 section 4.4)."""
LONGEST_ORIGINAL_RECIPIENT = 500
"""Octets of ORCPT (RFC 3461 section 4.2); where it would be longer, the report has to do without."""

_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f-\xa0<>\u2028\u2029\ud800-\udfff]")
_LEADING_DOT = re.compile(rb"\r\n\.")
"""Most messages have none, and this finds that out three times as fast as the search in `bytes`."""
_NOT_IN_XTEXT = re.compile(rb"[^!-*,-<>-~]")
_NOT_IN_UNITEXT = re.compile(r"[^!-*,-<>-\[\]-~]")


@dataclass(frozen=True)
class Capabilities:
    """What a server said it can do: extension keywords in capitals, each with its parameters."""

    extensions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_ehlo(cls, lines: Iterable[bytes]) -> Capabilities:
        """Read the lines of the answer to EHLO (RFC 5321 section 4.1.1.1); the first is the server's name."""
        extensions: dict[str, str] = {}
        for line in list(lines)[1:]:
            # `AUTH=LOGIN` is how servers wrote it before RFC 2554; some still add it for clients of that time.
            keyword, _, parameters = line.decode("ascii", "replace").replace("AUTH=", "AUTH ", 1).partition(" ")
            known = extensions.get(keyword.upper(), "")
            extensions[keyword.upper()] = f"{known} {parameters}".strip()
        return cls(extensions)

    def __contains__(self, keyword: str) -> bool:
        return keyword in self.extensions

    @cached_property
    def largest(self) -> int:
        """Most octets of a message (RFC 1870); 0 when the server sets no limit that it tells."""
        size = self.extensions.get("SIZE", "")
        return int(size) if re.fullmatch("[0-9]{1,18}", size) else 0

    @property
    def mechanisms(self) -> frozenset[str]:
        """Ways to log in (RFC 4954 section 3)."""
        return frozenset(self.extensions.get("AUTH", "").upper().split())


def why_unfit(message: Outgoing, capabilities: Capabilities) -> str:
    """Why the message must not be sent to this server, in words; empty when it may."""
    for address in (message.sender, message.recipient):
        if _NOT_IN_ADDRESS.search(address) or len(address.encode()) > LONGEST_ADDRESS:
            return f"{address[:LONGEST_ADDRESS]!a} can not stand in the envelope of a message"
    if not message.recipient:
        return "the message has no recipient"
    if not message.is_plain and not _ends_lines_well(message.data):
        return "a line of the message does not end with CR LF; a server could take it for two messages"
    if 0 < capabilities.largest < len(message.data):
        return (
            f"the message has {len(message.data):,} octets, and the mail server takes at most {capabilities.largest:,}"
        )
    is_ascii = message.is_plain or message.data.isascii()
    if "SMTPUTF8" not in capabilities and _needs_utf8(message, is_ascii):
        return "the mail server takes no addresses or headers with letters beyond ASCII (SMTPUTF8)"
    if not is_ascii and "8BITMIME" not in capabilities:
        return "the message holds 8-bit text, and the mail server does not take it (8BITMIME)"
    if "DSN" in capabilities and len(xtext(message.envelope_id)) > LONGEST_ENVELOPE_ID:
        return f"the envelope id {message.envelope_id[:LONGEST_ENVELOPE_ID]!a} is too long"
    return ""


def mail_parameters(message: Outgoing, capabilities: Capabilities) -> list[str]:
    """What follows the sender in MAIL: SIZE, BODY, SMTPUTF8, RET and ENVID (RFC 1870, 6152, 6531, 3461)."""
    parameters = []
    if "SIZE" in capabilities:
        parameters.append(f"SIZE={len(message.data)}")
    if not (is_ascii := message.is_plain or message.data.isascii()):
        parameters.append("BODY=8BITMIME")
    if _needs_utf8(message, is_ascii):
        parameters.append("SMTPUTF8")
    if message.envelope_id and "DSN" in capabilities:
        parameters += ["RET=HDRS", f"ENVID={xtext(message.envelope_id)}"]
    return parameters


def rcpt_parameters(message: Outgoing, capabilities: Capabilities) -> list[str]:
    """What follows the recipient in RCPT: NOTIFY and ORCPT (RFC 3461 sections 4.1 and 4.2, RFC 6533 section 3).

    With ORCPT a report names the address that we wrote to, also where it was forwarded to another.
    """
    if not message.envelope_id or "DSN" not in capabilities:
        return []
    written_to = original_recipient(message.recipient)
    return ["NOTIFY=FAILURE", *([f"ORCPT={written_to}"] if len(written_to) <= LONGEST_ORIGINAL_RECIPIENT else [])]


def mail_command(message: Outgoing, capabilities: Capabilities) -> bytes:
    words = [f"MAIL FROM:<{message.sender}>", *mail_parameters(message, capabilities)]
    return " ".join(words).encode() + CRLF


def rcpt_command(message: Outgoing, capabilities: Capabilities) -> bytes:
    words = [f"RCPT TO:<{message.recipient}>", *rcpt_parameters(message, capabilities)]
    return " ".join(words).encode() + CRLF


def stuffed(message: Outgoing) -> bytes:
    """The message as DATA carries it, without the final dot (RFC 5321 section 4.5.2). Its last line gets its end."""
    data = message.data
    if message.is_plain:
        return data
    if not data.endswith(CRLF):
        data += CRLF
    if data.startswith(b"."):
        data = b"." + data
    return data.replace(b"\r\n.", b"\r\n..") if _LEADING_DOT.search(data) else data


def xtext(text: str) -> str:
    """Text as RFC 3461 section 4 writes it in parameters."""
    return _NOT_IN_XTEXT.sub(lambda octet: b"+%02X" % octet[0][0], text.encode(errors="replace")).decode("ascii")


def original_recipient(address: str) -> str:
    """The address with its type, as ORCPT takes it: in xtext, or as RFC 6533 section 3 writes letters beyond ASCII."""
    if address.isascii():
        return f"rfc822;{xtext(address)}"
    return "utf-8;" + _NOT_IN_UNITEXT.sub(lambda letter: f"\\x{{{ord(letter[0]):X}}}", address)


def _needs_utf8(message: Outgoing, is_ascii: bool) -> bool:
    """True for addresses (RFC 6531) and headers (RFC 6532) that are not in ASCII alone."""
    if not (message.sender.isascii() and message.recipient.isascii()):
        return True
    return not is_ascii and not message.data.partition(CRLF + CRLF)[0].isascii()


def _ends_lines_well(data: bytes) -> bool:
    """True when no CR or LF stands alone: `splitlines` cuts at each, so only then every end has two octets.

    Three times as fast as a regular expression or counting, which shows at thousands of messages a second.
    """
    if not data.endswith(CRLF):
        data += CRLF
    lines = data.splitlines()
    return len(b"".join(lines)) + 2 * len(lines) == len(data)
