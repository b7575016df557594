"""What the header of the returned message tells: whom it was sent to, by whom, and its Message-ID."""

from __future__ import annotations

import re

from comms.engagement.bounces.addresses import ADDRESS, clean_address, found_in
from comms.engagement.bounces.mime import Headers

_PROVIDERS = ("x-hmxmroriginalrecipient",)
_ENVELOPE = ("x-envelope-to", "x-original-to", "x-rcpt-to", "x-actual-recipient", "delivered-to")
_NAMED = ("to", "resent-to", "apparently-to", "cc", "bcc")
_SENDERS = ("return-path", "from", "sender", "reply-to", "x-sender", "errors-to", "x-envelope-from", "x-original-from")
_FOR = re.compile(rf"\bfor\s+<?({ADDRESS.pattern})")
_MESSAGE_ID = re.compile(r"<?([^<>\s]{1,900}@[^<>\s]{1,200})>?")


def recipients(header: Headers) -> list[str]:
    """Whom it was sent to: To and Cc, as we wrote them, else the envelope as servers on the way noted it."""
    for names in (_PROVIDERS, _NAMED, _ENVELOPE):
        found = [address for name in names for value in header.all(name) for address in found_in(value)]
        if found:
            return list(dict.fromkeys(found))
    return list(dict.fromkeys(clean for value in header.all("received") for clean in _for(value)))


def all_recipients(header: Headers) -> list[str]:
    """Every address that it may have been sent to."""
    found = [
        address
        for name in (*_PROVIDERS, *_ENVELOPE, *_NAMED)
        for value in header.all(name)
        for address in found_in(value)
    ]
    return list(dict.fromkeys([*found, *(clean for value in header.all("received") for clean in _for(value))]))


def senders(header: Headers) -> list[str]:
    """Who sent it, under any name."""
    return list(
        dict.fromkeys(address for name in _SENDERS for value in header.all(name) for address in found_in(value))
    )


def message_id(header: Headers) -> str:
    """Its Message-ID without angle brackets; empty when there is none."""
    match = _MESSAGE_ID.search(header.get("message-id"))
    return match[1] if match else ""


def _for(received: str) -> list[str]:
    return [clean for match in _FOR.finditer(received) if (clean := clean_address(match[1]))]
