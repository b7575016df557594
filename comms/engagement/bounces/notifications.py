"""Notifications that providers mail as JSON: Amazon SES, by itself or wrapped by SNS."""

from __future__ import annotations

import json
from typing import Any

from comms.engagement.bounces.addresses import clean_address
from comms.engagement.bounces.classify import classify
from comms.engagement.bounces.codes import status_in
from comms.engagement.bounces.mime import one_line
from comms.engagement.bounces.models import BounceClass, Bounced, Kind

_DEEPEST = 3
"""Documents in documents: SNS puts the notification as text into its own."""
_LISTS = {
    "bounce": ("bounce", "bouncedRecipients"),
    "complaint": ("complaint", "complainedRecipients"),
    "delivery": ("delivery", "recipients"),
}


def read_notification(text: str) -> tuple[tuple[Bounced, ...], str]:
    """What a notification says of each recipient, and the Message-ID of the message; nothing when there is none."""
    document = _document(text)
    for _ in range(_DEEPEST):
        inner = document.get("Message") if document else None
        if not isinstance(inner, str):
            break
        document = _document(inner)
    kind = str(document.get("notificationType") or document.get("eventType") or "").lower()
    if kind not in _LISTS:
        return (), ""
    section, name = _LISTS[kind]
    about = _mapping(document.get(section))
    listed = about.get(name)
    found = [_bounced(kind, about, entry) for entry in (listed if isinstance(listed, list) else [])[:1_000]]
    headers = _mapping(_mapping(document.get("mail")).get("commonHeaders"))
    return tuple(each for each in found if each), one_line(str(headers.get("messageId", "")), 998).strip("<>")


def _document(text: str) -> dict[str, Any]:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or text[:start].strip():
        return {}
    try:
        return _mapping(json.loads(text[start : end + 1], strict=False))
    except (ValueError, RecursionError):
        return {}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _bounced(kind: str, about: dict[str, Any], entry: object) -> Bounced | None:
    fields = _mapping(entry) if isinstance(entry, dict) else {"emailAddress": entry}
    recipient = clean_address(str(fields.get("emailAddress", "")))
    if not recipient:
        return None
    words = one_line(str(fields.get("diagnosticCode") or about.get("smtpResponse") or ""), 1_000)
    status = status_in(f"{fields.get('status') or ''} {words}")
    code = str(status) if status else ""
    if kind == "complaint":
        return Bounced(recipient, Kind.COMPLAINT, "", one_line(str(about.get("complaintFeedbackType") or ""), 200))
    if kind == "delivery":
        return Bounced(recipient, Kind.DELIVERED, code, words)
    found = classify(words, status, temporary=str(about.get("bounceType")) == "Transient")
    if found is Kind.OTHER and about.get("bounceSubType") in ("NoEmail", "Suppressed", "OnAccountSuppressionList"):
        found = Kind.NO_USER
    if found.of_class is not BounceClass.HARD and about.get("bounceSubType") == "MailboxFull":
        found = Kind.FULL
    return Bounced(recipient, found, code, words)
