"""Amazon SES: bounces and complaints that it publishes to an SNS topic, which posts them to us, signed.

The signature is checked as https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html says: the
certificate comes from Amazon's own servers alone, and no other topic than ours is believed, for anybody may have one.
Formats: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from comms.engagement.bounces.notifications import read_notification
from comms.engagement.bounces.webhooks.base import RefusedError, Reported, Request, document, mapping, message_id, text

Fetch = Callable[[str], bytes]
"""Gets what lies at an https address; raises OSError."""

_HOST = re.compile(r"sns\.[a-z0-9-]{3,40}\.amazonaws\.com(?:\.cn)?")
_GREETINGS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(_GREETINGS, ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")),
}
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}
_MOST_CERTIFICATES = 10


class SesCheck:
    """Checks what SNS posts for one topic. Keeps the certificates that it fetched."""

    def __init__(self, topic: str, fetch: Fetch) -> None:
        self._topic = topic
        self._fetch = fetch
        self._certificates: dict[str, x509.Certificate] = {}

    def __call__(self, request: Request, now: datetime) -> bool:
        """As `Check`. Confirms the subscription of our own topic by following the address that SNS sends."""
        message = mapping(document(request.body))
        if message.get("TopicArn") != self._topic:
            raise RefusedError("it is of another topic")
        self._verify(message, now)
        if message["Type"] == "SubscriptionConfirmation":
            self._get(message.get("SubscribeURL"), "the address to confirm the subscription")
        return str(message["Type"]) == "Notification"

    def _verify(self, message: Mapping[str, Any], now: datetime) -> None:
        try:
            signature = b64decode(str(message.get("Signature")), validate=True)
            algorithm = _HASHES[str(message.get("SignatureVersion"))]
            signed = string_to_sign(message)
        except (KeyError, ValueError) as error:
            raise RefusedError("it is not signed as SNS signs") from error
        certificate = self._certificate(message.get("SigningCertURL"))
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise RefusedError("the certificate is not valid now")
        key = certificate.public_key()
        try:
            if not isinstance(key, rsa.RSAPublicKey):
                raise RefusedError("the certificate holds no RSA key")
            key.verify(signature, signed, padding.PKCS1v15(), algorithm())
        except InvalidSignature as error:
            raise RefusedError("the signature does not hold") from error

    def _certificate(self, url: object) -> x509.Certificate:
        if isinstance(url, str) and url in self._certificates:
            return self._certificates[url]
        data = self._get(url, "the certificate")
        try:
            certificate = x509.load_pem_x509_certificate(data)
        except ValueError as error:
            raise RefusedError("the certificate can not be read") from error
        if len(self._certificates) >= _MOST_CERTIFICATES:
            self._certificates.clear()
        self._certificates[str(url)] = certificate
        return certificate

    def _get(self, url: object, what: str) -> bytes:
        if not isinstance(url, str) or not is_amazons(url):
            raise RefusedError(f"{what} is not Amazon's")
        try:
            return self._fetch(url)
        except OSError as error:
            raise RefusedError(f"{what} can not be fetched now") from error


def is_amazons(url: str) -> bool:
    """Is this an https address of the SNS service itself, and of no host that only looks like it."""
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and parts.port is None and _HOST.fullmatch(parts.netloc) is not None
    except ValueError:
        return False


def string_to_sign(message: Mapping[str, Any]) -> bytes:
    """What SNS signs: names and values of its fields, each on a line. Raises KeyError, or ValueError for no text."""
    lines: list[str] = []
    for name in _SIGNED[message["Type"]]:
        if name == "Subject" and message.get(name) is None:
            continue
        if not isinstance(message[name], str):
            raise ValueError(f"{name} is no text")
        lines += [name, message[name]]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass")


def read(body: bytes) -> list[Reported]:
    """What a notification says, of each recipient."""
    found, mail_id = read_notification(body.decode("utf-8", "replace"))
    outer = mapping(document(body))
    inner = mapping(document(str(outer["Message"]))) if "Message" in outer else outer
    source = text(mapping(inner.get("mail")).get("source"), 1_000)
    return [Reported(each, body, message_id(mail_id), source) for each in found]
