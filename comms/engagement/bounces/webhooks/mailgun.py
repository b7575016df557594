"""Mailgun: webhooks of failures, complaints and unsubscriptions, with an HMAC over time and token.

Signature: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks. It does not cover
what is reported, so the secret in the address counts here too. Format:
https://documentation.mailgun.com/docs/mailgun/user-manual/events/event-structure.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from comms.engagement.bounces.models import Kind
from comms.engagement.bounces.webhooks.base import (
    RefusedError,
    Reported,
    Request,
    document,
    mapping,
    message_id,
    reported,
    text,
)

FRESH = timedelta(hours=12)
"""How old a signature may be: Mailgun tries for eight hours to reach us."""
_EARLY = timedelta(minutes=5)
_REASONS = {
    "suppress-bounce": Kind.NO_USER,
    "suppress-complaint": Kind.COMPLAINT,
    "suppress-unsubscribe": Kind.UNSUBSCRIBE,
    "espblock": Kind.BLOCK,
    "old": Kind.NETWORK,
}


class MailgunCheck:
    """Checks what was signed with the account's key."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def __call__(self, request: Request, now: datetime) -> bool:
        """As `Check`."""
        signature = mapping(mapping(document(request.body)).get("signature"))
        at, token, digest = (text(signature.get(name), 200) for name in ("timestamp", "token", "signature"))
        expected = hmac.new(self._key, f"{at}{token}".encode(), "sha256").hexdigest()
        if not hmac.compare_digest(expected.encode(), digest.encode()):
            raise RefusedError("the signature does not hold")
        if not at.isdigit() or not -_EARLY.total_seconds() <= now.timestamp() - int(at) <= FRESH.total_seconds():
            raise RefusedError("the signature is too old")
        return True


def read(body: bytes) -> list[Reported]:
    """What a webhook says of its recipient."""
    data = mapping(mapping(document(body)).get("event-data"))
    status = mapping(data.get("delivery-status"))
    headers = mapping(mapping(data.get("message")).get("headers"))
    words = text(status.get("message")) or text(status.get("description"))
    code = status.get("code")
    return reported(
        data.get("recipient"),
        _kind(data),
        f"{code} {words}".strip() if isinstance(code, int) else words,
        data,
        status=text(status.get("enhanced-code"), 20),
        mail=message_id(headers.get("message-id")),
        sender=mapping(data.get("envelope")).get("sender"),
    )


def _kind(data: dict[str, object]) -> Kind:
    event = data.get("event")
    if event == "complained":
        return Kind.COMPLAINT
    if event == "unsubscribed":
        return Kind.UNSUBSCRIBE
    if event != "failed":
        return Kind.NONE
    if data.get("severity") != "permanent":
        return Kind.DELAYED
    # `permanent` is said of every failure that is not tried again: the server's words decide what it is.
    return _REASONS.get(text(data.get("reason")), Kind.OTHER)
