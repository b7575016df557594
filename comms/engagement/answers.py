"""What the header of a mail says of who wrote it, to whom, and whether a person did. Pure; believes nothing of it."""

from __future__ import annotations

from email.utils import getaddresses

from comms.engagement.bounces.mime import Headers, Part
from comms.rendering.errors import UnsendableAddress
from comms.rendering.mime import addr_spec

_MACHINES = frozenset({"bulk", "junk", "list", "auto_reply", "auto-reply"})
"""Values of `Precedence`, from before there was `Auto-Submitted`."""


def addressed(headers: Headers) -> list[str]:
    """Where it was sent to: a mail that only quotes an address of ours was written to somebody else."""
    return [value for name in ("delivered-to", "x-original-to", "to", "cc") for value in headers.all(name)]


def writer(headers: Headers, fields: tuple[str, ...] = ("reply-to", "from")) -> str | None:
    """Whom to answer; None where no mail could go there."""
    for name in fields:
        for _, address in getaddresses(headers.all(name)[:1]):
            try:
                return addr_spec(address)
            except UnsendableAddress:
                continue
    return None


def names(headers: Headers) -> list[str]:
    """What the writer calls themself."""
    fields = [value for name in ("from", "reply-to", "sender") for value in headers.all(name)[:1]]
    return [name for name, _ in getaddresses(fields) if name]


def is_machine(mail: Part) -> bool:
    """Did a program write or pass it on (RFC 3834 section 2), a mailing list, or a mail server."""
    headers = mail.headers
    submitted = headers.get("auto-submitted").lower()
    return (
        bool(submitted and not submitted.startswith("no"))
        or headers.get("precedence").strip().lower() in _MACHINES
        or headers.get("return-path").strip() == "<>"
        or any(name in headers for name in ("list-id", "list-unsubscribe", "x-autoreply", "x-autorespond"))
        or mail.kind == "multipart/report"
    )
