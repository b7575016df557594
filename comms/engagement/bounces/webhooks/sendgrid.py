"""SendGrid: signed event webhooks, several events in one request.

Signature (ECDSA over time and body):
https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features.
Events: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event.
"""

from __future__ import annotations

from base64 import b64decode
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

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
from comms.errors import ConfigError

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"
_MOST_EVENTS = 10_000
_EVENTS = {
    "deferred": Kind.DELAYED,
    "spamreport": Kind.COMPLAINT,
    "unsubscribe": Kind.UNSUBSCRIBE,
    "group_unsubscribe": Kind.UNSUBSCRIBE,
}
_DROPPED = {
    "bounced address": Kind.NO_USER,
    "spam reporting address": Kind.COMPLAINT,
    "unsubscribed address": Kind.UNSUBSCRIBE,
}


class SendgridCheck:
    """Checks what was signed with the private half of the account's key.

    Raises ConfigError for a key that is none.
    """

    def __init__(self, public_key: str) -> None:
        try:
            key = load_der_public_key(b64decode(public_key, validate=True))
        except ValueError as error:
            raise ConfigError("comms.toml: [bounces] sendgrid_key is no public key in base64.") from error
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ConfigError("comms.toml: [bounces] sendgrid_key is no key of an elliptic curve.")
        self._key = key

    def __call__(self, request: Request, now: datetime) -> bool:
        """As `Check`. What is reported twice counts once, so that an old report may come again."""
        try:
            signature = b64decode(request.headers.get(SIGNATURE, ""), validate=True)
            signed = request.headers.get(TIMESTAMP, "").encode("ascii") + request.body
            self._key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError) as error:
            raise RefusedError("the signature does not hold") from error
        return True


def read(body: bytes) -> list[Reported]:
    """What the events say, of each recipient."""
    events = document(body)
    found: list[Reported] = []
    for event in map(mapping, events[:_MOST_EVENTS] if isinstance(events, list) else []):
        found += reported(
            event.get("email"),
            _kind(event),
            text(event.get("reason")) or text(event.get("response")),
            event,
            passing=event.get("type") == "blocked",
            status=text(event.get("status"), 20),
            mail=message_id(event.get("smtp-id")),
        )
    return found


def _kind(event: dict[str, Any]) -> Kind:
    name = text(event.get("event"))
    if name == "bounce":
        # `blocked` is what it calls every refusal that says nothing of the address for good.
        if event.get("type") == "blocked":
            return Kind.BLOCK
        return Kind.NO_USER if event.get("bounce_classification") == "Invalid Address" else Kind.OTHER
    if name == "dropped":
        return _DROPPED.get(text(event.get("reason")).lower(), Kind.NONE)
    return _EVENTS.get(name, Kind.NONE)
