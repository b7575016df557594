"""Postmark: bounce and spam complaint webhooks. They are not signed; the secret in their address is all there is.

Formats: https://postmarkapp.com/developer/webhooks/bounce-webhook, and the types of bounces in
https://postmarkapp.com/developer/api/bounce-api#bounce-types.
"""

from __future__ import annotations

from datetime import datetime

from comms.engagement.bounces.models import Kind
from comms.engagement.bounces.webhooks.base import Reported, Request, document, mapping, reported, text

_TYPES = {
    "HardBounce": Kind.NO_USER,
    "BadEmailAddress": Kind.NO_USER,
    "SoftBounce": Kind.OTHER,
    "Undeliverable": Kind.OTHER,
    "DnsError": Kind.NETWORK,
    "Transient": Kind.DELAYED,
    "Blocked": Kind.BLOCK,
    "DMARCPolicy": Kind.BLOCK,
    "SpamNotification": Kind.SPAM,
    "VirusNotification": Kind.SPAM,
    "SpamComplaint": Kind.COMPLAINT,
    "Unsubscribe": Kind.UNSUBSCRIBE,
    "AutoResponder": Kind.AUTO_REPLY,
    "ChallengeVerification": Kind.CHALLENGE,
    "AddressChange": Kind.AUTO_REPLY,
}
"""What is not named here says nothing of a mailbox."""
_PASSING = ("SoftBounce", "Undeliverable", "DnsError")
_RECORDS = ("Bounce", "SpamComplaint")


def check(request: Request, now: datetime) -> bool:
    """As `Check`: whoever knows the address may speak."""
    return True


def read(body: bytes) -> list[Reported]:
    """What a webhook says of its recipient."""
    record = mapping(document(body))
    if record.get("RecordType") not in _RECORDS:
        return []
    kind = _TYPES.get(text(record.get("Type")), Kind.NONE)
    words = text(record.get("Details")) or text(record.get("Description"))
    passing = record.get("Type") in _PASSING
    return reported(record.get("Email"), kind, words, record, passing=passing, sender=record.get("From"))
